"""Objects as densely connected parts of the graph of sensory states."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import networkx as nx
import numpy as np
from scipy.linalg import eigh
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import KMeans

from topology._validation import check_choice, check_generator, check_integer

RESOLUTION = 0.01  # eigenvalues below are taken for 0: parts that hardly anything connects


@dataclass(frozen=True)
class ObjectSegmentation:
    """Which sensory states belong together.

    Attributes
    ----------
    labels : dict
        Node -> number of its object; 0 has the most nodes.
    n_objects : int
    eigenvalues : ndarray (n_nodes,)
        Of the normalized Laplacian, ascending; the first `n_objects` are near 0 where objects are well apart.
    ratio : float
        The eigenvalue after the first `n_objects` over the last of these (or over 0.01, if that is smaller).
    """

    labels: dict
    n_objects: int
    eigenvalues: np.ndarray
    ratio: float


def segment_objects(
    graph, n_objects=None, *, max_objects=20, random_state=None, weight="reliability"
) -> ObjectSegmentation:
    """Find objects: sensory states among which actions lead reliably, and between which they do not.

    What moves as one is seen in the same order whenever the eye passes over it; what lies beside it changes. Sensory
    states are joined by the actions that lead from one to the other, in both directions, and clustered spectrally (Ng,
    Jordan & Weiss 2001).

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        Sensory states and the actions between them, with the edge attribute ``probability``, as
        `ContingencyModel.to_networkx` gives it.
    n_objects : int, optional
        Default: from 2 to `max_objects`, where the ratio of successive eigenvalues is largest.
    max_objects : int, default=20
        At least 2.
    random_state : int, RandomState, Generator or None
        Seeds the starts of k-means.
    weight : {"reliability", "contrast"}, default="reliability"
        How two states are joined. "reliability": the summed squares of the probabilities of the actions that lead from
        one to the other (a square is the chance that two passes agree). "contrast": the summed squared differences of
        these probabilities from their mean over the actions known in a state (Drescher's contrast), so that what
        follows whatever one does joins nothing; the keys of the edges must tell the actions apart.

    Returns
    -------
    ObjectSegmentation

    Raises
    ------
    TypeError
        If `graph` is no directed networkx graph.
    ValueError
        If it has too few nodes, nothing that joins any two of them, or an edge without a probability in [0, 1].

    References
    ----------
    Le Hir, N., Sigaud, O. & Laflaquiere, A. (2018). Identification of invariant sensorimotor structures as a
    prerequisite for the discovery of objects. Frontiers in Robotics and AI 5.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.MultiDiGraph()
    >>> _ = graph.add_edges_from([(0, 1), (1, 2), (2, 0), (3, 4), (4, 3)], probability=1.0)
    >>> _ = graph.add_edges_from([(1, 3), (4, 0)], probability=0.01)
    >>> segment_objects(graph, random_state=0).labels
    {0: 0, 1: 0, 2: 0, 3: 1, 4: 1}
    """
    check_integer("max_objects", max_objects, 2)
    check_choice("weight", weight, ("reliability", "contrast"))
    nodes, joined = _weights(graph, weight)
    if n_objects is not None:
        check_integer("n_objects", n_objects, 1)
        if n_objects > len(nodes):
            raise ValueError(f"n_objects must be at most the number of nodes, {len(nodes)}; got {n_objects}")
    eigenvalues, vectors = eigh(laplacian(joined, normed=True))
    ratios = eigenvalues[1:] / np.maximum(eigenvalues[:-1], RESOLUTION)
    if n_objects is None:
        n_objects = 2 + int(ratios[1:max_objects].argmax()) if len(nodes) > 2 else 2
    coordinates = vectors[:, :n_objects]
    lengths = np.linalg.norm(coordinates, axis=1, keepdims=True)
    coordinates = coordinates / np.where(lengths > 0.0, lengths, 1.0)
    seed = int(check_generator(random_state).integers(2**31))
    found = KMeans(n_objects, n_init=10, random_state=seed).fit_predict(coordinates)
    sizes = np.bincount(found, minlength=n_objects)
    number = np.empty(n_objects, int)
    number[np.argsort(-sizes, kind="stable")] = np.arange(n_objects)
    labels = dict(zip(nodes, number[found].tolist()))
    ratio = float(ratios[n_objects - 1]) if n_objects < len(nodes) else 1.0
    return ObjectSegmentation(labels, int(n_objects), eigenvalues, ratio)


def _weights(graph, weight):
    """Nodes, and how much each two are joined (n_nodes, n_nodes)."""
    if not isinstance(graph, nx.Graph) or not graph.is_directed():
        raise TypeError(f"graph must be a directed networkx graph; got {type(graph).__name__}")
    nodes = list(graph)
    if len(nodes) < 2:
        raise ValueError(f"graph must have at least 2 nodes; got {len(nodes)}")
    if weight == "contrast" and not graph.is_multigraph():
        raise TypeError(
            f"graph must be a networkx.MultiDiGraph keyed by actions for weight='contrast'; got {type(graph).__name__}"
        )
    place = {node: i for i, node in enumerate(nodes)}
    joined, total = np.zeros((2, len(nodes), len(nodes)))
    for start, end, probability in graph.edges(data="probability"):
        if not isinstance(probability, Real) or not 0.0 <= probability <= 1.0:
            raise ValueError(
                f"graph: every edge must have a probability in [0, 1]; that from {start} to {end} has {probability}"
            )
        if start != end:
            joined[place[start], place[end]] += probability**2
            total[place[start], place[end]] += probability
    if weight == "contrast":
        n_actions = [len({key for *_, key in graph.out_edges(node, keys=True)}) for node in nodes]
        joined = np.maximum(joined - total**2 / np.maximum(n_actions, 1)[:, None], 0.0)
    if not joined.any():
        raise ValueError(f"graph must join some of its nodes by weight={weight!r}; no action tells of another node")
    return nodes, joined + joined.T
