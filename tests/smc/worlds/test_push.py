import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from smc import Transitions
from smc.worlds import Mesh, ObjectBank, PushedObjects, PushObject
from smc.worlds._pushing import EDGE, TABLE_DROP

ID = "mesmrise/PushObject-v0"


def slow_push(half, tall, place, friction, action, step):
    """Place, side to which it tipped (0: none) and whether a box that stands in the middle has moved."""
    height, way = (1 + action[0]) / 2 * tall, step * action[1]
    force_to_slide, force_to_tip = friction, (half / height if height > 0 else np.inf)
    if way == 0:
        return place, 0
    if force_to_tip < force_to_slide:
        side = int(np.sign(way))
        place, half = place + side * (half + tall / 2), tall / 2
    else:
        side, place = 0, place + way
    return float(np.clip(place, half - EDGE, EDGE - half)), side


def slow_extents(mesh, yaw):
    x = np.cos(yaw) * mesh.vertices[:, 0] - np.sin(yaw) * mesh.vertices[:, 1]
    return np.ptp(x) / 2, np.ptp(mesh.vertices[:, 2])


def test_every_step_follows_the_rule(bank):
    table, rng = PushedObjects(200, bank, size=8), np.random.default_rng(0)
    table.begin(1)
    slow = [list(slow_extents(bank[k], yaw)) for k, yaw in zip(table.object, table.yaw)]
    place, quarters = np.zeros(200), np.zeros(200, int)
    seen = set()
    for _ in range(6):
        actions = rng.uniform(-1, 1, (200, 3)) * [1, 2, 1]  # some pushes are cut off at the largest
        actions[::9, 1] = 0
        table.act(actions)
        for i, (half, height) in enumerate(slow):
            if actions[i, 2] > 0.5:
                place[i], quarters[i] = 0, 0
            lying = (height / 2, 2 * half) if quarters[i] % 2 else (half, height)
            action = np.clip(actions[i], -1, 1)
            place[i], side = slow_push(*lying, place[i], table.friction[i], action, table.push_step)
            quarters[i] = (quarters[i] + side) % 4
            assert table.tipped[i] == (side != 0)
        assert np.allclose(table.place, place, atol=1e-7) and np.array_equal(table.quarters, quarters)
        seen |= set(quarters.tolist())
    assert seen == {0, 1, 2, 3}
    boxes = [(h / 2, 2 * b) if q % 2 else (b, h) for (b, h), q in zip(slow, quarters)]
    assert np.allclose(table.box(), boxes, atol=1e-6) and np.allclose(table.box(standing=True), slow, atol=1e-6)


def test_probability_is_how_often_it_tips(bank):
    table = PushedObjects(4000, bank, size=8)
    actions = np.tile([0.4, -0.5, 0.0], (4000, 1))
    object_, yaw = np.arange(4000) % len(bank), np.arange(4000) % 7
    table.begin(3, {"object": object_, "yaw": yaw})
    p = table.tip_probability(actions)
    table.act(actions)
    scatter = np.sqrt((p * (1 - p)).sum())
    assert abs(table.tipped.sum() - p.sum()) < 4 * scatter and 0 < scatter
    assert not table.tipped[p == 0].any() and table.tipped[p == 1].all()
    # As it lies now it needs another force; set up again it is as before.
    actions[:, 2] = 1
    assert np.allclose(table.tip_probability(actions), p)
    assert not table.tip_probability(np.zeros((4000, 3))).any()


@pytest.mark.parametrize("push", [-1.0, 1.0])
def test_objects_fill_their_boxes_and_stand_on_the_table(bank, push):
    n = len(bank)
    table = PushedObjects(n, bank, size=8)
    for friction in (1e-6, 1e6):
        table.begin(5, {"object": np.arange(n), "friction": friction})
        table.act(np.tile([0.5, push, 0.0], (n, 1)))
        assert (table.tipped == (friction > 1)).all()
        observation = table.look()
        place, cos, sin = observation["pose"].T
        for i, pose in enumerate(table.poses()):
            x, y, _ = pose[:, :3] @ bank[i].vertices.T.astype(float) + pose[:, 3:]
            half, tall = observation["box"][i]
            assert (x.min(), x.max()) == pytest.approx((place[i] - half, place[i] + half), abs=1e-6)
            assert (y.min(), y.max()) == pytest.approx((TABLE_DROP - tall, TABLE_DROP), abs=1e-6)
        assert np.allclose(np.arctan2(sin, cos), push * np.pi / 2 if friction > 1 else 0)


