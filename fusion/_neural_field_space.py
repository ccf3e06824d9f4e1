"""Where the nodes of a field are, and how far apart: straight through space, or along the edges of a learned graph."""

import networkx as nx
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from topology._validation import check_matrix

MAX_LINKS = 40_000_000  # pairs of nodes that are held in memory at once
ROWS = 256  # nodes whose distances to all others are computed together


def field_space(graph_or_positions, period=None):
    """`StraightSpace` of an array of positions, `GraphSpace` of a fitted map or a networkx graph."""
    if hasattr(graph_or_positions, "prototypes_") or hasattr(graph_or_positions, "fit"):
        check_is_fitted(graph_or_positions, "prototypes_")
        if not hasattr(graph_or_positions, "edges_"):
            return StraightSpace(graph_or_positions.prototypes_, period)
        return GraphSpace(graph_or_positions.prototypes_, graph_or_positions.edges_, period)
    if isinstance(graph_or_positions, nx.Graph):
        return GraphSpace(*_read_networkx(graph_or_positions), period)
    return StraightSpace(graph_or_positions, period)


class StraightSpace:
    """Positions; distances are Euclidean, around the period where a coordinate has one.

    Parameters
    ----------
    positions : array-like of shape (n_nodes, n_dims) or (n_nodes,)
    period : float or array-like of shape (n_dims,), default=None
        Length after which a coordinate repeats, infinite for one that does not.
    """

    def __init__(self, positions, period=None):
        positions = np.asarray(positions)
        self.positions = check_matrix(
            "graph_or_positions", positions[:, None] if positions.ndim == 1 else positions, min_rows=2
        ).astype(float)
        self.period = _check_period(period, self.positions.shape[1])
        wrapped = np.where(np.isinf(self.period), self.positions, np.mod(self.positions, self.period))
        # A remainder may round up to the period itself, which the tree refuses.
        wrapped = np.where(wrapped >= self.period, 0.0, wrapped)
        self._tree = cKDTree(wrapped, boxsize=np.where(np.isinf(self.period), 0.0, self.period))

    def __len__(self):
        return len(self.positions)

    def difference(self, a, b):
        """a - b (..., n_dims), the short way around."""
        difference = a - b
        turns = np.where(np.isinf(self.period), 0.0, np.round(difference / self.period))
        return difference - turns * np.where(np.isinf(self.period), 0.0, self.period)

    def spacing(self):
        """Median distance of a node to its nearest neighbour."""
        return float(np.median(self._tree.query(self._tree.data, 2)[0][:, 1]))

    def pairs_within(self, radius):
        """All pairs at most `radius` apart: nodes i < j (n_pairs,), (n_pairs,) and distances (n_pairs,)."""
        _check_size(self._tree.count_neighbors(self._tree, radius), radius)
        i, j = self._tree.query_pairs(radius, output_type="ndarray").T
        return i, j, np.linalg.norm(self.difference(self.positions[i], self.positions[j]), axis=1)

    def adjacency(self, radius):
        """Sparse neighbours (n_nodes, n_nodes): those no farther apart than the longest step that holds all together.

        On a regular grid these are the nearest nodes along the axes.
        """
        i, j, distance = self.pairs_within(radius)
        tree = csgraph.minimum_spanning_tree(_symmetric(i, j, distance, len(self)))
        near = distance <= tree.data.max() * (1 + 1e-9)
        return _symmetric(i[near], j[near], distance[near], len(self))

    def distances(self, nodes):
        """Distances (len(nodes), len(nodes)) among some nodes."""
        return np.linalg.norm(self.difference(self.positions[nodes, None], self.positions[nodes]), axis=-1)


