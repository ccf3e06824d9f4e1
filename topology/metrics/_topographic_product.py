"""Do the orders of units on the map and in the data agree?"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from tqdm import tqdm

from topology._kernels.search import pairwise_distances
from topology._validation import check_magnitude, check_matrix, read_only
from topology.metrics._edges import check_edges

BLOCK_ENTRIES = 2**20  # distances held at once


def topographic_product(prototypes, positions=None, *, edges=None):
    """Mean logarithm of how much the neighbours on the map and in the data space differ in distance.

    P = sum over units j and orders k of log P3(j, k) / (N (N - 1)), where P3 is the geometric mean over the first k
    neighbours, of each order, of the ratios of distances in both spaces. About 0: the map fits; below 0: the map has
    too few dimensions for the data; above 0: too many. A map of one unit has 0.

    Parameters
    ----------
    prototypes : array-like (n_units, n_features)
        All different.
    positions : array-like (n_units, n_axes), optional
        Places of the units on a lattice, all different. Units equally far on the map rank by index.
    edges : array-like of int (n_edges, 2), optional
        In place of `positions`, for graphs and periodic lattices: distance is then the number of edges between two
        units, all of which must be connected.

    Returns
    -------
    product : float

    References
    ----------
    Bauer and Pawelzik (1992), IEEE Trans. Neural Networks 3:570.
    """
    prototypes = _check("prototypes", prototypes)
    n = len(prototypes)
    if (positions is None) == (edges is None):
        raise ValueError("positions or edges must be given, and not both")
    if positions is not None:
        positions = _check("positions", positions)
        if len(positions) != n:
            raise ValueError(f"positions must have one row per prototype, {n}, got {len(positions)}")
    else:
        edges, _ = check_edges(edges, n)
        graph = coo_array((np.ones(len(edges)), edges.T), shape=(n, n)).tocsr()
        if connected_components(graph, directed=False)[0] > 1:
            raise ValueError("edges must connect all units: between unconnected ones there is no distance")
    if n == 1:
        return 0.0
    total, step = 0.0, max(1, BLOCK_ENTRIES // n)
    for start in tqdm(range(0, n, step), unit="block", desc="topographic product", delay=2, disable=None, leave=False):
        units = np.arange(start, min(start + step, n))
        if positions is None:
            outside = dijkstra(graph, directed=False, indices=units, unweighted=True)
        else:
            outside = _distances(positions, units)
        total += _sum_log_ratios(_distances(prototypes, units), outside, units)
    return total / (n * (n - 1))


def _sum_log_ratios(inside, outside, units):
    """Sum of log P3 over all orders, for some units: their distances to all in the data space and on the map."""
    near_inside, near_outside = _order(inside, units), _order(outside, units)

    def log_ratios(distances):
        ordered = np.take_along_axis(distances, near_outside, 1), np.take_along_axis(distances, near_inside, 1)
        return np.log(ordered[0]) - np.log(ordered[1])

    orders = np.arange(1, near_inside.shape[1] + 1)
    return float((np.cumsum(log_ratios(inside) + log_ratios(outside), axis=1) / (2 * orders)).sum())


def _order(distances, units):
    """All other units from near to far."""
    distances = distances.copy()
    distances[np.arange(len(units)), units] = -1
    return np.argsort(distances, axis=1, kind="stable")[:, 1:]


def _distances(points, units):
    distances = np.empty((len(units), len(points)))
    pairwise_distances(read_only(points[units]), read_only(points), distances)
    return distances


def _check(name, points):
    points = check_matrix(name, points).astype(np.float64, copy=False)
    check_magnitude(name, points, points.dtype)
    if len(np.unique(points, axis=0)) < len(points):
        raise ValueError(f"{name} must differ from each other: two units in one place have no ratio of distances")
    return points
