"""How far are samples from their units, and are the two nearest units neighbours?"""

import numpy as np

from topology._nearest import nearest_two
from topology._validation import check_matrix
from topology.metrics._edges import check_edges

BLOCK = 65536  # samples whose winners are held at once


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
    X, prototypes = _check(X, prototypes)
    total = sum(distances[:, 0].sum(dtype=np.float64) for _, distances in _winners(X, prototypes))
    return float(total / len(X))


def topographic_error(X, prototypes, edges):
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

    Returns
    -------
    error : float in [0, 1]

    References
    ----------
    Kiviluoto (1996), Topology preservation in self-organizing maps, ICNN.
    """
    X, prototypes = _check(X, prototypes)
    n_units = len(prototypes)
    edges, _ = check_edges(edges, n_units)
    if n_units == 1:
        return 0.0
    keys = _pair_keys(edges, n_units)
    joined = sum(np.isin(_pair_keys(winners, n_units), keys).sum() for winners, _ in _winners(X, prototypes))
    return float(1 - joined / len(X))


def _check(X, prototypes):
    prototypes = check_matrix("prototypes", prototypes)
    return check_matrix("X", X, n_columns=prototypes.shape[1]), prototypes


def _winners(X, prototypes):
    for start in range(0, len(X), BLOCK):
        yield nearest_two(X[start : start + BLOCK], prototypes)


def _pair_keys(pairs, n_units):
    return pairs.min(axis=1) * n_units + pairs.max(axis=1)
