from types import SimpleNamespace

import numpy as np
import pytest

from topology import GrowingNeuralGas, History
from topology.storage import CorruptFileError, load, save


def grow(history):
    X = np.random.default_rng(0).random((500, 2))
    return GrowingNeuralGas(12, n_epochs=4, random_state=0).fit(X, callback=history)


def test_records_every_so_many_steps():
    history = History(every=250, store=("n_units", "prototypes"))
    gng = grow(history)
    records = history.to_dict()
    assert records["step"].tolist() == [100, 400, 700, 1000, 1300, 1600, 1900]
    assert records["n_units"].tolist() == [3, 6, 9, 12, 12, 12, 12]
    assert [len(p) for p in records["prototypes"]] == records["n_units"].tolist()
    assert not np.shares_memory(records["prototypes"][-1], gng.prototypes_)


def test_records_are_copies():
    state = SimpleNamespace(weights=np.zeros(3))
    history = History(store=("weights",))
    for step in range(3):
        state.weights += 1
        assert history(state, step) is None
    assert history.to_dict()["weights"].tolist() == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]


def test_state_may_be_a_dict():
    history = History(store=("loss",))
    history({"loss": 0.5}, 0)
    assert history.to_dict()["loss"].tolist() == [0.5]


def test_save_and_load(tmp_path):
    history = History(every=100)
    grow(history)
    history.save(tmp_path / "history")
    loaded = History.load(tmp_path / "history")
    assert loaded.every == 100 and loaded.store == history.store
    a, b = history.to_dict(), loaded.to_dict()
    assert a.keys() == b.keys()
    for name in a:
        assert len(a[name]) == len(b[name])
        assert all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(a[name], b[name]))


def test_damaged_records_are_refused(tmp_path):
    history = History(store=("n_units",))
    grow(history)
    path = tmp_path / "history"
    history.save(path)
    arrays, metadata = load(path, kind="History")
    for bad_arrays, bad_metadata in (
        ({k: v for k, v in arrays.items() if k != "n_units.000000"}, metadata),
        (arrays | {"extra": np.zeros(2)}, metadata),
        (arrays, {"every": 0, "store": ["n_units"]}),
        (arrays, {}),
    ):
        save(path, bad_arrays, kind="History", metadata=bad_metadata)
        with pytest.raises(CorruptFileError):
            History.load(path)


def test_bad_arguments():
    with pytest.raises(ValueError, match="every"):
        History(every=0)
    with pytest.raises(TypeError, match="store"):
        History(store="prototypes")
    with pytest.raises(AttributeError, match="temperature"):
        History(store=("temperature",))(SimpleNamespace(), 0)
