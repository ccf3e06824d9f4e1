import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from smc.worlds import Camera, Light, ManipulateObject, ManipulateObjectVector, backgrounds, pose_matrix, render

ID = "mesmrise/ManipulateObject-v0"
STILL = np.zeros(7, np.float32)
SMALL = {"size": 24, "n_points": 20}


def act(**parts):
    """Action with the parts named."""
    names = ("yaw", "pitch", "roll", "x", "y", "zoom", "hold")
    return np.array([parts.get(name, 0.0) for name in names], np.float32)


def assert_same(a, b):
    """Nested dicts of arrays, bit for bit."""
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def row(batch, i):
    return {name: values[i] for name, values in batch.items() if not name.startswith("_")}


@pytest.fixture
def env(bank):
    return ManipulateObject(bank, **SMALL)


def test_checker_has_nothing_to_say(bank):
    check_env(gymnasium.make(ID, bank=bank, render_mode="rgb_array", **SMALL).unwrapped)


def test_make_and_make_vec_go_through_the_registry(bank):
    single, vector = gymnasium.make(ID, bank=bank, **SMALL), gymnasium.make_vec(ID, num_envs=3, bank=bank, **SMALL)
    assert isinstance(single.unwrapped, ManipulateObject) and isinstance(vector, ManipulateObjectVector)
    observation, _ = vector.reset(seed=1)
    assert vector.observation_space.contains(observation) and vector.num_envs == 3
    observation, reward, terminated, truncated, _ = vector.step(vector.action_space.sample())
    assert vector.observation_space.contains(observation)
    for values in (reward, terminated, truncated):
        assert values.shape == (3,) and not values.any()


