import networkx as nx
import numpy as np
import pytest

from smc import ContingencyModel, Transitions, segment_objects
from smc._segment_objects import _weights


def blocks(sizes, inside=1.0, between=0.02, seed=0):
    """Graph of cliques with few weak edges between them, nodes in random order, and the clique of each node."""
    rng = np.random.default_rng(seed)
    of = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(of)))
    for i, j in np.argwhere(~np.eye(len(of), dtype=bool)).tolist():
        graph.add_edge(i, j, key=0, probability=inside if of[i] == of[j] else between)
    return graph, of


@pytest.mark.parametrize("sizes", [(6, 4), (9, 5, 3), (4,) * 6])
def test_cliques_are_found_without_their_number_and_sorted_by_size(sizes):
    graph, of = blocks(sizes)
    found = segment_objects(graph, random_state=0)
    assert found.n_objects == len(sizes) and list(found.labels) == list(graph)
    labels = np.array([found.labels[i] for i in range(len(of))])
    assert len(set(zip(labels.tolist(), of.tolist()))) == len(sizes)
    assert np.bincount(labels).tolist() == sorted(sizes, reverse=True)
    assert (np.diff(found.eigenvalues) >= 0).all() and found.ratio > 10


def test_unconnected_parts_and_lonely_nodes_are_objects():
    graph, _ = blocks((5, 5), between=0.0)
    graph.add_edge("alone", "alone", probability=1.0)
    found = segment_objects(graph, random_state=0)
    assert found.n_objects == 3 and sum(label == found.labels["alone"] for label in found.labels.values()) == 1


def test_the_number_can_be_given_and_the_seed_repeats():
    graph, _ = blocks((6, 6, 6), between=0.3)
    first, second = (segment_objects(graph, 2, random_state=3) for _ in range(2))
    assert first.labels == second.labels and set(first.labels.values()) == {0, 1} and first.n_objects == 2
    assert segment_objects(graph, 18, random_state=0).ratio == 1.0
    pair = nx.MultiDiGraph()
    pair.add_edge(0, 1, probability=0.5)
    assert set(segment_objects(pair, random_state=0).labels.values()) == {0, 1}


def test_it_reads_what_a_contingency_model_exports():
    """Two rings of three places; now and then the agent is carried from one to the other."""
    rng = np.random.default_rng(0)
    place = rng.integers(0, 6, 4000)
    action = rng.integers(1, 3, 4000)
    after = place // 3 * 3 + (place + action) % 3
    carried = rng.random(4000) < 0.05
    after[carried] = rng.integers(0, 6, carried.sum())
    model = ContingencyModel(1, "next").fit(Transitions({"eye": place}, action, {"eye": after}))
    labels = segment_objects(model.to_networkx(), random_state=0).labels
    assert labels[0] == labels[1] == labels[2] != labels[3] == labels[4] == labels[5]


def pulled_rings(carried=0.4):
    """Two rings of four places, turned by two actions; whatever is done, one is often carried to the other ring."""
    graph = nx.MultiDiGraph()
    for place in range(8):
        for action in (1, 3):
            graph.add_edge(place, place // 4 * 4 + (place + action) % 4, key=action, probability=1.0 - carried)
            graph.add_edge(place, (place + 4) % 8, key=action, probability=carried)
    return graph


def test_contrast_joins_by_what_actions_do_and_not_by_what_follows_anyway():
    labels = segment_objects(pulled_rings(), 2, weight="contrast", random_state=0).labels
    assert len({labels[i] for i in range(4)}) == len({labels[i] for i in range(4, 8)}) == 1 and labels[0] != labels[4]
    labels = segment_objects(pulled_rings(0.6), 2, random_state=0).labels
    assert all(labels[i] == labels[i + 4] for i in range(4))  # by reliability the pull is what joins


def test_contrast_is_the_spread_of_probabilities_over_actions():
    graph = nx.MultiDiGraph()
    for action, probability in enumerate((0.9, 0.2, 0.4)):
        graph.add_edge(0, 1, key=action, probability=probability)
        graph.add_edge(0, 2, key=action, probability=1.0 - probability)
    graph.add_edge(3, 0, key=0, probability=1.0)
    _, joined = _weights(graph, "contrast")
    assert joined[0, 1] == joined[1, 0] == pytest.approx(3 * np.var([0.9, 0.2, 0.4]))
    assert joined[0, 3] == 0.0  # an action without an alternative


def test_bad_graphs_are_refused():
    graph, _ = blocks((3, 3))
    for bad, error, message in [
        ("graph", TypeError, "directed networkx graph; got str"),
        (nx.Graph(graph), TypeError, "directed networkx graph; got Graph"),
        (nx.MultiDiGraph(), ValueError, "at least 2 nodes; got 0"),
    ]:
        with pytest.raises(error, match=message):
            segment_objects(bad)
    with pytest.raises(ValueError, match="n_objects"):
        segment_objects(graph, 7)
    with pytest.raises(ValueError, match="max_objects"):
        segment_objects(graph, max_objects=1)
    with pytest.raises(ValueError, match="weight must be one of 'reliability', 'contrast'"):
        segment_objects(graph, weight="squares")
    with pytest.raises(TypeError, match="MultiDiGraph keyed by actions"):
        segment_objects(nx.DiGraph(graph), weight="contrast")
    with pytest.raises(ValueError, match="graph must join some of its nodes by weight='contrast'"):
        segment_objects(graph, weight="contrast")  # one action alone
    lonely = nx.MultiDiGraph()
    lonely.add_nodes_from(range(3))
    with pytest.raises(ValueError, match="graph must join some of its nodes"):
        segment_objects(lonely)
    graph.add_edge(0, 1, key=1, probability="likely")
    with pytest.raises(ValueError, match="that from 0 to 1 has likely"):
        segment_objects(graph)
    graph.add_edge(0, 1, key=1, probability=None)
    with pytest.raises(ValueError, match=r"every edge must have a probability in \[0, 1\]; that from 0 to 1 has None"):
        segment_objects(graph)
