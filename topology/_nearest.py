"""The two nearest prototypes of every row."""

from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from topology._kernels.search import find_nearest_two
from topology._validation import check_magnitude, read_only


def nearest_two(X, prototypes):
    """Exact two nearest units of every row: indices (n_samples, 2) and Euclidean distances (n_samples, 2)."""
    indices = np.empty((len(X), 2), np.int64)
    squared = np.empty((len(X), 2), prototypes.dtype)
    check_magnitude("X", X, prototypes.dtype)
    check_magnitude("prototypes", prototypes, prototypes.dtype)
    X = np.asarray(X, dtype=prototypes.dtype)
    with one_blas_thread():
        find_nearest_two(read_only(X), read_only(prototypes), indices, squared)
    return indices, np.sqrt(squared)


@cache
def _controller():
    return ThreadpoolController()


def one_blas_thread():
    """Context in which BLAS runs on the calling thread.

    Products of 64 rows end before a second thread has woken up; on a busy machine waiting for it made the search a
    hundred times slower.
    """
    return _controller().limit(limits=1, user_api="blas")
