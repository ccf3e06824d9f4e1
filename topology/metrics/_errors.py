"""How far are samples from their units, and are the two nearest units neighbours?"""

import numpy as np

from topology._metric import check_metric, check_rows, to_distances
from topology._nearest import find_two
from topology._validation import check_magnitude, check_matrix
from topology.metrics._edges import check_edges


def quantization_error(X, prototypes, *, metric="euclidean"):
    """Mean distance of the samples to their nearest prototype, in the units of X.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
    prototypes : array-like (n_units, n_features)
    metric : {"euclidean", "cosine", "manhattan"}, default="euclidean"
        "cosine": 1 - cos; the prototypes must have unit length.

    Returns
    -------
    error : float
        The mean distance, not the mean squared distance.
    """
    X, prototypes = _check(X, prototypes, metric)
    total = 0.0
    for _, _, squares in find_two(X, prototypes, metric):
        total += to_distances(squares[:, 0], metric).sum(dtype=np.float64)
    return float(total / len(X))


def topographic_error(X, prototypes, edges, *, metric="euclidean"):
    """Share of the samples whose two nearest prototypes are not joined by an edge.

    The edges state the adjacency: `edges_` of a lattice are its nearest neighbours, 4 on a rectangular one and 6 on a
    hexagonal one. Many publications count diagonal neighbours as well; those 8 are
    ``scipy.spatial.cKDTree(positions).query_pairs(1.5, output_type="ndarray")`` with `positions` in lattice steps.
    A growing map joins the two winners of every training sample, so its error is only informative on other samples.
    A map of one unit has no topology to violate: 0.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
    prototypes : array-like (n_units, n_features)
    edges : array-like of int (n_edges, 2)
        Direction and repetition do not matter.
    metric : as for `quantization_error`

    Returns
    -------
    error : float in [0, 1]

    References
    ----------
    Kiviluoto (1996), Topology preservation in self-organizing maps, ICNN.
    """
    X, prototypes = _check(X, prototypes, metric)
    n_units = len(prototypes)
    edges, _ = check_edges(edges, n_units)
    if n_units == 1:
        return 0.0
    keys, n_joined = _pair_keys(edges, n_units), 0
    for _, winners, _ in find_two(X, prototypes, metric):
        n_joined += np.isin(_pair_keys(winners, n_units), keys).sum()
    return float(1 - n_joined / len(X))


def _check(X, prototypes, metric):
    check_metric(metric)
    prototypes = check_matrix("prototypes", prototypes)
    X = check_matrix("X", X, n_columns=prototypes.shape[1])
    check_magnitude("prototypes", prototypes, prototypes.dtype, power=2 if metric == "manhattan" else 1)
    check_rows("X", X, prototypes.dtype, metric)
    if metric == "cosine" and not np.allclose(np.linalg.norm(prototypes, axis=1), 1, atol=1e-3):
        raise ValueError("prototypes must have unit length when metric='cosine'")
    return X, prototypes


def _pair_keys(pairs, n_units):
    return pairs.min(axis=1) * n_units + pairs.max(axis=1)
