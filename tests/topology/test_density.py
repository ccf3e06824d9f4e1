"""Densities: proper, right up to what cells allow, differentiable, sampled from correctly."""

import numpy as np
import pytest
import slow_cell_density
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.frozen import FrozenEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from topology import CodebookDensity, Density, GrowingNeuralGas, NeuralGas, SelfOrganizingMap, _cell_densities, _metric

SLOPE = 4.0


def exponential(n_samples, n_features, seed=0):
    """Density falls as exp(-SLOPE x_0) on the unit cube."""
    X = np.random.default_rng(seed).random((n_samples, n_features))
    X[:, 0] = -np.log(1 - X[:, 0] * (1 - np.exp(-SLOPE))) / SLOPE
    return X


def log_density(X):
    return np.log(SLOPE / (1 - np.exp(-SLOPE))) - SLOPE * X[:, 0]


def map_of(n_units=100):
    return GrowingNeuralGas(
        n_units, learning_rate=0.05, neighbor_learning_rate=0.0006, max_age=100, error_decay="auto", random_state=0
    )


@parametrize_with_checks([CodebookDensity(), CodebookDensity(kind="cell")])
def test_scikit_learn(estimator, check):
    check(estimator)


ESTIMATORS = {
    "GNG": map_of(60),
    "SOM": SelfOrganizingMap((8, 8), random_state=0),
    "NG": NeuralGas(60, random_state=0),
    "KMeans": KMeans(60, n_init=1, random_state=0),
    "MiniBatchKMeans": MiniBatchKMeans(60, n_init=1, random_state=0),
}
estimators = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)


