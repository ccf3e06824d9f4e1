import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from smc import ContingencyModel, Transitions
from smc.policies import InformationGain, LearningProgress, Novelty, RandomPolicy, ValuePolicy, YokedReplay

rng = np.random.default_rng


class Levers(gym.Env):
    """Three levers: one always shows 1, one shows noise, one does nothing. Ends after 4 steps."""

    def __init__(self):
        self.observation_space = gym.spaces.Dict({"light": gym.spaces.MultiDiscrete([10])})
        self.action_space = gym.spaces.Discrete(3)
        self.count = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return {"light": np.array([0])}, {}

    def step(self, action):
        self.count += 1
        light = {0: 1, 1: self.np_random.integers(2, 10), 2: 0}[int(action)]
        return {"light": np.array([light])}, 0.0, self.count == 4, False, {}


class Preferring(ValuePolicy):
    def __init__(self, values):
        super().__init__(len(values))
        self.preferred = np.asarray(values, float)

    def values(self, observation, rng):
        return np.tile(self.preferred, (len(observation), 1))


# --- choosing ------------------------------------------------------------------------------------------------------


def test_the_most_valued_allowed_action_is_done():
    policy = Preferring([1, 3, 2, -np.inf])
    allowed = np.array([[True] * 4, [True, False, True, True], [False, False, False, True]])
    np.testing.assert_array_equal(policy(np.zeros(3), rng(0), allowed), [1, 2, 3])


@pytest.mark.parametrize("policy", [Preferring([5, 5, 0]), RandomPolicy(2)])
def test_of_equals_any_is_done_equally_often(policy):
    share = np.bincount(policy(np.zeros(4000), rng(0)), minlength=policy.n_actions) / 4000
    np.testing.assert_allclose(share[:2], 0.5, atol=0.03)


def test_the_same_generator_gives_the_same_actions():
    first, same, other = (RandomPolicy(9)(np.zeros(50), rng(seed)) for seed in (1, 1, 2))
    assert (first == same).all() and (first != other).any()


@pytest.mark.parametrize(
    "allowed, message",
    [
        (np.ones((2, 2), bool), r"shape \(2, 3\); got bool \(2, 2\)"),
        (np.ones((2, 3), int), "got int64"),
        (np.array([[True] * 3, [False] * 3]), "agent 1 has none"),
    ],
)
def test_what_is_not_to_be_chosen_from_is_refused(allowed, message):
    with pytest.raises(ValueError, match=message):
        Preferring([1, 2, 3])(np.zeros(2), rng(0), allowed)


# --- replay --------------------------------------------------------------------------------------------------------


def test_replay_does_what_was_done():
    recorded = rng(0).integers(3, size=(5, 2))
    policy = YokedReplay(recorded)
    np.testing.assert_array_equal([policy(None, None) for _ in range(5)], recorded)
    with pytest.raises(ValueError, match="5 steps are over"):
        policy(None, None)
    policy.reset()
    np.testing.assert_array_equal(policy(None, None), recorded[0])


