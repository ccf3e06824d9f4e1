"""Neural gas: kernels against the formulas, and what the estimator learns."""

import networkx as nx
import numpy as np
import pytest
import slow_neural_gas
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from topology import NeuralGas, _network
from topology._kernels import neural_gas
from topology._kernels.lookup import SCAN_BATCH, SCAN_COLUMNS, SCAN_ROWS
from topology._kernels.search import COSINE, EUCLIDEAN, MANHATTAN, scale_rows
from topology._metric import METRICS
from topology._network import MapState
from topology._rank_statistics import collect_ranks
from topology._validation import read_only

RULE = neural_gas.Rule(
    interval=1000, reaches=(6.0, 0.01), rates=(0.5, 0.05), lifetimes=(5.0, 30.0), n_steps=100, metric=EUCLIDEAN
)


def data(n_samples, n_features, seed, metric=EUCLIDEAN, dtype=np.float64):
    X = np.random.default_rng(seed).normal(size=(n_samples, n_features)).astype(dtype)
    if metric == COSINE:
        scale_rows(X.copy(), X)
    return X


def run(X, n_units, rule, search):
    network = _network.allocate(X[:n_units], n_units, 4, METRICS[rule.metric])
    mirror = np.ascontiguousarray(network.weights.T) if search == SCAN_COLUMNS else np.empty((0, 0), X.dtype)
    network = network._replace(mirror=mirror)
    order, winners, done = np.arange(n_units, len(X)), np.empty(len(X) - n_units, np.int64), 0
    while done < len(order):
        done += neural_gas.train(network, rule, read_only(X), order[done:], search, winners[done:])
        network = _network.widen(network)
    return network, winners


@settings(max_examples=200)
@given(
    values=st.lists(st.integers(0, 20), min_size=2, max_size=300),
    share=st.floats(0, 1),
)
def test_rank_is_the_beginning_of_a_sort(values, share):
    n_ranked = max(1, round(share * len(values)))
    ranked = np.empty(len(values), np.int64)
    neural_gas.rank(np.array(values, np.float64), len(values), n_ranked, ranked)
    assert ranked[:n_ranked].tolist() == np.argsort(values, kind="stable")[:n_ranked].tolist()


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    metric=st.sampled_from([EUCLIDEAN, COSINE, MANHATTAN]),
    n_features=st.integers(2, 20),
    n_units=st.integers(2, 50),
    first_range=st.sampled_from([0.01, 1.0, 30.0]),
    rows=st.booleans(),
)
def test_online_follows_the_formulas(seed, metric, n_features, n_units, first_range, rows):
    rule = RULE._replace(metric=metric, reaches=(first_range, 0.01))
    X = data(n_units + 120, n_features, seed, metric)
    network, winners = run(X, n_units, rule, SCAN_BATCH if rows and metric != MANHATTAN else SCAN_COLUMNS)
    units, ages, expected = slow_neural_gas.online(X[n_units:], X[:n_units], rule)
    edges, found = MapState(network).edges_and_ages()
    assert winners.tolist() == expected
    assert np.allclose(network.weights, units, rtol=1e-7, atol=1e-9)
    assert dict(zip(map(tuple, edges.tolist()), found.tolist())) == ages


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    metric=st.sampled_from(["euclidean", "cosine"]),
    n_features=st.integers(2, 20),
    n_units=st.integers(2, 60),
    reach=st.sampled_from([0.01, 0.1, 1.0, 30.0]),
)
def test_batch_follows_the_formulas(seed, metric, n_features, n_units, reach):
    code = METRICS.index(metric)
    X, units = data(50, n_features, seed, code), data(n_units, n_features, seed + 1, code)
    map_ = NeuralGas(n_units, n_epochs=2, neighborhood_range=(reach, reach), metric=metric).initialize(X)
    map_.prototypes_ = units
    statistics = map_.partial_statistics(X)
    expected = slow_neural_gas.batch_step(X, units, reach, code)
    pulled = statistics.masses[:, 0] > 1e-7 * statistics.masses.max()  # the others are nobody's, and stay
    assert np.allclose(map_.update(statistics).prototypes_[pulled], expected[pulled], rtol=1e-6, atol=1e-6)
    assert np.array_equal(map_.prototypes_[~pulled], units[~pulled])
    winners = [np.argmin(slow_neural_gas.squares(x, units, code)) for x in X]
    assert statistics.counts.tolist() == np.bincount(winners, minlength=n_units).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", [EUCLIDEAN, COSINE])
def test_searches_have_the_same_winners(dtype, metric):
    X = data(3000, 40, 0, metric, dtype)
    rule = RULE._replace(n_steps=2000, metric=metric)
    scanned, scan_winners = run(X, 150, rule, SCAN_ROWS)
    batched, batch_winners = run(X, 150, rule, SCAN_BATCH)
    assert np.array_equal(batch_winners, scan_winners)
    assert np.array_equal(batched.weights, scanned.weights)


