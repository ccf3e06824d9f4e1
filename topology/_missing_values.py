"""Rows in which NaN stands for a missing value: checks, and distances over the features that are there."""

import numpy as np

from topology._kernels.winner_search import observed_distances
from topology._metric import blocks, check_rows
from topology._validation import check_magnitude, read_only


def check_observed(X, dtype, metric):
    """Refuse rows without any value, or too large for `dtype`; whether X has gaps."""
    if not np.isnan(X.max()):
        check_rows("X", X, dtype, metric)
        return False
    extremes = np.array([np.fmin.reduce(X, axis=None), np.fmax.reduce(X, axis=None)])
    check_magnitude("X", np.broadcast_to(extremes[:, None], (2, X.shape[1])), dtype)
    for rows in blocks(X):
        empty = np.flatnonzero(np.isnan(X[rows]).all(axis=1))
        if len(empty):
            raise ValueError(f"X must have a value in every row, row {rows.start + empty[0]} is all NaN")
    return True


def measure_observed(X, prototypes, distances):
    """Overwrite the distances (n_samples, n_units) of rows with gaps by those over the observed features."""
    for rows in blocks(X):
        missing = rows.start + np.flatnonzero(np.isnan(X[rows]).any(axis=1))
        observed = np.empty((len(missing), len(prototypes)), X.dtype)
        observed_distances(read_only(X[missing]), read_only(prototypes.astype(X.dtype)), observed)
        distances[missing] = observed
