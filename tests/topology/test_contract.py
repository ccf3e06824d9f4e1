"""What every map promises, whatever it learns: one suite for all of them."""

import copy
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numba
import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal
from sklearn.base import clone

import topology
from topology import GrowingNeuralGas, GrowWhenRequired, NeuralGas, SelfOrganizingMap

SEED = {"random_state": 0}
MAPS = {
    "gng": GrowingNeuralGas(20, n_epochs=3, **SEED),
    "gng utility": GrowingNeuralGas(20, n_epochs=3, criterion="utility", preset="1997", max_age=5, **SEED),
    "gng cosine": GrowingNeuralGas(20, n_epochs=3, metric="cosine", **SEED),
    "gng manhattan": GrowingNeuralGas(20, n_epochs=3, metric="manhattan", **SEED),
    "gwr": GrowWhenRequired(20, n_epochs=3, **SEED),
    "gwr cosine": GrowWhenRequired(20, n_epochs=3, metric="cosine", **SEED),
    "gwr manhattan": GrowWhenRequired(20, n_epochs=3, metric="manhattan", **SEED),
    "gas": NeuralGas(20, n_epochs=3, **SEED),
    "gas cosine": NeuralGas(20, n_epochs=3, metric="cosine", **SEED),
    "gas online": NeuralGas(20, n_epochs=3, training="online", **SEED),
    "gas online cosine": NeuralGas(20, n_epochs=3, training="online", metric="cosine", **SEED),
    "gas online manhattan": NeuralGas(20, n_epochs=3, training="online", metric="manhattan", **SEED),
    "som": SelfOrganizingMap((4, 5), n_epochs=3, **SEED),
    "som cosine": SelfOrganizingMap((4, 5), n_epochs=3, metric="cosine", **SEED),
    "som online": SelfOrganizingMap((4, 5), n_epochs=3, training="online", lattice="hexagonal", **SEED),
    "som online manhattan": SelfOrganizingMap((4, 5), n_epochs=3, training="online", metric="manhattan", **SEED),
}
FILED = ("gng", "gng cosine", "gwr", "gas", "gas cosine", "gas online", "som", "som cosine", "som online")