def test_package_loads_no_gymnasium_and_registers_once_somebody_does():
    """The other order is that of this file's imports."""
    code = f"""
import sys, smc.worlds
assert not {{"gymnasium", "torch", "matplotlib"}} & set(sys.modules)
import gymnasium
assert {{"{ID}", "mesmrise/GridWorld-v0"}} <= set(gymnasium.registry)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_absent_gymnasium_is_named_in_one_line(monkeypatch):
    import smc.worlds

    monkeypatch.delitem(sys.modules, "smc.worlds._manipulate")
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ImportError, match=r"^smc.worlds.ManipulateObject needs gymnasium: .*mesmrise\[worlds\]"):
        smc.worlds.ManipulateObject  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        smc.worlds.Nothing  # noqa: B018


def test_two_environments_agree_for_50_steps(bank):
    first, second = (ManipulateObject(bank, max_steps=20, **SMALL) for _ in range(2))
    first.action_space.seed(0)
    for a, b in zip(first.reset(seed=5), second.reset(seed=5)):
        assert_same(a, b)
    for _ in range(50):
        action = first.action_space.sample()
        results = [env.step(action) for env in (first, second)]
        for a, b in zip(*results):
            assert_same(a, b) if isinstance(a, dict) else np.testing.assert_equal(a, b)
        if results[0][3]:
            for a, b in zip(first.reset(), second.reset()):
                assert_same(a, b)


def test_vector_equals_single_environments_through_restarts(bank):
    """Row i seeded with s equals a single environment seeded with s + i, autoreset included; n = 1 as n = 3."""
    for n in (1, 3):
        vector = ManipulateObjectVector(n, bank, max_steps=4, **SMALL)
        singles = [ManipulateObject(bank, max_steps=4, **SMALL) for _ in range(n)]
        vector.action_space.seed(0)
        observation, info = vector.reset(seed=11)
        ended = False
        for i, single in enumerate(singles):
            for batch, alone in zip((observation, info), single.reset(seed=11 + i)):
                assert_same(row(batch, i), alone)
        for _ in range(12):
            actions = vector.action_space.sample()
            observation, reward, _, truncated, info = vector.step(actions)
            for i, single in enumerate(singles):
                if ended:
                    (alone, alone_info), alone_ended = single.reset(), False
                else:
                    alone, _, _, alone_ended, alone_info = single.step(actions[i])
                assert_same(row(observation, i), alone)
                assert_same(row(info, i), alone_info)
                assert truncated[i] == alone_ended and reward[i] == 0
            ended = truncated.all()
        assert all(info[f"_{name}"].all() for name in alone_info)


def test_an_action_touches_its_own_row_only(bank):
    vector = ManipulateObjectVector(4, bank, **SMALL)
    vector.action_space.seed(3)
    runs = []
    for other in (vector.action_space.sample(), vector.action_space.sample()):
        vector.reset(seed=0)
        actions = other.copy()
        actions[2] = act(yaw=0.3, zoom=-0.5)
        observation, *_, info = vector.step(actions)
        runs.append((observation, info))
    for first, second in zip(*runs):
        assert_same(row(first, 2), row(second, 2))
    assert not np.array_equal(runs[0][0]["image"][0], runs[1][0]["image"][0])


def test_observation_is_the_rendering_of_the_true_pose(bank):
    env = ManipulateObject(bank, image_noise=0.0, light_saturation=0.6, backgrounds=("room",), **SMALL)
    env.reset(seed=2)
    observation, *_, info = env.step(act(yaw=0.7, pitch=-0.4, roll=0.2, x=1, y=-0.6, zoom=0.8))
    direction, color = env._hands._light[0, :3], env._hands._light[0, 3:]
    light, camera = Light(direction, color), Camera(24)
    scene = backgrounds(info["background"], [info["background_seed"]], 24, light)
    pose = pose_matrix(*info["pose"])[None]
    expected = render(bank, [info["object"]], pose, camera, light, background=scene, n_points=20)
    np.testing.assert_array_equal(observation["image"], expected.image[0])
    object_points = (observation["points"] - pose[0, :, 3]) @ pose[0, :, :3]
    assert np.linalg.norm(object_points, axis=1).max() < 0.1001
    assert info["class"] == bank.classes[info["object"]] and info["object_id"] == bank.ids[info["object"]]
    assert color.max() == 1 and color.min() == pytest.approx(0.4)


def test_actions_change_the_pose_by_the_stated_steps(env):
    env.reset(seed=0, options={"pose": (0.1, -0.2, 0.0)})
    for action in (act(yaw=1, pitch=0.5, roll=-0.25), act(x=0.5, y=-1), act(zoom=1), STILL):
        observation, reward, terminated, truncated, info = env.step(action)
        assert (reward, terminated, truncated) == (0.0, False, False)
    quarter = np.pi / 2
    expected = [0.1 + quarter, -0.2 + quarter / 2, -quarter / 4, 0.02, -0.04, 0.4 * np.exp(-0.2)]
    np.testing.assert_allclose(info["pose"], expected)
    turned = [quarter, quarter / 2, -quarter / 4, 0.02, -0.04, 0.2, 1.0]
    np.testing.assert_allclose(observation["proprioception"], turned, rtol=1e-6)


def test_angles_wrap_and_the_rest_stops_at_its_limits(env):
    env.reset(seed=0)
    for _ in range(9):
        observation, *_, info = env.step(act(yaw=0.9, roll=-0.9, x=1, y=-1, zoom=1))
        assert env.observation_space.contains(observation)
        assert (np.abs(info["pose"][:3]) <= np.pi).all()
    np.testing.assert_allclose(info["pose"][3:], [0.08, -0.08, 0.4 * np.exp(-0.45)])


def test_pose_limits_stop_a_turn(bank):
    env = ManipulateObject(bank, pose_limits=(None, (-0.6, 0.6), (0, 0)), **SMALL)
    env.reset(seed=0, options={"pose": (0, 0, 0)})
    *_, info = env.step(act(yaw=0.5, pitch=1, roll=1))
    np.testing.assert_allclose(info["pose"][:3], [np.pi / 4, 0.6, 0])


def test_put_away_and_taken_up_again(bank):
    env = ManipulateObject(bank, image_noise=0.0, backgrounds=("clutter",), **SMALL)
    held, start = env.reset(seed=4)
    assert start["visible"] and held["proprioception"][6] == 1
    away, *_, info = env.step(act(hold=-1, yaw=1, x=1))
    scene = backgrounds("clutter", [info["background_seed"]], 24)[0]
    assert not info["visible"] and (away["points"] == 0).all() and away["proprioception"][6] == 0
    np.testing.assert_array_equal(away["image"], scene)
    still_away, *_, info = env.step(act(yaw=1, hold=0.3))
    assert not info["visible"] and np.array_equal(info["pose"], start["pose"])
    assert_same(away, still_away)
    again, *_, info = env.step(act(hold=1))
    np.testing.assert_array_equal(again["image"], held["image"])
    moved, *_, info = env.step(act(hold=-0.5, yaw=0.5))
    assert info["visible"] and not np.array_equal(moved["image"], held["image"])
    _, info = env.reset()
    assert info["visible"]


def test_surroundings_stay_for_an_episode_and_change_with_it(bank):
    env = ManipulateObject(bank, **SMALL)
    _, first = env.reset(seed=0)
    *_, later = env.step(act(yaw=1))
    _, second = env.reset()
    for name in ("background_seed", "light_seed"):
        assert first[name] == later[name] != second[name]


def test_noise_has_the_stated_size_and_is_fresh(bank):
    env = ManipulateObject(bank, backgrounds="plain", image_noise=0.05, size=64)
    env.reset(seed=0)
    images = [env.step(act(hold=-1))[0]["image"].astype(float) for _ in range(2)]
    difference = (images[0] - images[1]) / 255
    assert abs(difference.std() / np.sqrt(2) - 0.05) < 0.003


def test_options_place_exact_views(bank):
    vector = ManipulateObjectVector(3, bank, **SMALL)
    poses = np.array([[0.1, 0.2, 0.3], [1, -0.5, 0], [-2, 0, 0]])
    options = {"object": [4, 0, 7], "pose": poses, "background": ["room", "plain", "stripes"], "background_seed": 9}
    _, info = vector.reset(seed=0, options=options | {"light_seed": [1, 2, 3]})
    np.testing.assert_array_equal(info["object"], [4, 0, 7])
    np.testing.assert_allclose(info["pose"][:, :3], poses)
    np.testing.assert_array_equal(info["background"], options["background"])
    assert (info["background_seed"] == 9).all() and info["light_seed"].tolist() == [1, 2, 3]
    # what is not given is drawn as if nothing were
    _, free = vector.reset(seed=0)
    _, partly = vector.reset(seed=0, options={"object": 2})
    assert (partly["object"] == 2).all()
    np.testing.assert_array_equal(partly["pose"], free["pose"])
    np.testing.assert_array_equal(partly["light_seed"], free["light_seed"])


def test_start_poses_and_lights_fill_their_ranges(bank):
    ranges = {"yaw_range": (-0.5, 1.0), "pitch_range": (0.1, 0.2), "roll_range": (-0.3, 0.3)}
    vector = ManipulateObjectVector(400, bank, size=8, n_points=1, light_azimuth=(0.5, 1.5), **ranges)
    _, info = vector.reset(seed=0)
    for i, (low, high) in enumerate(ranges.values()):
        angles = info["pose"][:, i]
        assert low <= angles.min() < low + 0.05 * (high - low) and high >= angles.max() > high - 0.05 * (high - low)
    azimuth = np.arctan2(vector._hands._light[:, 0], -vector._hands._light[:, 2])
    assert 0.5 <= azimuth.min() < 0.55 and 1.45 < azimuth.max() <= 1.5
    assert set(info["background"]) == {"plain", "texture"} and len(set(info["object"])) == len(bank)


def test_render_shows_the_last_image(bank):
    env = ManipulateObject(bank, render_mode="rgb_array", **SMALL)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), observation["image"])
    vector = ManipulateObjectVector(2, bank, render_mode="rgb_array", **SMALL)
    observation, _ = vector.reset(seed=0)
    np.testing.assert_array_equal(vector.render(), observation["image"])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"size": 4}, ValueError, "size is 4"),
        ({"n_points": 0}, ValueError, "n_points is 0"),
        ({"backgrounds": ()}, ValueError, "backgrounds is empty"),
        ({"backgrounds": ("sky",)}, ValueError, "'sky' is unknown"),
        ({"light_azimuth": (1, 0)}, ValueError, "light_azimuth is"),
        ({"yaw_range": (0, np.nan)}, ValueError, "yaw_range is"),
        ({"light_saturation": 2}, ValueError, "light_saturation is 2"),
        ({"turn_step": -1}, ValueError, "turn_step is -1"),
        ({"image_noise": "much"}, ValueError, "image_noise is 'much'"),
        ({"max_steps": 0}, ValueError, "max_steps is 0"),
        ({"pose_limits": ((-1, 1),)}, ValueError, "pose_limits has 1 entries"),
        ({"pose_limits": ((-1, 1), None, None)}, ValueError, "hold yaw_range"),
        ({"render_mode": "human"}, ValueError, "render_mode is 'human'"),
        ({"colour": 1}, TypeError, "colour"),
        ({"bank": [1]}, TypeError, "bank is list"),
    ],
)
def test_bad_settings_are_refused_by_name(bank, settings, error, message):
    with pytest.raises(error, match=message):
        ManipulateObject(**({"bank": bank} | settings))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ([1], TypeError, "options is list"),
        ({"objekt": 1}, ValueError, r"\['objekt'\] are unknown; choose from object, pose"),
        ({"object": 10**6}, ValueError, "outside 0.."),
        ({"object": -1}, ValueError, "negative"),
        ({"object": 0.5}, TypeError, r"options\['object'\]"),
        ({"object": [1, 2]}, ValueError, r"options\['object'\] has shape"),
        ({"pose": (0, 0)}, ValueError, r"options\['pose'\] has shape"),
        ({"pose": (0, 0, np.inf)}, ValueError, "no finite angles"),
        ({"background": "sky"}, ValueError, "'sky' is unknown"),
        ({"light_seed": -4}, ValueError, "negative"),
    ],
)
def test_bad_options_are_refused_by_name(env, options, error, message):
    with pytest.raises(error, match=message):
        env.reset(seed=0, options=options)


@pytest.mark.parametrize("action", [np.zeros(6), np.zeros((1, 7)), np.full(7, np.nan), np.array(["a"] * 7)])
def test_bad_actions_are_refused(env, action):
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action has"):
        env.step(action)


def test_bad_vectors_are_refused(bank):
    with pytest.raises(ValueError, match="num_envs is 0"):
        ManipulateObjectVector(0, bank)
    vector = ManipulateObjectVector(2, bank, **SMALL)
    with pytest.raises(ValueError, match="seed has 3 entries; 2 are needed"):
        vector.reset(seed=[1, 2, 3])
    vector.reset(seed=[1, 2])
    with pytest.raises(ValueError, match=r"\(2, 7\)"):
        vector.step(np.zeros((3, 7)))


def test_occluder_hides_until_it_is_taken_away(bank):
    settings = SMALL | {"image_noise": 0.0}
    plain, covered = ManipulateObject(bank, **settings), ManipulateObject(bank, occluder=1.0, **settings)
    uncover, move = np.zeros(8, np.float32), np.zeros(8, np.float32)
    uncover[7], move[:4] = -1, 0.3
    plain.reset(seed=3)
    hidden, info = covered.reset(seed=3)
    assert info["covered"] and not info["visible"] and not hidden["points"].any()
    assert len(np.unique(hidden["image"].reshape(-1, 3), axis=0)) == 1
    plain.step(move[:7])
    hidden, *_, info = covered.step(move)
    assert info["covered"] and (hidden["proprioception"][:4] != 0).all()
    seen, *_, info = covered.step(uncover)
    expected, *_ = plain.step(STILL)
    assert not info["covered"] and info["visible"]
    assert_same(seen, expected)  # moved behind the occluder, and drawn as without one
    assert not covered.step(-uncover)[-1]["visible"]


def test_occluder_hides_its_share_of_the_picture(bank):
    settings = {"size": 64, "n_points": 20, "image_noise": 0.0, "backgrounds": ("plain",)}
    plain, half = ManipulateObject(bank, **settings), ManipulateObject(bank, occluder=0.5, **settings)
    (open_, _), (behind, info) = plain.reset(seed=0), half.reset(seed=0)
    same = (open_["image"] == behind["image"]).all(axis=2)
    assert same.sum() == 64**2 - 32**2 and not same[16:48, 16:48].any()
    assert info["visible"]
    x, y, z = behind["points"].T
    assert (np.maximum(abs(x), abs(y)) / z >= 0.5 * np.tan(0.3) - 1e-6).all()


def test_occluder_has_an_action_and_a_range(bank):
    check_env(gymnasium.make(ID, bank=bank, occluder=0.7, render_mode="rgb_array", **SMALL).unwrapped)
    vector = ManipulateObjectVector(2, bank, occluder=0.7, **SMALL)
    _, info = vector.reset(seed=0)
    assert info["covered"].tolist() == [True, True] and vector.action_space.shape == (2, 8)
    actions = np.zeros((2, 8))
    actions[1, 7] = -1
    assert vector.step(actions)[-1]["covered"].tolist() == [True, False]
    with pytest.raises(ValueError, match=r"action has shape \(2, 7\)"):
        vector.step(np.zeros((2, 7)))
    with pytest.raises(ValueError, match=r"occluder is 1\.5"):
        ManipulateObject(bank, occluder=1.5)