@pytest.mark.parametrize("push", [-1.0, 1.0])
def test_what_was_above_lies_where_it_was_pushed_to(push):
    """A post, red above and blue below."""
    corners = np.array(
        [(x, y, z) for z in (-0.08, 0.0, 0.08) for x in (-0.02, 0.02) for y in (-0.02, 0.02)], np.float32
    )
    sides = np.array([(0, 1, 4), (1, 4, 5), (2, 3, 6), (3, 6, 7), (0, 2, 4), (2, 4, 6), (1, 3, 5), (3, 5, 7)], np.int32)
    colors = np.repeat(np.float32([[0, 0, 1], [1, 0, 0]]), 8, axis=0)
    post = Mesh(corners.astype(np.float32), np.concatenate([sides, sides + 4]), colors)
    table = PushedObjects(1, ObjectBank([post], ["post"]), image_noise=0.0)
    table.begin(0, {"friction": 1.0})

    def middle(channel):
        image = table.look()["image"][0].astype(int)
        return np.argwhere(image[..., channel] - image[..., 2 - channel] > 60).mean(axis=0)

    assert middle(0)[0] < middle(2)[0]
    table.act([[0.9, push, 0.0]])
    red, blue = middle(0), middle(2)
    assert red[0] == pytest.approx(blue[0]) and push * (red[1] - blue[1]) > 3


def test_checker_has_nothing_to_say(bank):
    check_env(gymnasium.make(ID, bank=bank, size=16, render_mode="rgb_array").unwrapped)


def test_environment_is_a_batch_of_one(bank):
    env, table = PushObject(bank, size=16, max_steps=3), PushedObjects(1, bank, size=16)
    rng = np.random.default_rng(0)
    for seed in (4, 5):
        observation, info = env.reset(seed=seed)
        twin = np.random.Generator(np.random.PCG64(0))
        twin.bit_generator.state = env.np_random.bit_generator.state
        assert 0.2 <= info["friction"] <= 1.0 and not info["tipped"]
        table.begin(0, {name: info[name] for name in ("object", "yaw", "friction")})
        for step in range(3):
            action = rng.uniform(-1, 1, 3).astype(np.float32)
            observation, reward, terminated, truncated, info = env.step(action)
            table.act(action[None])
            expected = table.look(twin)
            for name, values in expected.items():
                np.testing.assert_array_equal(values[0], observation[name])
            assert (reward, terminated, truncated) == (0.0, False, step == 2)
    steps = Transitions.from_env(gymnasium.make(ID, bank=bank, size=16), None, 20, seed=0)
    assert steps.action.shape == (20, 3)


def test_same_seed_same_bits_and_rows_do_not_depend_on_each_other(bank):
    a, b = PushedObjects(6, bank, size=16), PushedObjects(6, bank, size=16)
    for table in (a, b):
        table.begin(7)
        table.act(np.tile([0.2, 0.5, 0.0], (6, 1)))
    np.testing.assert_array_equal(a.look(1)["image"], b.look(1)["image"])
    alone = PushedObjects(1, bank, size=16)
    alone.begin(0, {"object": a.object[3], "yaw": a.yaw[3], "friction": a.friction[3]})
    alone.act([[0.2, 0.5, 0.0]])
    assert (alone.place[0], alone.tipped[0]) == (a.place[3], a.tipped[3])


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"n": 0}, "n is 0"),
        ({"size": 4}, "size is 4"),
        ({"friction": (0.0, 1.0)}, "friction is .*above 0"),
        ({"friction": (1.0, 0.5)}, "friction is"),
        ({"yaw_range": (0.0,)}, "yaw_range"),
        ({"push_step": 1.0}, "push_step"),
        ({"image_noise": -0.1}, "image_noise"),
    ],
)
def test_bad_parameters(bank, parameters, message):
    with pytest.raises(ValueError, match=message):
        PushedObjects(**{"n": 2, "bank": bank} | parameters)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"weight": 1}, "unknown"),
        ({"object": 10**6}, "outside"),
        ({"friction": -1.0}, "finite and positive"),
        ({"yaw": np.nan}, "finite"),
        ({"yaw": np.zeros(3)}, "shape"),
    ],
)
def test_bad_options(bank, options, message):
    with pytest.raises(ValueError, match=message):
        PushedObjects(2, bank).begin(0, options)


@pytest.mark.parametrize("action", [np.zeros(3), np.zeros((2, 2)), np.full((2, 3), np.nan)])
def test_bad_actions(bank, action):
    table = PushedObjects(2, bank)
    table.begin(0)
    with pytest.raises(ValueError, match="action has"):
        table.act(action)
    with pytest.raises(TypeError, match="bank is list"):
        PushedObjects(2, [bank[0]])
