"""Files come back as they were written, or not at all."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from topology import GrowingNeuralGas
from topology.storage import CorruptFileError, _digest, check, load, save

ARRAYS = {
    "positions": np.arange(6.0).reshape(2, 3),
    "few": np.float32([0.5]),
    "flags": np.array([True, False]),
    "scalar": np.array(3),
    "none": np.empty((0, 2), np.int64),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.safetensors"


@pytest.fixture(scope="module")
def fitted():
    X = np.random.default_rng(0).random((300, 2))
    return GrowingNeuralGas(20, criterion="utility", random_state=0).fit(X), X


def test_round_trip(path):
    save(path, ARRAYS, kind="test", metadata={"a": [1, "two", None]})
    arrays, metadata = load(path, kind="test")
    assert metadata == {"a": [1, "two", None]}
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array)
        assert arrays[name].shape == array.shape
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_every_changed_byte_is_noticed(path):
    save(path, {"a": np.arange(3.0)}, kind="test", metadata={"b": 1})
    good = path.read_bytes()
    for position in range(len(good)):
        damaged = bytearray(good)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        try:
            arrays, metadata = load(path, kind="test")
        except CorruptFileError:
            continue
        # White space in the header may change; nothing that is read may.
        assert good[position : position + 1].isspace()
        assert np.array_equal(arrays["a"], np.arange(3.0)) and metadata == {"b": 1}


@pytest.mark.parametrize("keep", [0, 4, 8, 40, -1])
def test_truncated(path, keep):
    save(path, ARRAYS, kind="test")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptFileError, match=r"arrays\.safetensors"):
        load(path, kind="test")


def test_wrong_kind_and_version(path):
    save(path, ARRAYS, kind="test", version=2)
    with pytest.raises(CorruptFileError, match="kind"):
        load(path, kind="other", version=2)
    with pytest.raises(CorruptFileError, match="version"):
        load(path, kind="test")
    with pytest.raises(FileNotFoundError):
        load(path.parent / "absent", kind="test")


def test_foreign_file(path):
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(CorruptFileError):
        load(path, kind="test")
    path.write_text("positions = [0, 1]")
    with pytest.raises(CorruptFileError):
        load(path, kind="test")


@pytest.mark.parametrize(
    "header, match",
    [
        ({"kind": "test", "version": "1"}, "metadata"),
        ({"metadata": "{}", "version": "1"}, "kind"),
        ({"metadata": "{}", "kind": "test"}, "version"),
        ({"metadata": "[]", "kind": "test", "version": "1"}, "must be an object"),
        ({"metadata": "{", "kind": "test", "version": "1"}, "not a complete file"),
        ({"metadata": "[" * 100_000, "kind": "test", "version": "1"}, "not a complete file"),
    ],
)
def test_a_right_hash_does_not_excuse_a_wrong_header(path, header, match):
    arrays = {"a": np.zeros(3)}
    save_file(arrays, path, header | {"sha256": _digest(arrays, header)})
    with pytest.raises(CorruptFileError, match=match):
        load(path, kind="test")


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), np.array([1j])])
def test_what_cannot_be_stored(path, array):
    with pytest.raises(TypeError, match="'a'"):
        save(path, {"a": array}, kind="test")
    assert not path.exists()


def test_failed_write_keeps_the_old_file(path, monkeypatch):
    save(path, ARRAYS, kind="test")
    good = path.read_bytes()

    def no_space(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr("topology.storage.os.fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        save(path, {"a": np.zeros(3)}, kind="test")
    assert path.read_bytes() == good
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "schema",
    [
        {"a": ("f", ("n", 2))},
        {"a": ("i", ("n", 3)), "b": ("f", ("n",))},
        {"a": ("f", ("n", "n")), "b": ("f", ("n",))},
        {"a": ("f", ("n",)), "b": ("f", ("n",))},
    ],
)
def test_schema(schema):
    good = {"a": np.zeros((2, 3)), "b": np.zeros(2)}
    assert check("file", good, {"a": ("f", ("n", 3)), "b": ("f", ("n",))}) == {"n": 2}
    with pytest.raises(CorruptFileError):
        check("file", good, schema)
    with pytest.raises(CorruptFileError, match="infinity"):
        check("file", good | {"b": np.array([0, np.inf])}, {"a": ("f", ("n", 3)), "b": ("f", ("n",))})


def test_map_continues_with_the_same_bits(path, fitted):
    gng, X = fitted
    gng.save(path)
    loaded = GrowingNeuralGas.load(path)
    assert loaded.get_params() == gng.get_params()
    for name in vars(gng):
        assert np.array_equal(getattr(loaded, name), getattr(gng, name)), name
    assert np.array_equal(loaded.score_samples(X), gng.score_samples(X))
    original = GrowingNeuralGas(**gng.get_params()).fit(X).partial_fit(X)
    loaded.partial_fit(X)
    assert np.array_equal(loaded.prototypes_, original.prototypes_)
    assert np.array_equal(loaded.edges_, original.edges_)


@pytest.mark.parametrize(
    "name, change",
    [
        ("prototypes", lambda a: np.full_like(a, np.nan)),
        ("prototypes", lambda a: a[:-1]),
        ("prototypes", lambda a: a[0]),
        ("edges", lambda a: a + 100),
        ("edges", lambda a: a[:, ::-1]),
        ("edges", lambda a: np.repeat(a[:1], len(a), axis=0)),
        ("edges", lambda a: a.astype(np.float64)),
        ("edge_ages", lambda a: a - 1000),
        ("counts", lambda a: -a),
        ("labels", lambda a: a + 1000),
    ],
)
def test_impossible_maps_are_refused(path, fitted, name, change):
    gng, _ = fitted
    gng.save(path)
    arrays, metadata = load(path, kind="GrowingNeuralGas")
    save(path, arrays | {name: change(arrays[name])}, kind="GrowingNeuralGas", metadata=metadata)
    with pytest.raises(CorruptFileError):
        GrowingNeuralGas.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"max_units": "many"}},
        {"parameters": {"unknown": 1}},
        {"parameters": None},
        {"numbers": {"n_samples_seen": -1}},
        {"numbers": {}},
        {"feature_names": ["one"]},
    ],
)
def test_impossible_metadata_is_refused(path, fitted, change):
    gng, _ = fitted
    gng.save(path)
    arrays, metadata = load(path, kind="GrowingNeuralGas")
    save(path, arrays, kind="GrowingNeuralGas", metadata=metadata | change)
    with pytest.raises(CorruptFileError):
        GrowingNeuralGas.load(path)
