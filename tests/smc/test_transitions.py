import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from smc import Transitions


class Counter(gym.Env):
    """Counts its steps, shows (episode, count), if asked in one buffer that it reuses, and ends after 3 steps."""

    def __init__(self, first=0, as_dict=True, reuse=False):
        box = gym.spaces.Box(-1000, 1000, (2,), np.int64)
        self.observation_space = gym.spaces.Dict({"clock": box}) if as_dict else box
        self.action_space = gym.spaces.Box(-1.0, 1.0, (2,))
        self.episode, self.count, self.as_dict, self.reuse = first - 1, 0, as_dict, reuse
        self.buffer = np.zeros(2, np.int64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.count = self.episode + 1, 0
        return self.observe()

    def step(self, action):
        self.count += 1
        observation, info = self.observe()
        return observation, 0.0, self.count == 3, False, info

    def observe(self):
        self.buffer[:] = self.episode, self.count
        clock = self.buffer if self.reuse else self.buffer.copy()
        return {"clock": clock} if self.as_dict else clock, {"object": f"thing-{self.episode}"}


def some_steps(n=6):
    rng = np.random.default_rng(0)
    return Transitions(
        {"eye": rng.normal(size=(n, 2, 3)).astype(np.float32), "touch": rng.integers(0, 2, n)},
        rng.normal(size=(n, 2)),
        {"eye": rng.normal(size=(n, 2, 3)).astype(np.float32), "touch": rng.integers(0, 2, n)},
        group=np.arange(n) // 2,
    )


def assert_equal(a, b):
    for one, other in ((a.observation, b.observation), (a.next_observation, b.next_observation)):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    np.testing.assert_array_equal(a.action, b.action)
    np.testing.assert_array_equal(a.group, b.group)


# --- the data type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index", [slice(1, 4), np.array([True, False, True, True, False, False]), np.array([4, 0, -1]), [2]]
)
def test_indexing_takes_the_same_steps_of_everything(index):
    steps = some_steps()
    part = steps[index]
    np.testing.assert_array_equal(part.observation["eye"], steps.observation["eye"][index])
    np.testing.assert_array_equal(part.next_observation["touch"], steps.next_observation["touch"][index])
    np.testing.assert_array_equal(part.action, steps.action[index])
    np.testing.assert_array_equal(part.group, steps.group[index])
    assert len(part) == len(steps.action[index])


def test_arrays_are_kept_without_a_copy():
    eye = np.zeros((3, 2))
    assert Transitions({"eye": eye}, np.zeros(3, int), {"eye": eye}).observation["eye"] is eye


def test_concatenate_undoes_slicing():
    steps = some_steps()
    assert_equal(Transitions.concatenate([steps[:1], steps[1:4], steps[4:]]), steps)


def test_concatenate_refuses_parts_that_do_not_match():
    steps = some_steps()
    blind = Transitions({"touch": steps.observation["touch"]}, steps.action, {"touch": steps.observation["touch"]})
    ungrouped = Transitions(steps.observation, steps.action, steps.next_observation)
    with pytest.raises(ValueError, match="at least one"):
        Transitions.concatenate([])
    with pytest.raises(ValueError, match="share their modalities"):
        Transitions.concatenate([steps, blind])
    with pytest.raises(ValueError, match="all have a group"):
        Transitions.concatenate([steps, ungrouped])
    with pytest.raises(TypeError, match="Transitions; got dict"):
        Transitions.concatenate([{}])


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"observation": np.zeros((4, 2))}, TypeError, "observation must be a dict"),
        ({"observation": {}}, ValueError, "at least one modality"),
        ({"next_observation": {"ear": np.zeros((4, 2))}}, ValueError, "must have the modalities of observation"),
        ({"next_observation": {"eye": np.zeros((4, 3))}}, ValueError, r"shape \(4, 3\)"),
        ({"next_observation": {"eye": np.zeros((3, 2))}}, ValueError, "3 steps, action has 4"),
        ({"action": np.zeros((5, 1))}, ValueError, "4 steps, action has 5"),
        ({"action": np.zeros(4)}, ValueError, "integers for discrete actions"),
        ({"action": np.zeros((4, 1, 1))}, ValueError, "integers for discrete actions"),
        ({"action": np.zeros(4, bool)}, TypeError, "got booleans"),
        ({"action": np.array([[0.0], [1.0], [np.nan], [1.0]])}, ValueError, "action must be finite"),
        ({"observation": {"eye": np.full((4, 2), np.inf)}}, ValueError, r"observation\['eye'\] must be finite"),
        ({"observation": {"eye": np.array([["a", "b"]] * 4)}}, TypeError, "real, integer or boolean"),
        (
            {"observation": {"eye": np.zeros((4, 0))}, "next_observation": {"eye": np.zeros((4, 0))}},
            ValueError,
            "value",
        ),
        ({"group": np.arange(3)}, ValueError, "one label per step"),
        ({"group": np.arange(4.0)}, TypeError, "integers or str"),
    ],
)
def test_what_does_not_fit_is_refused(changes, error, message):
    eye = {"eye": np.zeros((4, 2))}
    with pytest.raises(error, match=message):
        Transitions(**({"observation": eye, "action": np.zeros((4, 1)), "next_observation": eye} | changes))


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="at least one value"):
        Transitions({"eye": np.zeros((0, 2))}, np.zeros((0, 1)), {"eye": np.zeros((0, 2))})
    with pytest.raises(ValueError, match="at least one value"):
        some_steps()[:0]