def test_replay_goes_round_if_asked():
    policy = YokedReplay(np.arange(3)[:, None], repeat=True)
    assert [int(policy(None, None)[0]) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_replay_refuses_an_action_that_is_not_allowed():
    policy = YokedReplay([[1, 0]])
    with pytest.raises(ValueError, match="excludes a recorded action of step 0"):
        policy(None, None, np.array([[True, False], [True, True]]))
    np.testing.assert_array_equal(policy(None, None, np.ones((2, 2), bool)), [1, 0])


def test_replay_serves_the_recorded_agents_and_actions_alone():
    policy = YokedReplay([[1, 0]])
    with pytest.raises(ValueError, match="observation must be that of the 2 recorded agents; got 5"):
        policy(np.zeros((5, 1)), None)
    with pytest.raises(ValueError, match=r"allowed has 1 actions; the recorded ones are 0..1"):
        policy(None, None, np.ones((2, 1), bool))
    with pytest.raises(ValueError, match=r"allowed must have shape \(2, n_actions\); got \(5, 2\)"):
        policy(None, None, np.ones((5, 2), bool))
    with pytest.raises(ValueError, match="the recorded ones are vectors"):
        YokedReplay([[0.5, 1.0]])(None, None, np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="action must be finite"):
        YokedReplay([[np.nan, 1.0]])
    assert policy(np.zeros((2, 1)), None).tolist() == [1, 0]  # nothing refused was done


@pytest.mark.parametrize("action", [np.zeros(3, int), np.zeros((0, 2), int), [["left"]]])
def test_replay_refuses_what_are_no_records(action):
    with pytest.raises(ValueError, match="action must hold numbers of shape"):
        YokedReplay(action)


def test_a_twin_lives_the_same_life():
    env = SyncVectorEnv([Levers for _ in range(3)], autoreset_mode=AutoresetMode.SAME_STEP)
    lived = Transitions.from_env(env, RandomPolicy(3), 30, seed=0)
    twin = Transitions.from_env(env, YokedReplay(lived.action.reshape(-1, 3)), 30, seed=0)
    np.testing.assert_array_equal(twin.action, lived.action)
    np.testing.assert_array_equal(twin.next_observation["light"], lived.next_observation["light"])


# --- curiosity -----------------------------------------------------------------------------------------------------


def explore(policy, n_steps, n=1, seed=0):
    """Shares of the three levers: known, noise, and a code that takes time to learn (one of six lights by place)."""
    random, done = rng(seed), []
    for step in range(n_steps):
        place = np.full((n, 1), step % 6)
        action = policy(place, random)
        outcome = np.choose(action[:, None], [place, random.integers(20, 60, (n, 1)), (place * 5 + 1) % 7])
        policy.learn(place, action, outcome)
        done.append(action)
    return np.array(done)


def test_novelty_does_everything_equally_often():
    done = explore(Novelty(3), 6 * 30)
    for place in range(6):
        np.testing.assert_array_equal(np.bincount(done[place::6, 0], minlength=3), 10)


def test_novelty_counts_what_all_agents_did():
    policy = Novelty(3)
    policy.learn(np.zeros((4, 1), int), np.array([0, 0, 1, 1]), None)
    policy.learn(np.full((100, 1), 7), np.arange(100) % 2, None)
    np.testing.assert_array_equal(
        policy.values(np.array([[0], [7], [3]]), None), -np.array([[2, 2, 0], [50, 50, 0], [0] * 3])
    )


def test_information_gain_is_that_of_the_model():
    model = ContingencyModel(target="next").update([0, 0, 1], [0, 1, 1], [1, 0, 0])
    values = InformationGain(model, 3).values(np.array([0, 1]), None)
    expected = [[model.information_gain(x, a) for a in range(3)] for x in (0, 1)]
    np.testing.assert_allclose(values, expected)
    assert values[0, 2] > values[0, 1] > 0


def test_information_gain_lets_its_model_count():
    policy = InformationGain(ContingencyModel(), 3)
    assert (policy.values(np.zeros((2, 1), int), None) == 0).all()
    explore(policy, 20, n=3)
    assert policy.model.n_steps_ == 60


def test_progress_leaves_both_the_known_and_the_unknowable():
    policy = LearningProgress(ContingencyModel(target="next"), 3, exploration=0.0)
    fast, slow = policy._means
    policy.learn(np.zeros((3, 1), int), np.arange(3), np.zeros((3, 1), int))
    fast.flat[:3], slow.flat[:3] = [0.1, 4.0, 1.0], [0.1, 4.0, 2.0]
    np.testing.assert_allclose(policy.values(np.array([[0]]), rng(0)), [[0, 0, 1]])


def test_progress_follows_the_surprise_of_each_action():
    policy = LearningProgress(ContingencyModel(target="next"), 2, fast=0.5, slow=0.25)
    lights = np.array([3, 3, 8, 3])
    expected, model = None, ContingencyModel(target="next")
    for light in lights:
        surprise = model.surprise([0], [1], [light])[0] if expected else 0.0
        expected = (
            (surprise, surprise)
            if not expected
            else tuple(mean + rate * (surprise - mean) for mean, rate in zip(expected, (0.5, 0.25)))
        )
        model.update([0], [1], [light])
        policy.learn(np.array([0]), np.array([1]), np.array([light]))
    values = LearningProgress.values(policy, np.array([0]), rng(0))
    assert [mean.of(np.array([0]))[0, 1] for mean in policy._means] == pytest.approx(expected)
    assert values[0, 0] == np.inf


def test_a_batch_is_one_average_over_its_agents():
    together, apart = (LearningProgress(ContingencyModel(), 2, fast=0.5, slow=0.1) for _ in range(2))
    for policy in (together, apart):
        policy.learn(np.array([0]), np.array([0]), np.array([1]))
    together.learn(np.array([0, 0]), np.array([0, 0]), np.array([1, 1]))
    surprise = apart.model.surprise([0], [0], [1])[0]
    assert together._means[0].of(np.array([0]))[0, 0] == pytest.approx(0.75 * surprise)


def test_curious_policies_explore_in_order_to_learn():
    """Progress leaves noise alone, which is told from rules only by counting for long."""
    shares = {}
    for name, policy in {
        "gain": InformationGain(ContingencyModel(target="next"), 3),
        "progress": LearningProgress(ContingencyModel(target="next"), 3),
    }.items():
        done = explore(policy, 400, n=2)
        shares[name] = np.bincount(done.ravel(), minlength=3) / done.size
    # Noise of 40 kinds takes long to be known as such, yet it never gets more predictable.
    assert shares["progress"][1] < 0.1 and shares["gain"][1] > 0.5


def test_policies_learn_while_they_act():
    env = SyncVectorEnv([Levers for _ in range(2)], autoreset_mode=AutoresetMode.NEXT_STEP)
    policy = InformationGain(ContingencyModel(target="next", modality="light"), 3)
    steps = Transitions.from_env(env, policy, 40, seed=0)
    assert policy.model.n_steps_ == 40
    again = ContingencyModel(target="next").fit(steps)
    np.testing.assert_allclose(
        again.predict_proba(np.array([[0]]), np.array([1])), policy.model.predict_proba(np.array([[0]]), np.array([1]))
    )


# --- bad input -----------------------------------------------------------------------------------------------------


def test_bad_parameters_are_refused():
    for make, error, message in [
        (lambda: RandomPolicy(0), ValueError, "n_actions must be at least 1"),
        (lambda: RandomPolicy(2.0), TypeError, "n_actions must be an integer"),
        (lambda: InformationGain(None, 2), TypeError, "model must be a ContingencyModel; got NoneType"),
        (lambda: InformationGain(ContingencyModel(2), 2), ValueError, "order 0 or 1, for policies see no history"),
        (
            lambda: LearningProgress(ContingencyModel(), 2, exploration=2),
            ValueError,
            r"exploration must be in \[0, 1\]",
        ),
        (lambda: LearningProgress(ContingencyModel(), 2, fast=0.1), ValueError, "fast must be greater than slow"),
    ]:
        with pytest.raises(error, match=message):
            make()


def test_bad_observations_are_refused():
    policy = Novelty(2, modality="eye")
    with pytest.raises(ValueError, match=r"modality must be one of \['ear', 'nose'\]; got 'eye'"):
        policy({"ear": np.zeros(2, int), "nose": np.zeros(2, int)}, rng(0))
    with pytest.raises(TypeError, match="whole numbers; got float64"):
        policy(np.zeros((2, 1)), rng(0))
    with pytest.raises(ValueError, match="one row per agent"):
        policy(np.int64(3), rng(0))
    with pytest.raises(ValueError, match=r"action must be in 0..1; got 0..2"):
        policy.learn(np.zeros((2, 1), int), np.array([0, 2]), None)
    with pytest.raises(ValueError, match=r"action must be \(2,\) integers, one per agent; got shape \(3,\)"):
        policy.learn(np.zeros((2, 1), int), np.array([0, 1, 1]), None)
    gain = InformationGain(ContingencyModel(), 2)
    with pytest.raises(ValueError, match=r"action must be in 0\.\.1; got 7\.\.7"):
        gain.learn(np.zeros((1, 1), int), np.array([7]), np.zeros((1, 1), int))
    assert not hasattr(gain.model, "_tree")
