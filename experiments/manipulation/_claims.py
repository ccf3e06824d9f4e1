"""The claims of the experiment and the rules, fixed before the run, by which they stand or fall."""

from __future__ import annotations

import numpy as np

from experiments._verdict import Claim, Verdict, paired_bootstrap

from ._looking import POLICIES, views_needed
from ._methods import SENSES
from ._recognition import METHODS

RIVALS = METHODS[: METHODS.index("trained concatenation")]  # what PrecisionFusion must beat
TOLERANCE = 0.5  # points of accuracy
MEMORY_SHARE = 1 / 5
N_DESIGNS = 2  # that met the confirmation objects, this one included


def method(results, name):
    """Correctness (n_seeds, n_regimes, n_conditions, n_draws, n_trials) of one method, in points of accuracy."""
    return 100.0 * results["correct"][:, METHODS.index(name)]


def pooled(correct, results, kind):
    """Mean over regimes and over the conditions of one kind, the two senses counting alike: (n_seeds, n_trials)."""
    kinds, confirms = results["condition_kind"][0], results["condition_confirms"][0]
    if kind == "degraded":
        value = np.mean([correct[:, :, (kinds == m) & confirms].mean((1, 2)) for m in SENSES], axis=0)
    else:
        value = correct[:, :, kinds == kind].mean((1, 2))
    return value.reshape(len(value), -1)


def advantage(results, other, kind):
    """Interval of PrecisionFusion's points over another method."""
    ours, theirs = (pooled(method(results, name), results, kind) for name in ("PrecisionFusion", other))
    return paired_bootstrap(ours, theirs, results["object"].reshape(len(ours), -1))


def action_claims(results):
    for measure, label in (("hit", "same-object H@1"), ("turn_r2", "turn R2")):
        for s, sense in enumerate(SENSES):
            true, shuffled = (100 * results[measure][:, v, s] for v in (0, 1))
            interval = paired_bootstrap(true, shuffled)
            yield Claim(
                f"{label}, {sense}: true - shuffled action", "interval above 0", interval, interval.low > 0, " points"
            )


def reliability_claims(results):
    for other in RIVALS:
        interval = advantage(results, other, "degraded")
        yield Claim(
            f"one sense degraded: PrecisionFusion - {other}", "interval above 0", interval, interval.low > 0, " points"
        )
    for other, column in (("k-NN reliability", 1), ("GMM reliability", 2)):
        interval = advantage(results, other, "degraded")
        share = results["memory"][:, 0].mean() / results["memory"][:, column].mean()
        small = column != 1 or share <= MEMORY_SHARE
        yield Claim(
            f"not inferior: PrecisionFusion - {other} (memory x{share:.2f})",
            "interval above -0.5 points; against k-NN with at most 1/5 of its memory",
            interval,
            interval.low > -TOLERANCE and small,
            " points",
        )
    interval = advantage(results, "product of experts", "clean")
    yield Claim(
        "clean: PrecisionFusion - product of experts",
        "mean at least -0.5 points",
        interval,
        interval.mean >= -TOLERANCE,
        " points",
    )
    interval = advantage(results, "permuted weights", "degraded")
    yield Claim(
        "one sense degraded: PrecisionFusion - permuted weights",
        "interval above 0",
        interval,
        interval.low > 0,
        " points",
    )


def looking_claims(results):
    needed = views_needed(results["look_correct"]).astype(float)  # (n_seeds, n_policies, n_draws, n_trials)
    needed = needed.reshape(*needed.shape[:2], -1)
    of = np.tile(results["look_object"], results["look_correct"].shape[2])
    ours = needed[:, POLICIES.index("information gain")]
    for other in ("random turns", "fixed sweep"):
        interval = paired_bootstrap(needed[:, POLICIES.index(other)], ours, of)
        yield Claim(
            f"views to a lasting right decision: {other} - information gain",
            "interval above 0",
            interval,
            interval.low > 0,
            " views",
        )


def claims(results):
    return [*action_claims(results), *reliability_claims(results), *looking_claims(results)]


def verdict(results) -> Verdict:
    made = claims(results)
    rules = dict.fromkeys(f"{c.rule}" for c in made)
    return Verdict(
        status="PASS" if all(c.passed for c in made) else "FAIL",
        rule="every line below; " + "; ".join(rules) + f"; design {N_DESIGNS} to meet the confirmation objects",
        measured="\n".join(c.to_text() for c in made),
        published="seq-JEPA (table of its repository): R2 of the turn .29 without and .71 with action, same accuracy",
    )
