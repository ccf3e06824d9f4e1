"""Checked edges of a graph of units."""

import numpy as np

from topology._validation import check_integer


def check_edges(edges, n_units=None):
    """Distinct edges as int64 (n_edges, 2), smaller unit first, sorted; and the number of units."""
    edges = np.asarray(edges)
    if edges.size == 0:
        edges = np.empty((0, 2), np.int64)
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(f"edges must be integers of shape (n_edges, 2), got {edges.dtype} of shape {edges.shape}")
    low, high = (int(edges.min()), int(edges.max())) if len(edges) else (0, -1)
    n_units = high + 1 if n_units is None else check_integer("n_units", n_units, 0)
    if low < 0 or high >= n_units:
        raise ValueError(f"edges must name units 0 to {n_units - 1}, got {low} to {high}")
    if (edges[:, 0] == edges[:, 1]).any():
        raise ValueError("edges must join two different units")
    return np.unique(np.sort(edges.astype(np.int64), axis=1), axis=0), n_units
