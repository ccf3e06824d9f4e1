import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from smc import worlds
from smc.worlds import DEGRADATIONS, backgrounds, changed, reveal

IMAGES = backgrounds("clutter", range(6), 24)
CLOUDS = np.random.default_rng(0).normal(0, 0.05, (6, 40, 3)).astype(np.float32) + np.float32([0, 0, 0.4])
INPUT = {"image": IMAGES, "points": CLOUDS}
ALL = [(sense, name) for sense, table in DEGRADATIONS.items() for name in table]
each = pytest.mark.parametrize(("sense", "name"), ALL)


@each
def test_strength_0_changes_nothing_and_1_much(sense, name):
    degrade, x = DEGRADATIONS[sense][name], INPUT[sense]
    before = x.copy()
    np.testing.assert_array_equal(degrade(x, 0.0, 3), x)
    full = degrade(x, 1.0, 3)
    assert full.shape == x.shape and full.dtype == x.dtype and full is not x
    assert (full != x).mean() > 0.3
    np.testing.assert_array_equal(x, before)


@each
@settings(max_examples=15)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.permutations(range(6)))
def test_a_row_depends_on_itself_only(sense, name, strength, order):
    degrade, x = DEGRADATIONS[sense][name], INPUT[sense]
    strength, seeds, order = np.array(strength), np.arange(6) * 7, np.array(order)[:4]
    np.testing.assert_array_equal(
        degrade(x, strength, seeds)[order], degrade(x[order], strength[order], seeds[order])
    )  # fmt: skip


@each
def test_harm_grows_with_strength(sense, name):
    degrade, x = DEGRADATIONS[sense][name], INPUT[sense].astype(np.float32 if sense == "points" else np.uint8)
    harm = [np.abs(degrade(x, s, 1).astype(float) - x).mean() for s in (0, 0.25, 0.5, 0.75, 1)]
    assert (np.diff(harm) > 0).all()


@pytest.mark.parametrize("name", ["noise", "occluder"])
def test_one_seed_gives_every_image_its_own_draw(name):
    same = np.repeat(IMAGES[:1], 2, axis=0)
    assert not np.array_equal(*DEGRADATIONS["image"][name](same, 0.5, 9))
    np.testing.assert_array_equal(*DEGRADATIONS["image"][name](same, 0.5, [9, 9]))


def test_darkness_loses_shades():
    dark = worlds.darken(IMAGES, 0.5)
    np.testing.assert_array_equal(dark, np.floor(IMAGES * 0.02**0.5))
    assert worlds.darken(IMAGES, 1.0).max() <= 5


def test_blur_keeps_the_mean_and_acts_on_space_only():
    smooth = worlds.blur(IMAGES, 0.6)
    assert np.abs(smooth.mean((1, 2)) - IMAGES.mean((1, 2))).max() < 12
    assert (smooth.std((1, 2)) < 0.75 * IMAGES.std((1, 2))).all()
    even = np.full((2, 24, 24, 3), [10, 200, 90], np.uint8)
    np.testing.assert_array_equal(worlds.blur(even, 1.0), even)


def test_image_noise_has_the_stated_size():
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    error = worlds.add_image_noise(grey, 0.2, 0) / 255 - 128 / 255
    assert abs(error.mean()) < 0.002 and abs(error.std() - 0.1) < 0.002
    neighbours = (error[:, :, 1:] * error[:, :, :-1]).mean() / error.var()
    channels = (error[..., 0] * error[..., 1]).mean() / error.var()
    assert abs(neighbours) < 0.02 and abs(channels) < 0.03


def test_occluder_stays_in_place_and_grows():
    """Two frames with one row seed have one occluder, and a stronger one covers all that a weaker one did."""
    white, black = np.full((50, 32, 32, 3), 255, np.uint8), np.zeros((50, 32, 32, 3), np.uint8)
    covers = []
    for strength in (0.2, 0.5, 1.0):
        first = worlds.occlude(white, strength, np.arange(50))
        second = worlds.occlude(black, strength, np.arange(50))
        cover = (first == second).all(-1)
        np.testing.assert_array_equal(first[cover], second[cover])
        assert (first[~cover] == 255).all() and (second[~cover] == 0).all()
        covers.append(cover)
    assert (covers[0] <= covers[1]).all() and (covers[1] <= covers[2]).all()
    shares = [cover.mean() for cover in covers]
    assert abs(shares[0] - 0.14) < 0.02 and shares[2] > 0.5


