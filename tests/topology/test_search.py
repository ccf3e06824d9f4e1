"""The searches against sorting, with ties and with data far from the origin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_nearest import all_distances

from topology._kernels.search import LANES, nearest_two_of, pairwise_distances, scale_rows, two_smallest
from topology._metric import METRICS, check_rows
from topology._nearest import nearest_two, pairwise
from topology._validation import read_only


@settings(max_examples=200)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=200))
def test_two_smallest_sorts_by_value_then_index(values):
    padded = np.full(-(-len(values) // LANES) * LANES, np.inf)
    padded[: len(values)] = values
    i1, i2, b1, b2 = two_smallest(padded, len(values), np.empty(LANES))
    expected = np.argsort(values, kind="stable")[:2]
    assert [i1, i2] == expected.tolist()
    assert [b1, b2] == [values[expected[0]], values[expected[1]]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [1, 5, 70])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_pruned_search_equals_full_scan(dtype, n_features, offset):
    rng = np.random.default_rng(n_features)
    X = (rng.normal(size=(300, n_features)) + offset).astype(dtype)
    prototypes = (rng.normal(size=(150, n_features)) + offset).astype(dtype)
    prototypes[40] = prototypes[7]  # a tie in every row: the lower index must come first
    indices, distances = nearest_two(X, prototypes)
    everyone = np.arange(len(prototypes))
    for i in range(len(X)):
        i1, i2, b1, b2 = nearest_two_of(read_only(prototypes), read_only(X), i, everyone, len(everyone))
        assert indices[i].tolist() == [i1, i2]
        assert np.array_equal(distances[i], np.sqrt(np.array([b1, b2], dtype)))


@pytest.mark.parametrize("n_units", [1, 2, 3])
def test_few_units(n_units):
    rng = np.random.default_rng(0)
    X, prototypes = rng.normal(size=(20, 3)), rng.normal(size=(n_units, 3))
    indices, distances = nearest_two(X, prototypes)
    exact = np.linalg.norm(X[:, None] - prototypes, axis=2)
    assert np.array_equal(indices[:, 0], exact.argmin(axis=1))
    assert np.allclose(distances[:, 0], exact.min(axis=1))
    if n_units == 1:
        assert (indices[:, 1] == -1).all()


def test_pairwise_distances():
    rng = np.random.default_rng(0)
    X, prototypes = rng.normal(size=(9, 40)), rng.normal(size=(11, 40))
    distances = np.empty((9, 11))
    pairwise_distances(read_only(X), read_only(prototypes), distances)
    assert np.allclose(distances, np.linalg.norm(X[:, None] - prototypes, axis=2), rtol=1e-13)


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    metric=st.sampled_from(METRICS),
    n_units=st.integers(1, 130),
    n_features=st.integers(1, 40),
    dtype=st.sampled_from([np.float32, np.float64]),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
)
def test_nearest_two_are_the_first_two_of_all(seed, metric, n_units, n_features, dtype, scale):
    rng = np.random.default_rng(seed)
    X = (scale * rng.normal(size=(7, n_features))).astype(dtype)
    prototypes = (scale * rng.normal(size=(n_units, n_features))).astype(dtype)
    if metric == "cosine":
        scale_rows(prototypes.copy(), prototypes)
        scale = 1.0
    indices, distances = nearest_two(X, prototypes, metric)
    expected = all_distances(X, prototypes, metric)
    tolerance = 8 * n_features * np.finfo(dtype).eps * scale
    assert np.allclose(pairwise(X, prototypes, metric), expected, rtol=1e-4, atol=tolerance)
    for i, row in enumerate(expected):
        two = np.sort(row)[:2]
        assert np.allclose(distances[i, : len(two)], two, rtol=1e-4, atol=tolerance)
        assert np.allclose(row[indices[i, : len(two)]], two, rtol=1e-4, atol=tolerance)  # or as near as rounding tells
        assert len(set(indices[i])) == 2 and (n_units > 1) == (indices[i, 1] >= 0)


@pytest.mark.parametrize("metric", METRICS)
def test_ties_go_to_the_lower_index(metric):
    rng = np.random.default_rng(0)
    corners = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    indices, _ = nearest_two(np.tile([[1.0, 1.0], [-1.0, 1.0]], (5, 1)), np.tile(corners, (20, 1)), metric)
    assert (indices[::2] == [0, 1]).all() and (indices[1::2] == [1, 2]).all()
    X, prototypes = rng.normal(size=(300, 20)).astype(np.float32), rng.normal(size=(90, 20)).astype(np.float32)
    whole = nearest_two(X, prototypes, metric)
    for start, stop in [(0, 1), (1, 66), (66, 300)]:
        part = nearest_two(X[start:stop], prototypes, metric)
        assert np.array_equal(part[0], whole[0][start:stop]) and np.array_equal(part[1], whole[1][start:stop])


def test_unit_length_of_extreme_rows():
    X = np.array([[3e150, 4e150], [3e-300, -4e-300], [0, 5e-324], [0, 0]])
    scaled = np.empty_like(X)
    scale_rows(read_only(X), scaled)
    assert np.allclose(scaled, [[0.6, 0.8], [0.6, -0.8], [0, 1], [0, 0]], rtol=1e-15)


def test_rows_that_a_metric_cannot_measure():
    with pytest.raises(ValueError, match="X must have no row of zeros when metric='cosine', row 2"):
        check_rows("X", np.array([[0.0, 1], [1, 0], [0, 0]]), np.float64, "cosine")
    large = np.full((1, 100), 3e17, np.float32)  # (2 * 100 * 3e17)^2 > 3e38 > 100 * (2 * 3e17)^2
    check_rows("X", large, np.float32, "euclidean")
    with pytest.raises(ValueError, match="magnitude"):
        check_rows("X", large, np.float32, "manhattan")


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_rows_that_lie_on_several_units(metric):
    prototypes = np.zeros((5, 3))
    prototypes[2] = 1
    indices, distances = nearest_two(np.concatenate([prototypes[1:3], [[2.0, 2, 2]]]), prototypes, metric)
    assert indices.tolist() == [[0, 1], [2, 0], [2, 0]]
    assert (distances[0] == 0).all() and distances[1, 0] == 0
