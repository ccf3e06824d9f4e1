"""Who is near whom? Neighbours and ranks of samples, one row of distances in memory at a time."""

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import squared_distance


@kernel()
def distances_to_all(X, row, distances):
    """Squared distances from X[row]; infinite to itself."""
    for i in range(X.shape[0]):
        distances[i] = squared_distance(X, i, X, row)
    distances[row] = np.inf


@kernel()
def find_neighbors(X, first, neighbors, distances):
    """Nearest other rows of the rows from `first` on, near to far; equally far ones by index.

    Parameters
    ----------
    X : (n_samples, n_features)
    neighbors : (n_rows, n_neighbors) int, out ; distances : (n_rows, n_neighbors), out. Squared.
    """
    n_neighbors = neighbors.shape[1]
    to_all = np.empty(X.shape[0], X.dtype)
    for row in range(neighbors.shape[0]):
        distances_to_all(X, first + row, to_all)
        found = 0
        for i in range(X.shape[0]):
            value = to_all[i]
            if i == first + row or (found == n_neighbors and value >= distances[row, found - 1]):
                continue
            place = found if found < n_neighbors else found - 1
            while place > 0 and distances[row, place - 1] > value:
                distances[row, place] = distances[row, place - 1]
                neighbors[row, place] = neighbors[row, place - 1]
                place -= 1
            distances[row, place] = value
            neighbors[row, place] = i
            found = min(found + 1, n_neighbors)


@kernel()
def sum_excess_ranks(X, first, neighbors):
    """Sum of how far the ranks in X of the given neighbours exceed their number; equally far rows rank by index."""
    n_neighbors = neighbors.shape[1]
    to_all = np.empty(X.shape[0], X.dtype)
    total = 0
    for row in range(neighbors.shape[0]):
        distances_to_all(X, first + row, to_all)
        for k in range(n_neighbors):
            j = neighbors[row, k]
            value = to_all[j]
            rank = 1
            for i in range(j):
                rank += to_all[i] <= value
            for i in range(j + 1, X.shape[0]):
                rank += to_all[i] < value
            total += max(0, rank - n_neighbors)
    return total