def test_depth_noise_moves_points_along_their_line_of_sight():
    far = CLOUDS + np.float32([0, 0, 3])
    noisy = worlds.add_depth_noise(far, 0.5, 0)
    np.testing.assert_allclose(noisy[..., :2] / noisy[..., 2:], far[..., :2] / far[..., 2:], rtol=1e-4, atol=1e-6)
    step = (noisy - far)[..., 2]
    assert abs(step.std() - 0.04) < 0.005 and abs(step.mean()) < 0.01
    assert (worlds.add_depth_noise(CLOUDS, 1.0, 0)[..., 2] >= 0).all()


@pytest.mark.parametrize(("name", "least"), [("dropout", 0.02), ("partial_view", 0.1)])
def test_lost_points_are_replaced_by_kept_ones(name, least):
    for strength in (0.3, 1.0):
        left = DEGRADATIONS["points"][name](CLOUDS, strength, 5)
        n_kept = round(40 * (1 - (1 - least) * strength))
        for before, after in zip(CLOUDS, left):
            kept = {tuple(p) for p in after}
            assert len(kept) == n_kept and kept <= {tuple(p) for p in before}


def test_partial_view_cuts_along_a_straight_line():
    for before, after in zip(CLOUDS, worlds.partial_view(CLOUDS, 0.5, range(6))):
        kept = np.array([any((p == q).all() for q in after) for p in before])
        assert separable(before[kept, :2], before[~kept, :2])


def separable(a, b):
    """Does some direction put all of a beyond all of b?"""
    angles = np.linspace(0, 2 * np.pi, 7200)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    return ((a @ directions).min(0) > (b @ directions).max(0)).any()


@pytest.mark.parametrize("name", DEGRADATIONS["points"])
def test_a_cloud_of_nothing_stays_nothing(name):
    assert (DEGRADATIONS["points"][name](np.zeros((2, 8, 3), np.float32), 0.7, 0) == 0).all()


@each
@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"strength": 1.1}, ValueError, "strength must lie in"),
        ({"strength": np.nan}, ValueError, "strength must lie in"),
        ({"strength": [0.1, 0.2]}, ValueError, "strength has shape"),
        ({"seed": [1, 2]}, ValueError, "seed has shape"),
        ({"seed": 1.5}, TypeError, "seed is float"),
        ({"x": np.zeros((6, 3))}, ValueError, "is needed"),
        ({"x": np.zeros((0, 8, 3), np.float32)}, ValueError, "is needed"),
        ({"x": np.zeros((2, 8, 8, 3), int)}, ValueError, "is needed"),
        ({"x": np.full((2, 8, 3), np.nan)}, ValueError, "not finite|is needed"),
    ],
)
def test_bad_input_is_refused_by_name(sense, name, changes, error, message):
    arguments = {"x": INPUT[sense], "strength": 0.5, "seed": 0} | changes
    with pytest.raises(error, match=message):
        DEGRADATIONS[sense][name](*arguments.values())


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_reveal_is_the_closed_difference(seed, threshold):
    rng = np.random.default_rng(seed)
    image, empty = rng.integers(0, 256, (2, 3, 9, 11, 3), dtype=np.uint8)
    empty = np.where(rng.random((3, 9, 11, 1)) < 0.5, image, empty)
    mask = (np.abs(image / 255 - empty / 255).max(-1) > threshold).astype(np.uint8)
    closed = ndimage.minimum_filter(ndimage.maximum_filter(mask, (1, 3, 3)), (1, 3, 3))
    np.testing.assert_array_equal(changed(image, empty, threshold), closed)
    expected = np.where(closed[..., None], image, 128)
    np.testing.assert_array_equal(reveal(image, empty, threshold), expected)
    np.testing.assert_array_equal(reveal(image[0], empty[0], threshold), expected[0])


def test_reveal_shows_the_object_in_its_own_outline():
    empty = backgrounds("texture", range(6), 24)
    image = empty.copy()
    image[:, 6:15, 4:20] = 255 - image[:, 6:15, 4:20] // 2
    shown = reveal(image, empty)
    figure = (shown != 128).any(-1)
    assert figure[:, 6:15, 4:20].mean() > 0.95 and not figure[:, :5].any() and not figure[:, 16:].any()
    assert (reveal(empty, empty) == 128).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((IMAGES / 255, IMAGES), "image is float64"),
        ((IMAGES, IMAGES[..., 0]), "empty_image is uint8"),
        ((IMAGES, IMAGES[:2]), "empty_image has shape"),
        ((IMAGES, IMAGES, 1.0), "threshold is 1.0"),
        ((IMAGES, IMAGES, np.nan), "threshold is nan"),
    ],
)
def test_reveal_refuses_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        reveal(*arguments)
