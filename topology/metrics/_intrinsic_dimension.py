"""How many dimensions does the manifold have that the samples lie on?"""

import numpy as np
from scipy.spatial import cKDTree
from tqdm import tqdm

from topology._kernels.neighborhoods import find_neighbors
from topology._validation import check_choice, check_integer, check_magnitude, check_matrix, read_only

BLOCK = 1024
MAX_TREE_FEATURES = 12  # with more, comparing all pairs is faster than a tree
# Share of the largest ratios that count as "at least as large as the rest": pairs of near copies, which data with
# noise below their resolution have, would give ratios without bound.
CENSORED = 0.1


def intrinsic_dimension(X, *, method="two_nn", n_neighbors=10):
    """Dimension of the manifold that the samples lie on, from distances between neighbouring samples.

    Curvature and density may vary, but little over the distance to a neighbour; edges of the manifold and few samples
    pull the estimate down, the more so the higher the dimension.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
        At least 3 distinct rows. Duplicated rows count once.
    method : {"two_nn", "maximum_likelihood"}
        "two_nn": the ratio of the second to the first neighbour distance is Pareto distributed with the dimension as
        exponent; its maximum-likelihood estimate, where of the largest tenth of the ratios only the number counts.
        "maximum_likelihood": with `n_neighbors` distances of every sample, the inverse estimates averaged over samples.
    n_neighbors : int, default=10
        Neighbours used by "maximum_likelihood"; at least 3.

    Returns
    -------
    dimension : float, > 0

    References
    ----------
    Facco, d'Errico, Rodriguez and Laio (2017), Scientific Reports 7:12140. Levina and Bickel (2004), NIPS 17.
    """
    X = check_matrix("X", X)
    check_choice("method", method, ("two_nn", "maximum_likelihood"))
    n_neighbors = 2 if method == "two_nn" else check_integer("n_neighbors", n_neighbors, 3)
    check_magnitude("X", X, X.dtype)
    X = np.unique(X, axis=0)
    if len(X) <= n_neighbors:
        raise ValueError(f"X must have more than {n_neighbors} distinct rows for method={method!r}, got {len(X)}")
    blocks = _neighbor_distances(X, n_neighbors)
    # Rows whose distance underflows are as good as equal.
    log_ratios = np.concatenate([_log_ratios(distances[distances[:, 0] > 0]) for distances in blocks])
    n_seen = log_ratios.size
    if method == "two_nn" and n_seen > 0:
        n_seen -= int(CENSORED * n_seen)
        log_ratios = np.minimum(log_ratios, np.partition(log_ratios[:, 0], n_seen - 1)[n_seen - 1])
    total = log_ratios.sum()
    if total == 0:
        raise ValueError("X must not be a regular grid: neighbours are equally far")
    # One less than the number of ratios makes the estimate unbiased when they are independent.
    return float((n_seen - 1) / total)


def _log_ratios(distances):
    return np.log(distances[:, -1:] / distances[:, :-1])


def _neighbor_distances(X, n_neighbors):
    """Distances to the nearest other rows, near to far, block by block."""
    tree = cKDTree(X) if X.shape[1] <= MAX_TREE_FEATURES else None
    for first in tqdm(range(0, len(X), BLOCK), unit="block", desc="neighbours", delay=2, disable=None, leave=False):
        block = X[first : first + BLOCK]
        if tree is not None:
            yield tree.query(block, n_neighbors + 1)[0][:, 1:]
        else:
            neighbors = np.empty((len(block), n_neighbors), np.int64)
            squared = np.empty(neighbors.shape, X.dtype)
            find_neighbors(read_only(X), first, neighbors, squared)
            yield np.sqrt(squared.astype(np.float64))
