"""The nearest prototypes of every row."""

from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from topology._kernels import search
from topology._metric import blocks, check_rows, to_distances, to_rows
from topology._validation import check_magnitude, read_only


def nearest_two(X, prototypes, metric="euclidean"):
    """Exact two nearest units of every row: indices (n_samples, 2) and distances (n_samples, 2)."""
    check_rows("X", X, prototypes.dtype, metric)
    check_magnitude("prototypes", prototypes, prototypes.dtype)
    indices = np.empty((len(X), 2), np.int64)
    distances = np.empty((len(X), 2), prototypes.dtype)
    for rows, winners, squares in find_two(X, prototypes, metric):
        indices[rows], distances[rows] = winners, to_distances(squares, metric)
    return indices, distances


def find_two(X, prototypes, metric):
    """Blocks of checked rows: their slice, two nearest units (n, 2) and "squares" (n, 2) as in `_metric`."""
    prototypes = read_only(prototypes)
    columns = read_only(prototypes.T) if metric == "manhattan" else None
    with one_blas_thread():
        for rows in blocks(X):
            block = to_rows(X[rows], prototypes.dtype, metric)
            winners = np.empty((len(block), 2), np.int64)
            squares = np.empty((len(block), 2), prototypes.dtype)
            if metric == "manhattan":
                search.find_nearest_two_manhattan(block, columns, winners, squares)
            else:
                search.find_nearest_two(block, prototypes, winners, squares)
            yield rows, winners, squares


def pairwise(X, prototypes, metric="euclidean"):
    """Distances (n_samples, n_units) of checked rows to all units, in the dtype of X."""
    prototypes = prototypes.astype(X.dtype, copy=False)
    columns = read_only(prototypes.T) if metric == "manhattan" else None
    distances = np.empty((len(X), len(prototypes)), X.dtype)
    for rows in blocks(X):
        block = to_rows(X[rows], X.dtype, metric)
        if metric == "manhattan":
            search.pairwise_manhattan(block, columns, distances[rows])
        else:
            search.pairwise_distances(block, read_only(prototypes), distances[rows])
    return to_distances(distances**2, metric) if metric == "cosine" else distances


@cache
def _controller():
    return ThreadpoolController()


def one_blas_thread():
    """Context in which BLAS runs on the calling thread.

    Products of 64 rows end before a second thread has woken up; on a busy machine waiting for it made the search a
    hundred times slower.
    """
    return _controller().limit(limits=1, user_api="blas")
