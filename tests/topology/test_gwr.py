"""Maps that grow when required: the kernel against the blackboard version, and what the estimator learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks
from slow_gwr import SlowGWR

from topology import GrowWhenRequired, _network
from topology._kernels import gwr
from topology._kernels.lookup import SCAN_BATCH, SCAN_COLUMNS, SCAN_ROWS
from topology._kernels.network import COUNT, HABITUATION
from topology._kernels.search import COSINE, EUCLIDEAN, MANHATTAN, scale_rows
from topology._metric import METRICS
from topology._network import MapState
from topology._validation import read_only

RULE = gwr.Rule(
    winner_rate=0.2, neighbor_rate=0.05, interval=100, max_age=15, max_units=12, max_distance=1.0,
    habituation_threshold=0.3, winner_time=3.33, neighbor_time=14.3, metric=EUCLIDEAN,
)  # fmt: skip


def run(X, rule, search, width=_network.FIRST_WIDTH):
    """All rows in order; the network and the winner of every sample."""
    metric = METRICS[rule.metric]
    network = _network.allocate(X[:2], rule.max_units, width, metric)
    network.books[:, HABITUATION] = 1
    mirror = np.ascontiguousarray(network.weights.T) if search == SCAN_COLUMNS else np.empty((0, 0), X.dtype)
    network = network._replace(mirror=mirror)
    order, winners = np.arange(2, len(X)), np.empty(len(X) - 2, np.int64)
    done = 0
    while done < len(order):
        done += gwr.train(network, rule, read_only(X), order[done:], search, winners[done:])
        if (network.degree > network.neighbors.shape[1] - 2).any():
            network = _network.widen(network)
    return network, winners


def data(n_samples, n_features, seed, metric=EUCLIDEAN, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = 2 * rng.normal(size=(6, n_features))[rng.integers(0, 6, n_samples)] + rng.normal(size=(n_samples, n_features))
    X = X.astype(dtype)
    if metric == COSINE:
        scale_rows(X.copy(), X)
    return X


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    metric=st.sampled_from([EUCLIDEAN, COSINE, MANHATTAN]),
    n_features=st.integers(2, 20),
    max_distance=st.sampled_from([0.05, 1.0, 3.0]),
    max_age=st.integers(2, 40),
    rows=st.booleans(),
)
def test_kernel_follows_the_blackboard(seed, metric, n_features, max_distance, max_age, rows):
    rule = RULE._replace(metric=metric, max_distance=max_distance, max_age=max_age)
    X = data(120, n_features, seed, metric)
    network, winners = run(X, rule, SCAN_BATCH if rows and metric != MANHATTAN else SCAN_COLUMNS)
    slow = SlowGWR(X[0], X[1], rule)
    for x in X[2:]:
        slow.present(x)
    state = MapState(network)
    edges, ages = state.edges_and_ages()
    assert winners.tolist() == slow.winners
    assert dict(zip(map(tuple, edges.tolist()), ages.tolist())) == slow.edges()
    assert np.allclose(state.prototypes, [u.position for u in slow.units], rtol=1e-7, atol=1e-9)
    books = network.books[: state.n_units]
    assert np.allclose(books[:, HABITUATION], [u.habituation for u in slow.units])
    assert np.allclose(books[:, COUNT], [u.count for u in slow.units])
    assert (ages <= max_age).all() and 2 <= state.n_units <= 12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", [EUCLIDEAN, COSINE])
def test_searches_have_the_same_winners(dtype, metric):
    rule = RULE._replace(max_units=120, metric=metric, max_distance=0.3, max_age=50)
    X = data(4000, 40, 1, metric, dtype)
    scanned, scan_winners = run(X, rule, SCAN_ROWS)
    batched, batch_winners = run(X, rule, SCAN_BATCH, width=4)  # and wide rows of neighbours appear on the way
    assert np.array_equal(batch_winners, scan_winners)
    assert np.array_equal(batched.weights, scanned.weights)
    assert np.array_equal(batched.books, scanned.books)


def expected_failures(estimator):
    if estimator.max_units == 3:
        return {}
    return {"check_clustering": "labels name units; 100 units cannot equal the 3 classes of 50 samples"}


@parametrize_with_checks([GrowWhenRequired(), GrowWhenRequired(max_units=3)], expected_failed_checks=expected_failures)
def test_scikit_learn(estimator, check):
    check(estimator)


def square(n_samples=4000, seed=0):
    return np.random.default_rng(seed).random((n_samples, 2))


@pytest.mark.parametrize("metric", METRICS)
def test_grows_until_every_sample_is_near_a_unit(metric):
    X = square() - 0.5
    gwr = GrowWhenRequired(1000, activity_threshold=0.8, metric=metric, random_state=0).fit(X)
    assert 5 < gwr.n_units_ < 300
    activity = np.exp(-gwr.transform(X).min(axis=1) / gwr.length_scale_)
    assert np.mean(activity < 0.8) < 0.02
    assert gwr.habituations_.max() <= 1 and gwr.habituations_.min() > 0.04
    stricter = GrowWhenRequired(1000, activity_threshold=0.85, metric=metric, random_state=0).fit(X)
    assert stricter.n_units_ > gwr.n_units_


def test_automatic_length_scale_follows_the_scale_of_the_data():
    X = square().astype(np.float32)
    small, large = (GrowWhenRequired(random_state=0).fit(scale * X) for scale in (1, 1024))
    assert large.length_scale_ == pytest.approx(1024 * small.length_scale_, rel=1e-6)
    assert small.length_scale_ == pytest.approx(np.linalg.norm(X - X.mean(axis=0), axis=1).mean(), rel=1e-5)
    assert np.array_equal(large.edges_, small.edges_)
    assert GrowWhenRequired(length_scale=0.3, random_state=0).fit(X).length_scale_ == 0.3


def test_grows_again_when_the_data_change():
    gwr = GrowWhenRequired(500, activity_threshold=0.8, random_state=0).partial_fit(square(20_000))
    before = gwr.n_units_
    gwr.partial_fit(square(2000, seed=1))
    assert gwr.n_units_ <= before + 5
    gwr.partial_fit(square(20_000) + 3)
    assert gwr.n_units_ > 1.5 * before
    assert gwr.quantization_error(square(1000) + 3) < 0.1


@pytest.mark.parametrize(
    "parameters, error",
    [
        ({"max_units": 1}, ValueError),
        ({"activity_threshold": 1.0}, ValueError),
        ({"activity_threshold": 0}, ValueError),
        ({"length_scale": "wide"}, ValueError),
        ({"length_scale": 0.0}, ValueError),
        ({"n_epochs": 0}, ValueError),
        ({"learning_rate": 0.0}, ValueError),
        ({"neighbor_learning_rate": 1.5}, ValueError),
        ({"habituation_threshold": 0.0}, ValueError),
        ({"habituation_times": 3.0}, ValueError),
        ({"habituation_times": (1.0, 3.0)}, ValueError),
        ({"max_age": 0}, ValueError),
        ({"metric": "l1"}, ValueError),
        ({"shuffle": 1}, TypeError),
    ],
)
def test_bad_parameters_are_named(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        GrowWhenRequired(**parameters).fit(square(50))
