import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments._verdict import Interval, Verdict, paired_bootstrap, seed_note


def slow_bootstrap(difference, objects, n_draws, rng):
    """Straight from the definition: draw seeds, then objects of each drawn seed with all their trials."""
    means = []
    for _ in range(n_draws):
        per_seed = []
        for s in rng.integers(len(difference), size=len(difference)):
            names = np.unique(objects[s])
            drawn = rng.choice(names, size=len(names))
            per_seed.append(np.concatenate([difference[s][objects[s] == name] for name in drawn]).mean())
        means.append(np.mean(per_seed))
    return np.quantile(means, [0.025, 0.975])


def test_matches_the_slow_definition():
    rng = np.random.default_rng(0)
    objects = rng.integers(8, size=(5, 40))
    a = rng.normal(0.5, 1, (5, 40)) + rng.normal(0, 1, (5, 8))[np.arange(5)[:, None], objects]
    fast = paired_bootstrap(a, 0.1, objects)
    low, high = slow_bootstrap(a - 0.1, objects, 4000, np.random.default_rng(1))
    width = high - low
    assert fast.mean == pytest.approx((a - 0.1).mean())
    assert fast.low == pytest.approx(low, abs=0.06 * width)
    assert fast.high == pytest.approx(high, abs=0.06 * width)


def test_views_of_one_object_add_no_certainty():
    rng = np.random.default_rng(0)
    once = rng.normal(size=(5, 10))
    objects = np.repeat(np.arange(10), 20)
    repeated = paired_bootstrap(np.repeat(once, 20, axis=1), objects=objects)
    single = paired_bootstrap(once)
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=0.05)
    careless = paired_bootstrap(np.repeat(once, 20, axis=1))
    assert careless.high - careless.low < 0.9 * (single.high - single.low)


def test_pairing_removes_what_both_share():
    shared = np.random.default_rng(0).normal(0, 100, (5, 30))
    interval = paired_bootstrap(shared + 1.0, shared)
    assert interval.low == pytest.approx(1.0) and interval.high == pytest.approx(1.0)


def test_one_value_per_seed():
    interval = paired_bootstrap([1.0, 2.0, 3.0, 4.0, 5.0])
    assert 1.0 < interval.low < interval.mean == 3.0 < interval.high < 5.0


def test_a_single_number_has_no_interval():
    interval = paired_bootstrap([1.0])
    assert np.isnan(interval.low) and np.isnan(interval.high)
    assert not interval.low > 0


@settings(max_examples=20)
@given(
    n_seeds=st.integers(1, 6),
    n_trials=st.integers(2, 12),
    shift=st.floats(-5, 5),
    scale=st.floats(0.1, 10),
    seed=st.integers(0, 99),
)
def test_covariant_with_units_and_repeatable(n_seeds, n_trials, shift, scale, seed):
    a = np.random.default_rng(seed).normal(size=(n_seeds, n_trials))
    plain = paired_bootstrap(a, n_draws=200, seed=seed)
    moved = paired_bootstrap(scale * a + shift, n_draws=200, seed=seed)
    assert plain == paired_bootstrap(a, n_draws=200, seed=seed)
    np.testing.assert_allclose(
        [moved.mean, moved.low, moved.high],
        scale * np.array([plain.mean, plain.low, plain.high]) + shift,
        atol=1e-9,
    )
    assert plain.low - 1e-9 <= plain.mean <= plain.high + 1e-9


def test_large_inputs_are_cut_into_chunks_that_change_no_bit():
    from experiments._verdict import _object_means

    values, group = np.random.default_rng(0).normal(size=60), np.arange(60) % 7
    whole = _object_means(values, group, 50, np.random.default_rng(1))
    parts = _object_means(values, group, 50, np.random.default_rng(1), chunk=20)
    np.testing.assert_array_equal(whole, parts)


@pytest.mark.parametrize(
    "a, b, objects, message",
    [
        (np.empty((0, 3)), 0.0, None, "a must have shape"),
        (np.zeros((2, 3, 4)), 0.0, None, "a must have shape"),
        (np.zeros((2, 3)), np.zeros(3), None, "b must be a number or have the shape of a"),
        (np.array([[1.0, np.nan]]), 0.0, None, "a holds NaN"),
        (np.zeros((2, 3)), np.inf, None, "b holds NaN or infinite"),
        (np.zeros((2, 3)), 0.0, np.zeros(2), "objects must have shape"),
    ],
)
def test_bad_input_is_named(a, b, objects, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(a, b, objects)


@pytest.mark.parametrize("n_draws", [0, 2.5, True])
def test_bad_number_of_draws(n_draws):
    with pytest.raises(ValueError, match="n_draws must be a positive integer"):
        paired_bootstrap([1.0, 2.0], n_draws=n_draws)


def test_under_five_seeds_says_that_it_is_no_claim():
    assert "no claim over trainings" in str(Interval(1.0, 0.5, 1.5, 4))
    assert "no claim" not in str(Interval(1.0, 0.5, 1.5, 5))
    assert f"{Interval(1.0, 0.5, 1.5, 4):.2f}" == "1.00 [0.50, 1.50]"
    assert seed_note(1) == "1 seed: no claim over trainings"
    verdict = Verdict("PASS", "above 0", "1.0")
    assert "no claim over trainings" in verdict.to_text(4)
    assert "no claim over trainings" in verdict.to_dict(4)["note"]
    assert "note" not in verdict.to_text(5)


def test_verdict_refuses_what_is_none():
    with pytest.raises(ValueError, match="status must be one of PASS, FAIL, NOT ASSESSED; got 'pass'"):
        Verdict("pass", "rule", "measured")
    with pytest.raises(ValueError, match="rule must say something"):
        Verdict("PASS", " ", "measured")
    with pytest.raises(ValueError, match="measured must say something"):
        Verdict("PASS", "rule", "")


def test_verdict_text_aligns_further_lines():
    text = Verdict("FAIL", "first\nsecond", "1.0", "2.0").to_text(5)
    assert text.splitlines() == [
        "verdict    FAIL",
        "rule       first",
        "           second",
        "measured   1.0",
        "published  2.0",
    ]
