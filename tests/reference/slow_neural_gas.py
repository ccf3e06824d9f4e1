"""Neural gas by its formulas: a full sort per sample, loops over units, a dict of edge ages."""

import numpy as np
from slow_nearest import unit_length

COSINE, MANHATTAN = 1, 2


def squares(x, units, metric):
    if metric == MANHATTAN:
        return [np.abs(w - x).sum() ** 2 for w in units]
    return [((w - x) ** 2).sum() for w in units]


def at(ends, progress):
    return ends[0] * (ends[1] / ends[0]) ** progress


def online(X, units, rule):
    """Final units, {(i, j): age} and the winners of all samples."""
    units, ages, winners = [np.array(w, np.float64) for w in units], {}, []
    for t, x in enumerate(X):
        progress = min(t / rule.n_steps, 1)
        ranked = np.argsort(squares(x, units, rule.metric), kind="stable")
        for rank, i in enumerate(ranked):
            share = at(rule.rates, progress) * np.exp(-rank / at(rule.reaches, progress))
            units[i] = units[i] + share * (x - units[i])
            if rule.metric == COSINE:
                units[i] = unit_length(units[i])
        s1, s2 = ranked[:2].tolist()
        winners.append(s1)
        ages = {edge: age + (s1 in edge) for edge, age in ages.items()}
        ages[tuple(sorted((s1, s2)))] = 0
        ages = {e: age for e, age in ages.items() if s1 not in e or age <= at(rule.lifetimes, progress)}
    return np.array(units), ages, winners


def batch_step(X, units, reach, metric):
    """Every unit as the mean of all samples, weighted by the rank that it has for them."""
    sums, masses = np.zeros(units.shape), np.zeros(len(units))
    for x in X:
        for rank, i in enumerate(np.argsort(squares(x, units, metric), kind="stable")):
            sums[i] += np.exp(-rank / reach) * x
            masses[i] += np.exp(-rank / reach)
    for i in np.flatnonzero(masses > 1e-100):
        sums[i] /= masses[i]
        if metric == COSINE:
            sums[i] = unit_length(sums[i])
    return sums
