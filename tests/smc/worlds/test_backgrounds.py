import numba
import numpy as np
import pytest

from smc.worlds import BACKGROUND_KINDS, Light, backgrounds

each_kind = pytest.mark.parametrize("kind", BACKGROUND_KINDS)


def roughness(images):
    """Mean difference of neighbouring pixels, in grey levels."""
    return np.abs(np.diff(images.astype(int), axis=2)).mean((1, 2, 3))


@each_kind
def test_a_picture_depends_on_its_own_seed_only(kind):
    seeds = np.array([5, 2**62, 11, 5])
    together = backgrounds(kind, seeds, 20)
    assert together.shape == (4, 20, 20, 3) and together.dtype == np.uint8
    for i, seed in enumerate(seeds):
        np.testing.assert_array_equal(together[i], backgrounds(kind, [seed], 20)[0])
    np.testing.assert_array_equal(together[0], together[3])
    assert len(np.unique(backgrounds(kind, np.arange(20), 16), axis=0)) == 20
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        np.testing.assert_array_equal(backgrounds(kind, seeds, 20), together)
    finally:
        numba.set_num_threads(n_threads)


@each_kind
def test_another_size_shows_the_same_picture(kind):
    fine, coarse = backgrounds(kind, range(8), 96), backgrounds(kind, range(8), 32)
    pooled = fine.reshape(8, 32, 3, 32, 3, 3).astype(float).mean((2, 4))
    assert np.abs(pooled - coarse).mean() < 12 < np.abs(pooled - coarse[::-1]).mean()


@each_kind
def test_light_tints_mildly(kind):
    seeds = range(10)
    white, blue = backgrounds(kind, seeds, 16), backgrounds(kind, seeds, 16, Light(color=(0.2, 0.2, 1.0)))
    ratio = blue.sum((0, 1, 2)) / white.sum((0, 1, 2))
    np.testing.assert_allclose(ratio, [0.6, 0.6, 1.0], atol=0.02)


def test_rooms_are_shaded_by_the_direction_of_the_light():
    lights = Light.from_azimuth(np.array([-1.4, 1.4]), elevation=0.2)
    assert np.abs(np.diff(backgrounds("room", [4, 4], 32, lights).astype(int), axis=0)).mean() > 3
    np.testing.assert_array_equal(*backgrounds("clutter", [4, 4], 32, lights))


def test_kinds_differ_in_grain():
    rough = {kind: roughness(backgrounds(kind, range(30))).mean() for kind in BACKGROUND_KINDS}
    assert rough["plain"] == 0
    assert 0 < 3 * rough["texture"] < min(rough["stripes"], rough["clutter"])
    mixed = backgrounds(["plain", "clutter"], [1, 2])
    np.testing.assert_array_equal(mixed[0], backgrounds("plain", [1])[0])
    np.testing.assert_array_equal(mixed[1], backgrounds("clutter", [2])[0])


def test_every_kind_has_contrast_and_a_middling_brightness():
    for kind in BACKGROUND_KINDS:
        pictures = backgrounds(kind, range(60), 16)
        assert 70 < pictures.mean() < 170
        assert pictures.std() > 25


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("sky", [1]), ValueError, "'sky' is unknown; choose from plain, texture"),
        ((["plain"], [1, 2]), ValueError, "kind names 1 backgrounds for 2 seeds"),
        (("plain", []), ValueError, "seeds has shape"),
        (("plain", 3), ValueError, "seeds has shape"),
        (("plain", [-3]), ValueError, "seeds has negative"),
        (("plain", [0.5]), TypeError, "seeds is"),
        (("plain", [1], 0), ValueError, "size is 0"),
        (("plain", [1], 8.0), TypeError, "size is 8.0"),
        (("plain", [1], 8, Light(np.ones((3, 3)))), ValueError, "another number of frames"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        backgrounds(*arguments)
