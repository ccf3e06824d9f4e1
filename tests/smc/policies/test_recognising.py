import numpy as np
import pytest
from scipy.stats import entropy

from smc.policies import FixedSweep, Looks, PlaceNovelty, PractisedGain, RecognitionGain


def probabilities(*shape, seed=0):
    p = np.random.default_rng(seed).random(shape)
    return p / p.sum(-1, keepdims=True)


def looks(path=((0,),), evidence=None, total=((0.0, 0.0),)):
    return Looks(np.asarray(path), evidence, np.asarray(total))


def test_a_sweep_goes_around_and_then_to_the_next_lane():
    places = np.array([(x, lane) for lane in (0, 1) for x in (0.0, 1.0, 2.0)])
    policy, path, allowed = FixedSweep(places, period=3.0), [1], np.ones((1, 6), bool)
    for _ in range(5):
        allowed[0, path[-1]] = False
        path.append(int(policy(looks([path]), np.random.default_rng(0), allowed)[0]))
    assert path == [1, 2, 0, 3, 4, 5]


def test_novelty_of_places_is_the_distance_to_the_nearest_visited():
    places = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    np.testing.assert_allclose(PlaceNovelty(places).values(looks([[0, 2]]), None), [[0, np.sqrt(18), 0]])


# --- recognition by likelihoods ------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [None, [0, 1, 1, 0, 2]])
def test_recognition_gain_is_mutual_information(groups):
    likelihood, belief = probabilities(5, 3, 4), probabilities(70, 5, seed=1)
    belief[0] = [0, 0, 1, 0, 0]
    values = RecognitionGain(likelihood, groups=groups).values(looks(total=np.log(np.maximum(belief, 1e-300))), None)
    of = np.arange(5) if groups is None else np.array(groups)
    for agent in (0, 1, 69):
        for place in range(3):
            joint = np.zeros((of.max() + 1, 4))
            np.add.at(joint, of, belief[agent][:, None] * likelihood[:, place])
            expected = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
            assert values[agent, place] == pytest.approx(expected, abs=1e-12)


def test_poses_are_not_worth_telling_apart():
    """One place tells the pose, another the object."""
    pose, thing = np.eye(2)[[0, 1, 0, 1]], np.eye(2)[[0, 0, 1, 1]] * 0.6 + 0.2
    likelihood, undecided = np.stack([pose, thing], axis=1), looks(total=np.zeros((1, 4)))
    assert RecognitionGain(likelihood).values(undecided, None).argmax() == 0
    assert RecognitionGain(likelihood, groups=[0, 0, 1, 1]).values(undecided, None).argmax() == 1


@pytest.mark.parametrize(
    "likelihood, groups, message",
    [
        (np.ones((2, 2)), None, r"\(n_hypotheses, n_actions, n_outcomes\); got \(2, 2\)"),
        (np.ones((2, 2, 2)), None, "sum to 1"),
        (np.array([[[-1.0, 2.0]]]), None, "sum to 1"),
        (np.full((2, 2, 2), 0.5), [0], r"groups must be \(2,\) numbers"),
        (np.full((2, 2, 2), 0.5), [-1, 0], r"groups must be \(2,\) numbers"),
    ],
)
def test_bad_likelihoods_are_refused(likelihood, groups, message):
    with pytest.raises(ValueError, match=message):
        RecognitionGain(likelihood, groups=groups)


# --- recognition by practice ---------------------------------------------------------------------------------------


def test_the_most_telling_place_is_the_one_that_told_in_practice():
    dull, telling = [0.5, 0.5], [[0.99, 0.01], [0.01, 0.99]]
    practised = np.array([[dull, telling[c], dull] for c in (0, 1)])
    undecided = looks(evidence=np.log(np.full((1, 1, 2), 0.5)), total=np.log([[0.5, 0.5]]))
    gain = PractisedGain(np.log(practised), [0, 1]).values(undecided, None)
    np.testing.assert_allclose(gain - gain[0, 0], [[0, np.log(0.99 / 0.5), 0]], atol=1e-6)
    confidently_wrong = np.log(practised[:, :, ::-1])
    assert PractisedGain(confidently_wrong, [0, 1]).values(undecided, None).argmin() == 1


def test_practised_gain_is_that_of_a_blackboard():
    evidence, remembered, label = probabilities(4, 3, 5), probabilities(6, 3, 5, seed=1), np.arange(6) % 5
    objects, path = np.array([2, 0, 3]), np.array([[1, 2], [0, 1], [2, 2]])
    total = np.log(probabilities(3, 5, seed=2))
    expected = np.zeros((3, 3))
    for trial, (o, visited) in enumerate(zip(objects, path, strict=True)):
        alike = [np.prod([np.sqrt(evidence[o, v] * remembered[m, v]).sum() for v in visited]) for m in range(6)]
        for place in range(3):
            for m in range(6):
                after = np.exp(total[trial]) * remembered[m, place]
                expected[trial, place] += alike[m] / sum(alike) * np.log(after[label[m]] / after.sum())
    policy = PractisedGain(np.log(remembered), label)
    seen = np.log(evidence[objects[:, None], path])
    np.testing.assert_allclose(policy.values(Looks(path, seen, total), None), expected)


def test_what_does_not_fit_is_refused():
    for make, message in [
        (lambda: PractisedGain(np.zeros((2, 3)), [0, 1]), r"\(n_examples, n_actions, n_hypotheses\)"),
        (lambda: PractisedGain(np.zeros((2, 3, 2)), [0.0, 1.0]), "float64"),
        (lambda: FixedSweep(np.zeros((3, 3))), r"places must have shape \(n_actions, 2\); got \(3, 3\)"),
        (lambda: FixedSweep(np.zeros((3, 2))), "places that differ along the sweep"),
        (lambda: PlaceNovelty([[np.nan]]), "places must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_beliefs_that_are_none_are_refused():
    policy = RecognitionGain(np.full((3, 2, 4), 0.25))
    for total, message in [
        (np.array([[0.0, np.nan, 0.0]]), "NaN or infinity"),
        (np.array([[0.0, np.inf, 0.0]]), "NaN or infinity"),
        (np.full((1, 3), -np.inf), "each agent a finite one"),
        (np.zeros((2, 5)), r"total must have shape \(n, 3\), n agents; got \(2, 5\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            policy.values(Looks(None, None, total), None)
    assert policy.values(Looks(None, None, np.array([[0.0, -np.inf, 0.0]])), None).shape == (1, 2)
    assert policy.values(Looks(None, None, np.empty((0, 3))), None).shape == (0, 2)
