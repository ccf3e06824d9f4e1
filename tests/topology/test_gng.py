"""The estimator: conformance, what it learns, what it refuses, what it keeps."""

import itertools

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from topology import GrowingNeuralGas, History

SLOW = {"learning_rate": 0.05, "neighbor_learning_rate": 0.0006, "max_age": 100}


def square(n_samples=3000, seed=0):
    return np.random.default_rng(seed).random((n_samples, 2))


def expected_failures(estimator):
    if estimator.max_units == 3:
        return {}
    return {"check_clustering": "labels name units; 100 units cannot equal the 3 classes of 50 samples"}


@parametrize_with_checks([GrowingNeuralGas(), GrowingNeuralGas(max_units=3)], expected_failed_checks=expected_failures)
def test_scikit_learn(estimator, check):
    check(estimator)


def test_uniform_square_is_quantized_almost_optimally():
    # The best quantiser has error * sqrt(n) = 0.377 (hexagonal cells); 0.376 is a lower bound for held-out data.
    gng = GrowingNeuralGas(100, error_decay="auto", random_state=0, **SLOW).fit(square(20_000))
    assert 0.376 < 10 * gng.quantization_error(square(20_000, seed=1)) < 0.39
    assert gng.topographic_error(square(5000, seed=1)) < 0.05


def test_line_in_ten_dimensions_becomes_a_path():
    direction = np.zeros(10)
    direction[[2, 7]] = 0.6, 0.8
    X = np.random.default_rng(0).random((2000, 1)) * direction
    gng = GrowingNeuralGas(30, random_state=0, **SLOW).fit(X)
    off_line = gng.prototypes_ - (gng.prototypes_ @ direction)[:, None] * direction
    assert np.abs(off_line).max() < 1e-7
    degrees = sorted(degree for _, degree in gng.to_networkx().degree)
    assert degrees == [1, 1] + [2] * 28


def test_two_blobs_are_two_components():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(500, 3)), rng.normal(size=(500, 3)) + 20])
    graph = GrowingNeuralGas(20, random_state=0).fit(X).to_networkx()
    assert nx.number_connected_components(graph) == 2
    assert sum(count for _, count in graph.nodes(data="count")) == 1000


