"""The metrics of the maps: what each asks of the rows, and how its distances are reported.

Inside, every metric is the root of a "square" that the searches compare: |x - w|^2; the same between vectors of unit
length, where it is 2 (1 - cos); and (sum |x - w|)^2.
"""

import numpy as np

from topology._kernels import search
from topology._validation import check_choice, check_magnitude, read_only

METRICS = ("euclidean", "cosine", "manhattan")
CODES = dict(zip(METRICS, (search.EUCLIDEAN, search.COSINE, search.MANHATTAN)))
BLOCK_ENTRIES = 2**19  # numbers that are converted, scaled or measured at once


def check_metric(metric):
    """The metric's number in the kernels."""
    return CODES[check_choice("metric", metric, METRICS)]


def check_rows(name, X, dtype, metric):
    """Refuse rows that the metric cannot measure in `dtype`: too large, or without a direction."""
    check_magnitude(name, X, dtype, power=2 if metric == "manhattan" else 1)
    if metric == "cosine":
        for rows in blocks(X):
            zero = np.flatnonzero(~X[rows].any(axis=1))
            if len(zero):
                raise ValueError(
                    f"{name} must have no row of zeros when metric='cosine', row {rows.start + zero[0]} is one"
                )


def to_rows(X, dtype, metric):
    """Rows as kernels take them: of `dtype`, contiguous, not to be written; of unit length for "cosine"."""
    if metric == "cosine":
        scaled = np.empty(X.shape, dtype)
        search.scale_rows(read_only(X), scaled)
        X = scaled
    return read_only(np.asarray(X, dtype=dtype))


def is_ready(X, dtype, metric):
    """True if `to_rows` would copy nothing, so that kernels may read X where it lies."""
    return X.dtype == dtype and metric != "cosine" and X.flags.c_contiguous and X.flags.aligned


def to_distances(squares, metric):
    """Distances as users see them: in the units of X, or 1 - cos."""
    return squares / 2 if metric == "cosine" else np.sqrt(squares)


def blocks(X, width=0):
    """Slices over the rows of X, so many at a time that no copy of them, or table `width` wide, is large."""
    step = max(search.BATCH, BLOCK_ENTRIES // max(X.shape[1], width) // search.BATCH * search.BATCH)
    for start in range(0, len(X), step):
        yield slice(start, min(start + step, len(X)))
