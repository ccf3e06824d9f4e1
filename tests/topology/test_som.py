"""The estimator: conformance, what it learns, what it refuses, what it keeps."""

import tracemalloc
from contextlib import nullcontext

import numba
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from topology import History, SelfOrganizingMap
from topology._kernels.search import squared_distance
from topology._lattice import Lattice

ONLINE = {"training": "online", "n_epochs": 3}


def square(n_samples=3000, seed=0):
    return np.random.default_rng(seed).random((n_samples, 2))


def with_gaps(X, share, seed=0):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X[~np.isnan(X).all(axis=1)]


def expected_failures(estimator):
    if estimator.shape == (1, 3):
        return {}
    return {"check_clustering": "labels name units; 100 units cannot equal the 3 classes of 50 samples"}


@parametrize_with_checks(
    [
        SelfOrganizingMap(),
        SelfOrganizingMap(training="online"),
        SelfOrganizingMap((1, 3), radius=(0.5, 0.3)),
        SelfOrganizingMap((1, 3), radius=(0.5, 0.3), training="online"),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
@pytest.mark.parametrize("lattice", ["rectangular", "hexagonal"])
def test_uniform_square_is_quantized_well_and_in_order(options, lattice):
    som = SelfOrganizingMap((12, 10), lattice=lattice, random_state=0, **options).fit(square(20_000))
    # The best quantiser has error * sqrt(n) = 0.377 (hexagonal cells), squares 0.383; the map also keeps its order.
    assert 0.376 < np.sqrt(120) * som.quantization_error(square(20_000, seed=1)) < 0.41
    assert som.topographic_error(square(5000, seed=1)) < 0.01


def test_torus_keeps_its_order_on_a_periodic_lattice_only():
    angles = 2 * np.pi * square(5000)
    X = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    errors = [SelfOrganizingMap(periodic=p, n_epochs=30).fit(X).topographic_error(X) for p in (True, False)]
    assert errors[0] < 0.01 and errors[1] > 0.05


@pytest.mark.parametrize(
    "n_units, radius, n_samples, n_epochs, exponent", [(14, 0, 200_000, 500, 1 / 3), (100, 10, 100_000, 300, 2 / 3)]
)
def test_magnification_of_a_chain(n_units, radius, n_samples, n_epochs, exponent):
    """Density of units ~ data density ** exponent in one dimension (Ritter and Schulten 1986); both start at 0."""
    X = np.sqrt((np.arange(n_samples) + 0.5) / n_samples)[:, None]  # quantiles of p(x) = 2x
    start = np.linspace(0, 1, n_units + 2)[1:-1, None]
    som = SelfOrganizingMap((1, n_units), radius=(radius, radius), n_epochs=n_epochs, init=start).fit(X)
    w = som.prototypes_[:, 0]
    middle = slice(n_units // 5, n_units - n_units // 5)
    gaps, centers = np.diff(w)[middle], ((w[1:] + w[:-1]) / 2)[middle]
    assert abs(np.polyfit(np.log(2 * centers), -np.log(gaps), 1)[0] - exponent) < 0.01


@pytest.mark.parametrize("options", [{}, {**ONLINE, "learning_rate": 1.0}], ids=["batch", "online"])
def test_units_stay_in_the_convex_hull(options):
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.2, 0.3]] * 20)
    som = SelfOrganizingMap((4, 5), init="sample", neighborhood="bubble", radius=(2, 0.5), random_state=0, **options)
    w = som.fit(X).prototypes_
    assert w.min() >= -1e-12 and w.sum(axis=1).max() <= 1 + 1e-12


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
@pytest.mark.parametrize("n_features", [2, 12])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fitted_attributes(options, n_features, dtype):
    X = np.random.default_rng(0).normal(size=(700, n_features)).astype(dtype)
    som = SelfOrganizingMap((5, 4), lattice="hexagonal", random_state=0, **options).fit(X)
    assert som.n_units_ == 20 and som.prototypes_.shape == (20, n_features) and som.prototypes_.dtype == dtype
    assert som.transform(X).dtype == dtype
    assert_array_equal(som.labels_, som.predict(X))
    assert_array_equal(som.labels_, som.transform(X).argmin(axis=1))
    assert_array_equal(som.counts_, np.bincount(som.labels_, minlength=20))
    squares = [((X[som.labels_ == k] - w) ** 2).sum() for k, w in enumerate(som.prototypes_)]
    assert np.allclose(som.spreads_ * som.counts_, squares, rtol=1e-4)
    assert np.isclose(som.quantization_error(X), som.transform(X).min(axis=1).mean(), rtol=1e-5)
    lattice = Lattice(5, 4, "hexagonal")
    assert_array_equal(som.edges_, lattice.edges())
    assert_array_equal(som.positions_, lattice.positions())
    assert som.n_samples_seen_ == som.n_epochs * 700
    assert np.isfinite(som.score_samples(X)).all()


