import sys

import networkx as nx
import numpy as np
import pytest

from fusion import align_maps

TURN = np.array([[0.0, 1.0], [-1.0, 0.0]])


def corner(spacing, seed):
    """Nodes of an L whose two arms differ in length and width, so that no symmetry is left."""
    axis = np.arange(0, 1, spacing)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    points += np.random.default_rng(seed).uniform(-0.2 * spacing, 0.2 * spacing, points.shape)
    x, y = points.T
    return points[(y < 0.2) | ((x < 0.2) & (y < 0.55))]


def shape_error(alignment, a, b):
    """Mean distance of the matched nodes of a to where their counterparts in b say they are."""
    matched = alignment.matched_a > 0.5
    landing = alignment.coupling @ b / np.maximum(alignment.coupling.sum(axis=1, keepdims=True), 1e-12)
    return np.linalg.norm(landing - a, axis=1)[matched].mean()


def test_missing_extra_is_named_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match=r"align_maps needs POT: pip install 'mesmrise\[transport\]'"):
        align_maps(corner(0.1, 0), corner(0.1, 1))


def test_bad_input():
    a, b = np.arange(10.0)[:, None], np.arange(12.0)[:, None]
    for options, words in (
        ({"mass": 0.0}, "mass"),
        ({"mass": 1.5}, "mass"),
        ({"cost": np.zeros((12, 10))}, r"cost must hold numbers of at least 0 in shape \(10, 12\)"),
        ({"cost": np.full((10, 12), -1.0)}, "cost must hold numbers of at least 0"),
        ({"cost_weight": 2.0}, "cost_weight"),
    ):
        with pytest.raises(ValueError, match=words):
            align_maps(a, b, **options)
    with pytest.raises(ValueError, match="b has no extent"):
        align_maps(a, np.ones((5, 2)))
    with pytest.raises(ValueError, match="must be connected"):
        graph = nx.empty_graph(3)
        nx.set_node_attributes(graph, {k: [float(k)] for k in graph}, "position")
        align_maps(a, graph)


def test_turned_and_stretched_maps_are_aligned():
    pytest.importorskip("ot")
    a, b = corner(0.08, 0), corner(0.07, 1)
    alignment = align_maps(a, 7 * b @ TURN)
    np.testing.assert_allclose(alignment.matched_a, 1, rtol=1e-6)
    np.testing.assert_allclose(alignment.matched_b, 1, rtol=1e-6)
    unrelated = align_maps(a, np.linspace(0, 1, len(b)))
    assert shape_error(alignment, a, b) < 0.1
    assert alignment.distortion < 0.3 * unrelated.distortion


def test_the_part_that_has_no_counterpart_is_left_out():
    pytest.importorskip("ot")
    rng = np.random.default_rng(1)
    a = corner(0.1, 0)
    b = rng.permutation(np.vstack([a, rng.uniform(2.0, 2.6, (len(a) // 2, 2))]))
    alignment = align_maps(a, b, mass=0.6, rescale=False)
    foreign = b[:, 0] > 1.5
    assert alignment.coupling.sum() == pytest.approx(0.6)
    assert alignment.matched_b[foreign].sum() < 0.05 * alignment.matched_b.sum()


def test_a_cost_breaks_the_mirror_symmetry():
    pytest.importorskip("ot")
    x = np.linspace(-1, 1, 31)[:, None]
    cost = (np.sign(x) != np.sign(x).T).astype(float)
    for known, expected in ((cost, x), (1 - cost, -x)):
        coupling = align_maps(x, x, cost=known).coupling
        np.testing.assert_allclose(31 * coupling @ x, expected, atol=0.1)
