"""Hypotheses as a density: it integrates to 1, its cells carry the scores, samples and gradients agree with it."""

import numpy as np
import pytest

pytest.importorskip("torch")

from smc.hypotheses import HypothesisDensity
from topology import Density

HYPOTHESES = np.array([[0.0, 0.0], [0.5, 0.1], [-0.3, 0.4], [0.1, -0.6]])
SCORES = np.array([0.4, 0.1, 0.2, 0.1])
KINDS = ("kernel", "voronoi")
kinds = pytest.mark.parametrize("kind", KINDS)


def density(kind, **options):
    return HypothesisDensity(HYPOTHESES, SCORES, kind=kind, **{"bandwidth": 0.3} | options)


def grid(n=300):
    axis = np.linspace(-2.5, 2.5, n)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2), (axis[1] - axis[0]) ** 2


@kinds
def test_integrates_to_one(kind):
    points, area = grid()
    assert np.exp(density(kind).score_samples(points)).sum() * area == pytest.approx(1, abs=0.02)


def test_every_truncated_cell_carries_its_score():
    points, area = grid()
    values = np.exp(density("voronoi").score_samples(points))
    cells = ((points[:, None] - HYPOTHESES) ** 2).sum(axis=2).argmin(axis=1)
    assert np.bincount(cells, values) * area == pytest.approx(SCORES / SCORES.sum(), abs=0.01)


@kinds
def test_samples_follow_the_density(kind):
    model = density(kind)
    X = model.sample(20_000, 0)
    cells = ((X[:, None] - HYPOTHESES) ** 2).sum(axis=2).argmin(axis=1)
    points, area = grid()
    values = np.exp(model.score_samples(points)) * area
    expected = np.bincount(((points[:, None] - HYPOTHESES) ** 2).sum(axis=2).argmin(axis=1), values)
    assert np.bincount(cells) / len(X) == pytest.approx(expected, abs=0.02)
    assert X.mean(axis=0) == pytest.approx(values @ points, abs=0.02)
    assert (X**2).sum(axis=1).mean() == pytest.approx(values @ (points**2).sum(axis=1), abs=0.02)


@kinds
def test_gradient_is_that_of_the_log_density(kind):
    model, step = density(kind), 1e-5
    X = np.random.default_rng(0).uniform(-0.8, 0.8, (20, 2))
    steps = step * np.eye(2)
    numerical = [(model.score_samples(X + s) - model.score_samples(X - s)) / (2 * step) for s in steps]
    assert np.allclose(model.grad_log_density(X, 0), np.stack(numerical, axis=1), atol=1e-4)


@kinds
def test_gradient_of_the_smoothed_density(kind):
    """Against the log density blurred on a grid."""
    model, sigma = density(kind), 0.4
    points, area = grid(120)
    values = np.exp(model.score_samples(points)) * area
    X = np.array([[0.2, 0.1], [-0.5, -0.3], [0.7, 0.6]])
    weights = values * np.exp(-((X[:, None] - points) ** 2).sum(axis=2) / (2 * sigma**2))
    means = weights @ points / weights.sum(axis=1, keepdims=True)
    tolerance = 1e-3 if kind == "kernel" else 0.3
    assert np.allclose(model.grad_log_density(X, sigma), (means - X) / sigma**2, atol=tolerance)


@kinds
def test_copies_of_a_hypothesis_share_its_cell(kind):
    twice = HypothesisDensity(HYPOTHESES[[0, 1, 2, 3, 0]], [0.3, 0.1, 0.2, 0.1, 0.1], kind=kind, bandwidth=0.3)
    X = np.random.default_rng(0).normal(size=(50, 2))
    assert np.allclose(twice.score_samples(X), density(kind).score_samples(X))
    assert twice.mass_.shape == (5,) and twice.mass_.sum() == pytest.approx(1)


def test_hypotheses_and_masses_stay_in_the_given_order():
    places = [[3.0], [-1.0], [2.0], [-1.0]]
    model = HypothesisDensity(places, [1, 2, 3, 4])
    assert model.hypotheses.tolist() == places and model.mass_ == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("gap", [1e-4, 1.0, 30.0])
def test_one_dimension_is_exact(gap):
    """Cells may be much narrower or much wider than the kernels."""
    model = HypothesisDensity([[0.0], [gap], [-gap]], [0.2, 0.5, 0.3], kind="voronoi", bandwidth=1.0)
    edges = [-40.0, -gap / 2, gap / 2, 40.0]
    for low, high, mass in zip(edges, edges[1:], (0.3, 0.2, 0.5)):
        x = np.linspace(low, high, 20_001)[1:-1, None]
        assert np.exp(model.score_samples(x)).sum() * (x[1, 0] - x[0, 0]) == pytest.approx(mass, rel=1e-3)
    X = model.sample(3000, 0)
    assert np.abs(X[:, 0]).max() < 40
    middle = X[np.abs(X[:, 0]) <= gap / 2, 0]
    assert len(middle) / len(X) == pytest.approx(0.2, abs=0.03)
    assert middle.std() == pytest.approx(min(1.0, gap / 12**0.5), rel=0.15) and len(np.unique(X)) == len(X)


def test_narrow_cells_in_two_dimensions():
    """Where hypotheses are close, hardly a draw of a kernel stays in its cell."""
    model = HypothesisDensity([[0.0, 0.0], [1e-3, 0.0], [0.0, 1e-3], [-1e-3, -1e-3]], [1, 2, 3, 4], kind="voronoi")
    for reach, first, mass in ((0.6, False, 0.9), (2e-3, True, 0.1)):
        X = np.random.default_rng(0).uniform(-reach, reach, (200_000, 2))
        inside = (((X[:, None] - model.hypotheses) ** 2).sum(axis=2).argmin(axis=1) == 0) == first
        assert (np.exp(model.score_samples(X)) * inside).mean() * (2 * reach) ** 2 == pytest.approx(mass, rel=0.1)
    X = model.sample(500, 0)
    mine = X[((X[:, None] - model.hypotheses) ** 2).sum(axis=2).argmin(axis=1) == 0]
    assert len(mine) / 500 == pytest.approx(0.1, abs=0.04) and mine.any(axis=1).all()


def test_follows_the_protocol():
    assert isinstance(density("kernel"), Density)
    assert density("kernel").mass_ == pytest.approx(SCORES / SCORES.sum())


@pytest.mark.parametrize(
    "scores, message",
    [([0, 0, 0, 0], "all be zero"), ([1, 1, 1], "shape"), ([1, -1, 1, 1], "at least 0"), ([np.nan, 1, 1, 1], "finite")],
)
def test_bad_scores(scores, message):
    with pytest.raises(ValueError, match=message):
        HypothesisDensity(HYPOTHESES, scores)


def test_bad_settings():
    with pytest.raises(ValueError, match="bandwidth"):
        density("kernel", bandwidth=0.0)
    with pytest.raises(ValueError, match="kind"):
        density("cell")
    with pytest.raises(ValueError, match="X must have 2 columns"):
        density("kernel").score_samples(np.zeros((3, 3)))
