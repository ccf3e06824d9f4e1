import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion._calibration import combine_fisher, held_out_p_values, rank_p_values, sellke_reliability, split_groups


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
    st.lists(st.integers(-1, 8), min_size=1, max_size=5),
)
def test_rank_p_values_match_the_definition(calibration, scores):
    p = rank_p_values(np.array(scores, dtype=float), np.sort(np.array(calibration, dtype=float)))
    slow = [(1 + sum(c >= s for c in calibration)) / (len(calibration) + 1) for s in scores]
    np.testing.assert_allclose(p, slow)


def test_held_out_p_values_leave_the_sample_itself_out():
    scores = np.array([3.0, 1.0, 2.0, 2.0])
    others = [np.sort(np.delete(scores, i)) for i in range(4)]
    slow = [rank_p_values(scores[i : i + 1], others[i])[0] for i in range(4)]
    np.testing.assert_allclose(held_out_p_values(scores), slow)


def test_p_values_of_exchangeable_samples_are_uniform_even_with_dependent_layers():
    rng = np.random.default_rng(0)

    def draw(n):
        shared = rng.normal(size=(n, 1))
        return shared + 0.5 * rng.normal(size=(n, 3))

    calibration, test = draw(4000), draw(4000)
    p = np.column_stack([rank_p_values(test[:, j], np.sort(calibration[:, j])) for j in range(3)])
    held_out = np.column_stack([held_out_p_values(calibration[:, j]) for j in range(3)])
    joint = rank_p_values(combine_fisher(p), np.sort(combine_fisher(held_out)))
    for level in (0.01, 0.05, 0.2, 0.5):
        assert abs((joint <= level).mean() - level) < 5 * np.sqrt(level * (1 - level) / 4000)


def test_one_layer_keeps_its_p_value():
    rng = np.random.default_rng(1)
    calibration, scores = np.sort(rng.normal(size=37)), rng.normal(size=50)
    p = rank_p_values(scores, calibration)
    reference = np.sort(combine_fisher(held_out_p_values(calibration)[:, None]))
    np.testing.assert_array_equal(rank_p_values(combine_fisher(p[:, None]), reference), p)


def test_sellke_reliability_at_known_p_values():
    np.testing.assert_allclose(sellke_reliability([0.1, 0.05, 0.01, 0.001], 0.2), [0.72, 0.62, 0.33, 0.07], atol=0.006)
    np.testing.assert_allclose(sellke_reliability([1 / np.e, 0.5, 1.0], 0.2), 0.8)


@settings(max_examples=30)
@given(st.floats(1e-12, 1), st.floats(1e-12, 1), st.floats(0.01, 0.99))
def test_sellke_reliability_rises_with_p(p, q, prior_degraded):
    low, high = sellke_reliability(np.sort([p, q]), prior_degraded)
    assert 0 <= low <= high <= 1 - prior_degraded + 1e-12


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.floats(0.01, 0.99), st.integers(0, 1000))
def test_groups_are_never_split(groups, fraction, seed):
    groups = np.array(groups)
    rng = np.random.default_rng(seed)
    if len(set(groups)) < 2:
        with pytest.raises(ValueError, match="at least 2 different groups"):
            split_groups(groups, fraction, rng)
        return
    apart = split_groups(groups, fraction, rng)
    assert apart.any() and not apart.all()
    assert not set(groups[apart]) & set(groups[~apart])
