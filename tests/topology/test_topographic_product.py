"""The topographic product against its definition, and its sign."""

import networkx as nx
import numpy as np
import pytest
import slow_metrics
from hypothesis import given
from hypothesis import strategies as st

from topology.metrics import _topographic_product as module
from topology.metrics import topographic_product

ROWS, COLUMNS = 7, 4  # not square
POSITIONS = np.array([(c, r) for r in range(ROWS) for c in range(COLUMNS)], dtype=float)


@given(n=st.integers(2, 12), seed=st.integers(0, 10_000))
def test_lattices_against_the_definition(n, seed):
    rng = np.random.default_rng(seed)
    prototypes, positions = rng.normal(size=(n, 3)), POSITIONS[rng.permutation(len(POSITIONS))[:n]]
    expected = slow_metrics.topographic_product(prototypes, slow_metrics.distances(positions))
    assert topographic_product(prototypes, positions) == pytest.approx(expected, abs=1e-12)


@given(n=st.integers(2, 12), seed=st.integers(0, 10_000))
def test_graphs_against_the_definition(n, seed):
    rng = np.random.default_rng(seed)
    graph = nx.compose(nx.path_graph(n), nx.gnp_random_graph(n, 0.2, seed=seed))
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    steps = [[lengths[i][j] for j in range(n)] for i in range(n)]
    prototypes = rng.normal(size=(n, 3))
    expected = slow_metrics.topographic_product(prototypes, steps)
    assert topographic_product(prototypes, edges=np.array(graph.edges)) == pytest.approx(expected, abs=1e-12)


def test_sign_tells_how_the_dimensions_differ():
    rng = np.random.default_rng(0)
    assert topographic_product(3 * POSITIONS + 1, POSITIONS) == 0
    # A line folded into a square has too few dimensions, a sheet rolled up tightly into a line too many.
    snake = np.array([(c if r % 2 == 0 else 9 - c, r) for r in range(10) for c in range(10)], dtype=float)
    chain = np.arange(100.0)[:, None]
    square = np.array([(c, r) for r in range(10) for c in range(10)], dtype=float)
    assert topographic_product(snake, chain) < -0.03
    assert topographic_product(chain + 0.01 * rng.random((100, 1)), square) > 0.02
    assert topographic_product([[1.0, 2.0]], [[0.0, 0.0]]) == 0


def test_blocks_leave_the_product_alone(monkeypatch):
    prototypes = np.random.default_rng(0).normal(size=(len(POSITIONS), 3))
    edges = [(i, j) for i in range(28) for j in range(i) if np.abs(POSITIONS[i] - POSITIONS[j]).sum() == 1]
    for where in ({"positions": POSITIONS}, {"edges": edges}):
        monkeypatch.setattr(module, "BLOCK_ENTRIES", 2**20)
        whole = topographic_product(prototypes, **where)
        monkeypatch.setattr(module, "BLOCK_ENTRIES", 100)
        assert topographic_product(prototypes, **where) == pytest.approx(whole)


@pytest.mark.parametrize(
    "change, match",
    [
        ({"positions": None}, "positions or edges"),
        ({"edges": [(0, 1)]}, "positions or edges"),
        ({"positions": None, "edges": [(0, 1)]}, "connect all units"),
        ({"positions": POSITIONS[:5]}, "one row per prototype"),
        ({"positions": np.zeros_like(POSITIONS)}, "positions must differ"),
        ({"prototypes": np.zeros((28, 3))}, "prototypes must differ"),
        ({"prototypes": np.full((28, 3), np.nan)}, "prototypes must be finite"),
    ],
)
def test_bad_input(change, match):
    prototypes = np.random.default_rng(0).normal(size=(28, 3))
    with pytest.raises(ValueError, match=match):
        topographic_product(**({"prototypes": prototypes, "positions": POSITIONS} | change))