class GraphSpace(StraightSpace):
    """A graph; distances run along its edges, whose lengths are Euclidean.

    Parameters
    ----------
    positions, period : as `StraightSpace`
    edges : array-like of int of shape (n_edges, 2)

    Raises
    ------
    ValueError
        If the graph is not connected.
    """

    def __init__(self, positions, edges, period=None):
        super().__init__(positions, period)
        edges = np.asarray(edges)
        if edges.size and (edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu"):
            raise ValueError(f"edges must be integers of shape (n_edges, 2), got {edges.dtype} {edges.shape}")
        i, j = edges.reshape(-1, 2).astype(int).T
        if edges.size and (edges.min() < 0 or edges.max() >= len(self)):
            raise ValueError(f"edges must name nodes from 0 to {len(self) - 1}, got {edges.min()} to {edges.max()}")
        lengths = np.linalg.norm(self.difference(self.positions[i], self.positions[j]), axis=1)
        # A sparse graph cannot hold an edge of length 0; nodes at one place stay linked.
        self._graph = _symmetric(i, j, np.maximum(lengths, np.finfo(float).tiny), len(self))
        check_connected(self._graph, "the graph")

    def spacing(self):
        """Median length of an edge."""
        return float(np.median(self._graph.data))

    def pairs_within(self, radius):
        parts = []
        for rows in gen_batches(len(self), ROWS):
            distances = csgraph.dijkstra(self._graph, indices=np.arange(len(self))[rows], limit=radius)
            i, j = np.nonzero(np.isfinite(distances))
            later = i + rows.start < j
            parts.append((i[later] + rows.start, j[later], distances[i[later], j[later]]))
            _check_size(2 * sum(len(part[0]) for part in parts), radius)
        i, j, distance = (np.concatenate(column) for column in zip(*parts))
        return i, j, distance

    def adjacency(self, radius):
        return self._graph

    def distances(self, nodes):
        return csgraph.dijkstra(self._graph, indices=nodes)[:, nodes]


def check_connected(graph, what):
    """Refuse a sparse graph that falls apart."""
    n_parts, labels = csgraph.connected_components(graph, directed=False)
    if n_parts > 1:
        largest = int(np.bincount(labels).max())
        raise ValueError(
            f"{what} must be connected, got {n_parts} parts, the largest of {largest} nodes; make one field per part"
        )


def _symmetric(i, j, values, n):
    """Sparse matrix with `values` at (i, j) and (j, i); a pair that occurs twice counts once."""
    low, high = np.minimum(i, j), np.maximum(i, j)
    once = np.unique(low * n + high, return_index=True)[1]
    once = once[low[once] != high[once]]
    i, j, values = low[once], high[once], values[once]
    return sparse.csr_array((np.r_[values, values], (np.r_[i, j], np.r_[j, i])), shape=(n, n))


def _read_networkx(graph):
    if graph.number_of_nodes() < 2:
        raise ValueError(f"the graph must have at least 2 nodes, got {graph.number_of_nodes()}")
    missing = [node for node, data in graph.nodes(data=True) if "position" not in data]
    if missing:
        raise ValueError(
            f"every node of the graph must carry a 'position', {len(missing)} do not, such as {missing[0]!r}"
        )
    place = {node: k for k, node in enumerate(graph)}
    try:
        positions = np.array([np.atleast_1d(data["position"]) for _, data in graph.nodes(data=True)], dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError("the 'position' of every node of the graph must hold as many numbers") from error
    return positions, np.array([(place[a], place[b]) for a, b in graph.edges()], dtype=int).reshape(-1, 2)


def _check_period(period, n_dims):
    if period is None:
        return np.full(n_dims, np.inf)
    period = np.asarray(period, dtype=float)
    if period.shape not in ((), (n_dims,)) or not (period > 0).all():
        raise ValueError(f"period must be positive, one number or one per coordinate ({n_dims}), got {period.tolist()}")
    return np.broadcast_to(period, n_dims)


def _check_size(n_links, radius):
    if n_links > MAX_LINKS:
        raise ValueError(
            f"kernel reaches {radius:.3g} and links more than {MAX_LINKS:,} pairs of nodes; make it narrower"
        )
