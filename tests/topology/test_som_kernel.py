"""The kernels of self-organising maps against the blackboard versions."""

import numpy as np
import pytest
import slow_som
from hypothesis import given, settings
from hypothesis import strategies as st

from topology import SelfOrganizingMap
from topology._batch_statistics import merge
from topology._kernels import search, som
from topology._neighborhood import DECAYS
from topology._validation import read_only
from topology._winners import _to_units, collect

SEEDS = st.integers(0, 2**32 - 1)
LATTICES = [("rectangular", False), ("rectangular", True), ("hexagonal", False), ("hexagonal", True)]
NEIGHBORHOODS = ["gaussian", "bubble", "cut_gaussian"]


def whole_numbers(rng, n, n_features, dtype):
    """Small whole numbers: many ties, and no rounding that could decide one."""
    return rng.integers(0, 3, (n, n_features)).astype(dtype)


@settings(max_examples=200)
@given(
    SEEDS, st.integers(1, 150), st.sampled_from([9, 20, 70]), st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, 1.0, 1000.0]), st.sampled_from([1e-3, 1.0, 1e3]), st.integers(1, 300),
)  # fmt: skip
def test_products_find_the_winners_of_the_full_scan(seed, n_units, n_features, dtype, offset, spread, n_samples):
    rng = np.random.default_rng(seed)
    prototypes = (spread * rng.normal(size=(n_units, n_features)) + offset).astype(dtype)
    prototypes[rng.integers(0, n_units, n_units // 4)] = prototypes[0]  # ties
    X = read_only((rng.normal(size=(n_samples, n_features)) + offset).astype(dtype))
    winners, squares = np.empty(n_samples, np.int32), np.empty(n_samples, dtype)
    som.find_winners(X, _to_units(read_only(prototypes)), 0, n_samples, winners, squares)
    everyone = np.arange(n_units)
    for row in range(n_samples):
        winner, _, square, _ = search.nearest_two_of(read_only(prototypes), X, row, everyone, n_units)
        assert (winners[row], squares[row]) == (winner, square)


@settings(max_examples=200)
@given(SEEDS, st.integers(1, 80), st.integers(1, 8), st.sampled_from([np.float32, np.float64]), st.integers(1, 200))
def test_columns_find_the_winners_of_the_full_scan(seed, n_units, n_features, dtype, n_samples):
    rng = np.random.default_rng(seed)
    for draw in (whole_numbers, lambda rng, *size: rng.normal(size=size[:2]).astype(dtype)):
        prototypes, X = draw(rng, n_units, n_features, dtype), draw(rng, n_samples, n_features, dtype)
        winners, squares = np.empty(n_samples, np.int32), np.empty(n_samples, dtype)
        som.find_winners_by_columns(read_only(X), read_only(prototypes), 0, n_samples, winners, squares)
        expected = np.zeros((n_samples, n_units), dtype)
        for k in range(n_features):
            expected += (X[:, k, None] - prototypes[:, k]) ** 2
        assert np.array_equal(winners, expected.argmin(axis=1))
        assert np.array_equal(squares, expected.min(axis=1))


@settings(max_examples=200)
@given(SEEDS, st.integers(1, 40), st.integers(1, 20), st.integers(1, 60))
def test_missing_values(seed, n_units, n_features, n_samples):
    rng = np.random.default_rng(seed)
    X = whole_numbers(rng, n_samples, n_features, np.float64)
    prototypes = whole_numbers(rng, n_units, n_features, np.float64)
    X[rng.random(X.shape) < rng.choice([0.02, 0.5])] = np.nan
    X[np.isnan(X).all(axis=1), 0] = 1.0
    labels = np.empty(n_samples, np.int64)
    found = collect(X, prototypes, "euclidean", gaps=True, labels=labels)
    expected = np.array([slow_som.winner(x, prototypes) for x in X])
    assert np.array_equal(labels, expected)
    for k in range(n_units):
        own = X[expected == k]
        assert np.array_equal(found.sums[k], np.nansum(own, axis=0))
        assert np.array_equal(np.broadcast_to(found.masses, prototypes.shape)[k], (~np.isnan(own)).sum(axis=0))
        assert found.counts[k] == len(own)
        squares = [slow_som.difference(x, prototypes[k], "euclidean") for x in own]
        assert np.isclose(found.squares[k], np.sum(squares))
        assert np.isclose(found.distances[k], np.sum(np.sqrt(squares)))


@settings(max_examples=200)
@given(SEEDS, st.sampled_from([2, 30]), st.integers(1, 5), st.booleans())
def test_parts_and_threads_do_not_change_the_sums(seed, n_features, n_parts, gaps):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, n_features))
    if gaps:
        X[:, 0] = np.where(rng.random(50) < 0.5, np.nan, X[:, 0])
    X = read_only(X)
    winners, squares = rng.integers(0, 7, 50).astype(np.int32), rng.random(50)

    def add(n_parts):
        books = [np.zeros((7, n_features)), np.zeros((7, 3)), *[np.zeros((7, n_features))] * gaps]
        kernel = som.add_observed_rows if gaps else som.add_rows
        for part in reversed(range(n_parts)):
            kernel(X, winners, squares, search.EUCLIDEAN, part, n_parts, *books)
        return books

    for whole, parts in zip(add(1), add(n_parts)):
        assert np.array_equal(whole, parts)