def data(n_samples=300, n_features=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


@pytest.fixture(scope="session", params=MAPS)
def trained(request):
    """A map fitted to data(); not to be changed."""
    return clone(MAPS[request.param]).fit(data())


@pytest.fixture
def fitted(trained):
    return copy.deepcopy(trained)


@pytest.fixture
def map_(trained):
    """The same without what it learned."""
    return clone(trained)


def grows(map_):
    return isinstance(map_, (GrowingNeuralGas, GrowWhenRequired))


def takes_missing(map_):
    return isinstance(map_, SelfOrganizingMap) and map_.training == "batch" and map_.metric == "euclidean"


def fitted_arrays(map_):
    return {name: value for name, value in vars(map_).items() if name.endswith("_") and not name.startswith("_")}


def assert_same(a, b):
    """The same fitted attributes, to the bit."""
    a, b = fitted_arrays(a), fitted_arrays(b)
    assert set(a) == set(b)
    for name, value in a.items():
        assert type(value) is type(b[name]), name
        assert np.asarray(value).dtype == np.asarray(b[name]).dtype, name
        assert_array_equal(value, b[name], err_msg=name)


def assert_refuses(calls, X, error, message=None):
    for call in calls:
        with pytest.raises(error, match=message):
            call(X)


def assert_is_a_map(map_, X):
    n = map_.n_units_
    assert map_.prototypes_.shape == (n, X.shape[1]) and np.isfinite(map_.prototypes_).all()
    edges = map_.edges_
    assert edges.ndim == 2 and edges.shape[1] == 2 and edges.dtype.kind == "i"
    assert (edges[:, 0] < edges[:, 1]).all() and (edges >= 0).all() and (edges < n).all()
    assert_array_equal(edges, np.unique(edges, axis=0))  # sorted, none twice
    assert map_.counts_.shape == map_.spreads_.shape == (n,)
    assert map_.counts_.sum() == pytest.approx(len(X))
    assert map_.labels_.shape == (len(X),)
    assert_array_equal(map_.labels_, map_.predict(X))
    if map_.metric == "cosine":
        assert np.allclose(np.linalg.norm(map_.prototypes_, axis=1), 1, rtol=1e-6)


def test_fitted_map(trained):
    X = data()
    assert_is_a_map(trained, X)
    distances = trained.transform(X)
    assert distances.shape == (300, trained.n_units_)
    assert_array_equal(distances.argmin(axis=1), trained.labels_)
    assert trained.quantization_error(X) == pytest.approx(distances.min(axis=1).mean())
    assert 0 <= trained.topographic_error(X) <= 1
    assert trained.n_features_in_ == 3 and trained.n_samples_seen_ == 900
    graph = trained.to_networkx()
    assert len(graph) == trained.n_units_ and len(graph.edges) == len(trained.edges_)
    if trained.metric == "euclidean":
        assert np.isfinite(trained.score_samples(X)).all()
    else:
        with pytest.raises(ValueError, match="metric"):
            trained.score_samples(X)


def test_same_seed_same_bits(map_, trained):
    assert_same(map_.fit(data()), trained)
    other = clone(map_).set_params(random_state=1).fit(data())
    if not isinstance(map_, SelfOrganizingMap):
        assert not np.array_equal(other.prototypes_, trained.prototypes_)


def test_fit_forgets_and_keeps_its_parameters(map_, trained):
    parameters = str(map_.get_params())
    assert_same(map_.fit(data(100, 5)).fit(data()), trained)
    assert str(map_.get_params()) == parameters


def test_labels_depend_neither_on_batches_nor_on_threads(map_, monkeypatch):
    monkeypatch.setattr(topology._threads, "MIN_ROWS", 50)  # else so few rows would not be shared
    monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
    X = data(500, 20).astype(np.float32)
    map_.fit(X)
    for step in (1, 63, 199):
        some = X[: 5 * step]
        parts = [map_.predict(some[i : i + step]) for i in range(0, len(some), step)]
        assert_array_equal(np.concatenate(parts), map_.labels_[: len(some)])
    monkeypatch.setattr(numba, "get_num_threads", lambda: 3)
    assert_array_equal(map_.predict(X), map_.labels_)
    assert_same(clone(map_).fit(X), map_)


def test_saved_map_is_the_same_and_continues_the_same(fitted, tmp_path):
    X = data()
    fitted.save(tmp_path / "map")
    loaded = type(fitted).load(tmp_path / "map")
    assert str(loaded.get_params()) == str(fitted.get_params())
    assert_same(loaded, fitted)
    assert_array_equal(loaded.transform(X), fitted.transform(X))
    for part in (data(200, seed=1), data(1, seed=2)):
        assert_same(loaded.partial_fit(part), fitted.partial_fit(part))
    with pytest.raises(topology.storage.CorruptFileError, match="kind"):
        other = GrowWhenRequired if isinstance(fitted, GrowingNeuralGas) else GrowingNeuralGas
        other.load(tmp_path / "map")


def test_callback_reads_and_stops(map_):
    seen = []

    def callback(state, step):
        for name in ("prototypes", "edges", "counts"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(state, name)[:] = 0
        assert state.prototypes.shape == (state.n_units, 3) and len(state.counts) == state.n_units
        assert state.n_samples_seen == step and np.isfinite(state.quantization_error)
        seen.append(step)
        return len(seen) == 2

    X = data(700)
    watched = clone(map_).fit(X, callback=callback)
    assert len(seen) == 2 and watched.n_samples_seen_ == seen[1] < 2100
    assert_is_a_map(watched, X)
    seen.clear()
    unheeded = clone(map_).fit(X, callback=lambda state, step: callback(state, step) and False)
    assert_same(unheeded, map_.fit(X))


def test_numbers_that_are_none(map_, fitted, trained):
    for bad in (np.nan, np.inf, -np.inf):
        X = data(20)
        X[7, 1] = bad
        if np.isnan(bad) and takes_missing(map_):
            assert np.isfinite(clone(map_).fit(X).prototypes_).all()
            continue
        calls = map_.fit, map_.partial_fit, fitted.predict, fitted.transform, fitted.partial_fit
        assert_refuses(calls, X, ValueError, r"NaN|infinity")
    assert_same(fitted, trained)


def test_arrays_of_the_wrong_shape(map_, fitted, trained):
    calls = map_.fit, map_.partial_fit, fitted.predict, fitted.partial_fit
    for X, message in ((np.zeros((0, 3)), "0 sample"), (np.ones(3), "2D"), (np.ones((2, 3, 4)), "dim")):
        assert_refuses(calls, X, ValueError, message)
    calls = fitted.predict, fitted.transform, fitted.partial_fit, fitted.quantization_error
    assert_refuses(calls, np.ones((4, 2)), ValueError, "features")
    assert_refuses([map_.fit], np.zeros((4, 0)), ValueError, "0 feature")
    assert_same(fitted, trained)


def test_arrays_that_hold_no_real_numbers(map_, fitted, trained):
    calls = map_.fit, fitted.predict, fitted.partial_fit
    assert_refuses(calls, data(20) + 1j, ValueError, "Complex")
    assert_refuses(calls, scipy.sparse.csr_array(data(20)), TypeError, r"(?i)sparse")
    assert_refuses(calls, np.full((20, 3), "one", dtype=object), (ValueError, TypeError))
    assert_same(fitted, trained)


def test_one_sample(map_, fitted):
    X = np.array([[1.0, 2.0, 3.0]])
    if grows(map_):
        assert_refuses([map_.fit], X, ValueError, "minimum of 2")
    else:
        alone = map_.fit(X)
        assert_is_a_map(alone, X)
        assert alone.quantization_error(X) < 1e-12
    assert fitted.partial_fit(X).labels_.shape == (1,)


def test_constant_rows(map_):
    X = np.tile([[1.0, 2.0, 3.0]], (30, 1))
    if grows(map_):
        assert_refuses([map_.fit], X, ValueError, "2 distinct rows")
    else:
        same = map_.fit(X)
        assert_is_a_map(same, X)
        assert same.quantization_error(X) < 1e-12


@pytest.mark.parametrize("case", ["one feature", "duplicated rows", "few rows", "two rows"])
def test_data_that_are_poor(map_, case):
    X = {
        "one feature": data(100, 1),
        "duplicated rows": np.repeat(data(4), 25, axis=0),
        "few rows": data(7),
        "two rows": data(2),
    }[case]
    assert_is_a_map(map_.fit(X), X)
    assert map_.partial_fit(X).labels_.shape == (len(X),)
    assert np.isfinite(map_.prototypes_).all()


def test_numbers_in_other_clothes(map_):
    plain = np.round(4 * data(100)) + 0.0
    plain[~plain.any(axis=1)] = 1  # no direction
    locked = plain.copy()
    locked.flags.writeable = False
    expected = map_.fit(plain)
    for X in (
        plain.astype(np.float16),  # holds these numbers exactly
        plain.astype(np.int32),
        plain.astype(object),
        np.asfortranarray(plain),
        np.repeat(plain, 2, axis=0)[::2],
        locked,
        plain.tolist(),
    ):
        assert_same(clone(map_).fit(X), expected)
        assert_array_equal(expected.predict(X), expected.labels_)


def test_single_and_double_precision(map_):
    X = data(100).astype(np.float32)
    single = map_.fit(X)
    assert single.prototypes_.dtype == single.transform(X).dtype == np.float32
    assert single.transform(X.astype(np.float64)).dtype == np.float64
    assert_array_equal(single.predict(X.astype(np.float64)), single.labels_)
    assert single.partial_fit(X.astype(np.float64)).prototypes_.dtype == np.float32


def test_rows_too_large_to_be_squared(map_):
    assert_refuses([map_.fit], np.array([[1e200, 1, 1], [1, 1, 1], [2, 1, 1]]), ValueError, "magnitude")
    single = clone(map_).fit(data(20).astype(np.float32))
    calls = single.predict, single.quantization_error, single.topographic_error, single.partial_fit
    assert_refuses(calls, np.full((2, 3), 1e60), ValueError, "magnitude")


def test_rows_without_direction(map_, fitted, trained):
    X = data()
    X[3] = 0
    if map_.metric == "cosine":
        calls = map_.fit, fitted.predict, fitted.transform, fitted.partial_fit
        assert_refuses(calls, X, ValueError, "row of zeros")
        assert_same(fitted, trained)
        assert_array_equal(map_.fit(64 * data()).prototypes_, trained.prototypes_)
    else:
        assert_is_a_map(map_.fit(X), X)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """41 MB: several times the blocks in which rows are converted, and the 4096 rows through which a plane is laid."""
    path = tmp_path_factory.mktemp("data") / "X.npy"
    np.save(path, np.random.default_rng(0).standard_normal((40_000, 256), dtype=np.float32))
    return path


@pytest.mark.parametrize("name", FILED)
def test_a_file_is_read_in_chunks(name, file):
    X = np.load(file, mmap_mode="r")
    map_ = clone(MAPS[name]).set_params(n_epochs=1)
    in_memory = clone(map_).fit(np.array(X))
    tracemalloc.start()
    try:
        map_.fit(X)
        assert_same(map_, in_memory)
        map_.partial_fit(X)
        map_.predict(X)
        map_.quantization_error(X)
        map_.topographic_error(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2


def test_package_imports_where_nothing_can_be_cached():
    """As a read-only installation without a home: numba finds no place for its cache."""
    code = (
        "import numba.core.caching; numba.core.caching.CacheImpl._locator_classes = [];"
        "import importlib, pkgutil, topology._kernels;"
        "names = [module.name for module in pkgutil.iter_modules(topology._kernels.__path__, 'topology._kernels.')];"
        "[importlib.import_module(name) for name in names];"
        "from topology._kernels.search import padded; print(len(names), padded(65))"
    )
    root = str(Path(topology.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root}
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    n_modules, size = map(int, run.stdout.split())
    assert n_modules >= 8 and size == 128
