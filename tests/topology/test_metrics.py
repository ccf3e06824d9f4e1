"""Errors of a map: as defined, and as two peers measure them on the same codebooks."""

from pathlib import Path

import numpy as np
import pytest
import slow_metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import cKDTree

from topology import _metric
from topology.metrics import quantization_error, topographic_error

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "map_errors.npz")
# Few different values, so that ties are common.
points = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 2), elements=st.integers(-3, 3).map(float)))


def golden_maps(peer):
    return [name.removesuffix(f"_{peer}") for name in GOLDEN if name.endswith(peer)]


def lattice_edges(name, reach):
    """Pairs of units within `reach` lattice steps."""
    lattice, shape = name.split("_")
    rows, columns = np.mgrid[tuple(slice(int(n)) for n in shape.split("x"))]
    if lattice == "hexagonal":
        columns, rows = columns + 0.5 * (rows % 2), rows * np.sqrt(3) / 2
    return cKDTree(np.column_stack([columns.ravel(), rows.ravel()])).query_pairs(reach, output_type="ndarray")


@pytest.mark.parametrize(
    "peer, name", [(peer, name) for peer in ("minisom", "fastersom") for name in golden_maps(peer)]
)
def test_errors_are_those_of_the_peers(peer, name):
    codebook, (quantization, topographic) = GOLDEN[f"{name}_codebook"], GOLDEN[f"{name}_{peer}"]
    edges = lattice_edges(name, 1.5 if name.startswith("rectangular") else 1.01)
    assert quantization_error(GOLDEN["X"], codebook) == pytest.approx(quantization, rel=1e-6)
    assert topographic_error(GOLDEN["X"], codebook, edges) == pytest.approx(topographic, abs=1e-9)


def test_fewer_neighbours_make_more_errors():
    name = "rectangular_8x5"
    four, eight = (
        topographic_error(GOLDEN["X"], GOLDEN[f"{name}_codebook"], lattice_edges(name, reach)) for reach in (1.1, 1.5)
    )
    assert 0 < eight < four < 1


@given(X=points, prototypes=points, seed=st.integers(0, 100))
def test_errors_follow_their_definitions(X, prototypes, seed):
    n_units = len(prototypes)
    pairs = np.random.default_rng(seed).integers(0, n_units, (2 * n_units, 2))
    edges = pairs[pairs[:, 0] != pairs[:, 1]]
    assert quantization_error(X, prototypes) == pytest.approx(slow_metrics.quantization_error(X, prototypes))
    if n_units > 1:
        expected = slow_metrics.topographic_error(X, prototypes, edges)
        assert topographic_error(X, prototypes, edges) == pytest.approx(expected)


def test_quantization_error_is_the_mean_distance():
    prototypes = [[0.0, 0.0], [10.0, 0.0]]
    assert quantization_error([[3.0, 4.0], [10.0, 1.0]], prototypes) == pytest.approx(3.0)


def test_topographic_error_counts_unlinked_winners():
    chain = np.arange(4.0)[:, None]
    X = [[0.1], [0.9], [1.6], [2.9]]  # winners (0, 1), (1, 0), (2, 1), (3, 2)
    assert topographic_error(X, chain, [[0, 1], [1, 2], [2, 3]]) == 0
    assert topographic_error(X, chain, [[1, 0], [2, 3]]) == 0.25
    assert topographic_error(X, chain, [[2, 3]]) == 0.75
    assert topographic_error(X, chain, np.empty((0, 2), int)) == 1
    assert topographic_error(X, chain[:1], np.empty((0, 2), int)) == 0


def test_blocks_leave_the_errors_alone(monkeypatch):
    rng = np.random.default_rng(0)
    X, prototypes, edges = rng.random((300, 3)), rng.random((20, 3)), [[i, i + 1] for i in range(19)]
    whole = quantization_error(X, prototypes), topographic_error(X, prototypes, edges)
    monkeypatch.setattr(_metric, "BLOCK_ENTRIES", 1)
    assert (quantization_error(X, prototypes), topographic_error(X, prototypes, edges)) == pytest.approx(whole)


def test_other_metrics():
    rng = np.random.default_rng(0)
    X, prototypes = rng.normal(size=(50, 3)), rng.normal(size=(8, 3))
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    edges = [[i, i + 1] for i in range(7)]
    cosines = X @ prototypes.T / np.linalg.norm(X, axis=1, keepdims=True)
    sums = np.abs(X[:, None] - prototypes).sum(axis=2)
    for metric, distances in (("cosine", 1 - cosines), ("manhattan", sums)):
        assert quantization_error(X, prototypes, metric=metric) == pytest.approx(distances.min(axis=1).mean())
        unlinked = np.abs(np.diff(np.argsort(distances, axis=1)[:, :2])) != 1
        assert topographic_error(X, prototypes, edges, metric=metric) == pytest.approx(unlinked.mean())
    with pytest.raises(ValueError, match="unit length"):
        quantization_error(X, 2 * prototypes, metric="cosine")
    with pytest.raises(ValueError, match="row of zeros"):
        quantization_error(0 * X, prototypes, metric="cosine")
    with pytest.raises(ValueError, match="metric must be one of"):
        quantization_error(X, prototypes, metric="chebyshev")


@pytest.mark.parametrize("edges", [[[0, 9]], [[-1, 0]], [[0.5, 1]], [0, 1], [[1, 1]]])
def test_bad_edges(edges):
    with pytest.raises(ValueError, match="edges"):
        topographic_error([[0.0]], np.arange(4.0)[:, None], edges)


def test_bad_data():
    with pytest.raises(ValueError, match="X must have 3 columns"):
        quantization_error(np.zeros((3, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="X must be finite"):
        quantization_error(np.full((3, 2), np.nan), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="prototypes must have at least 1 row"):
        topographic_error(np.zeros((3, 2)), np.zeros((0, 2)), [])
    with pytest.raises(TypeError, match="prototypes must hold real numbers"):
        quantization_error(np.zeros((3, 2)), [["a", "b"]])
