"""Pictures of any size fit the encoder of classic_images; its verdict can fail and leaves void methods out."""

import numpy as np
import pytest

from experiments import classic_images
from experiments.classic_images import BASES, FLOORS, LABELS, METHODS, WITH


def test_digits_keep_their_pixels():
    images, labels = classic_images.load("")
    assert images.shape == (len(labels), 16, 16, 3) and images.dtype == np.uint8 and images.max() == 255
    np.testing.assert_array_equal(images[:, ::2, ::2], images[:, 1::2, 1::2])
    assert classic_images.pixels(images).shape == (len(labels), 256)  # three equal channels are one


def test_other_pictures_get_a_margin(tmp_path):
    images = np.random.default_rng(0).integers(1, 256, (5, 28, 20, 3), dtype=np.uint8)
    np.savez(tmp_path / "pictures.npz", images=images, labels=np.arange(5))
    padded, labels = classic_images.load(str(tmp_path / "pictures.npz"))
    assert padded.shape == (5, 32, 32, 3)
    np.testing.assert_array_equal(padded[:, 2:30, 6:26], images)
    assert (padded > 0).sum() == images.size
    np.testing.assert_array_equal(labels, np.arange(5))
    np.savez(tmp_path / "nameless.npz", images=images)
    with pytest.raises(ValueError, match="data must hold labels"):
        classic_images.load(str(tmp_path / "nameless.npz"))


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
    worse_void = {"BYOL": 0.4, "BYOL + EquiMod": 0.3}
    assert classic_images.verdict(results(**worse_void)).measured.endswith("%): BYOL")
    assert classic_images.verdict(results(**worse_void)).status == "PASS"
    assert classic_images.verdict(results(**dict.fromkeys(BASES, 0.4))).status == "NOT ASSESSED"
