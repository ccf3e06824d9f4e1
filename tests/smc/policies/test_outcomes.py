import numpy as np
import pytest
from scipy.stats import entropy, norm

from smc.policies import AmbiguousOutcome, outcome_information


def test_far_apart_all_that_the_scores_leave_open_and_at_one_place_nothing():
    scores = np.array([[0.2, 0.5, 1.3], [1.0, 0.0, 0.0]])
    apart = 10.0 * np.arange(3)[:, None] * np.ones((2, 1, 2))
    assert outcome_information(apart, scores, 0.1) == pytest.approx(entropy(scores, axis=1))
    assert outcome_information(np.ones((2, 3, 2)), scores, 0.1) == pytest.approx(0, abs=1e-12)


def test_between_the_bounds_that_integration_gives():
    """A lower bound of the mutual information, close to it where the hypotheses are far apart or at one place."""
    rng, grid = np.random.default_rng(0), np.linspace(-15, 15, 20001)
    for spread in (0.3, 1.0, 3.0, 30.0):
        places, scores = rng.uniform(-1, 1, 4) * min(spread, 10), rng.random(4)
        mass = scores / scores.sum()
        parts = norm.pdf(grid, places[:, None], 0.5)
        mixture = np.maximum(mass @ parts, 1e-300)
        ratio = np.log(np.maximum(parts, 1e-300) / mixture)
        truth = (mass @ (parts * ratio)).sum() * (grid[1] - grid[0])
        found = outcome_information(places[:, None], scores, 0.5)
        assert 0.5 * truth < found <= truth + 1e-9


def test_policy_takes_the_action_where_outcomes_differ():
    rng = np.random.default_rng(1)
    best = np.array([2, 0, 1])

    def predict(observation):
        hypotheses = np.zeros((3, 3, 2, 1))
        hypotheses[np.arange(3), observation["best"], 1] = 1.0
        return hypotheses, np.tile([0.4, 0.6], (3, 3, 1))

    policy = AmbiguousOutcome(predict, 3, resolution=0.1)
    assert policy({"best": best}, rng).tolist() == best.tolist()
    allowed = np.ones((3, 3), bool)
    allowed[np.arange(3), best] = False
    chosen = policy({"best": best}, rng, allowed)
    assert (chosen != best).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.zeros((2, 1)), [0.0, 0.0], 1.0), "all be zero"),
        ((np.zeros((2, 1)), [0.5, -0.5], 1.0), "at least 0"),
        ((np.zeros((2, 1)), [0.5], 1.0), r"scores must have shape \(2,\)"),
        ((np.full((2, 1), np.inf), [0.5, 0.5], 1.0), "finite"),
        ((np.zeros((2, 1)), [0.5, 0.5], 0.0), "resolution"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        outcome_information(*arguments)


def test_predictions_that_do_not_fit_the_actions():
    policy = AmbiguousOutcome(lambda observation: (np.zeros((2, 3, 2, 1)), np.ones((2, 3, 2))), 4, resolution=1.0)
    with pytest.raises(ValueError, match=r"predict must give scores \(2, 4, 'K'\)"):
        policy(np.zeros((2, 1)), np.random.default_rng(0))
    with pytest.raises(TypeError, match="predict must be callable"):
        AmbiguousOutcome(None, 4, resolution=1.0)