def test_an_index_of_the_wrong_kind_is_refused():
    with pytest.raises(TypeError, match="slice"):
        some_steps()[2]
    with pytest.raises(IndexError, match="3 entries for 6 steps"):
        some_steps()[np.ones(3, bool)]


# --- acting in an environment --------------------------------------------------------------------------------------


def environments():
    def vector(mode):
        return SyncVectorEnv([lambda i=i: Counter(100 * i) for i in range(3)], autoreset_mode=mode)

    return {"single": lambda: Counter(reuse=True)} | {
        mode.name: lambda mode=mode: vector(mode) for mode in AutoresetMode
    }


@pytest.mark.parametrize("kind", environments())
def test_steps_never_cross_the_end_of_an_episode(kind):
    steps = Transitions.from_env(environments()[kind](), None, 40, seed=0)
    before, after = steps.observation["clock"], steps.next_observation["clock"]
    assert len(steps) == 40
    np.testing.assert_array_equal(before[:, 0], after[:, 0])
    np.testing.assert_array_equal(before[:, 1] + 1, after[:, 1])
    assert set(after[:, 1]) == {1, 2, 3}
    # One label per episode, and all three steps of the finished ones.
    episodes = {label: set(before[steps.group == label, 0]) for label in np.unique(steps.group)}
    assert all(len(numbers) == 1 for numbers in episodes.values())
    assert len(set.union(*episodes.values())) == len(episodes)
    assert sum((steps.group == label).sum() == 3 for label in episodes) >= 10


@pytest.mark.parametrize("kind", environments())
def test_labels_come_from_the_info_of_the_same_episode(kind):
    steps = Transitions.from_env(environments()[kind](), None, 20, seed=0, group="object")
    assert steps.group.tolist() == [f"thing-{episode}" for episode in steps.observation["clock"][:, 0]]


@pytest.mark.parametrize("kind", ["single", "NEXT_STEP"])
def test_a_policy_sees_what_is_recorded(kind):
    seen = []

    def policy(observation, rng):
        clock = observation["clock"]
        seen.append(np.atleast_2d(clock).copy())
        return np.stack([clock[..., 0], rng.random(clock.shape[:-1])], axis=-1)

    steps = Transitions.from_env(environments()[kind](), policy, 12, seed=0)
    np.testing.assert_array_equal(steps.action[:, 0], steps.observation["clock"][:, 0])
    assert {tuple(row) for row in steps.observation["clock"]} <= {tuple(row) for row in np.concatenate(seen)}


def test_a_plain_observation_is_named_observation():
    steps = Transitions.from_env(Counter(as_dict=False), None, 4, seed=0)
    assert list(steps.observation) == ["observation"] and steps.observation["observation"].shape == (4, 2)


@pytest.mark.parametrize("kind", environments())
def test_the_same_seed_gives_the_same_steps(kind):
    first, same, other = (Transitions.from_env(environments()[kind](), None, 15, seed) for seed in (3, 3, 4))
    assert_equal(first, same)
    assert not np.array_equal(first.action, other.action)


def test_discrete_actions_stay_numbers():
    steps = Transitions.from_env(gym.make("CartPole-v1"), None, 30, seed=0)
    assert steps.action.shape == (30,) and steps.action.dtype.kind == "i"
    assert np.isfinite(steps.observation["observation"]).all() and len(np.unique(steps.group)) > 1


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"env": 3}, TypeError, "env must be a gymnasium"),
        ({"policy": "random"}, TypeError, "policy must be None or callable"),
        ({"n": 0}, ValueError, "n must be at least 1"),
        ({"n": 2.5}, TypeError, "n must be an integer"),
        ({"seed": None}, TypeError, "seed must be an integer"),
        ({"group": "colour"}, ValueError, r"one of \['object'\]; got 'colour'"),
        ({"policy": lambda observation, rng: "left"}, TypeError, "actions must be numbers"),
    ],
)
def test_from_env_refuses_what_it_cannot_use(arguments, error, message):
    with pytest.raises(error, match=message):
        Transitions.from_env(**({"env": Counter(), "policy": None, "n": 4, "seed": 0} | arguments))


def test_ragged_lists_are_named():
    with pytest.raises(ValueError, match=r"observation\['eye'\] must have as many values in every row"):
        Transitions({"eye": [[0.0], [1.0, 2.0]]}, np.array([0, 1]), {"eye": np.zeros((2, 1))})
    with pytest.raises(ValueError, match="action must have as many values in every row"):
        Transitions({"eye": np.zeros((2, 1))}, [[0], [1, 2]], {"eye": np.zeros((2, 1))})
