"""Hypotheses that another sense weighs, against sums over a grid of possible outcomes."""

import numpy as np
import pytest

pytest.importorskip("torch")

from scipy.stats import norm

from fusion import CausalInference, fuse_gaussians
from smc.hypotheses import assign_cause, fuse_hypotheses

GRID = np.linspace(-12, 12, 6001)


def example(seed, n=3, n_hypotheses=4):
    rng = np.random.default_rng(seed)
    return {
        "hypotheses": rng.normal(0, 2, (n, n_hypotheses)),
        "scores": rng.random((n, n_hypotheses)),
        "precision": rng.uniform(0.5, 4, (n, n_hypotheses)),
        "cue": rng.normal(0, 2, n),
        "cue_precision": rng.uniform(0.5, 4, n),
    }


def density(mean, precision):
    return norm.pdf(GRID, mean, precision**-0.5)


def in_one_dimension(data):
    return [data["hypotheses"][..., None], data["scores"], data["precision"][..., None],
            data["cue"][:, None], data["cue_precision"][:, None]]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_fused_hypotheses_are_the_posterior_of_the_mixture(seed):
    data = example(seed)
    fused = fuse_hypotheses(*in_one_dimension(data))
    for i, (places, scores, trust, cue, cue_trust) in enumerate(zip(*data.values())):
        parts = np.array([density(f, p) * density(cue, cue_trust) for f, p in zip(places, trust)])
        evidence = parts.sum(axis=1)
        expected = scores * evidence / (scores * evidence).sum()
        assert fused.weights[i] == pytest.approx(expected, abs=1e-9)
        means = (parts * GRID).sum(axis=1) / evidence
        assert fused.means[i, :, 0] == pytest.approx(means, abs=1e-9)
        variances = (parts * (GRID - means[:, None]) ** 2).sum(axis=1) / evidence
        assert 1 / fused.precisions[i, :, 0] == pytest.approx(variances, abs=1e-9)


def test_dimensions_multiply():
    first, second = example(5), example(6)
    second["scores"] = np.ones_like(second["scores"])
    apart = [fuse_hypotheses(*in_one_dimension(data)).weights for data in (first, second)]
    both = [np.concatenate(pair, axis=-1) for pair in zip(in_one_dimension(first), in_one_dimension(second))]
    both[1] = first["scores"]
    product = apart[0] * apart[1]
    assert np.allclose(fuse_hypotheses(*both).weights, product / product.sum(axis=1, keepdims=True))


def test_no_cue_leaves_hypotheses_and_scores():
    data = example(7)
    hypotheses, scores, precision, cue, _ = in_one_dimension(data)
    fused = fuse_hypotheses(hypotheses, scores, precision, cue, 0.0)
    assert np.allclose(fused.weights, scores / scores.sum(axis=1, keepdims=True))
    assert np.array_equal(fused.means, hypotheses) and np.array_equal(fused.precisions, precision)


def test_far_cues_still_weigh():
    fused = fuse_hypotheses([[[0.0], [1.0]]], [[1.0, 0.0]], 1.0, [[1e4]], 1.0)
    assert fused.weights.tolist() == [[1.0, 0.0]]
    fused = fuse_hypotheses([[[0.0], [1.0]]], [[1.0, 1e-300]], 1.0, [[1e4]], 1.0)
    assert fused.weights[0, 1] == pytest.approx(1.0)


OBSERVER = {"p_common": 0.7, "prior_mean": 0.5, "prior_sigma": 2.5}


@pytest.mark.parametrize("seed", range(3))
def test_causes_by_summing_over_what_may_have_been(seed):
    data = example(seed)
    found = assign_cause(CausalInference(**OBSERVER), **data)
    prior = norm.pdf(GRID, OBSERVER["prior_mean"], OBSERVER["prior_sigma"])
    step = GRID[1] - GRID[0]
    for i, (places, scores, trust, cue, cue_trust) in enumerate(zip(*data.values())):
        sound = np.array([density(f, p) for f, p in zip(places, trust)])
        sight = density(cue, cue_trust)
        apart = (sound * prior).sum(axis=1) * step * (sight * prior).sum() * step
        together = (sound * sight * prior).sum(axis=1) * step
        # Every sound is explained in every assignment; only what the sight adds to each differs.
        likelihood = np.append(together / apart, 1.0)
        weights = np.append(0.7 * scores / scores.sum(), 0.3) * likelihood
        assert found.posterior[i] == pytest.approx(weights / weights.sum(), abs=1e-9)
        means = [(s * sight * prior * GRID).sum() / (s * sight * prior).sum() for s in [*sound, np.ones(len(GRID))]]
        assert found.means[i] == pytest.approx(means, abs=1e-9)
        assert found.precisions[i, -1] == pytest.approx(cue_trust + OBSERVER["prior_sigma"] ** -2)


