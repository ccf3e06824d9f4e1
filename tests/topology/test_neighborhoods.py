"""Neighbourhoods in two spaces against all pairs written out, and against scikit-learn."""

import numpy as np
import pytest
import slow_metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import manifold

from topology.metrics import _neighborhoods, continuity, neighborhood_preservation, trustworthiness

MEASURES = [trustworthiness, continuity, neighborhood_preservation]
# Two embeddings of the same samples, with few different values so that ties are common.
two_spaces = st.integers(3, 14).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, (n, 2), elements=st.integers(-2, 2).map(float)),
        arrays(np.float64, (n, 1), elements=st.integers(-3, 3).map(float)),
        st.integers(1, (n - 1) // 2),
    )
)


@given(case=two_spaces)
def test_measures_follow_their_definitions(case):
    X, Y, k = case
    assert trustworthiness(X, Y, n_neighbors=k) == pytest.approx(slow_metrics.trustworthiness(X, Y, k))
    assert continuity(X, Y, n_neighbors=k) == pytest.approx(slow_metrics.trustworthiness(Y, X, k))
    expected = slow_metrics.neighborhood_preservation(X, Y, k)
    assert neighborhood_preservation(X, Y, n_neighbors=k) == pytest.approx(expected)


# scikit-learn ranks float32 samples by rounded products.
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-4), (np.float64, 1e-9)])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_scikit_learn_agrees(k, dtype, tolerance):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 8)).astype(dtype)
    Y = X[:, :2] + 0.1 * rng.normal(size=(600, 2)).astype(dtype)
    assert trustworthiness(X, Y, n_neighbors=k) == pytest.approx(
        manifold.trustworthiness(X, Y, n_neighbors=k), abs=tolerance
    )
    assert continuity(X, Y, n_neighbors=k) == pytest.approx(
        manifold.trustworthiness(Y, X, n_neighbors=k), abs=tolerance
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_limits_and_invariance(measure):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    turned = 7 * X @ np.linalg.qr(rng.normal(size=(3, 3)))[0] + 1
    assert measure(X, turned) == 1
    near, far, chance = (measure(X, Y) for Y in (X[:, :2], X[:, :1], rng.permutation(X)))
    assert 1 > near > far > chance
    if measure is neighborhood_preservation:
        assert chance == pytest.approx(5 / 299, abs=0.01)


@pytest.mark.parametrize("measure", MEASURES)
def test_blocks_leave_the_measures_alone(measure, monkeypatch):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    whole = measure(X, Y)
    monkeypatch.setattr(_neighborhoods, "BLOCK", 7)
    assert measure(X, Y) == whole


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "X, embedding, n_neighbors, error, match",
    [
        (np.zeros((9, 2)), np.zeros((8, 2)), 2, ValueError, "embedding must have as many rows as X, 9"),
        (np.zeros((9, 2)), np.zeros((9, 2)), 5, ValueError, "n_neighbors must be below half"),
        (np.zeros((9, 2)), np.zeros((9, 2)), 0, ValueError, "n_neighbors"),
        (np.zeros((9, 2)), np.zeros((9, 2)), 2.0, TypeError, "n_neighbors"),
        (np.zeros((2, 2)), np.zeros((2, 2)), 1, ValueError, "X must have at least 3"),
        (np.full((9, 2), np.nan), np.zeros((9, 2)), 2, ValueError, "X must be finite"),
        (np.zeros((9, 2)), np.full((9, 2), np.inf), 2, ValueError, "embedding must be finite"),
        (np.full((9, 2), 1e200), np.zeros((9, 2)), 2, ValueError, "X must not exceed"),
    ],
)
def test_bad_input(measure, X, embedding, n_neighbors, error, match):
    with pytest.raises(error, match=match):
        measure(X, embedding, n_neighbors=n_neighbors)
