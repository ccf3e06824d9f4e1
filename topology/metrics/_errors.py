"""How well does a map represent data?"""

import numpy as np
from scipy.spatial import cKDTree

from topology._nearest import nearest_two
from topology._validation import check_choice, check_integer, check_matrix


def quantization_error(X, prototypes):
    """Mean Euclidean distance of the samples to their nearest prototype, in the units of X.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
    prototypes : array-like (n_units, n_features)

    Returns
    -------
    error : float
        The mean distance, not the mean squared distance.
    """
    _, distances = _nearest_two(X, prototypes)
    return float(distances[:, 0].mean(dtype=np.float64))


def topographic_error(X, prototypes, edges):
    """Share of the samples whose two nearest prototypes are not joined by an edge.

    A growing map joins the two winners of every training sample, so the error is only informative on other samples.
    A map of one unit has no topology to violate: 0.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
    prototypes : array-like (n_units, n_features)
    edges : array-like of int (n_edges, 2)

    Returns
    -------
    error : float in [0, 1]
    """
    winners, _ = _nearest_two(X, prototypes)
    n_units = len(prototypes)
    if n_units == 1:
        return 0.0
    edges = np.asarray(edges)
    if edges.size == 0:
        return 1.0
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(f"edges must be integers of shape (n_edges, 2), got {edges.dtype} of shape {edges.shape}")
    if edges.min() < 0 or edges.max() >= n_units:
        raise ValueError(f"edges must name units 0 to {n_units - 1}, got {edges.min()} to {edges.max()}")
    return float(1 - np.isin(_pair_keys(winners, n_units), _pair_keys(edges, n_units)).mean())


def intrinsic_dimension(X, *, method="two_nn", n_neighbors=10):
    """Dimension of the manifold that the samples lie on, from distances between neighbouring samples.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
        At least 3 distinct rows. Duplicated rows count once.
    method : {"two_nn", "maximum_likelihood"}
        "two_nn": the ratio of the second to the first neighbour distance is Pareto distributed with the dimension as
        exponent; its maximum-likelihood estimate. "maximum_likelihood": Levina and Bickel (2004) with `n_neighbors`,
        the inverse estimates averaged over samples.
    n_neighbors : int, default=10
        Neighbours used by "maximum_likelihood"; at least 3.

    Returns
    -------
    dimension : float, > 0
    """
    X = check_matrix("X", X)
    check_choice("method", method, ("two_nn", "maximum_likelihood"))
    n_neighbors = 2 if method == "two_nn" else check_integer("n_neighbors", n_neighbors, 3)
    X = np.unique(X, axis=0)
    if len(X) <= n_neighbors:
        raise ValueError(f"X must have more than {n_neighbors} distinct rows for method={method!r}, got {len(X)}")
    distances = cKDTree(X).query(X, n_neighbors + 1)[0][:, 1:]
    log_ratios = np.log(distances[:, -1:] / distances[:, :-1])
    total = log_ratios.sum()
    if total == 0:
        raise ValueError("X must not be a regular grid: all neighbours are equally far")
    # One less than the number of ratios makes the estimate unbiased when they are independent.
    return float((log_ratios.size - 1) / total)


def _nearest_two(X, prototypes):
    prototypes = check_matrix("prototypes", prototypes)
    return nearest_two(check_matrix("X", X, n_columns=prototypes.shape[1]), prototypes)


def _pair_keys(pairs, n_units):
    pairs = np.sort(pairs, axis=1).astype(np.int64)
    return pairs[:, 0] * n_units + pairs[:, 1]
