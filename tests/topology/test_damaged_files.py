"""A damaged file of any kind is refused, or what it holds has not changed."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import topology
from topology import History
from topology.storage import CorruptFileError

X = np.random.default_rng(0).random((120, 2))
MAPS = [
    kind
    for kind in map(topology.__dict__.get, topology.__all__)
    if isinstance(kind, type) and issubclass(kind, BaseEstimator) and hasattr(kind, "load")
]


def flip_bits(data, rng):
    for position in rng.integers(0, len(data), rng.integers(1, 9)):
        data[position] ^= 1 << rng.integers(8)


def truncate(data, rng):
    del data[rng.integers(0, len(data)) :]


def insert(data, rng):
    position = rng.integers(0, len(data) + 1)
    data[position:position] = rng.bytes(rng.integers(1, 65))


def delete(data, rng):
    position = rng.integers(0, len(data))
    del data[position : position + rng.integers(1, 65)]


def zero(data, rng):
    start = rng.integers(0, len(data))
    stop = min(len(data), start + rng.integers(1, 513))
    data[start:stop] = bytes(stop - start)


def swap_blocks(data, rng):
    size = int(rng.integers(1, min(257, len(data) // 2)))
    a, b = sorted(rng.integers(0, len(data) - size, 2))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]


def overwrite_header(data, rng):
    """The first bytes are the header's length, its text names types, shapes and places: where damage does most."""
    start = rng.integers(0, 200)
    data[start : start + 8] = rng.choice([rng.bytes(8), b"\xff" * 8, b"99999999", b"[[[[[[[[", b'"F64":-1'])


MUTATIONS = [flip_bits, truncate, insert, delete, zero, swap_blocks, overwrite_header]


def saved(kind, path):
    """An object of the kind, saved."""
    if kind is History:
        history = History(every=100)
        topology.GrowingNeuralGas(20, random_state=0).fit(X, callback=history)
        history.save(path)
        return history
    estimator = kind(random_state=0).fit(X)
    estimator.save(path)
    return estimator


def content(item):
    """Everything an object remembers."""
    if isinstance(item, History):
        return {"every": item.every, "store": item.store, **item.to_dict()}
    return vars(item)


def is_same(a, b):
    if isinstance(a, (np.ndarray, np.generic, float)):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(is_same, a, b))
    return type(a) is type(b) and a == b


def outcome(kind, original, path):
    """What became of the file: refused or identical. Anything else is raised."""
    try:
        loaded = kind.load(path)
    except CorruptFileError:
        return "refused"
    expected, found = content(original), content(loaded)
    assert found.keys() == expected.keys()
    for name in expected:
        assert is_same(expected[name], found[name]), name
    return "identical"


def damage(data, rng):
    damaged = bytearray(data)
    for mutate in rng.choice(MUTATIONS, rng.integers(1, 4)):
        if len(damaged) > 600:
            mutate(damaged, rng)
    return bytes(damaged)


@pytest.mark.parametrize("kind", [*MAPS, History])
def test_damaged_files_are_refused_or_identical(kind, tmp_path):
    path = tmp_path / "file"
    original = saved(kind, path)
    assert outcome(kind, original, path) == "identical"
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        path.write_bytes(damage(good, rng))
        refused += outcome(kind, original, path) == "refused"
    assert refused > 140


def test_content_is_compared_to_the_bit(tmp_path):
    """The comparison above would notice a change in the last place."""
    original = saved(topology.GrowingNeuralGas, tmp_path / "file")
    original.prototypes_[3, 1] = np.nextafter(original.prototypes_[3, 1], 1)
    with pytest.raises(AssertionError, match="prototypes_"):
        outcome(topology.GrowingNeuralGas, original, tmp_path / "file")
