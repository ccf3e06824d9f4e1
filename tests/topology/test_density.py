"""Densities: proper, right up to what cells allow, differentiable, sampled from correctly."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from topology import CodebookDensity, GrowingNeuralGas

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


@pytest.mark.parametrize("n_features, n_points", [(1, 2000), (2, 200), (3, 60)])
def test_kernel_integrates_to_one(n_features, n_points):
    density = CodebookDensity(map_of(60)).fit(exponential(3000, n_features))
    edges = np.linspace(-1.5, 2.5, n_points + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    grid = np.stack(np.meshgrid(*[centers] * n_features), axis=-1).reshape(-1, n_features)
    integral = np.exp(density.score_samples(grid)).sum() * (edges[1] - edges[0]) ** n_features
    assert abs(integral - 1) < 0.02


@pytest.mark.parametrize(
    "kind, n_features, error", [("kernel", 1, 0.2), ("kernel", 2, 0.3), ("cell", 1, 0.2), ("cell", 2, 0.3)]
)
def test_log_density_follows_the_truth(kind, n_features, error):
    density = CodebookDensity(map_of(), kind=kind).fit(exponential(30_000, n_features))
    test = exponential(3000, n_features, seed=1)
    estimate, truth = density.score_samples(test), log_density(test)
    offset = 0.0 if kind == "kernel" else (estimate - truth).mean()  # "cell" is known up to a constant
    assert np.sqrt(np.mean((estimate - offset - truth) ** 2)) < error
    assert 0.85 < np.polyfit(truth, estimate, 1)[0] < 1.1


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
