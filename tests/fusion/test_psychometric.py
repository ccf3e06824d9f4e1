import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fusion import Psychometric, localise, two_interval_choice

X = np.linspace(-6, 6, 9)


def answers(pse, threshold, lapse, n, seed=0):
    p = lapse / 2 + (1 - lapse) * norm.cdf(X, pse, threshold)
    return np.random.default_rng(seed).binomial(n, p)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.floats(-1.5, 1.5), st.floats(0.8, 3), st.floats(0, 0.08))
def test_recovers_exact_shares(pse, threshold, lapse):
    p = lapse / 2 + (1 - lapse) * norm.cdf(X, pse, threshold)
    fit = Psychometric().fit(X, 1000 * p, np.full(9, 1000))
    np.testing.assert_allclose([fit.pse_, fit.threshold_, fit.lapse_], [pse, threshold, lapse], atol=0.02)
    np.testing.assert_allclose(fit.predict_proba(X), p, atol=2e-3)


def test_intervals_cover_the_truth_as_often_as_they_say():
    covered = []
    for seed in range(60):
        fit = Psychometric(lapse=0.0).fit(X, answers(0.5, 2.0, 0.0, 20, seed), np.full(9, 20))
        covered.append([fit.intervals_["pse"][0] < 0.5 < fit.intervals_["pse"][1],
                        fit.intervals_["threshold"][0] < 2.0 < fit.intervals_["threshold"][1]])  # fmt: skip
    assert (np.mean(covered, axis=0) > 0.87).all()


def test_an_interval_ends_where_the_likelihood_ratio_does():
    yes = answers(0.0, 2.0, 0.02, 40)
    fit = Psychometric().fit(X, yes, np.full(9, 40))
    assert set(fit.intervals_) == {"pse", "threshold", "lapse"}

    def least_loss(pse):  # over a grid, the obvious way
        threshold, lapse = np.meshgrid(np.linspace(0.3, 5, 300), np.linspace(1e-9, 0.2, 81), indexing="ij")
        p = lapse / 2 + (1 - lapse) * norm.cdf((X[:, None, None] - pse) / threshold)
        return -(yes[:, None, None] * np.log(p) + (40 - yes)[:, None, None] * np.log1p(-p)).sum(axis=0).max()

    for end in fit.intervals_["pse"]:
        assert least_loss(end) + fit.log_likelihood_ == pytest.approx(3.841 / 2, abs=0.02)


def test_single_trials_equal_counts():
    yes = answers(0.0, 1.5, 0.0, 12)
    x = np.repeat(X, 12)
    each = np.concatenate([np.arange(12) < k for k in yes])
    counted, single = Psychometric().fit(X, yes, np.full(9, 12)), Psychometric().fit(x, each)
    assert counted.threshold_ == pytest.approx(single.threshold_, rel=1e-3)


def test_intervals_can_be_left_out():
    answers = [0.0, 1.0, 2.0, 3.0], [1, 4, 7, 10], [10, 10, 10, 10]
    bare, full = Psychometric(confidence=None).fit(*answers), Psychometric().fit(*answers)
    assert bare.intervals_ == {} and (bare.pse_, bare.threshold_) == (full.pse_, full.threshold_)


def test_unbounded_threshold_interval():
    fit = Psychometric(lapse=0.0).fit([0.0, 1.0, 2.0], [0, 5, 10], [10, 10, 10])
    assert fit.intervals_["threshold"][0] == 0
    assert np.isfinite(fit.intervals_["pse"]).all()


def agent(stimulus, rng):
    """Two cues with noise 1 and 2, averaged with weights .8 and .2."""
    return 0.8 * rng.normal(stimulus[0], 1.0) + 0.2 * rng.normal(stimulus[1], 2.0)


def test_two_intervals_measure_weight_and_threshold():
    """A conflict of 2 shifts the PSE by .2 x 2; the threshold is sqrt(2) times the SD of one estimate."""
    comparisons = [(x, x) for x in np.linspace(-4, 4, 9)]
    chosen = two_interval_choice(agent, (0.0, 2.0), comparisons, 400, random_state=0)
    fit = Psychometric(lapse=0.0).fit([c[0] for c in comparisons], chosen.sum(axis=1), np.full(9, 400))
    assert fit.pse_ == pytest.approx(0.4, abs=0.1)
    assert fit.threshold_ == pytest.approx(np.sqrt(2 * (0.64 + 0.16)), abs=0.1)


