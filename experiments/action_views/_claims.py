"""The claims of each table and the rules, fixed before the run, by which they stand or fall."""

from __future__ import annotations

import numpy as np

from experiments._verdict import Claim, Interval, Verdict, paired_bootstrap

from ._comparison import TESTS
from ._glance import GLANCE, GLANCE_CONTROL, GLANCE_SHUFFLED, LONGER, UNINFORMED
from ._measure import HEADS
from ._methods import (
    ACTING,
    ACTING_CONTROL,
    ACTING_SHUFFLED,
    BASELINE,
    BASELINES,
    CONTROL,
    PREDICTOR,
    SHUFFLED,
)

CONTROL_R2 = 0.6
PRICE = 0.02  # of accuracy
CHANCE_MRR = float(np.mean(1 / np.arange(1, 8)))  # of 7 rivals


def line(claim) -> str:
    return f"{claim.to_text(digits=3)} ({claim.rule})"


def value(results, measure, row, test="training", head=None) -> np.ndarray:
    """Measurements (n_seeds, n_objects) of one row of a table in one test."""
    array = results[measure][:, results["row"][0].tolist().index(row)]
    if head is not None:
        array = array[:, HEADS.index(head)]
    return array if measure in ("families", "rooms") else array[:, TESTS.index(test)]


def difference(results, measure, row, other, test="training", head=None) -> Interval:
    return paired_bootstrap(*(value(results, measure, name, test, head) for name in (row, other)))


def above(name, interval, bound=0.0, *, mean=False) -> Claim:
    """Claim that an interval, or its mean alone, lies above a bound."""
    reached = interval.mean if mean else interval.low
    rule = f"{'mean at least' if mean else 'interval above'} {bound:+.3g}"
    return Claim(name, rule, interval, bool(reached >= bound if mean else reached > bound))


def gained(name, interval, bound) -> Claim:
    """Claim that a mean reaches a bound and that its interval lies above 0."""
    rule = f"mean at least {bound:+.3g}, interval above 0"
    return Claim(name, rule, interval, bool(interval.mean >= bound and interval.low > 0))


def action_claims(results):
    """P1 to P5, of the encoder with same-object negatives unless said otherwise."""
    yield above("P1 R2 of the action decoder itself", paired_bootstrap(results["ceiling"]), CONTROL_R2, mean=True)
    yield above("P1 its R2 - random encoder", difference(results, "r2", CONTROL, "random encoder"))
    hit = value(results, "hit", PREDICTOR)
    for null in ("identity", "shuffled"):
        yield above(f"P2 H@1 - {null}", paired_bootstrap(hit, value(results, f"hit_{null}", PREDICTOR)))
    mrr = paired_bootstrap(value(results, "mrr", PREDICTOR))
    yield above("P2 MRR", mrr, 1.5 * CHANCE_MRR, mean=True)
    for test in ("training", "background"):
        label = "P3" if test == "training" else "P5 unknown backgrounds,"
        yield above(f"{label} R2 - time contrast", difference(results, "r2", PREDICTOR, BASELINE, test))
        yield above(f"{label} R2 - shuffled action", difference(results, "r2", PREDICTOR, SHUFFLED, test))
    for measure, head, words in (("linear", None, "linear"), ("few", "invariance", "5 labels, invariance head")):
        change = difference(results, measure, PREDICTOR, BASELINE, head=head)
        yield above(f"P4 accuracy - time contrast, {words}", change, -PRICE, mean=True)
    found = value(results, "hit", PREDICTOR, "background")
    yield above(
        "P5 unknown backgrounds, H@1 - identity",
        paired_bootstrap(found, value(results, "hit_identity", PREDICTOR, "background")),
    )
    change = difference(results, "linear", PREDICTOR, BASELINE, "background")
    yield above("P5 unknown backgrounds, linear - time contrast", change, -PRICE, mean=True)


def ablation_claims(results):
    for other in ("shuffled action", "no action", "weight 0"):
        yield above(f"H@1 - {other}", difference(results, "hit", "reference", other))
        yield above(f"R2 - {other}", difference(results, "r2", "reference", other))
    yield above("H@1 - other-object negatives", difference(results, "hit", "reference", "other-object negatives"))
    for other in ("weight 3", "shared branch"):
        change = difference(results, "linear", "reference", other)
        yield above(f"linear accuracy - {other}", change)


def sense_claims(results):
    joint, cross = "Cross + Self", "Cross"
    acting, mistaken = "Cross + Self + action", "Cross + Self + shuffled action"
    yield above("R2 from images, Cross + Self - Cross", difference(results, "r2", joint, cross))
    few = difference(results, "few", joint, "image", head="invariance")
    yield above("5 labels, image of Cross + Self - image alone", few)
    for sense in ("", ": points"):
        words = "clouds" if sense else "images"
        change = difference(results, "hit", f"{acting}{sense}", f"{mistaken}{sense}")
        yield above(f"H@1 from {words}, true - shuffled action", change)
        gain = paired_bootstrap(value(results, "gain", f"{acting}{sense}"))
        yield above(f"eqgain from {words}", gain)