@pytest.mark.parametrize("options", [{}, ONLINE, {"metric": "cosine"}], ids=["batch", "online", "cosine"])
@pytest.mark.parametrize("n_features", [3, 20])
def test_threads_and_blocks_do_not_change_the_bits(options, n_features, monkeypatch):
    X = np.random.default_rng(0).normal(size=(5000, n_features))
    fitted = []
    before = numba.get_num_threads()
    for n_threads, entries in ((1, 2**17), (1, 2**10), (before, 2**21), (before, 2**14)):
        numba.set_num_threads(n_threads)
        monkeypatch.setattr("topology._threads.MIN_ROWS", 100)
        for name in ("CACHED_ENTRIES", "SHARED_ENTRIES"):
            monkeypatch.setattr(f"topology._winners.{name}", entries)
        try:
            fitted.append(SelfOrganizingMap((6, 7), random_state=0, **options).fit(X))
        finally:
            numba.set_num_threads(before)
    for name in ("prototypes_", "labels_", "counts_", "spreads_"):
        for other in fitted[1:]:
            assert_array_equal(getattr(fitted[0], name), getattr(other, name))


def test_winners_do_not_depend_on_other_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 30)).astype(np.float32) + 100
    som = SelfOrganizingMap((20, 20), n_epochs=2).fit(X)
    assert_array_equal(som.predict(X), np.concatenate([som.predict(x[None]) for x in X]))
    exact = [[squared_distance(som.prototypes_, k, X, i) for k in range(400)] for i in range(len(X))]
    assert_array_equal(som.predict(X), np.argmin(exact, axis=1))


def test_missing_values_hardly_change_a_map():
    X = np.random.default_rng(0).normal(size=(4000, 2)) @ np.random.default_rng(1).normal(size=(2, 10))
    gaps = with_gaps(X, 0.2)
    som = SelfOrganizingMap((8, 8)).fit(gaps)
    assert som.quantization_error(X) < 1.1 * SelfOrganizingMap((8, 8)).fit(X).quantization_error(X)
    assert np.isfinite(som.prototypes_).all()
    assert_array_equal(som.labels_, som.predict(gaps))
    assert_array_equal(som.labels_, som.transform(gaps).argmin(axis=1))
    assert som.quantization_error(gaps) < som.quantization_error(X)  # fewer features to be wrong in
    assert_array_equal(SelfOrganizingMap((8, 8), init="sample", random_state=0).fit(gaps).labels_.shape, (4000,))


def test_a_feature_that_a_unit_never_saw_stays():
    X = np.array([[0.0, np.nan], [0.1, np.nan], [5.0, 1.0], [5.1, 1.2]])
    start = np.array([[0.0, 7.0], [5.0, 0.0]])
    som = SelfOrganizingMap((1, 2), radius=(0, 0), init=start, n_epochs=3).fit(X)
    assert np.allclose(som.prototypes_, [[0.05, 7.0], [5.05, 1.1]])


def test_metrics():
    X = np.random.default_rng(0).normal(size=(1000, 6))
    cosine = SelfOrganizingMap((5, 5), metric="cosine").fit(X)
    assert np.allclose(np.linalg.norm(cosine.prototypes_, axis=1), 1)
    angle = 1 - X @ cosine.prototypes_.T / np.linalg.norm(X, axis=1, keepdims=True)
    assert np.allclose(cosine.transform(X), angle)
    assert np.isclose(cosine.quantization_error(X), angle.min(axis=1).mean())
    assert_array_equal(cosine.labels_, SelfOrganizingMap((5, 5), metric="cosine").fit(3 * X).labels_)
    manhattan = SelfOrganizingMap((5, 5), metric="manhattan", random_state=0, **ONLINE).fit(X)
    sums = np.abs(X[:, None] - manhattan.prototypes_).sum(axis=2)
    assert_array_equal(manhattan.labels_, sums.argmin(axis=1))
    assert np.isclose(manhattan.quantization_error(X), sums.min(axis=1).mean())
    for som in (cosine, manhattan):
        assert som.topographic_error(X) < 0.5
        with pytest.raises(ValueError, match="metric"):
            som.score_samples(X)


