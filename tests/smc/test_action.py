"""Typed actions: algebra, what they do to clouds and pictures, frames, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smc import Action
from smc.worlds import pose_matrix

seeds = st.integers(0, 10_000)


def random_action(
    seed, n=4, frame="camera", names=("rotation", "translation", "zoom", "crop", "flip", "color", "light")
):
    rng = np.random.default_rng(seed)
    drawn = {
        "rotation": rng.uniform(-1, 1, (n, 3)),
        "translation": rng.uniform(-0.1, 0.1, (n, 3)),
        "zoom": rng.uniform(-0.5, 0.5, n),
        "crop": rng.uniform(-0.5, 0.5, (n, 2)),
        "flip": rng.integers(0, 2, n),
        "color": rng.uniform(-0.3, 0.3, (n, 3)),
        "light": rng.uniform(-1, 1, n),
    }
    return Action(**{name: drawn[name] for name in names}, frame=frame)


@settings(max_examples=10)
@given(seeds, st.sampled_from(["camera", "object"]))
def test_actions_form_a_group(seed, frame):
    a, b, c = (random_action(3 * seed + i, frame=frame) for i in range(3))
    np.testing.assert_allclose(a.compose(a.invert()).vector(), 0, atol=1e-12)
    np.testing.assert_allclose(a.invert().compose(a).vector(), 0, atol=1e-12)
    together = a.compose(b).compose(c).vector()
    np.testing.assert_allclose(a.compose(b.compose(c)).vector(), together, atol=1e-10)


@settings(max_examples=10)
@given(seeds)
def test_composed_actions_do_to_clouds_what_they_do_one_after_the_other(seed):
    a, b = (random_action(2 * seed + i) for i in range(2))
    clouds = np.random.default_rng(seed).normal(0, 0.1, (4, 9, 3))
    in_turn = b.apply(a.apply(clouds, "points"), "points")
    np.testing.assert_allclose(a.compose(b).apply(clouds, "points"), in_turn, atol=1e-12)
    np.testing.assert_allclose(a.invert().apply(a.apply(clouds, "points"), "points"), clouds, atol=1e-12)


def picture(u, v):
    """Smooth pictures (n, height, width, 3) of the coordinates u, v."""
    return 0.5 + 0.2 * np.stack([np.sin(2 * u) * np.cos(v), np.cos(3 * v + u), np.sin(u - 2 * v)], axis=-1)


def coordinates(size):
    axis = (2 * np.arange(size) + 1) / size - 1
    return np.meshgrid(axis, axis)


@settings(max_examples=5)
@given(seeds)
def test_pictures_are_moved_and_tinted_as_the_formula_says(seed):
    action = random_action(seed, names=("zoom", "crop", "flip", "color"))
    u, v = coordinates(64)
    seen = action.apply(np.repeat(picture(u, v)[None], 4, axis=0), "image")
    for i in range(4):
        magnification, mirror = np.exp(action.zoom[i]), 1 - 2 * action.flip[i]
        before_u = (u - action.crop[i, 0]) / (magnification * mirror)
        before_v = (v - action.crop[i, 1]) / magnification
        within = (np.abs(before_u) < 0.97) & (np.abs(before_v) < 0.97)
        expected = np.clip(picture(before_u, before_v) * np.exp(action.color[i]), 0, 1)
        np.testing.assert_allclose(seen[i][within], expected[within], atol=5e-3)


def test_null_mirror_and_bytes_are_exact():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Action(zoom=np.zeros(3)).apply(images, "image"), images)
    np.testing.assert_array_equal(Action(flip=np.ones(3)).apply(images, "image"), images[:, :, ::-1])
    brighter = Action(color=np.full((3, 3), np.log(2))).apply(images, "image")
    np.testing.assert_array_equal(brighter, np.minimum(2 * images.astype(int), 255))
    one_right = Action(crop=[[2 / 6, 0]] * 3).apply(images, "image")
    np.testing.assert_array_equal(one_right[:, :, 1:], images[:, :, :-1])


def test_action_between_poses_turns_one_cloud_into_the_other():
    rng = np.random.default_rng(1)
    poses = [pose_matrix(*rng.uniform(-1, 1, (3, 5)), *rng.uniform(-0.05, 0.05, (2, 5)), 0.4) for _ in range(2)]
    model = rng.normal(0, 0.05, (5, 11, 3))
    before, after = (model @ p[..., :3].transpose(0, 2, 1) + p[:, None, :, 3] for p in poses)
    action = Action.between(*poses, background=np.array([0, 1, 0, 0, 1]))
    np.testing.assert_allclose(action.apply(before, "points", center=poses[0][..., 3]), after, atol=1e-12)
    assert action.active() == ("rotation", "translation", "background")
    inward = action.in_frame("object", poses[0][..., :3])
    np.testing.assert_allclose(inward.in_frame("camera", poses[0][..., :3]).vector(), action.vector(), atol=1e-12)
    again = inward.invert().in_frame("camera", poses[1][..., :3])
    np.testing.assert_allclose(again.rotation, -action.rotation, atol=1e-12)


def test_senses_tell_only_what_has_consequences_for_them():
    names = ("rotation", "zoom", "light")
    action = Action.from_vector(np.vstack([np.eye(5), np.zeros(5)]), names)
    np.testing.assert_array_equal(action.has_consequence("image"), [1, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(action.has_consequence("points"), [1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(action.vector(names), np.vstack([np.eye(5), np.zeros(5)]))
    clouds = np.random.default_rng(0).normal(size=(6, 4, 3))
    moved = np.abs(action.apply(clouds, "points") - clouds).max(axis=(1, 2)) > 1e-9
    np.testing.assert_array_equal(moved, action.has_consequence("points"))
    assert action[2:4].vector().shape == (2, 15) and len(action) == 6
    np.testing.assert_array_equal(np.concatenate([one.vector() for one in action]), action.vector())


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Action(), ValueError, "needs at least one component"),
        (lambda: Action(zoom=[0.0], frame="world"), ValueError, "frame must be one of"),
        (lambda: Action(rotation=[1, 2, 3]), ValueError, r"rotation must have shape \(n, 3\)"),
        (lambda: Action(zoom=[[1.0]]), ValueError, r"zoom must have shape \(n,\)"),
        (lambda: Action(zoom=["in"]), TypeError, "zoom must be numeric"),
        (lambda: Action(zoom=[np.nan]), ValueError, "zoom must be finite"),
        (lambda: Action(flip=[0.5]), ValueError, "flip must be 0 or 1"),
        (lambda: Action(zoom=[]), ValueError, "n >= 1"),
        (lambda: Action(zoom=[0, 1], light=[0]), ValueError, "must agree in their number"),
        (lambda: Action.from_vector(np.zeros((2, 3)), "zoom"), ValueError, "vector must have shape"),
        (lambda: Action.from_vector(np.zeros((2, 1)), "speed"), ValueError, "components must be different ones"),
        (lambda: Action.between(np.zeros((1, 3, 3)), np.zeros((1, 3, 3))), ValueError, "pose must be finite poses"),
        (lambda: Action(zoom=[1]).compose(np.ones(1)), TypeError, "then must be an Action"),
        (lambda: Action(zoom=[1]).compose(Action(zoom=[1, 2])), ValueError, "then must hold as many"),
        (lambda: Action(zoom=[1]).compose(Action(zoom=[1], frame="object")), ValueError, "in the camera frame"),
        (lambda: Action(zoom=[1]).in_frame("camera", np.eye(3)), ValueError, "attitude must have shape"),
        (lambda: np.asarray(Action(zoom=[1])), TypeError, r"becomes an array by action.vector\(components\)"),
        (lambda: Action(zoom=[1]).has_consequence("smell"), ValueError, "sense must be one of"),
        (lambda: Action(zoom=[1]).apply(np.zeros((1, 2, 3)), "touch"), ValueError, "sense must be"),
        (lambda: Action(zoom=[1]).apply(np.zeros((1, 0, 3)), "points"), ValueError, "X must be float clouds"),
        (lambda: Action(zoom=[1]).apply(np.zeros((2, 4, 4, 3)), "image"), ValueError, "X must be pictures"),
        (lambda: Action(light=[1]).apply(np.zeros((1, 4, 4, 3)), "image"), ValueError, "light would change: render"),
        (
            lambda: Action(rotation=[[1, 0, 0]], frame="object").apply(np.zeros((1, 2, 3)), "points"),
            ValueError,
            "see in_frame",
        ),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()