def test_localisation_and_seeds():
    places = [(0.0, 0.0), (5.0, 5.0)]
    estimates = localise(agent, places, 500, random_state=1)
    np.testing.assert_allclose(estimates.mean(axis=1), [0, 5], atol=0.2)
    np.testing.assert_array_equal(estimates, localise(agent, places, 500, random_state=1))


def batch(stimuli, rng):
    """Two observers of the same noisy cues, who weigh them .8 to .2 and .2 to .8."""
    cues = rng.normal(stimuli, [1.0, 2.0])
    return np.column_stack([cues @ [0.8, 0.2], cues @ [0.2, 0.8]])


def test_batched_observers_share_the_presentations():
    levels = np.linspace(-4, 4, 9)
    chosen = two_interval_choice(
        batch, (0.0, 2.0), np.column_stack([levels, levels]), 2000, batched=True, random_state=0
    )
    assert chosen.shape == (9, 2000, 2)
    for observer, weights in enumerate([(0.8, 0.2), (0.2, 0.8)]):
        fit = Psychometric(lapse=0.0).fit(levels, chosen[..., observer].sum(axis=1), np.full(9, 2000))
        assert fit.pse_ == pytest.approx(2 * weights[1], abs=0.06)
        assert fit.threshold_ == pytest.approx(np.sqrt(2 * (weights[0] ** 2 + 4 * weights[1] ** 2)), abs=0.06)
    assert np.mean(chosen[..., 0] == chosen[..., 1]) > 0.7  # of independent observers about .6
    places = np.array([[0.0, 0.0], [5.0, 5.0]])
    estimates = localise(batch, places, 500, batched=True, random_state=1)
    assert estimates.shape == (2, 500, 2)
    np.testing.assert_allclose(estimates.mean(axis=1), [[0, 0], [5, 5]], atol=0.3)
    one = localise(lambda stimuli, rng: batch(stimuli, rng)[:, 0], places, 500, batched=True, random_state=1)
    np.testing.assert_array_equal(one, estimates[..., 0])


def test_equal_estimates_are_decided_by_a_coin():
    chosen = two_interval_choice(lambda stimulus, rng: 0.0, 0, [0], 1000, random_state=0)
    assert 0.4 < chosen.mean() < 0.6
    chosen = two_interval_choice(
        lambda stimuli, rng: np.zeros(len(stimuli)), 0, [0], 1000, batched=True, random_state=0
    )
    assert 0.4 < chosen.mean() < 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0, 1, 1]), "same shape"),
        (([0, np.nan], [0, 1]), "finite"),
        (([0, 1], [0, 3], [2, 2]), "between 0 and n"),
        (([1, 1], [0, 1]), "two different"),
        (([0, 1], [1, 1]), "all answers are the same"),
    ],
)
def test_refuses_bad_answers(arguments, message):
    with pytest.raises(ValueError, match=message):
        Psychometric().fit(*arguments)


def test_warns_of_answers_that_fall():
    with pytest.warns(RuntimeWarning, match="does not become more frequent"):
        Psychometric(confidence=None).fit(np.arange(5), [9, 8, 5, 2, 1], [10] * 5)
    Psychometric(confidence=None).fit(np.arange(5), [1, 2, 5, 8, 9], [10, 10, 10, 10, 12])


def test_refuses_bad_agents():
    with pytest.raises(TypeError, match="agent must be a callable"):
        localise(3, [0], 1)
    with pytest.raises(ValueError, match="one finite number"):
        localise(lambda stimulus, rng: np.nan, [0], 1)
    with pytest.raises(ValueError, match="comparisons must be"):
        two_interval_choice(agent, (0, 0), [])
    for bad in (np.nan, [1.0, 2.0], np.zeros((3, 2, 2))):
        with pytest.raises(ValueError, match="one finite number per stimulus"):
            localise(lambda stimuli, rng, bad=bad: bad, [0.0, 1.0, 2.0], 1, batched=True)
    with pytest.raises(ValueError, match="n_trials"):
        localise(agent, [(0, 0)], 0)
    with pytest.raises(ValueError, match="lapse must be in"):
        Psychometric(lapse=1.5).fit(X, X > 0)