def test_topographic_error_takes_diagonal_units_for_neighbours():
    X = np.array([[0.1, 0.1], [0.4, 0.6], [1.9, 0.1]])
    corners = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [1.0, 1.0]])  # unit 3 lies diagonally of unit 0
    assert SelfOrganizingMap((2, 2), init=corners).initialize(X).topographic_error(X) == 0
    chain = SelfOrganizingMap((4, 1), init=corners).initialize(X)
    assert chain.topographic_error(X) == 1.0
    assert SelfOrganizingMap((1, 1)).fit(X).topographic_error(X) == 0


def test_steps_by_statistics_are_the_fit():
    X = with_gaps(np.random.default_rng(0).normal(size=(1000, 12)), 0.01)
    fitted = SelfOrganizingMap((6, 5), n_epochs=6).fit(X)
    som = SelfOrganizingMap((6, 5), n_epochs=6).initialize(X)
    for _ in range(6):
        som.update(som.merge(*(som.partial_statistics(part) for part in np.array_split(X, 7))))
    assert np.allclose(som.prototypes_, fitted.prototypes_, rtol=1e-9, atol=1e-12)
    assert som.n_samples_seen_ == fitted.n_samples_seen_ == 6 * len(X)
    som.partial_fit(X)
    fitted.update(fitted.partial_statistics(X))  # after the last epoch both steps are at the final radius
    assert np.allclose(som.prototypes_, fitted.prototypes_, rtol=1e-9, atol=1e-12)


def test_statistics_of_something_else_are_refused():
    som = SelfOrganizingMap((2, 2)).fit(square(50))
    with pytest.raises(TypeError, match="statistics"):
        som.update((1, 2))
    with pytest.raises(TypeError, match="statistics"):
        som.merge("parts")
    with pytest.raises(ValueError, match="at least one"):
        som.merge()
    other = SelfOrganizingMap((2, 3)).fit(square(50)).partial_statistics(square(50))
    for use in (som.update, lambda part: som.merge(som.partial_statistics(square(50)), part)):
        with pytest.raises(ValueError, match="statistics"):
            use(other)
    online = SelfOrganizingMap((2, 2), **ONLINE).fit(square(50))
    for use in (online.update, online.partial_statistics):
        with pytest.raises(ValueError, match="training='batch'"):
            use(square(50))


def test_online_schedule_goes_on_over_calls():
    X = square(900)
    fitted = SelfOrganizingMap((5, 5), training="online", n_epochs=1, shuffle=False).fit(X)
    streamed = SelfOrganizingMap((5, 5), training="online", schedule_length=900)
    # The units start on the first call's rows: let that be all of them.
    streamed.initialize(X)
    for part in (X[:100], X[100:101], X[101:]):
        streamed.partial_fit(part)
    assert_array_equal(fitted.prototypes_, streamed.prototypes_)
    assert streamed.n_samples_seen_ == streamed.schedule_length_ == 900
    assert streamed.counts_.sum() == 900
    late = streamed.prototypes_.copy()
    streamed.partial_fit(X[:1])  # at the final rate of 0.01
    assert 0 < np.abs(streamed.prototypes_ - late).max() < 0.02


def test_batch_stream_adds_up_its_samples():
    som = SelfOrganizingMap((4, 4))
    for part in np.array_split(square(1000), 4):
        som.partial_fit(part)
    assert som.counts_.sum() == som.n_samples_seen_ == 1000
    assert len(som.labels_) == 250


