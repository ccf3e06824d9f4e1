"""Mass over volume of the cells, one unit at a time."""

import math
from collections import Counter


def log_ratios(X, prototypes, dimension, empty=0.5, share=1 / 3):
    """Smoothed log(mass / volume) of every unit, and the pairs (nearest, second) with how often they occurred."""
    units = range(len(prototypes))
    pairs = Counter()
    for x in X:
        first, second = sorted(units, key=lambda k: (math.dist(x, prototypes[k]), k))[:2]
        pairs[first, second] += 1
    raw, neighbors = [], []
    for k in units:
        joint = {j: pairs[k, j] + pairs[j, k] for j in units if pairs[k, j] + pairs[j, k] > 0}
        if joint:
            square = sum(n * math.dist(prototypes[k], prototypes[j]) ** 2 for j, n in joint.items()) / sum(
                joint.values()
            )
        else:
            square = min(math.dist(prototypes[k], prototypes[j]) for j in units if j != k) ** 2
        won = sum(n for (first, _), n in pairs.items() if first == k)
        mass = (won + empty) / (len(X) + empty * len(prototypes))
        raw.append(math.log(mass) - dimension * math.log(math.sqrt(square)))
        neighbors.append(list(joint))
    smooth = [
        (1 - share) * raw[k] + share * (sum(raw[j] for j in near) / len(near) if near else raw[k])
        for k, near in zip(units, neighbors)
    ]
    return smooth, pairs


def interpolate(x, prototypes, values, n_near):
    """Shepard's mean of the nearest units' values."""
    near = sorted(range(len(prototypes)), key=lambda k: math.dist(x, prototypes[k]))[:n_near]
    weights = [1 / math.dist(x, prototypes[k]) ** 2 for k in near]
    return sum(w * values[k] for w, k in zip(weights, near)) / sum(weights)
