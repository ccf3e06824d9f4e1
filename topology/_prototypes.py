"""The prototypes of any fitted map, ours or scikit-learn's."""

import numpy as np


def prototypes_of(estimator):
    """`prototypes_` or `cluster_centers_` (n_units, n_features) of a fitted estimator that measures as Euclid does."""
    metric = getattr(estimator, "metric", "euclidean")
    if metric != "euclidean":
        raise ValueError(
            f"estimator must have metric='euclidean', got {metric!r}: volumes and variances of cells are Euclidean"
        )
    for name in ("prototypes_", "cluster_centers_"):
        if hasattr(estimator, name):
            return np.asarray(getattr(estimator, name))
    raise TypeError(f"estimator must have prototypes_ or cluster_centers_ after fit, got {type(estimator).__name__}")