@pytest.mark.parametrize("options, steps", [({}, [1500, 3000]), (ONLINE, [1000, 2000])], ids=["batch", "online"])
def test_callback_sees_the_training_and_stops_it(options, steps):
    history = History(store=("prototypes", "edges", "counts", "n_units", "quantization_error", "radius"))

    def watch(state, step):
        for view in (state.prototypes, state.counts, state.edges):
            with pytest.raises(ValueError, match="read-only"):
                view[0] = 0
        assert state.n_samples_seen == step
        history(state, step)
        return len(history.to_dict()["step"]) == 2

    som = SelfOrganizingMap((5, 4), random_state=0, **options).fit(square(1500), callback=watch)
    records = history.to_dict()
    assert records["step"].tolist() == steps and som.n_samples_seen_ == steps[-1]
    assert_array_equal(records["prototypes"][-1], som.prototypes_)
    assert not np.array_equal(records["prototypes"][0], som.prototypes_)
    assert records["n_units"].tolist() == [20, 20] and records["counts"].shape == (2, 20)
    assert np.isclose(records["quantization_error"][1], som.quantization_error(square(1500)), rtol=1)
    assert records["radius"][0] > records["radius"][1]


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
def test_callback_does_not_change_the_bits(options):
    X = square(1500)
    a = SelfOrganizingMap((5, 4), random_state=3, **options).fit(X)
    b = SelfOrganizingMap((5, 4), random_state=3, **options).fit(X, callback=lambda state, step: None)
    assert_array_equal(a.prototypes_, b.prototypes_)


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
def test_saved_map_goes_on_with_the_same_bits(options, tmp_path):
    X = square(700).astype(np.float32)
    start = np.random.default_rng(0).random((30, 2))
    som = SelfOrganizingMap((6, 5), lattice="hexagonal", periodic=True, init=start, random_state=0, **options).fit(X)
    som.save(tmp_path / "map")
    loaded = SelfOrganizingMap.load(tmp_path / "map")
    for name in ("prototypes_", "edges_", "positions_", "counts_", "spreads_", "labels_"):
        assert_array_equal(getattr(loaded, name), getattr(som, name))
    assert loaded.shape == (6, 5) and loaded.radius == (None, 0.5) and loaded.n_samples_seen_ == som.n_samples_seen_
    assert_array_equal(loaded.partial_fit(X).prototypes_, som.partial_fit(X).prototypes_)
    assert_array_equal(loaded.fit(X).prototypes_, som.fit(X).prototypes_)


def test_memory_map_is_read_where_it_lies(tmp_path):
    X = np.random.default_rng(0).normal(size=(200_000, 32)).astype(np.float32)  # 26 MB
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = SelfOrganizingMap((4, 4), n_epochs=2).fit(X)
    tracemalloc.start()
    som = SelfOrganizingMap((4, 4), n_epochs=2).fit(mapped)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_array_equal(som.prototypes_, expected.prototypes_)
    assert peak < 8e6  # labels take 1.6 MB of it


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
@pytest.mark.parametrize(
    "X, n_distinct",
    [
        (np.array([[1.0, 2.0]]), 1),
        (np.full((20, 3), 5.0), 1),
        (np.arange(3.0)[:, None], 3),
        (np.array([[0.0, 0.0], [1.0, 1.0]] * 20), 2),
        (np.asfortranarray(np.eye(4)), 4),
        (np.eye(4, dtype=np.float16), 4),
        (np.eye(4, dtype=int), 4),
        (np.eye(4).astype(object), 4),
    ],
)
def test_few_constant_or_odd_rows(X, n_distinct, options):
    som = SelfOrganizingMap((4, 4), random_state=0, **options).fit(X)
    assert np.isfinite(som.prototypes_).all()
    assert len(np.unique(som.labels_)) <= n_distinct
    assert som.quantization_error(X) < 0.5
    assert np.isfinite(som.score_samples(X)).all()


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
@pytest.mark.parametrize(
    "X, error, message",
    [
        (np.array([[0.0, np.inf], [1, 2]]), ValueError, "infinity"),
        (np.zeros((0, 2)), ValueError, "0 sample"),
        (np.zeros((3, 0)), ValueError, "0 feature"),
        (np.zeros(4), ValueError, "Expected 2D array"),
        (np.array([[0.0, 1e80], [1, 2]]), ValueError, "magnitude"),
        (np.array([[0.0, -1e20], [1, 2]], np.float32), ValueError, "magnitude"),
        (np.array([[1j, 0.0]]), ValueError, "Complex data"),
        (csr_array(np.eye(3)), TypeError, "[Ss]parse"),
        (np.array([["a", "b"]], dtype=object), ValueError, "could not convert"),
    ],
)
def test_bad_data(X, error, message, options):
    for method in ("fit", "partial_fit", "initialize"):
        with pytest.raises(error, match=message):
            getattr(SelfOrganizingMap((2, 2), **options), method)(X)


