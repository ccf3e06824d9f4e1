"""Measures of maps, written as their definitions read: all pairs, all orders, dense matrices."""

import math
from itertools import combinations

import numpy as np


def distances(A):
    return [[math.dist(a, b) for b in A] for a in A]


def neighbors(row, i):
    """All others from near to far, equally far ones by index."""
    return sorted((j for j in range(len(row)) if j != i), key=lambda j: (row[j], j))


def quantization_error(X, prototypes):
    return sum(min(math.dist(x, w) for w in prototypes) for x in X) / len(X)


def topographic_error(X, prototypes, edges):
    linked = {frozenset(map(int, edge)) for edge in edges}
    bad = 0
    for x in X:
        order = sorted(range(len(prototypes)), key=lambda k: (math.dist(x, prototypes[k]), k))
        bad += frozenset(order[:2]) not in linked
    return bad / len(X)


def topographic_product(prototypes, output_distances):
    """Bauer and Pawelzik (1992), equations for Q1, Q2, P3 and P."""
    n = len(prototypes)
    input_distances = distances(prototypes)
    total = 0.0
    for j in range(n):
        near_in, near_out = neighbors(input_distances[j], j), neighbors(output_distances[j], j)
        for k in range(1, n):
            product = 1.0
            for a, b in zip(near_out[:k], near_in[:k]):
                product *= input_distances[j][a] / input_distances[j][b]
                product *= output_distances[j][a] / output_distances[j][b]
            total += math.log(product ** (1 / (2 * k)))
    return total / (n * (n - 1))


def trustworthiness(X, Y, k):
    n = len(X)
    DX, DY = distances(X), distances(Y)
    penalty = 0
    for i in range(n):
        rank = {j: r for r, j in enumerate(neighbors(DX[i], i), start=1)}
        penalty += sum(max(0, rank[j] - k) for j in neighbors(DY[i], i)[:k])
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty


def neighborhood_preservation(X, Y, k):
    DX, DY = distances(X), distances(Y)
    kept = [len(set(neighbors(DX[i], i)[:k]) & set(neighbors(DY[i], i)[:k])) for i in range(len(X))]
    return sum(kept) / (len(X) * k)


def betti_numbers(edges, n_units, max_dimension):
    """All subsets are tried, ranks over GF(2) found by dense elimination."""
    linked = {frozenset(map(int, edge)) for edge in edges}

    def cliques(size):
        subsets = combinations(range(n_units), size)
        return [c for c in subsets if all(frozenset(pair) in linked for pair in combinations(c, 2))]

    simplices = [cliques(size) for size in range(1, max_dimension + 3)]

    def rank(k):
        if k == 0 or not simplices[k]:
            return 0
        M = np.zeros((len(simplices[k - 1]), len(simplices[k])), dtype=bool)
        for column, simplex in enumerate(simplices[k]):
            for face in combinations(simplex, k):
                M[simplices[k - 1].index(face), column] = True
        found = 0
        for column in range(M.shape[1]):
            rows = np.flatnonzero(M[found:, column]) + found
            if len(rows):
                M[[found, rows[0]]] = M[[rows[0], found]]
                others = M[:, column].copy()
                others[found] = False
                M[others] ^= M[found]
                found += 1
        return found

    return tuple(len(simplices[k]) - rank(k) - rank(k + 1) for k in range(max_dimension + 1))
