"""The searches against sorting, with ties and with data far from the origin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topology._kernels.search import LANES, nearest_two_of, pairwise_distances, two_smallest
from topology._nearest import nearest_two
from topology._validation import read_only


@settings(max_examples=60, deadline=None)
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