@pytest.mark.parametrize("preset", ["1995", "1997"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fitted_attributes(preset, dtype):
    X = square(700).astype(dtype)
    gng = GrowingNeuralGas(40, preset=preset, random_state=0).fit(X)
    assert gng.n_units_ == 40 and gng.prototypes_.shape == (40, 2) and gng.prototypes_.dtype == dtype
    assert gng.transform(X).dtype == dtype
    assert_array_equal(gng.labels_, gng.predict(X))
    assert_array_equal(gng.labels_, gng.transform(X).argmin(axis=1))
    assert_array_equal(gng.counts_, np.bincount(gng.labels_, minlength=40))
    assert (gng.edges_[:, 0] < gng.edges_[:, 1]).all() and gng.edges_.max() < 40
    squares = np.array([((X[gng.labels_ == k] - w) ** 2).sum() for k, w in enumerate(gng.prototypes_)])
    assert np.allclose(gng.spreads_ * gng.counts_, squares, rtol=1e-4)
    assert gng.n_samples_seen_ % 700 == 0
    assert gng.edge_ages_.min() >= 0 and gng.edge_ages_.max() <= {"1995": 50, "1997": 88}[preset]


def test_presets_differ_and_parameters_override_them():
    X = square(300)
    one = {"max_units": 10, "n_epochs": 3, "random_state": 0}
    constants = {
        "learning_rate": 0.1, "neighbor_learning_rate": 0.01, "insertion_interval": 50,
        "max_age": 10, "split_decay": 0.5, "error_decay": 0.99,
    }  # fmt: skip
    fitted = [GrowingNeuralGas(preset=p, **one, **constants).fit(X).prototypes_ for p in ("1995", "1997")]
    assert not np.array_equal(*fitted)  # the order of operations differs, not only the constants
    default = GrowingNeuralGas(**one).fit(X).prototypes_
    for name, value in constants.items():
        if name == "split_decay":
            value = 0.9
        assert not np.array_equal(default, GrowingNeuralGas(**one, **{name: value}).fit(X).prototypes_), name


def test_same_seed_same_bits_with_and_without_callback():
    X = square(500)
    for state in (3, np.random.RandomState(3), np.random.default_rng(3)):
        assert GrowingNeuralGas(10, random_state=state).fit(X).n_units_ == 10
    a = GrowingNeuralGas(50, random_state=3).fit(X)
    b = GrowingNeuralGas(50, random_state=3).fit(X, callback=lambda state, step: None)
    c = GrowingNeuralGas(50, random_state=4).fit(X)
    assert_array_equal(a.prototypes_, b.prototypes_)
    assert_array_equal(a.edges_, b.edges_)
    assert not np.array_equal(a.prototypes_, c.prototypes_)


def test_auto_epochs_reach_full_size_and_settle():
    for n_samples in (5, 150, 4000):
        gng = GrowingNeuralGas(40, random_state=0).fit(square(n_samples))
        assert gng.n_units_ == 40
        full_after = 38 * 100
        assert gng.n_samples_seen_ >= full_after + max(200 * 40, 3 * n_samples)


def test_streaming_continues_where_it_ended():
    X = square(2000)
    at_once = GrowingNeuralGas(30, random_state=0).partial_fit(X)
    assert at_once.n_samples_seen_ == 2000
    in_parts = GrowingNeuralGas(30, random_state=0)
    # The first two units come from the first call's rows, so both start on the same ones.
    in_parts.partial_fit(X)
    for rows in (X[:700], X[700:701], X[701:]):
        in_parts.partial_fit(rows)
    at_once.partial_fit(X)
    assert in_parts.n_samples_seen_ == at_once.n_samples_seen_ == 4000
    assert_array_equal(in_parts.edges_, at_once.edges_)
    assert_array_equal(in_parts.edge_ages_, at_once.edge_ages_)
    for name in ("prototypes_", "errors_", "counts_", "spreads_"):
        assert np.allclose(getattr(in_parts, name), getattr(at_once, name), rtol=1e-9), name
    assert np.mean(in_parts.labels_ == in_parts.predict(X[701:])) > 0.5  # units have moved a little since


def test_unshuffled_epoch_equals_stream():
    X = square(800)
    fitted = GrowingNeuralGas(20, n_epochs=1, shuffle=False, random_state=0).fit(X)
    streamed = GrowingNeuralGas(20, random_state=0).partial_fit(X)
    assert_array_equal(fitted.prototypes_, streamed.prototypes_)
    assert_array_equal(fitted.edges_, streamed.edges_)


def test_utility_follows_a_distribution_that_jumps():
    here, there = square(20_000), square(20_000, seed=1) + 10
    left_behind = {}
    for criterion in ("error", "utility"):
        gng = GrowingNeuralGas(40, criterion=criterion, random_state=0).partial_fit(here).partial_fit(there)
        left_behind[criterion] = (gng.prototypes_[:, 0] < 5).sum()
    assert left_behind["utility"] <= 2
    assert left_behind["error"] >= 15


def test_callback_sees_growth_and_stops_it():
    seen = []

    def stop_at_ten(state, step):
        seen.append((step, state.n_units, len(state.prototypes), len(state.counts), state.edges.max(initial=-1)))
        for view in (state.prototypes, state.counts, state.edges):
            with pytest.raises(ValueError, match="read-only"):
                view[0] = 0
        assert state.n_samples_seen == step
        assert state.n_edges == len(state.edges)
        return state.n_units == 10

    gng = GrowingNeuralGas(50, random_state=0).fit(square(), callback=stop_at_ten)
    assert gng.n_units_ == 10
    assert [step for step, *_ in seen] == [100 * (i + 1) for i in range(len(seen))]
    assert all(n == rows == counts and top < n for _, n, rows, counts, top in seen)


def test_running_error_is_the_mean_distance_to_the_winners():
    history = History(store=("quantization_error",))
    gng = GrowingNeuralGas(50, random_state=0, **SLOW).fit(square(), callback=history)
    errors = history.to_dict()["quantization_error"]
    assert errors[0] > 3 * errors[-1]
    assert np.isclose(errors[-20:].mean(), gng.quantization_error(square(seed=1)), rtol=0.1)


def test_fewer_rows_than_units():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    gng = GrowingNeuralGas(random_state=0).fit(X)
    assert gng.quantization_error(X) < 0.1
    assert len(np.unique(gng.labels_)) == 3
    assert np.isfinite(gng.score_samples(X)).all()


@pytest.mark.parametrize(
    "X, message",
    [
        (np.zeros((1, 2)), "minimum of 2"),
        (np.zeros((5, 2)), "2 distinct rows"),
        (np.array([[0.0, np.nan], [1, 2]]), "NaN"),
        (np.array([[0.0, np.inf], [1, 2]]), "infinity"),
        (np.zeros((0, 2)), "0 sample"),
        (np.zeros(4), "Expected 2D array"),
        (np.array([[0.0, 1e80], [1, 2]]), "magnitude"),
        (np.array([[0.0, -1e20], [1, 2]], np.float32), "magnitude"),
    ],
)
def test_bad_data(X, message):
    for method in ("fit", "partial_fit"):
        with pytest.raises(ValueError, match=message):
            getattr(GrowingNeuralGas(), method)(X)


@pytest.mark.parametrize(
    "parameters, error",
    [
        ({"max_units": 1}, ValueError),
        ({"max_units": 3.5}, TypeError),
        ({"max_units": True}, TypeError),
        ({"preset": "1996"}, ValueError),
        ({"n_epochs": 0}, ValueError),
        ({"n_epochs": "some"}, TypeError),
        ({"learning_rate": 0}, ValueError),
        ({"learning_rate": 1.5}, ValueError),
        ({"learning_rate": np.nan}, ValueError),
        ({"neighbor_learning_rate": -0.1}, ValueError),
        ({"insertion_interval": 0}, ValueError),
        ({"max_age": 0}, ValueError),
        ({"split_decay": "half"}, TypeError),
        ({"error_decay": 0.0}, ValueError),
        ({"error_decay": "long"}, ValueError),
        ({"criterion": "density"}, ValueError),
        ({"utility_threshold": 0.0, "criterion": "utility"}, ValueError),
        ({"shuffle": "no"}, TypeError),
        ({"random_state": -1}, ValueError),
        ({"random_state": "seed"}, TypeError),
    ],
)
def test_bad_parameters_are_named(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        GrowingNeuralGas(**parameters).fit(square(50))


def test_columns_after_fit():
    gng = GrowingNeuralGas(5, random_state=0).fit(square(50))
    for method in ("predict", "transform", "score_samples", "quantization_error", "topographic_error", "partial_fit"):
        with pytest.raises(ValueError, match="features"):
            getattr(gng, method)(np.zeros((3, 4)))


def test_seed_of_generator_moves_on():
    rng = np.random.default_rng(0)
    a, b = (GrowingNeuralGas(10, random_state=rng).fit(square(100)).prototypes_ for _ in range(2))
    assert not np.array_equal(a, b)


def test_duplicated_rows_do_not_stop_growth_rules():
    X = np.array(list(itertools.product([0.0, 1.0], repeat=2)) * 50)
    gng = GrowingNeuralGas(50, random_state=0).fit(X)
    assert gng.quantization_error(X) < 0.05


@pytest.mark.parametrize("criterion", ["error", "utility"])
def test_labels_of_a_stream_name_existing_units(criterion):
    X = np.concatenate([square(1000), square(1000) + 10])
    gng = GrowingNeuralGas(30, criterion=criterion, max_age=5, random_state=0).partial_fit(X)
    assert gng.labels_.shape == (2000,)
    assert gng.labels_.min() >= 0 and gng.labels_.max() < gng.n_units_
    if criterion == "utility":  # units were removed
        assert_array_equal(gng.labels_, gng.predict(X))
    stopped = GrowingNeuralGas(30, random_state=0).partial_fit(X, callback=lambda state, step: step >= 500)
    assert stopped.n_samples_seen_ == 500
    assert_array_equal(stopped.labels_, stopped.predict(X))


def test_large_rows_after_fit():
    gng = GrowingNeuralGas(5, random_state=0).fit(square(50).astype(np.float32))
    for method in ("predict", "quantization_error", "topographic_error", "partial_fit"):
        with pytest.raises(ValueError, match="magnitude"):
            getattr(gng, method)(np.full((1, 2), 1e60))


def test_largest_rows_that_are_accepted():
    X = 1e17 * square(500).astype(np.float32)
    gng = GrowingNeuralGas(20, random_state=0).fit(X)
    assert np.isfinite(gng.prototypes_).all() and np.isfinite(gng.errors_).all()
    assert np.allclose(
        gng.prototypes_ / 1e17, GrowingNeuralGas(20, random_state=0).fit(X / 1e17).prototypes_, atol=1e-2
    )