def test_gaps_that_cannot_be_bridged():
    row, column = square(50), square(50)
    row[7] = column[:, 1] = np.nan
    with pytest.raises(ValueError, match="row 7 is all NaN"):
        SelfOrganizingMap((2, 2)).fit(row)
    with pytest.raises(ValueError, match="feature 1 is missing"):
        SelfOrganizingMap((2, 2)).fit(column)
    large = square(50)
    large[3, 0], large[4, 1] = np.nan, 1e80
    with pytest.raises(ValueError, match="magnitude"):
        SelfOrganizingMap((2, 2)).fit(large)
    gaps = with_gaps(square(50), 0.2)
    for options in (ONLINE, {"metric": "cosine"}):
        with pytest.raises(ValueError, match="NaN"):
            SelfOrganizingMap((2, 2), **options).fit(gaps)
    with pytest.raises(ValueError, match="NaN"):
        SelfOrganizingMap((2, 2)).fit(gaps).score_samples(gaps)


@pytest.mark.parametrize(
    "parameters, error",
    [
        ({"shape": (0, 3)}, ValueError),
        ({"shape": 5}, ValueError),
        ({"lattice": "round"}, ValueError),
        ({"periodic": "yes"}, TypeError),
        ({"training": "stream"}, ValueError),
        ({"n_epochs": 0}, ValueError),
        ({"n_epochs": 2.5}, TypeError),
        ({"radius": 3}, ValueError),
        ({"radius": (1, 2, 3)}, ValueError),
        ({"radius": (-1, 0.5)}, ValueError),
        ({"radius": (1, None)}, TypeError),
        ({"radius": (1, np.nan)}, ValueError),
        ({"radius": (1, 0)}, ValueError),
        ({"radius": (1, 1e-9)}, ValueError),
        ({"learning_rate": 0}, ValueError),
        ({"learning_rate": (0.5, 1.5)}, ValueError),
        ({"learning_rate": "fast"}, ValueError),
        ({"learning_rate": None}, TypeError),
        ({"init": "random"}, ValueError),
        ({"init": None}, TypeError),
        ({"init": np.zeros((3, 2))}, ValueError),
        ({"init": np.full((100, 2), np.nan)}, ValueError),
        ({"init": np.full((100, 2), 1j)}, TypeError),
        ({"init": np.full((100, 2), 1e200)}, ValueError),
        ({"init": np.zeros((100, 2)), "metric": "cosine"}, ValueError),
        ({"neighborhood": "mexican_hat"}, ValueError),
        ({"decay": "none"}, ValueError),
        ({"metric": "minkowski"}, ValueError),
        ({"metric": "manhattan"}, ValueError),
        ({"shuffle": 1}, TypeError),
        ({"schedule_length": 0}, ValueError),
        ({"random_state": -1}, ValueError),
        ({"random_state": "seed"}, TypeError),
    ],
)
def test_bad_parameters_are_named(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        SelfOrganizingMap(**parameters).fit(square(50))


def test_columns_after_fit():
    som = SelfOrganizingMap((2, 2)).fit(square(50))
    methods = ("predict", "transform", "score_samples", "quantization_error", "topographic_error", "partial_fit")
    for method in (*methods, "partial_statistics"):
        with pytest.raises(ValueError, match="features"):
            getattr(som, method)(np.zeros((3, 4)))
        with pytest.raises(NotFittedError) if method != "partial_fit" else nullcontext():
            getattr(SelfOrganizingMap((2, 2)), method)(square(50))


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
def test_shape_after_fit(options):
    som = SelfOrganizingMap((3, 2), **options).fit(square(50)).set_params(shape=(2, 2))
    for method in ("partial_fit", "topographic_error"):
        with pytest.raises(ValueError, match="shape must be that of the fitted map of 6 units"):
            getattr(som, method)(square(50))
    assert som.fit(square(50)).n_units_ == 4


def test_training_on_leaves_what_was_read_before():
    for options in (ONLINE, {**ONLINE, "metric": "cosine"}):
        som = SelfOrganizingMap((3, 2), **options).fit(square(50))
        before = som.prototypes_
        kept = before.copy()
        som.partial_fit(square(50))
        assert_array_equal(before, kept)


def test_large_rows_after_fit():
    som = SelfOrganizingMap((2, 2)).fit(square(50).astype(np.float32))
    for method in ("predict", "quantization_error", "topographic_error", "partial_fit", "partial_statistics"):
        with pytest.raises(ValueError, match="magnitude"):
            getattr(som, method)(np.full((1, 2), 1e60))


def test_progress_bar_is_silent_off_a_terminal(capfd):
    SelfOrganizingMap((2, 2)).fit(square(50))
    assert capfd.readouterr() == ("", "")