def test_one_hypothesis_is_the_usual_observer():
    data = example(1, n=20, n_hypotheses=1)
    stimuli = np.column_stack([data["hypotheses"], data["cue"]])
    trust = np.column_stack([data["precision"], data["cue_precision"]])
    for scale in (1.0, 0.4):
        observer = CausalInference(**OBSERVER, precision_scale=scale)
        found = assign_cause(observer, **data)
        assert np.allclose(found.posterior[:, 0], observer.common_cause_proba(stimuli, precision=trust))
        averaged = (found.posterior * found.means).sum(axis=1)
        assert np.allclose(averaged, observer.predict(stimuli, precision=trust)[:, 1])


def test_split_hypotheses_count_as_one():
    data = example(2, n_hypotheses=1)
    whole = assign_cause(CausalInference(**OBSERVER), **data)
    halves = {name: np.repeat(data[name], 2, axis=1) for name in ("hypotheses", "scores", "precision")}
    split = assign_cause(CausalInference(**OBSERVER), **data | halves)
    assert np.allclose(split.posterior[:, -1], whole.posterior[:, -1])
    assert np.allclose(split.posterior[:, :2].sum(axis=1), whole.posterior[:, 0])


def test_means_are_those_of_fuse_gaussians():
    data = example(3)
    found = assign_cause(CausalInference(**OBSERVER), **data)
    mean, precision = fuse_gaussians(
        [data["hypotheses"][1, 2], data["cue"][1]],
        [data["precision"][1, 2], data["cue_precision"][1]],
        (0.5, 2.5**-2),
    )
    assert (found.means[1, 2], found.precisions[1, 2]) == pytest.approx((mean, precision))


def test_cues_together_share_no_hypothesis():
    """Against all assignments written out, from the posteriors one by one."""
    data, rng = example(4, n=3, n_hypotheses=3), np.random.default_rng(4)
    cues, trust = rng.normal(0, 2, (3, 2)), rng.uniform(0.5, 4, (3, 2))
    observer = CausalInference(**OBSERVER)
    together = assign_cause(observer, **data | {"cue": cues, "cue_precision": trust})
    one, two = (assign_cause(observer, **data | {"cue": cues[:, i], "cue_precision": trust[:, i]}) for i in range(2))
    for i in range(3):
        joint = np.outer(one.posterior[i], two.posterior[i])
        joint[range(3), range(3)] = 0
        joint /= joint.sum()
        assert together.posterior[i] == pytest.approx(np.array([joint.sum(axis=1), joint.sum(axis=0)]))
    assert np.array_equal(together.means, np.stack([one.means, two.means], axis=1))
    assert np.array_equal(together.precisions, np.stack([one.precisions, two.precisions], axis=1))
    alone = assign_cause(observer, **data | {"cue": cues[:, :1], "cue_precision": trust[:, :1]})
    assert np.allclose(alone.posterior[:, 0], one.posterior)


def test_two_sights_at_one_sound():
    observer, sounds = CausalInference(**OBSERVER), ([[0.0, 9.0]], [[1.0, 1.0]], 1e4)
    apart = assign_cause(observer, *(np.repeat(np.broadcast_to(s, (1, 2)), 2, axis=0) for s in sounds), [0.0, 0.0], 1e4)
    together = assign_cause(observer, *sounds, [[0.0, 0.0]], 1e4)
    assert apart.posterior[:, 0].sum() > 1.9 and together.posterior[0, :, 0] == pytest.approx([0.5, 0.5], abs=0.01)
    with pytest.raises(ValueError, match="fewer cues per row, got 12 for 2 hypotheses"):
        assign_cause(observer, *sounds, np.zeros((1, 12)), 1.0)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"scores": np.zeros((3, 4))}, "scores must not all be zero"),
        ({"scores": np.ones((3, 3))}, r"scores must have shape \(3, 4\)"),
        ({"precision": 0.0}, "precision must be finite and above 0"),
        ({"precision": np.ones(5)}, "precision must broadcast"),
        ({"cue": np.zeros(4)}, "cue must have"),
        ({"cue": np.full(3, np.nan)}, "cue must be finite"),
        ({"cue_precision": -1.0}, "cue_precision must be finite"),
        ({"hypotheses": np.zeros(4)}, "hypotheses must have 2 dimensions"),
        ({"observer": CausalInference("forced_fusion")}, "observer must have one of the strategies"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        assign_cause(**{"observer": CausalInference(**OBSERVER)} | example(0) | change)


def test_observers_of_another_kind():
    with pytest.raises(TypeError, match="observer must be a CausalInference"):
        assign_cause("averaging", **example(0))
    stimuli = np.random.default_rng(0).normal(size=(60, 2))
    fitted = CausalInference(prior_mean=0.0, prior_sigma=2.0, n_starts=1).fit(stimuli, 0.8 * stimuli)
    with pytest.raises(ValueError, match="fitted with precisions"):
        assign_cause(fitted, **example(0))
