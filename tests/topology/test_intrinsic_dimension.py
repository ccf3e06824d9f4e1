"""The dimension of known manifolds."""

import numpy as np
import pytest
from sklearn.datasets import make_swiss_roll

from topology.metrics import _intrinsic_dimension, intrinsic_dimension

N_SAMPLES = 4000
methods = pytest.mark.parametrize("method", ["two_nn", "maximum_likelihood"])


def sphere(n_features, rng):
    X = rng.normal(size=(N_SAMPLES, n_features))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def embedded(X, n_features, rng):
    return X @ np.linalg.qr(rng.normal(size=(n_features, X.shape[1])))[0].T


MANIFOLDS = {
    "line in 10-D": (1, 0.05, lambda rng: embedded(rng.random((N_SAMPLES, 1)), 10, rng)),
    "swiss roll": (2, 0.05, lambda rng: make_swiss_roll(N_SAMPLES, random_state=0)[0]),
    "sphere in 10-D": (2, 0.05, lambda rng: embedded(sphere(3, rng), 10, rng)),
    "sphere in 64-D": (2, 0.05, lambda rng: embedded(sphere(3, rng), 64, rng)),
    "5-ball": (5, 0.08, lambda rng: sphere(5, rng) * rng.random((N_SAMPLES, 1)) ** (1 / 5)),
    "9-sphere": (9, 0.08, lambda rng: sphere(10, rng)),
    "Gaussian in 12-D": (5, 0.08, lambda rng: embedded(rng.normal(size=(N_SAMPLES, 5)), 12, rng)),
}


@methods
@pytest.mark.parametrize("name", MANIFOLDS)
def test_known_manifolds(name, method):
    dimension, tolerance, draw = MANIFOLDS[name]
    X = draw(np.random.default_rng(0))
    estimate = intrinsic_dimension(X, method=method)
    assert abs(estimate / dimension - 1) < tolerance
    copies = np.concatenate([X, X[:1000], X[:10], X[:10]])
    assert intrinsic_dimension(7 * copies, method=method) == pytest.approx(estimate)


def test_a_few_near_copies_do_little():
    rng = np.random.default_rng(0)
    X = embedded(sphere(3, rng), 10, rng)
    near = X[:80] + 1e-9 * rng.normal(size=(80, 10))
    assert abs(intrinsic_dimension(np.concatenate([X, near])) - 2) < 0.4


@methods
@pytest.mark.parametrize("n_features", [3, 40])
def test_search_and_blocks_leave_the_estimate_alone(method, n_features, monkeypatch):
    X = np.random.default_rng(0).normal(size=(500, n_features))
    estimate = intrinsic_dimension(X, method=method)
    monkeypatch.setattr(_intrinsic_dimension, "MAX_TREE_FEATURES", 40 if n_features == 40 else 0)
    monkeypatch.setattr(_intrinsic_dimension, "BLOCK", 33)
    assert intrinsic_dimension(X, method=method) == pytest.approx(estimate)


@pytest.mark.parametrize(
    "X, options, match",
    [
        (np.zeros((50, 2)), {}, "distinct rows"),
        (np.arange(2.0)[:, None], {}, "distinct rows"),
        (np.zeros((5, 0)), {}, "column"),
        (np.full((5, 2), np.nan), {}, "finite"),
        (np.eye(5), {}, "regular grid"),
        (np.full((5, 2), 1e300), {}, "exceed"),
        (np.array([[0.0], [1e-200], [2e-200]]), {}, "regular grid"),
        (np.random.default_rng(0).random((9, 2)), {"method": "pca"}, "method"),
        (np.random.default_rng(0).random((9, 2)), {"method": "maximum_likelihood"}, "more than 10"),
        (np.random.default_rng(0).random((9, 2)), {"method": "maximum_likelihood", "n_neighbors": 2}, "n_neighbors"),
    ],
)
def test_bad_input(X, options, match):
    with pytest.raises(ValueError, match=match):
        intrinsic_dimension(X, **options)