def expected_failures(estimator):
    if estimator.n_units == 3:
        return {}
    return {"check_clustering": "labels name units; 100 units cannot equal the 3 classes of 50 samples"}


@parametrize_with_checks(
    [NeuralGas(n, training=training) for n in (100, 3) for training in ("batch", "online")],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn(estimator, check):
    check(estimator)


def square(n_samples=10_000, seed=0):
    return np.random.default_rng(seed).random((n_samples, 2))


@pytest.mark.parametrize("training, limit", [("batch", 0.385), ("online", 0.39)])
def test_uniform_square_is_quantized_almost_optimally(training, limit):
    gas = NeuralGas(100, training=training, random_state=0).fit(square(20_000))
    assert 0.376 < 10 * gas.quantization_error(square(20_000, seed=1)) < limit  # the best quantiser has 0.377
    assert gas.topographic_error(square(5000, seed=1)) < 0.05
    assert nx.number_connected_components(gas.to_networkx()) == 1


@pytest.mark.parametrize("training", ["batch", "online"])
def test_two_blobs_are_two_components(training):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(500, 3)), rng.normal(size=(500, 3)) + 20])
    gas = NeuralGas(20, training=training, random_state=0).fit(X)
    graph = gas.to_networkx()
    between = [unit for unit, count in graph.nodes(data="count") if count == 0]  # pulled by both sides alike
    assert len(between) <= 4 and dict(graph.degree(between)) == dict.fromkeys(between, 0)
    graph.remove_nodes_from(between)
    assert nx.number_connected_components(graph) == 2
    assert gas.counts_.sum() == 1000


def test_parts_are_as_good_as_the_whole():
    X = square(3000)
    whole = NeuralGas(40, n_epochs=8, random_state=0).fit(X)
    parts = NeuralGas(40, n_epochs=8, random_state=0).initialize(X)
    for _ in range(8):
        parts.update(parts.merge(*[parts.partial_statistics(part) for part in np.array_split(X, 7)]))
    assert np.allclose(parts.prototypes_, whole.prototypes_, rtol=0, atol=1e-9)
    assert parts.n_samples_seen_ == whole.n_samples_seen_ == 24_000


def test_online_stream_is_the_unshuffled_fit():
    X = square(500)
    fitted = NeuralGas(20, training="online", n_epochs=4, shuffle=False, random_state=0).fit(X)
    streamed = NeuralGas(20, training="online", n_epochs=4, random_state=0)
    for _ in range(4):
        streamed.partial_fit(X)
    assert np.allclose(fitted.prototypes_, streamed.prototypes_, rtol=1e-12)
    assert np.array_equal(fitted.edges_, streamed.edges_) and np.array_equal(fitted.edge_ages_, streamed.edge_ages_)


def test_batch_partial_fit_is_a_step_at_the_final_range():
    X = square(500)
    gas = NeuralGas(20, neighborhood_range=(5, 0.5), random_state=0).fit(X)
    statistics = collect_ranks(X, gas.prototypes_, 0.5, "euclidean")
    before = gas.prototypes_
    expected = statistics.sums / statistics.masses
    gas.partial_fit(X)
    assert not np.array_equal(gas.prototypes_, before)
    assert np.allclose(gas.prototypes_, expected)
    assert gas.counts_.sum() == 1000


def test_units_without_samples_stay():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0)
    gas = NeuralGas(5, neighborhood_range=(0.01, 0.01), random_state=0).fit(X)
    assert set(map(tuple, gas.prototypes_.tolist())) == {(0.0, 0.0), (1.0, 1.0)}


@pytest.mark.parametrize(
    "parameters, error",
    [
        ({"n_units": 1}, ValueError),
        ({"n_units": 2.5}, TypeError),
        ({"training": "stream"}, ValueError),
        ({"n_epochs": 0}, ValueError),
        ({"n_epochs": "many"}, TypeError),
        ({"neighborhood_range": 3.0}, ValueError),
        ({"neighborhood_range": (1.0, 2.0)}, ValueError),
        ({"neighborhood_range": (1.0, 0.0)}, ValueError),
        ({"learning_rate": (0.5, 0.0)}, ValueError),
        ({"edge_lifetime": (0, 5)}, ValueError),
        ({"metric": "manhattan"}, ValueError),
        ({"metric": "dot"}, ValueError),
        ({"shuffle": "no"}, TypeError),
        ({"random_state": "seed"}, TypeError),
    ],
)
def test_bad_parameters_are_named(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        NeuralGas(**parameters).fit(square(50))


def test_bad_calls():
    online = NeuralGas(5, training="online", random_state=0).fit(square(50))
    with pytest.raises(ValueError, match="training='batch'"):
        online.partial_statistics(square(5))
    batch = NeuralGas(5, random_state=0).fit(square(50))
    with pytest.raises(TypeError, match="statistics"):
        batch.update(np.zeros((5, 2)))
    with pytest.raises(ValueError, match="statistics"):
        batch.update(NeuralGas(6, random_state=0).fit(square(50)).partial_statistics(square(5)))
