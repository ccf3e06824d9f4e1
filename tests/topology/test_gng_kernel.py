"""The kernel against the blackboard version, and the searches against each other, sample by sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_gng import SlowGNG

from topology import _network
from topology._kernels import gng, lookup
from topology._kernels.network import COUNT, ERROR, SCALE, UTILITY
from topology._kernels.search import COSINE, EUCLIDEAN, MANHATTAN, scale_rows
from topology._network import MapState
from topology._validation import read_only

RULE = gng.Rule(
    winner_rate=0.1,
    neighbor_rate=0.01,
    interval=25,
    max_age=20,
    split_decay=0.5,
    error_decay=0.99,
    max_units=40,
    refresh_first=False,
    mean_error=False,
    utility_threshold=np.inf,
    metric=EUCLIDEAN,
)
RULES = {
    "1995": RULE,
    "1997": RULE._replace(refresh_first=True, mean_error=True, max_age=8),
    "utility": RULE._replace(utility_threshold=1.5, max_age=8),
}


def blobs(n_samples, n_features, seed=0, dtype=np.float64, offset=0.0):
    rng = np.random.default_rng(seed)
    centers = 3 * rng.normal(size=(8, n_features)) + offset
    return (centers[rng.integers(0, 8, n_samples)] + rng.normal(size=(n_samples, n_features))).astype(dtype)


def run(X, rule, search, width=_network.FIRST_WIDTH, pieces=1):
    """All rows in order; the network and the winner of every sample."""
    network = _network.allocate(X[:2], rule.max_units, width)
    if search != lookup.SCAN_COLUMNS:
        network = network._replace(mirror=np.empty((0, rule.max_units), X.dtype))
    else:
        network = network._replace(mirror=np.ascontiguousarray(network.weights.T))
    winners = []
    for piece in np.array_split(np.arange(2, len(X)), pieces):
        while len(piece):
            found = np.empty(len(piece), np.int64)
            n = gng.train(network, rule, read_only(X), piece, search, found)
            winners.append(found[:n])
            piece = piece[n:]
            if n < len(found):
                network = _network.widen(network)
    return network, np.concatenate(winners)


def edges_with_ages(network):
    edges, ages = MapState(network).edges_and_ages()
    return {tuple(edge): age for edge, age in zip(edges.tolist(), ages.tolist())}


@pytest.mark.parametrize("search", [lookup.SCAN_COLUMNS, lookup.SCAN_ROWS, lookup.SCAN_BATCH])
@pytest.mark.parametrize("name", RULES)
def test_kernel_follows_the_blackboard(name, search):
    rule = RULES[name]
    X = blobs(1000, 3)
    network, winners = run(X, rule, search)
    slow = SlowGNG(X[0], X[1], rule)
    for x in X[2:]:
        slow.present(x)
    state = MapState(network)
    assert winners.tolist() == slow.winners
    assert edges_with_ages(network) == slow.edges()
    assert np.allclose(state.prototypes, [u.position for u in slow.units], rtol=1e-9)
    scale = network.clock[SCALE]
    for column, attribute, factor in (
        (ERROR, "error", scale),
        (UTILITY, "utility", scale),
        (COUNT, "count", 1),
    ):
        if attribute != "utility" or name == "utility":
            expected = [getattr(u, attribute) for u in slow.units]
            assert np.allclose(network.books[: state.n_units, column] * factor, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features, offset", [(2, 0.0), (16, 0.0), (70, 0.0), (70, 30.0)])
@pytest.mark.parametrize("winner_rate", [0.05, 1.0])
def test_batch_search_has_the_winners_of_the_scan(dtype, n_features, offset, winner_rate):
    rule = RULE._replace(max_units=150, winner_rate=winner_rate, interval=20)
    X = blobs(5000, n_features, seed=1, dtype=dtype, offset=offset)
    scanned, scan_winners = run(X, rule, lookup.SCAN_ROWS)
    batched, batch_winners = run(X, rule, lookup.SCAN_BATCH)
    assert np.array_equal(batch_winners, scan_winners)
    assert np.array_equal(batched.weights, scanned.weights)
    assert np.array_equal(batched.books, scanned.books)
    assert edges_with_ages(batched) == edges_with_ages(scanned)


@pytest.mark.parametrize("search", [lookup.SCAN_COLUMNS, lookup.SCAN_ROWS, lookup.SCAN_BATCH])
def test_pieces_do_not_change_the_bits(search):
    X = blobs(2000, 4)
    whole, whole_winners = run(X, RULE, search)
    parts, part_winners = run(X, RULE, search, pieces=13)
    assert np.array_equal(whole_winners, part_winners)
    assert np.array_equal(whole.weights, parts.weights)
    assert np.array_equal(whole.clock[:3], parts.clock[:3])


def hub_and_spokes(n_spokes, n_rounds):
    """The hub is the second nearest unit of every spoke."""
    spokes = np.eye(n_spokes)
    hub = np.zeros((1, n_spokes))
    return np.concatenate([hub, spokes[:1], *[spokes[i % n_spokes, None] for i in range(n_rounds * n_spokes)]])


def test_no_edge_is_lost_when_a_unit_has_many_neighbors():
    X = hub_and_spokes(n_spokes=40, n_rounds=20) + 1e-3 * np.random.default_rng(0).normal(size=(802, 40))
    rule = RULE._replace(max_units=41, max_age=10**6, interval=20, neighbor_rate=0.0)
    network, winners = run(X, rule, lookup.SCAN_ROWS, width=4)
    slow = SlowGNG(X[0], X[1], rule)
    for x in X[2:]:
        slow.present(x)
    assert network.degree.max() > 4  # the first width: rows were widened
    assert edges_with_ages(network) == slow.edges()
    assert winners.tolist() == slow.winners


def as_metric(X, metric):
    if metric != COSINE:
        return X
    scaled = np.empty_like(X)
    scale_rows(X, scaled)
    return scaled


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(sorted(RULES)),
    metric=st.sampled_from([EUCLIDEAN, COSINE, MANHATTAN]),
    n_features=st.integers(2, 20),
    winner_rate=st.sampled_from([0.05, 0.5, 1.0]),
    rows=st.booleans(),
)
def test_every_metric_follows_the_blackboard(seed, name, metric, n_features, winner_rate, rows):
    rule = RULES[name]._replace(metric=metric, winner_rate=winner_rate, interval=10, max_units=12)
    X = as_metric(blobs(120, n_features, seed=seed), metric)
    search = lookup.SCAN_BATCH if rows and metric != MANHATTAN else lookup.SCAN_COLUMNS
    network, winners = run(X, rule, search)
    slow = SlowGNG(X[0], X[1], rule)
    for x in X[2:]:
        slow.present(x)
    assert winners.tolist() == slow.winners
    assert edges_with_ages(network) == slow.edges()
    assert np.allclose(MapState(network).prototypes, [u.position for u in slow.units], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batch_search_on_the_sphere_has_the_winners_of_the_scan(dtype):
    X = as_metric(blobs(5000, 40, seed=1, dtype=dtype), COSINE)
    rule = RULE._replace(max_units=150, winner_rate=0.4, interval=20, metric=COSINE)
    scanned, scan_winners = run(X, rule, lookup.SCAN_ROWS)
    batched, batch_winners = run(X, rule, lookup.SCAN_BATCH)
    assert np.array_equal(batch_winners, scan_winners)
    assert np.array_equal(batched.weights, scanned.weights)
    assert np.allclose(np.linalg.norm(batched.weights[: int(batched.clock[0])], axis=1), 1, rtol=1e-6)


def test_a_unit_opposite_to_the_sample_goes_to_the_sample():
    X = np.array([[1.0, 0], [0, 1], [-1, 0], [-1, 0]])
    network, _ = run(X, RULE._replace(metric=COSINE, winner_rate=0.5), lookup.SCAN_COLUMNS)
    assert np.isfinite(network.weights).all()
    opposite = np.array([[-1.0, 0.0]])
    units = lookup.new_lookup(network.weights, lookup.SCAN_COLUMNS).units
    lookup.move(units, network.weights, network.mirror, 0, read_only(-network.weights[:1]), 0, 0.5, COSINE)
    assert np.allclose(network.weights[0], opposite)


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    max_age=st.integers(1, 30),
    interval=st.integers(1, 40),
    threshold=st.sampled_from([0.5, 2.0, np.inf]),
    preset=st.sampled_from(["1995", "1997"]),
)
def test_graph_stays_a_graph(seed, max_age, interval, threshold, preset):
    X = blobs(400, 3, seed=seed)
    rule = RULES[preset]._replace(max_age=max_age, interval=interval, utility_threshold=threshold, max_units=25)
    network, _ = run(X, rule, lookup.SCAN_COLUMNS)
    n, degree = MapState(network).n_units, network.degree
    assert 2 <= n <= 25
    pairs = {(i, int(j)) for i in range(n) for j in network.neighbors[i, : degree[i]]}
    assert len(pairs) == degree[:n].sum()  # no edge twice
    assert pairs == {(j, i) for i, j in pairs}
    assert all(i != j and 0 <= j < n for i, j in pairs)
    ages = np.array(list(edges_with_ages(network).values()))
    assert (ages >= 0).all() and (ages <= max_age).all()
    assert np.array_equal(network.mirror[:, :n], network.weights[:n].T)
    if threshold == np.inf:
        assert degree[:n].min() >= 1
        if max_age == 30:
            assert network.books[:n, COUNT].sum() <= len(X) - 2 + 1e-6


def test_small_scale_is_folded_back():
    X = blobs(1000, 2)
    rule = RULE._replace(error_decay=0.5)
    network, winners = run(X, rule, lookup.SCAN_COLUMNS)
    slow = SlowGNG(X[0], X[1], rule)
    for x in X[2:]:
        slow.present(x)
    assert winners.tolist() == slow.winners
    assert 0 < network.clock[SCALE] <= 1
    assert network.clock[SCALE] >= gng.SMALLEST_SCALE * 0.5
