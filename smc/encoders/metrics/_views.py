"""Views of objects and the actions between them: what all metrics of action are computed on."""

import numpy as np


def ordered_pairs(n_views):
    """Indices i, j of all pairs of different views."""
    i, j = np.meshgrid(np.arange(n_views), np.arange(n_views), indexing="ij")
    apart = i != j
    return i[apart], j[apart]


def check_views(X, action, *, least_views=2, name="X"):
    """X as an array (n_objects, n_views, ...) and the actions (n_objects, n_views, n_views, d) between its views."""
    X, action = np.asarray(X), np.asarray(action)
    if X.ndim < 3 or len(X) == 0 or X.shape[1] < least_views:
        raise ValueError(f"{name} must have shape (n_objects >= 1, n_views >= {least_views}, ...), got {X.shape}")
    if action.ndim != 4 or action.shape[:3] != (X.shape[0], X.shape[1], X.shape[1]):
        expected = f"({X.shape[0]}, {X.shape[1]}, {X.shape[1]}, d)"
        raise ValueError(f"action of {name} must have shape {expected}, got {action.shape}")
    if action.dtype.kind not in "fiu" or not np.isfinite(action).all():
        raise ValueError(f"action of {name} must be finite numbers")
    return X, action


def explained(truth, guess):
    """R2 by first axis of arrays (n_objects, n_pairs, d), all with the mean variance over the whole in the denominator.

    So the mean over objects is the R2 of the whole, and objects can be resampled.
    """
    error = ((truth - guess) ** 2).mean(axis=(1, 2))
    return 1 - error / ((truth - truth.mean((0, 1))) ** 2).mean()
