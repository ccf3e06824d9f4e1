import csv
import shutil

import numpy as np
import pytest

from smc.worlds import Mesh, ObjectBank, _bundled
from smc.worlds._normalise import normalise
from topology.storage import CorruptFileError


def triangle():
    return Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32), np.ones((1, 3), np.float32))


@pytest.fixture
def small():
    return ObjectBank([triangle() for _ in range(4)], ["cup", "bed", "cup", "bed"], groups=["p", "q", "p", "r"])


def test_a_bank_reads_like_a_list_with_labels(small):
    assert len(small) == 4 and small[0] is small[-4]
    assert small.class_names == ("bed", "cup")
    assert small.classes.tolist() == ["cup", "bed", "cup", "bed"]
    assert small.ids.tolist() == ["cup/0000", "bed/0001", "cup/0002", "bed/0003"]
    assert "4 objects, 3 groups, 2 classes, median 1 faces: bed 2, cup 2" in repr(small)
    assert len(list(small)) == 4
    with pytest.raises(IndexError):
        small[4]
    with pytest.raises(TypeError, match=r"use subset"):
        small[1:2]
    with pytest.raises(ValueError, match="read-only"):
        small.classes[0] = "bed"


def test_a_subset_keeps_order_labels_and_meshes(small):
    part = small.subset([3, 0])
    assert part[0] is small[3] and part[1] is small[0]
    assert part.ids.tolist() == ["bed/0003", "cup/0000"] and part.groups.tolist() == ["r", "p"]
    assert small.subset(small.classes == "cup").ids.tolist() == ["cup/0000", "cup/0002"]


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([], "non-empty"),
        ([0.5], "integers"),
        ([[0, 1]], "non-empty list"),
        ([True, False], r"mask must have shape \(4,\)"),
        ([False] * 4, "at least one"),
        ([1, 1], "at most once"),
        ([0, -4], "at most once"),
    ],
)
def test_wrong_indices_are_named(small, indices, message):
    with pytest.raises(ValueError, match=message):
        small.subset(indices)


def test_labels_must_fit_the_meshes():
    with pytest.raises(ValueError, match="at least one object"):
        ObjectBank([], [])
    with pytest.raises(ValueError, match=r"classes has shape \(1,\)"):
        ObjectBank([triangle(), triangle()], ["cup"])
    with pytest.raises(ValueError, match="groups has shape"):
        ObjectBank([triangle()], ["cup"], groups=["a", "b"])
    with pytest.raises(ValueError, match="ids must be unique"):
        ObjectBank([triangle(), triangle()], ["cup", "cup"], ids=["a", "a"])


@pytest.mark.parametrize("unit", [1e-200, 1e-3, 1.0, 1e200])
def test_normalising_forgets_position_and_unit(unit):
    corners = np.random.default_rng(0).normal(size=(20, 3))
    expected = normalise(corners)
    assert np.linalg.norm(expected, axis=1).max() == pytest.approx(0.1, abs=1e-7)
    assert np.allclose(expected.min(axis=0), -expected.max(axis=0), atol=1e-7)
    assert np.allclose(normalise((corners + 5) * unit), expected, atol=1e-6)


@pytest.fixture(scope="module")
def bundled():
    return ObjectBank.bundled()


def test_bundled_classes_are_large_and_balanced_enough(bundled):
    names, counts = np.unique(bundled.classes, return_counts=True)
    assert len(bundled) >= 220 and len(names) >= 12
    assert counts.max() < 0.12 * len(bundled)
    for name in names:
        assert len(np.unique(bundled.groups[bundled.classes == name])) >= 10, name
    for group in np.unique(bundled.groups):
        assert len(np.unique(bundled.classes[bundled.groups == group])) == 1, group


def test_bundled_meshes_are_sound_normalised_and_coloured(bundled):
    spread = []
    for i in range(len(bundled)):
        mesh = bundled[i]
        assert 100 < len(mesh.faces) <= 2000, bundled.ids[i]
        assert mesh.faces.min() == 0 and mesh.faces.max() == len(mesh.vertices) - 1
        assert (mesh.faces != np.roll(mesh.faces, 1, axis=1)).all()
        assert np.linalg.norm(mesh.vertices, axis=1).max() == pytest.approx(0.1, abs=1e-6)
        assert np.allclose(mesh.vertices.min(axis=0), -mesh.vertices.max(axis=0), atol=1e-6)
        assert mesh.face_colors.dtype == np.float32 and mesh.face_colors.min() >= 0 and mesh.face_colors.max() <= 1
        spread.append(np.ptp(mesh.face_colors, axis=1).max())
    assert np.mean(np.array(spread) > 0.1) > 0.6


def test_bundled_files_are_small_and_credit_every_object(bundled):
    assert sum(file.stat().st_size for file in _bundled.DATA.rglob("*") if file.is_file()) <= 6e6
    with open(_bundled.DATA / "CREDITS.csv", newline="", encoding="utf-8") as stream:
        credits = {row["id"]: row for row in csv.DictReader(stream)}
    assert set(credits) == set(bundled.ids)
    for row in credits.values():
        assert row["creator"] and row["licence"] in ("CC0 1.0", "CC BY 3.0")
    for name in ("CC0-1.0.txt", "CC-BY-3.0.txt", "README.md"):
        assert (_bundled.DATA / name).stat().st_size > 200


@pytest.mark.parametrize("damage", ["flip", "cut", "labels"])
def test_damaged_data_is_refused(monkeypatch, tmp_path, damage):
    for name in ("bundled.npz", "bundled.npz.sha256", "labels.csv"):
        shutil.copy(_bundled.DATA / name, tmp_path / name)
    file = tmp_path / ("labels.csv" if damage == "labels" else "bundled.npz")
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    else:
        data = data[: len(data) // 2]
    file.write_bytes(data)
    monkeypatch.setattr(_bundled, "DATA", tmp_path)
    with pytest.raises(CorruptFileError, match=file.name):
        ObjectBank.bundled()
