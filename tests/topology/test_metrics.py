import numpy as np
import pytest

from topology.metrics import intrinsic_dimension, quantization_error, topographic_error


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


@pytest.mark.parametrize("edges", [[[0, 9]], [[-1, 0]], [[0.5, 1]], [0, 1]])
def test_bad_edges(edges):
    with pytest.raises(ValueError, match="edges"):
        topographic_error([[0.0]], np.arange(4.0)[:, None], edges)


@pytest.mark.parametrize("method", ["two_nn", "maximum_likelihood"])
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_intrinsic_dimension_of_a_flat_gaussian(method, dimension):
    rng = np.random.default_rng(dimension)
    X = rng.normal(size=(4000, dimension)) @ np.linalg.qr(rng.normal(size=(12, dimension)))[0].T
    estimate = intrinsic_dimension(X, method=method)
    assert abs(estimate / dimension - 1) < 0.08
    assert intrinsic_dimension(7 * np.concatenate([X, X[:100]]), method=method) == pytest.approx(estimate)


def test_intrinsic_dimension_of_a_sphere():
    X = np.random.default_rng(0).normal(size=(4000, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    assert abs(intrinsic_dimension(X) - 2) < 0.12


@pytest.mark.parametrize(
    "X, options, match",
    [
        (np.zeros((50, 2)), {}, "distinct rows"),
        (np.arange(2.0)[:, None], {}, "distinct rows"),
        (np.zeros((5, 0)), {}, "column"),
        (np.full((5, 2), np.nan), {}, "finite"),
        (np.eye(5), {}, "regular grid"),
        (np.random.default_rng(0).random((9, 2)), {"method": "pca"}, "method"),
        (np.random.default_rng(0).random((9, 2)), {"method": "maximum_likelihood"}, "more than 10"),
        (np.random.default_rng(0).random((9, 2)), {"method": "maximum_likelihood", "n_neighbors": 2}, "n_neighbors"),
    ],
)
def test_bad_input(X, options, match):
    with pytest.raises(ValueError, match=match):
        intrinsic_dimension(X, **options)
    with pytest.raises(ValueError, match="columns"):
        quantization_error(np.zeros((3, 2)), np.zeros((3, 3)))
