"""Holes are counted exactly: known triangulations, random graphs, learned maps."""

import numpy as np
import pytest
import slow_metrics
from hypothesis import given
from hypothesis import strategies as st

from topology import GrowingNeuralGas
from topology.metrics import betti_numbers

OCTAHEDRON = [(i, j) for i in range(6) for j in range(i) if i - j != 3]
graphs = st.integers(2, 9).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(1, n - 1)), max_size=40))
)


def torus(n):
    """n x n torus, every square cut by a diagonal."""
    steps = [(0, 1), (1, 0), (1, 1)]
    return [(i * n + j, (i + a) % n * n + (j + b) % n) for i in range(n) for j in range(n) for a, b in steps]


def icosahedron():
    golden = (1 + 5**0.5) / 2
    corners = [np.roll((0, a, b * golden), axis) for axis in range(3) for a in (-1, 1) for b in (-1, 1)]
    return [(i, j) for i in range(12) for j in range(i) if np.isclose(np.linalg.norm(corners[i] - corners[j]), 2)]


def suspension(edges, n_units):
    """Two poles linked with everything: a sphere of one dimension more from a sphere."""
    return [*edges, *((pole, i) for pole in (n_units, n_units + 1) for i in range(n_units))]


@pytest.mark.parametrize(
    "edges, n_units, expected",
    [
        ([(0, 1), (1, 2), (2, 3), (3, 0)], 4, (1, 1, 0)),
        ([(0, 1), (1, 2), (2, 0)], 3, (1, 0, 0)),
        ([(i, (i + 1) % 30) for i in range(30)], 30, (1, 1, 0)),
        ([(0, 1), (1, 2), (2, 3), (3, 0), (5, 6)], 8, (4, 1, 0)),
        ([(i, j) for i in range(8) for j in range(i)], 8, (1, 0, 0)),
        (OCTAHEDRON, 6, (1, 0, 1)),
        (icosahedron(), 12, (1, 0, 1)),
        (torus(5), 25, (1, 2, 1)),
        (torus(12), 144, (1, 2, 1)),
        (suspension(OCTAHEDRON, 6), 8, (1, 0, 0, 1)),
        (suspension(torus(5), 25), 27, (1, 0, 2, 1)),
        ([], 3, (3, 0, 0)),
        ([], 0, (0, 0, 0)),
    ],
)
def test_known_triangulations(edges, n_units, expected):
    order = np.random.default_rng(0).permutation(n_units)
    shuffled = order[np.array(edges, dtype=int)].reshape(-1, 2)
    for graph in (np.array(edges, dtype=int), shuffled, np.concatenate([shuffled, shuffled[:, ::-1]])):
        assert betti_numbers(graph, n_units, max_dimension=len(expected) - 1) == expected
        assert betti_numbers(graph, n_units, max_dimension=0) == expected[:1]
        assert betti_numbers(graph, n_units, max_dimension=1) == expected[:2]


@given(graph=graphs, max_dimension=st.integers(0, 4))
def test_random_graphs_against_dense_elimination(graph, max_dimension):
    n_units, pairs = graph
    edges = [(i, (i + step) % n_units) for i, step in pairs if step % n_units]
    expected = slow_metrics.betti_numbers(edges, n_units, max_dimension)
    assert betti_numbers(edges, n_units, max_dimension=max_dimension) == expected


@pytest.mark.parametrize("seed", range(3))
def test_learned_ring(seed):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, 4000)
    gng = GrowingNeuralGas(40, random_state=seed).fit(np.column_stack([np.cos(angle), np.sin(angle)]))
    assert betti_numbers(gng.edges_, gng.n_units_) == (1, 1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_learned_sphere(seed):
    X = np.random.default_rng(seed).normal(size=(20_000, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    slow_to_forget = {"learning_rate": 0.05, "neighbor_learning_rate": 0.0006, "max_age": 1000, "n_epochs": 10}
    gng = GrowingNeuralGas(30, random_state=seed, **slow_to_forget).fit(X)
    assert betti_numbers(gng.edges_, gng.n_units_) == (1, 0, 1)


@pytest.mark.parametrize("seed", range(3))
def test_learned_blobs(seed):
    X = np.random.default_rng(seed).normal(size=(2000, 2)) + np.repeat([[0, 0], [20, 0]], 1000, axis=0)
    gng = GrowingNeuralGas(30, random_state=seed).fit(X)
    assert betti_numbers(gng.edges_, gng.n_units_)[0] == 2


@pytest.mark.parametrize(
    "edges, options, match",
    [
        ([(0, 1), (1, 1)], {}, "two different"),
        ([(0, 1), (-1, 1)], {}, "units 0 to"),
        ([(0, 3)], {"n_units": 3}, "units 0 to 2"),
        ([(0.0, 1.0)], {}, "integers"),
        ([(0, 1, 2)], {}, "shape"),
        ([(0, 1)], {"max_dimension": -1}, "max_dimension"),
        ([(0, 1)], {"n_units": -1}, "n_units"),
        ([(i, j) for i in range(400) for j in range(i)], {}, "1000000 cliques"),
    ],
)
def test_bad_input(edges, options, match):
    with pytest.raises(ValueError, match=match):
        betti_numbers(edges, **options)
