"""The arithmetic of curious recognition; its whole course is run by the smoke test of all experiments."""

import numpy as np
import pytest

from experiments.curious_recognition import POLICIES, actions_needed, lasting, verdict
from experiments.curious_recognition._agent import Body, OracleNextView, learn, look_around, policies, turned
from smc.policies import Looks


def test_actions_needed_lie_where_accuracy_stays_above_the_criterion():
    curves = np.array([[0.0, 0.5, 1.0, 1.0], [0.0, 1.0, 0.5, 1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.5]])
    right = (np.arange(10)[None, :, None] < np.round(10 * curves)[:, None]).astype(bool)
    np.testing.assert_allclose(actions_needed(right, 0.75), [2.5, 3.5, 1.0, 5.0])
    np.testing.assert_allclose(actions_needed(right, 0.5), [2.0, 1.5, 1.0, 1.0])


def test_a_lasting_answer_is_right_to_the_end():
    right = np.array([[[0, 1, 1], [1, 0, 1], [1, 1, 1], [1, 1, 0]]], bool)
    assert lasting(right).tolist() == [[2, 3, 1, 4]]


def test_sensors_move_step_by_step_and_views_close_a_ring():
    body = Body(4, 3)
    reach = body.reach.reshape(4, 3, 3, 2, 4, 3, 3, 2)
    assert body.reach.sum(axis=1)[0] == 3 * 2 * 2 * 2  # a corner: three views, four places, two senses
    assert reach[0, 1, 1, 0, 3, 2, 2, 1] and not reach[0, 1, 1, 0, 2, 1, 1, 0] and not reach[0, 0, 0, 0, 0, 2, 0, 0]
    assert (body.reach == body.reach.T).all()


@pytest.mark.parametrize("n_views, grid", [(4, 3), (6, 4)])
def test_a_sweep_visits_everything_in_steps_within_reach(n_views, grid):
    body = Body(n_views, grid)
    path = np.argsort(body.order)
    assert sorted(path) == list(range(len(body.reach)))
    assert body.reach[path[:-1], path[1:]].all()


def test_what_is_felt_first_may_be_any_view():
    likelihood = np.arange(2 * 6 * 1.0).reshape(2, 6, 1)  # two objects, three views of two places
    of = turned(likelihood, 3).reshape(2, 3, 6)
    np.testing.assert_array_equal(of[1], [[6, 7, 8, 9, 10, 11], [8, 9, 10, 11, 6, 7], [10, 11, 6, 7, 8, 9]])


def test_learning_counts_what_each_action_brings():
    codes = np.random.default_rng(0).integers(3, size=(2, 400, 4)) // 2
    codes[1, :, 2] = 4
    learned = learn(codes, 5)
    assert learned.shape == (2, 4, 5)
    np.testing.assert_allclose(learned.sum(axis=-1), 1.0, atol=1e-6)
    np.testing.assert_allclose(learned[0, :, :2], [[2 / 3, 1 / 3]] * 4, atol=0.08)
    assert learned[1, 2, 4] > 0.99 and learned[0, 0, 3] < 1e-6
    shuffled = learn(codes, 5, np.random.default_rng(0))
    np.testing.assert_allclose(shuffled[1, :, 4], 0.25, atol=0.1)


def world(n_objects=5, n_views=3, grid=2, n_codes=3, seed=0):
    rng = np.random.default_rng(seed)
    body = Body(n_views, grid)
    likelihood = turned(rng.dirichlet(np.full(n_codes, 0.3), size=(n_objects, len(body.reach))), n_views)
    truth = np.repeat(np.arange(n_objects), 40)
    of = truth * n_views + rng.integers(n_views, size=len(truth))
    draws = rng.random((len(truth), len(body.reach), 1))
    codes = (draws > likelihood[of].cumsum(axis=-1)).sum(axis=-1).clip(max=n_codes - 1)
    return body, likelihood, codes, truth


def test_belief_is_that_of_bayes_and_no_action_is_done_twice():
    body, likelihood, codes, _ = world()
    done = []

    def policy(looks, rng, allowed):
        done.append(looks.path)
        assert not np.take_along_axis(allowed, looks.path, axis=1).any() and allowed.any(axis=1).all()
        return allowed.argmax(axis=1)

    belief, alone = look_around(policy, body, np.log(likelihood), codes, np.zeros(200, int), 20, None)
    path = done[-1][:, :5]
    of_path = likelihood[:, path, np.take_along_axis(codes, path, axis=1)].prod(axis=-1).T
    expected = of_path.reshape(200, 5, 3).sum(axis=-1)
    np.testing.assert_allclose(belief[:, 4], expected / expected.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(alone[:, 0], belief[:, 0])


def test_policies_rank_as_what_they_know():
    body, likelihood, codes, truth = world()
    shuffled = np.repeat(likelihood.mean(axis=1, keepdims=True), len(body.reach), axis=1)
    accuracy = {}
    for name, policy in policies(body, likelihood, shuffled, codes, truth).items():
        rng = np.random.default_rng(1)
        belief, _ = look_around(policy, body, np.log(likelihood), codes, np.zeros(200, int), 5, rng)
        accuracy[name] = (belief.argmax(axis=-1) == truth[:, None]).mean()
    assert accuracy["oracle next view"] > accuracy["information gain"] > accuracy["random"] + 0.02
    assert accuracy["information gain"] > max(
        accuracy["shuffled actions"], accuracy["novelty"], accuracy["fixed sweep"]
    )


def test_the_oracle_knows_what_each_action_will_leave_of_belief_in_the_truth():
    _, likelihood, codes, truth = world()
    total = np.log(np.random.default_rng(2).random((200, 15)))
    values = OracleNextView(np.log(likelihood), codes, truth, 3).values(Looks(None, None, total), None)
    after = np.exp(total[7]) * likelihood[:, 4, codes[7, 4]]
    assert values[7, 4] == pytest.approx(after.reshape(5, 3)[truth[7]].sum() / after.sum())


def test_verdict_on_recognition():
    def results(alone=0.4, **changes):
        needed = dict.fromkeys(POLICIES, 20) | {"information gain": 5, "random": 15, "oracle next view": 2}
        needed |= {name.replace("_", " "): n for name, n in changes.items()}
        made = {f"right_{name}": np.tile(np.arange(1, 31) >= n, (5, 10, 1)) for name, n in needed.items()}
        made["memoryless_information gain"] = np.tile(np.arange(30) < 30 * alone, (5, 10, 1))
        return made | {"object": np.tile(np.arange(10), (5, 1)), "noises": np.full((5, 1), 0.1)}

    assert verdict(results()).status == "PASS"
    for changes in (
        {"information_gain": 12},
        {"novelty": 4},
        {"fixed_sweep": 4},
        {"shuffled_actions": 5},
        {"alone": 0.95},
    ):
        assert verdict(results(**changes)).status == "FAIL"