UNKNOWN = {"background": "unknown backgrounds", "both": "unknown backgrounds and light"}
KNOWLEDGE = (("linear", None, "linear"), ("few", "invariance", "5 labels, invariance head"))
ACTING_GAIN = {"linear": 0.1, "few": 0.2}
GLANCE_GAIN = 0.03  # with all and with 5 labels


def acting_claims(results):
    """Gains over the tuned time contrast, price beside the same reveal and cloud, and what shuffled actions lose."""
    for test, rooms in UNKNOWN.items():
        for measure, head, words in KNOWLEDGE:
            gain = difference(results, measure, ACTING, BASELINE, test, head)
            yield gained(f"{rooms}, {words} - time contrast", gain, ACTING_GAIN[measure])
            price = difference(results, measure, ACTING, ACTING_CONTROL, test, head)
            yield above(f"{rooms}, {words} - without action", price, -PRICE, mean=True)
    rooms = UNKNOWN["background"]
    r2 = difference(results, "r2", ACTING, BASELINE, "background")
    yield gained(f"{rooms}, R2 - time contrast", r2, 0.15)
    hit = paired_bootstrap(value(results, "hit", ACTING, "background"))
    yield above(f"{rooms}, H@1", hit, 0.4, mean=True)
    for measure, words in (("r2", "R2"), ("hit", "H@1")):
        loss = difference(results, measure, ACTING, ACTING_SHUFFLED, "background")
        yield above(f"{rooms}, {words} - shuffled action", loss)


def glance_claims(results):
    """Gains over the tuned time contrast, and over the same grounds and clouds without knowing what is the object."""
    for test, rooms in UNKNOWN.items():
        for measure, head, words in KNOWLEDGE:
            gain = difference(results, measure, GLANCE, BASELINE, test, head)
            yield gained(f"{rooms}, {words} - time contrast", gain, GLANCE_GAIN)
            gain = difference(results, measure, GLANCE, UNINFORMED, test, head)
            yield above(f"{rooms}, {words} - {UNINFORMED}", gain)


def glance_targets(results):
    """The gain over a longer training, and what predicted consequences cost and bring."""
    for test, rooms in UNKNOWN.items():
        for measure, head, words in KNOWLEDGE:
            gain = difference(results, measure, GLANCE, LONGER, test, head)
            yield gained(f"{rooms}, {words} - {LONGER}", gain, GLANCE_GAIN)
            price = difference(results, measure, GLANCE, GLANCE_CONTROL, test, head)
            yield above(f"{rooms}, {words} - without action", price, -PRICE, mean=True)
        for measure, words in (("r2", "R2"), ("hit", "H@1")):
            gain = difference(results, measure, GLANCE, GLANCE_SHUFFLED, test)
            yield above(f"{rooms}, {words} - shuffled action", gain)


def light_target(results):
    r2 = paired_bootstrap(value(results, "r2", ACTING, "both"))
    yield above(f"{UNKNOWN['both']}, R2", r2, 0.2, mean=True)


CLAIMS = {
    "main": action_claims,
    "bundled": action_claims,
    "ablations": ablation_claims,
    "multimodal": sense_claims,
    "acting": acting_claims,
    "glance": glance_claims,
}
TARGETS = {"acting": light_target, "glance": glance_targets}  # judged beside the verdict and no part of it


def void_baselines(results) -> list[str]:
    """Baselines whose linear accuracy lies below that of a random encoder: they void a table."""
    names = results["row"][0].tolist()
    if "random encoder" not in names:
        return []
    floor = value(results, "linear", "random encoder").mean()
    return [name for name in BASELINES if name in names and value(results, "linear", name).mean() < floor]


def verdict(results) -> Verdict:
    table = str(results["table"][0])
    claims, void = list(CLAIMS[table](results)), void_baselines(results)
    void_line = [f"VOID  below a random encoder: {', '.join(void)}"] if void else []
    targets = [f"{line(claim)} - a target of its own" for claim in TARGETS.get(table, lambda _: ())(results)]
    return Verdict(
        status="PASS" if all(c.passed for c in claims) and not void else "FAIL",
        rule=f"every line of table {table!r} by its own rule; void if a baseline lies below a random encoder",
        measured="\n".join([*map(line, claims), *void_line, *targets]),
        published="seq-JEPA (table of its repository), 3DIEBench: R2 .29 without and .71 with action,\n"
        "top-1 86.1 both; EquiMod R2 .32, SimCLR .35",
    )
