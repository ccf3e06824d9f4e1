"""Where the units of a self-organising map start."""

import numpy as np
from sklearn.utils.extmath import randomized_svd

from topology._metric import blocks, check_rows, to_rows

PLANE_ROWS = 4096  # rows that the plane is laid through: the sampling error of a start does not matter
WIDTH = 2.0  # standard deviations from the middle of the map to its edge


def on_plane(X, positions, metric):
    """Prototypes (n_units, n_features) on the plane of the first two principal components, as they lie on the lattice.

    The longer side of the lattice follows the first component; it spans two standard deviations to each side. The
    components are those of at most 4096 rows, evenly spaced in X.
    """
    rows = to_rows(_fill(X, X[:: -(-len(X) // PLANE_ROWS)]), X.dtype, metric).astype(np.float64)
    center = rows.mean(axis=0)
    rows = rows - center
    n_axes = min(2, *rows.shape)
    _, lengths, axes = randomized_svd(rows, n_axes, n_iter=7, random_state=0)
    extent = np.ptp(positions, axis=0)
    order = np.argsort(-extent, kind="stable")[:n_axes]
    unit = 2 * (positions - positions.min(axis=0)) / np.where(extent > 0, extent, 1) - (extent > 0)
    deviations = lengths / np.sqrt(len(rows))
    return center + WIDTH * (unit[:, order] * deviations) @ axes


def on_samples(X, n_units, metric, rng):
    """Prototypes on random rows of X, on different ones if there are enough."""
    rows = X[np.sort(rng.choice(len(X), n_units, replace=len(X) < n_units))]
    return to_rows(_fill(X, rng.permutation(rows)), X.dtype, metric)


def on_given(init, lattice, n_features, dtype, metric):
    """The prototypes that the user gave, (n_units, n_features) or (n_rows, n_columns, n_features)."""
    array = np.asarray(init)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"init must be 'pca', 'sample' or an array of real numbers, got {init!r:.60}")
    flat, grid = (lattice.n_units, n_features), (lattice.n_rows, lattice.n_columns, n_features)
    if array.shape not in (flat, grid):
        raise ValueError(f"init must have shape {flat} or {grid}, got {array.shape}")
    array = array.reshape(flat).astype(dtype)
    if not np.isfinite(array).all():
        raise ValueError("init must be finite, got NaN or infinity")
    check_rows("init", array, dtype, metric)
    return to_rows(array, dtype, metric)


def _fill(X, rows):
    """The rows, missing values replaced by the mean of their feature over X."""
    if not np.isnan(rows).any():
        return rows
    sums, counts = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for block in blocks(X):
        sums += np.nansum(X[block], axis=0, dtype=np.float64)
        counts += (~np.isnan(X[block])).sum(axis=0)
    if (counts == 0).any():
        raise ValueError(f"X must have a value in every feature, feature {np.argmin(counts)} is missing in all rows")
    return np.where(np.isnan(rows), (sums / counts).astype(X.dtype), rows)
