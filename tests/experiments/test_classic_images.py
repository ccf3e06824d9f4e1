"""classic_images: pictures of any size, a test no tuning sees, settings that won, a verdict that can fail."""

import csv
from pathlib import Path

import numpy as np
import pytest

from experiments import classic_images
from experiments.classic_images import BASES, LABELS, METHODS, WITH, _data
from experiments.classic_images._methods import CHOSEN, FLOORS, TRAINED, Setting, tries


def test_digits_keep_their_pixels():
    images, labels = _data.load("")
    assert images.shape == (len(labels), 16, 16, 3) and images.dtype == np.uint8 and images.max() == 255
    np.testing.assert_array_equal(images[:, ::2, ::2], images[:, 1::2, 1::2])
    assert _data.pixels(images).shape == (len(labels), 256)  # three equal channels are one


def test_other_pictures_get_a_margin(tmp_path):
    images = np.random.default_rng(0).integers(1, 256, (5, 28, 20, 3), dtype=np.uint8)
    np.savez(tmp_path / "pictures.npz", images=images, labels=np.arange(5))
    padded, labels = _data.load(str(tmp_path / "pictures.npz"))
    assert padded.shape == (5, 32, 32, 3)
    np.testing.assert_array_equal(padded[:, 2:30, 6:26], images)
    assert (padded > 0).sum() == images.size
    np.testing.assert_array_equal(labels, np.arange(5))
    np.savez(tmp_path / "nameless.npz", images=images)
    with pytest.raises(ValueError, match="data must hold labels"):
        _data.load(str(tmp_path / "nameless.npz"))


def test_pictures_to_learn_from_and_those_of_the_test_are_apart(tmp_path):
    def stored(name, n, first):
        images = np.zeros((n, 8, 8, 3), np.uint8)
        images[:, 0, 0, 0] = np.arange(first, first + n)
        np.savez(tmp_path / name, images=images, labels=np.arange(n) % 2)
        return str(tmp_path / name)

    def numbers(pair):
        return set(pair[0][:, 0, 0, 0].tolist())

    data, test_data = stored("a.npz", 40, 0), stored("b.npz", 20, 100)
    seen, unseen = _data.pictures(data, n_test=10)
    assert not numbers(seen) & numbers(unseen) and numbers(seen) | numbers(unseen) == set(range(40))
    for n_test in (20, 10):
        seen, unseen = _data.pictures(data, test_data, n_test)
        assert numbers(seen) == set(range(40)) and len(numbers(unseen)) == n_test
        assert numbers(unseen) <= set(range(100, 120)) and sorted(unseen[1]) == [0] * (n_test // 2) + [1] * (
            n_test // 2
        )


def test_chosen_settings_are_the_best_of_as_many_tries_of_each_method():
    with (Path(classic_images.__file__).parents[1] / "data" / "classic_images_digits_tuning.csv").open() as file:
        rows = list(csv.DictReader(file))
    for method in TRAINED:
        tried = {
            Setting(*(float(row[name]) for name in ("learning_rate", "own", "weight")), row["branch"]): row["accuracy"]
            for row in rows
            if row["method"] == method
        }
        assert list(tried) == tries(method, CHOSEN[method.removesuffix(WITH)]), method
        assert CHOSEN[method] == max(tried, key=lambda setting: float(tried[setting])), method


def results(n_seeds=5, n_test=200, gain=0.3, **accuracy):
    """Right answers of a test in which EquiMod adds five points, unless told otherwise."""
    rng = np.random.default_rng(0)
    known = {method: 0.9 if WITH in method else 0.85 for method in METHODS} | dict.fromkeys(FLOORS, 0.5) | accuracy
    shared = rng.random((n_seeds, 1, n_test))
    right = (shared < np.array([known[method] for method in METHODS])[:, None]).astype(float)
    return {name: right for name in LABELS} | {
        "objects": np.tile(np.arange(n_test), (n_seeds, 1)),
        "gain": gain + rng.normal(0, 0.01, (n_seeds, len(BASES))),
    }


def test_verdict_on_predicted_augmentations():
    assert classic_images.verdict(results()).status == "PASS"
    assert classic_images.verdict(results(gain=0.0)).status == "FAIL"
    worse = {base + WITH: 0.8 for base in BASES}
    assert classic_images.verdict(results(**worse)).status == "FAIL"
    void = classic_images.verdict(results(BYOL=0.4))
    assert void.status == "NOT ASSESSED" and void.measured.endswith("random encoder: BYOL")
