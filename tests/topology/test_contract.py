"""What every map promises, whatever it learns: one suite for all of them."""

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
every_map = pytest.mark.parametrize("map_", MAPS.values(), ids=MAPS)


def data(n_samples=300, n_features=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


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
        assert np.asarray(value).dtype == np.asarray(b[name]).dtype, name
        assert_array_equal(value, b[name], err_msg=name)


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


@every_map
def test_fitted_map(map_):
    X = data()
    map_ = clone(map_).fit(X)
    assert_is_a_map(map_, X)
    distances = map_.transform(X)
    assert distances.shape == (300, map_.n_units_)
    assert_array_equal(distances.argmin(axis=1), map_.labels_)
    assert map_.quantization_error(X) == pytest.approx(distances.min(axis=1).mean())
    assert 0 <= map_.topographic_error(X) <= 1
    assert map_.n_features_in_ == 3 and map_.n_samples_seen_ == 900
    graph = map_.to_networkx()
    assert len(graph) == map_.n_units_ and len(graph.edges) == len(map_.edges_)
    if map_.metric == "euclidean":
        assert np.isfinite(map_.score_samples(X)).all()
    else:
        with pytest.raises(ValueError, match="metric"):
            map_.score_samples(X)


@every_map
def test_same_seed_same_bits(map_):
    X = data()
    assert_same(clone(map_).fit(X), clone(map_).fit(X))
    other = clone(map_).set_params(random_state=1).fit(X)
    if not isinstance(map_, SelfOrganizingMap):
        assert not np.array_equal(other.prototypes_, clone(map_).fit(X).prototypes_)


@every_map
def test_fit_forgets_and_keeps_its_parameters(map_):
    X = data()
    fresh = clone(map_).fit(X)
    parameters = str(map_.get_params())
    again = clone(map_).fit(data(100, 5)).fit(X)
    assert_same(fresh, again)
    assert str(again.get_params()) == parameters


@every_map
def test_labels_depend_neither_on_batches_nor_on_threads(map_):
    X = data(2000, 20).astype(np.float32)
    map_ = clone(map_).fit(X)
    labels = map_.predict(X)
    for step in (1, 63, 999):
        some = X[: 5 * step]
        parts = [map_.predict(some[i : i + step]) for i in range(0, len(some), step)]
        assert_array_equal(np.concatenate(parts), labels[: len(some)])
    threads = numba.get_num_threads()
    try:
        for n in sorted({1, numba.config.NUMBA_NUM_THREADS}):
            numba.set_num_threads(n)
            assert_array_equal(map_.predict(X), labels)
            assert_same(clone(map_).fit(X), map_)
    finally:
        numba.set_num_threads(threads)


@every_map
def test_saved_map_is_the_same_and_continues_the_same(map_, tmp_path):
    X = data()
    map_ = clone(map_).fit(X)
    map_.save(tmp_path / "map")
    loaded = type(map_).load(tmp_path / "map")
    assert str(loaded.get_params()) == str(map_.get_params())
    assert_same(loaded, map_)
    assert_array_equal(loaded.transform(X), map_.transform(X))
    for part in (data(200, seed=1), data(1, seed=2)):
        assert_same(loaded.partial_fit(part), map_.partial_fit(part))
    with pytest.raises(topology.storage.CorruptFileError, match="kind"):
        other = GrowWhenRequired if isinstance(map_, GrowingNeuralGas) else GrowingNeuralGas
        other.load(tmp_path / "map")


@every_map
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

    X = data(1500)
    watched = clone(map_).fit(X, callback=callback)
    assert len(seen) == 2 and watched.n_samples_seen_ == seen[1] < 4500
    assert_is_a_map(watched, X)
    seen.clear()
    unheeded = clone(map_).fit(X, callback=lambda state, step: callback(state, step) and False)
    assert_same(unheeded, clone(map_).fit(X))


@every_map
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(map_, bad):
    X = data(20)
    X[7, 1] = bad
    fitted = clone(map_).fit(data(20))
    if np.isnan(bad) and takes_missing(map_):
        assert np.isfinite(clone(map_).fit(X).prototypes_).all()
        return
    for call in (clone(map_).fit, clone(map_).partial_fit, fitted.predict, fitted.transform, fitted.partial_fit):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            call(X)


@every_map
def test_arrays_of_the_wrong_shape(map_):
    fitted = clone(map_).fit(data(20))
    for X, message in ((np.zeros((0, 3)), "0 sample"), (np.ones(3), "2D"), (np.ones((2, 3, 4)), "dim")):
        for call in (clone(map_).fit, clone(map_).partial_fit, fitted.predict, fitted.partial_fit):
            with pytest.raises(ValueError, match=message):
                call(X)
    for call in (fitted.predict, fitted.transform, fitted.partial_fit, fitted.quantization_error):
        with pytest.raises(ValueError, match="features"):
            call(np.ones((4, 2)))
    with pytest.raises(ValueError, match="0 feature"):
        clone(map_).fit(np.zeros((4, 0)))


@every_map
def test_arrays_that_hold_no_real_numbers(map_):
    fitted = clone(map_).fit(data(20))
    for call in (clone(map_).fit, fitted.predict, fitted.partial_fit):
        with pytest.raises(ValueError, match="Complex"):
            call(data(20) + 1j)
        with pytest.raises(TypeError, match=r"(?i)sparse"):
            call(scipy.sparse.csr_array(data(20)))
        with pytest.raises((ValueError, TypeError)):
            call(np.full((20, 3), "one", dtype=object))


@every_map
def test_one_sample(map_):
    X = np.array([[1.0, 2.0, 3.0]])
    if grows(map_):
        with pytest.raises(ValueError, match="minimum of 2"):
            clone(map_).fit(X)
    else:
        alone = clone(map_).fit(X)
        assert_is_a_map(alone, X)
        assert alone.quantization_error(X) < 1e-12
    assert clone(map_).fit(data(50)).partial_fit(X).labels_.shape == (1,)


@every_map
def test_constant_rows(map_):
    X = np.tile([[1.0, 2.0, 3.0]], (30, 1))
    if grows(map_):
        with pytest.raises(ValueError, match="2 distinct rows"):
            clone(map_).fit(X)
    else:
        same = clone(map_).fit(X)
        assert_is_a_map(same, X)
        assert same.quantization_error(X) < 1e-12


@every_map
@pytest.mark.parametrize("case", ["one feature", "duplicated rows", "few rows", "two rows"])
def test_data_that_are_poor(map_, case):
    X = {
        "one feature": data(100, 1),
        "duplicated rows": np.repeat(data(4), 25, axis=0),
        "few rows": data(7),
        "two rows": data(2),
    }[case]
    map_ = clone(map_).fit(X)
    assert_is_a_map(map_, X)
    assert map_.partial_fit(X).labels_.shape == (len(X),)
    assert np.isfinite(map_.prototypes_).all()


@every_map
@pytest.mark.parametrize("kind", ["float16", "int", "bool-like object", "fortran", "strided", "read-only", "list"])
def test_numbers_in_other_clothes(map_, kind):
    plain = np.round(4 * data(100)) + 0.0
    plain[~plain.any(axis=1)] = 1  # no direction
    X = {
        "float16": plain.astype(np.float16),
        "int": plain.astype(np.int32),
        "bool-like object": plain.astype(object),
        "fortran": np.asfortranarray(plain),
        "strided": np.repeat(plain, 2, axis=0)[::2],
        "read-only": plain.copy(),
        "list": plain.tolist(),
    }[kind]
    if kind == "read-only":
        X.flags.writeable = False
    expected = clone(map_).fit(plain)
    if kind != "float16":
        assert_same(clone(map_).fit(X), expected)
    found = clone(map_).fit(X)
    assert_array_equal(found.predict(X), found.predict(plain))
    assert np.allclose(found.prototypes_, expected.prototypes_, atol=1e-2 if kind == "float16" else 0)


@every_map
def test_single_and_double_precision(map_):
    X = data(100).astype(np.float32)
    single = clone(map_).fit(X)
    assert single.prototypes_.dtype == single.transform(X).dtype == np.float32
    assert single.transform(X.astype(np.float64)).dtype == np.float64
    assert_array_equal(single.predict(X.astype(np.float64)), single.labels_)
    assert single.partial_fit(X.astype(np.float64)).prototypes_.dtype == np.float32


@every_map
def test_rows_too_large_to_be_squared(map_):
    fitted = clone(map_).fit(data(20).astype(np.float32))
    with pytest.raises(ValueError, match="magnitude"):
        clone(map_).fit(np.array([[1e200, 1, 1], [1, 1, 1], [2, 1, 1]]))
    for call in (fitted.predict, fitted.quantization_error, fitted.topographic_error, fitted.partial_fit):
        with pytest.raises(ValueError, match="magnitude"):
            call(np.full((2, 3), 1e60))


@every_map
def test_rows_without_direction(map_):
    X = data(20)
    X[3] = 0
    fitted = clone(map_).fit(data(20))
    if map_.metric == "cosine":
        for call in (clone(map_).fit, fitted.predict, fitted.transform, fitted.partial_fit):
            with pytest.raises(ValueError, match="row of zeros"):
                call(X)
        scaled = clone(map_).fit(64 * data(20))
        assert_array_equal(scaled.prototypes_, fitted.prototypes_)
    else:
        assert_is_a_map(clone(map_).fit(X), X)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """60 MB."""
    path = tmp_path_factory.mktemp("data") / "X.npy"
    np.save(path, np.random.default_rng(0).standard_normal((60_000, 256), dtype=np.float32))
    return path


@every_map
def test_a_file_is_read_in_chunks(map_, file):
    X = np.load(file, mmap_mode="r")
    map_ = clone(map_).set_params(n_epochs=1)
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