@settings(max_examples=200)
@given(SEEDS, st.sampled_from([2, 12]), st.integers(1, 4))
def test_merged_statistics_are_those_of_all_rows(seed, n_features, n_parts):
    rng = np.random.default_rng(seed)
    X, prototypes = rng.normal(size=(60, n_features)), rng.normal(size=(9, n_features))
    X[:20, 0] = np.nan  # so some parts have gaps and others have none
    parts = [collect(part, prototypes, "euclidean", gaps=True) for part in np.array_split(X, n_parts)]
    for merged, whole in zip(merge(*parts), collect(X, prototypes, "euclidean", gaps=True)):
        assert np.allclose(merged, whole, rtol=1e-12)


@pytest.mark.parametrize("lattice, periodic", LATTICES)
@pytest.mark.parametrize("neighborhood", NEIGHBORHOODS)
@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.0, 0.4, 1.0, 2.5]), st.booleans())
def test_batch_step_follows_the_blackboard(lattice, periodic, neighborhood, seed, radius, gaps):
    rng = np.random.default_rng(seed)
    X, prototypes = rng.normal(size=(40, 3)), rng.normal(size=(12, 3))
    if gaps:
        X[:, 1] = np.where(rng.random(40) < 0.3, np.nan, X[:, 1])
    model = SelfOrganizingMap(
        (4, 3), lattice=lattice, periodic=periodic, neighborhood=neighborhood, radius=(radius, radius), init=prototypes
    ).partial_fit(X)
    distances = slow_som.distances(4, 3, lattice, periodic)
    assert np.allclose(model.prototypes_, slow_som.batch_step(X, prototypes, distances, neighborhood, radius))


@pytest.mark.parametrize("lattice, periodic", LATTICES)
@pytest.mark.parametrize("neighborhood", NEIGHBORHOODS)
@settings(max_examples=20)
@given(
    SEEDS, st.sampled_from(["euclidean", "cosine", "manhattan"]), st.sampled_from(sorted(DECAYS)),
    st.sampled_from([2, 12]), st.integers(1, 60),
)  # fmt: skip
def test_online_training_follows_the_blackboard(
    lattice, periodic, neighborhood, seed, metric, decay, n_features, length
):
    rng = np.random.default_rng(seed)
    X, prototypes = rng.normal(size=(40, n_features)), rng.normal(size=(12, n_features))
    if metric == "cosine":
        X, prototypes = (array / np.linalg.norm(array, axis=1, keepdims=True) for array in (X, prototypes))
    model = SelfOrganizingMap(
        (4, 3), lattice=lattice, periodic=periodic, training="online", neighborhood=neighborhood, radius=(2.2, 0.6),
        learning_rate=(0.7, 0.1), decay=decay, metric=metric, init=prototypes, schedule_length=length,
    )  # fmt: skip
    for part in (X[:13], X[13:14], X[14:]):
        model.partial_fit(part)
    distances = slow_som.distances(4, 3, lattice, periodic)
    expected, winners = slow_som.online(
        X, prototypes, distances, neighborhood, (2.2, 0.6), (0.7, 0.1), decay, length, metric
    )
    assert np.allclose(model.prototypes_, expected, rtol=1e-9, atol=1e-12)
    assert np.array_equal(model.counts_, np.bincount(winners, minlength=12))


@pytest.mark.parametrize("decay", sorted(DECAYS))
def test_schedules_reach_their_ends(decay):
    values = [som.scheduled(5.0, 0.3, progress, DECAYS[decay]) for progress in (0.0, 0.3, 0.6, 1.0)]
    assert values[0] == 5.0 and values[-1] == 0.3
    assert np.allclose(values, [slow_som.schedule(5.0, 0.3, p, decay) for p in (0.0, 0.3, 0.6, 1.0)])
    assert som.scheduled(2.0, 2.0, 0.7, DECAYS[decay]) == 2.0