@estimators
@pytest.mark.parametrize("n_features, n_points", [(1, 2000), (2, 200), (3, 60)])
def test_kernel_integrates_to_one(estimator, n_features, n_points):
    density = CodebookDensity(estimator).fit(exponential(3000, n_features))
    edges = np.linspace(-1.5, 2.5, n_points + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    grid = np.stack(np.meshgrid(*[centers] * n_features), axis=-1).reshape(-1, n_features)
    integral = np.exp(density.score_samples(grid)).sum() * (edges[1] - edges[0]) ** n_features
    assert abs(integral - 1) < 0.02


def error_and_slope(estimator, kind, n_features):
    """Root mean square error of the log density, and its regression on the truth."""
    density = CodebookDensity(estimator, kind=kind).fit(exponential(30_000, n_features))
    test = exponential(3000, n_features, seed=1)
    estimate, truth = density.score_samples(test), log_density(test)
    offset = 0.0 if kind == "kernel" else (estimate - truth).mean()  # "cell" is known up to a constant
    return np.sqrt(np.mean((estimate - offset - truth) ** 2)), np.polyfit(truth, estimate, 1)[0]


@pytest.mark.parametrize(
    "kind, n_features, limit", [("kernel", 1, 0.2), ("kernel", 2, 0.3), ("cell", 1, 0.1), ("cell", 2, 0.15)]
)
def test_log_density_follows_the_truth(kind, n_features, limit):
    error, slope = error_and_slope(map_of(), kind, n_features)
    assert error < limit and 0.9 < slope < 1.1


@estimators
@pytest.mark.parametrize("kind, limit", [("kernel", 0.4), ("cell", 0.3)])
def test_log_density_of_few_units(estimator, kind, limit):
    error, slope = error_and_slope(estimator, kind, 2)
    assert error < limit and 0.85 < slope < 1.1


class Given(BaseEstimator):
    """A map that keeps the prototypes it is given."""

    def __init__(self, prototypes):
        self.prototypes = prototypes

    def fit(self, X, y=None):
        self.prototypes_ = self.prototypes
        return self


@given(n_units=st.integers(2, 15), dimension=st.floats(0.5, 4), seed=st.integers(0, 10_000))
def test_cells_follow_their_formula(n_units, dimension, seed):
    rng = np.random.default_rng(seed)
    X, test, prototypes = rng.random((30, 2)), rng.random((10, 2)), 2 * rng.random((n_units, 2))
    density = CodebookDensity(Given(prototypes), kind="cell", intrinsic_dimension=dimension).fit(X)
    values, _ = slow_cell_density.log_ratios(X, prototypes, dimension)
    n_near = min(int(np.ceil(dimension)) + 2, n_units)
    expected = [slow_cell_density.interpolate(x, prototypes, values, n_near) for x in test]
    assert np.allclose(density.score_samples(test), expected)
    assert np.allclose(density.score_samples(prototypes), values)


def test_samples_of_cells_lie_on_the_near_half_of_links():
    rng = np.random.default_rng(0)
    X, prototypes = rng.random((300, 2)), rng.random((12, 2))
    density = CodebookDensity(Given(prototypes), kind="cell", intrinsic_dimension=2).fit(X)
    _, pairs = slow_cell_density.log_ratios(X, prototypes, 2)
    drawn = density.sample(6000, random_state=0)
    found = {pair: 0 for pair in pairs}
    for first, second in pairs:
        steps, link = drawn - prototypes[first], prototypes[second] - prototypes[first]
        share = steps @ link / (link @ link)
        on_link = np.abs(steps - share[:, None] * link).max(axis=1) < 1e-9
        found[first, second] = (on_link & (share >= 0) & (share <= 0.5)).sum()
    assert sum(found.values()) == len(drawn)
    for pair, n in pairs.items():
        assert abs(found[pair] / len(drawn) - n / len(X)) < 0.02


def test_cell_mass_cancels_the_spread_of_the_units():
    """Units spread evenly over uneven data: the density of units says nothing, the masses say all."""
    X = exponential(30_000, 1)
    even = GrowingNeuralGas(50, random_state=0).fit(np.random.default_rng(0).random((5000, 1)))
    test = exponential(2000, 1, seed=1)
    for kind in ("kernel", "cell"):
        density = CodebookDensity(FrozenEstimator(even), kind=kind).fit(X)
        assert 0.85 < np.polyfit(log_density(test), density.score_samples(test), 1)[0] < 1.15
        assert np.array_equal(density.estimator_.prototypes_, even.prototypes_)


def test_masses():
    X = exponential(2000, 2)
    density = CodebookDensity(map_of()).fit(X)
    winners = density.estimator_.predict(X)
    assert np.allclose(density.mass_, np.bincount(winners, minlength=100) / 2000)
    assert np.isclose(density.score(X[:50]), density.score_samples(X[:50]).sum())


def test_map_and_meta_estimator_agree():
    X = exponential(2000, 2)
    fitted = map_of(50).fit(X)
    density = CodebookDensity(FrozenEstimator(fitted)).fit(X)
    assert np.allclose(fitted.score_samples(X), density.score_samples(X))


def test_cells_of_a_noisy_surface():
    """Noise off the manifold, a third as wide as the cells in each of 8 directions, neither widens nor empties them."""
    rng = np.random.default_rng(0)
    flat, basis = exponential(30_000, 2), np.linalg.qr(rng.normal(size=(10, 2)))[0].T
    X = flat @ basis + 0.015 * rng.normal(size=(30_000, 10))
    cell, kernel = (CodebookDensity(map_of(), kind=kind, intrinsic_dimension=2).fit(X) for kind in ("cell", "kernel"))
    truth = log_density(flat[:3000])
    assert 0.8 < np.polyfit(truth, cell.score_samples(X[:3000]), 1)[0] < 1.1
    assert np.corrcoef(truth, cell.score_samples(X[:3000]))[0, 1] > 0.97
    assert np.corrcoef(truth, kernel.score_samples(X[:3000]))[0, 1] < 0.9


def test_cell_density_is_smooth_between_units():
    density = CodebookDensity(map_of(50), kind="cell").fit(exponential(5000, 2))
    line = np.column_stack([np.linspace(0.05, 0.9, 4000), np.full(4000, 0.5)])
    assert np.abs(np.diff(density.score_samples(line))).max() < 0.5


@pytest.mark.parametrize("kind", ["kernel", "cell"])
def test_scale_adds_a_constant(kind):
    X = exponential(3000, 2)
    centers = KMeans(40, n_init=1, random_state=0).fit(X).cluster_centers_
    density = CodebookDensity(Given(centers), kind=kind, intrinsic_dimension=2).fit(X)
    scaled = CodebookDensity(Given(10 * centers), kind=kind, intrinsic_dimension=2).fit(10 * X)
    expected = density.score_samples(X) - 2 * np.log(10)
    assert np.allclose(scaled.score_samples(10 * X), expected)


@pytest.mark.parametrize("kind", ["kernel", "cell"])
def test_blocks_leave_the_density_alone(kind, monkeypatch):
    X = exponential(700, 2)
    whole = CodebookDensity(map_of(20), kind=kind).fit(X)
    scores = whole.score_samples(X)
    monkeypatch.setattr(_metric, "BLOCK_ENTRIES", 97)
    monkeypatch.setattr(_cell_densities, "BLOCK", 97)
    monkeypatch.setattr(_cell_densities, "BLOCK_ENTRIES", 333)
    parts = CodebookDensity(map_of(20), kind=kind).fit(X)
    assert np.array_equal(parts.mass_, whole.mass_)
    assert np.allclose(parts.score_samples(X), scores)


@pytest.mark.parametrize("kind", ["kernel", "cell"])
def test_degenerate_codebooks(kind):
    """One unit, units in one place and units without samples give finite densities."""
    X = exponential(500, 2)
    far = np.array([[0.3, 0.5], [0.3, 0.5], [0.31, 0.5], [50.0, 50.0], [60.0, 60.0]])
    for centers in (far[:1], far[:2], far):
        density = CodebookDensity(Given(centers), kind=kind, intrinsic_dimension=2).fit(X)
        assert np.isfinite(density.score_samples(np.concatenate([X, centers]))).all()
        assert np.isfinite(density.grad_log_density(X, 0.1)).all()
        assert np.isfinite(density.sample(50, random_state=0)).all()
        if len(centers) == 5:
            busy, empty = density.score_samples(centers[[2, 4]])
            assert busy > empty + 5


def test_densities_follow_the_protocol():
    assert isinstance(CodebookDensity(map_of(10)).fit(exponential(200, 2)), Density)
    assert not isinstance(map_of(10).fit(exponential(200, 2)), Density)


def test_only_euclidean_maps_have_a_density():
    with pytest.raises(ValueError, match="metric='euclidean', got 'manhattan'"):
        CodebookDensity(GrowingNeuralGas(10, metric="manhattan")).fit(exponential(200, 2))


def test_intrinsic_dimension_of_a_surface_in_ten_dimensions():
    rng = np.random.default_rng(0)
    X = exponential(20_000, 2) @ np.linalg.qr(rng.normal(size=(10, 2)))[0].T
    density = CodebookDensity(map_of(), kind="cell").fit(X)
    assert abs(density.intrinsic_dimension_ - 2) < 0.2
    truth = log_density(exponential(20_000, 2))
    assert 0.8 < np.polyfit(truth, density.score_samples(X), 1)[0] < 1.15
    assert CodebookDensity(map_of(), kind="cell", intrinsic_dimension=3).fit(X).intrinsic_dimension_ == 3.0


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_gradient_is_that_of_the_smoothed_density(sigma):
    density = CodebookDensity(map_of(40)).fit(exponential(2000, 2))
    X = exponential(8, 2, seed=1)
    noise = sigma * np.random.default_rng(0).normal(size=(10_000, 2))

    def smoothed(points):
        if sigma == 0:
            return density.score_samples(points)
        return np.array([np.log(np.exp(density.score_samples(p + noise)).mean()) for p in points])

    step = 1e-4
    numeric = np.stack([(smoothed(X + step * e) - smoothed(X - step * e)) / (2 * step) for e in np.eye(2)], axis=1)
    assert np.allclose(density.grad_log_density(X, sigma), numeric, rtol=1e-3 if sigma == 0 else 0.1, atol=0.1)


def test_gradient_of_cells_is_that_of_gaussians_on_the_units():
    density = CodebookDensity(map_of(20), kind="cell").fit(exponential(2000, 2))
    x, sigma = np.array([[0.3, 0.4]]), 0.2
    w = density.estimator_.prototypes_
    weight = density.mass_ * np.exp(-((x - w) ** 2).sum(axis=1) / (2 * sigma**2))
    expected = (weight[:, None] * (w - x)).sum(axis=0) / weight.sum() / sigma**2
    assert np.allclose(density.grad_log_density(x, sigma), expected)


@pytest.mark.parametrize("kind", ["kernel", "cell"])
def test_samples_have_the_distribution_of_the_data(kind):
    X = exponential(5000, 2)
    density = CodebookDensity(map_of(), kind=kind).fit(X)
    drawn = density.sample(5000, random_state=0)
    assert drawn.shape == (5000, 2)
    assert np.allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.03)
    assert np.allclose(drawn.std(axis=0), X.std(axis=0), atol=0.03)
    assert np.array_equal(drawn, density.sample(5000, random_state=0))


def test_other_codebooks():
    X = exponential(2000, 2)
    density = CodebookDensity(KMeans(30, n_init=1, random_state=0)).fit(X)
    assert density.mass_.shape == (30,)
    with pytest.raises(TypeError, match="prototypes_"):
        CodebookDensity(CodebookDensity()).fit(X)


@pytest.mark.parametrize(
    "parameters, error",
    [
        ({"kind": "cells"}, ValueError),
        ({"intrinsic_dimension": 0.0}, ValueError),
        ({"intrinsic_dimension": "two"}, TypeError),
    ],
)
def test_bad_parameters(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        CodebookDensity(**parameters).fit(exponential(100, 2))


def test_bad_calls():
    density = CodebookDensity(map_of(10), kind="cell").fit(exponential(200, 2))
    with pytest.raises(ValueError, match="sigma"):
        density.grad_log_density(exponential(3, 2), 0.0)
    with pytest.raises(ValueError, match="n_samples"):
        density.sample(0)
    with pytest.raises(ValueError, match="features"):
        CodebookDensity(FrozenEstimator(density.estimator_)).fit(exponential(200, 3))
