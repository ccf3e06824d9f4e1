"""What was claimed before the run, and what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments._reliability_calibration import calibration_rows
from experiments._verdict import Verdict, paired_bootstrap

from ._methods import METHODS, SAW_NOTHING
from ._senses import SEEN, UNSEEN, VIEWS
from ._trial import DENSITIES, SWAP_METHODS

GAIN = 0.9  # share of the oracle's gain over the product of experts
MARGIN = 0.003  # of inferiority
MEMORY = 1 / 5  # of what k-NN reliability stores
OVER_GATE = 0.01
CLEAN_LOSS = 0.005
N_DRAWS = 2000  # of the intervals in the table; those of the verdict take 10,000
RULE = f"""pooled over noise, blank, offset, shuffled, spikes, both views and all levels:
(PrecisionFusion - product of experts) / (oracle - product of experts) >= {GAIN:.0%}
minus k-NN and minus GMM reliability: interval above -0.3 points; memory <= 1/5 of k-NN
minus permuted weights: interval above 0
offset, shuffled, spikes: minus the gate trained with noise and blanks, mean >= 1 point
clean: product of experts minus PrecisionFusion, mean <= 0.5 points
mildest noise: mean >= that of each method that saw no corruption
one of three views swapped: agreement minus half-way from no agreement to the oracle, mean >= 0"""


def pooled(results, method, kinds, mildest=False):
    """Correct answers and digits (n_seeds, n_trials) of a method over all conditions of some kinds."""
    chosen = np.isin(results["kind"][0], kinds)
    if mildest:
        chosen &= results["level"][0] == results["level"][0][chosen].min()
    correct = results["correct"][:, METHODS.index(method)][:, chosen].astype(float)
    objects = np.broadcast_to(results["objects"][:, None], correct.shape)
    return correct.reshape(len(correct), -1), objects.reshape(len(correct), -1)


def versus(results, other, kinds, mildest=False):
    """Interval of PrecisionFusion minus another method."""
    fused, objects = pooled(results, "PrecisionFusion", kinds, mildest)
    return paired_bootstrap(fused, pooled(results, other, kinds, mildest)[0], objects)


def share_of_gain(results, method, kinds):
    fused, floor, ceiling = (pooled(results, m, kinds)[0].mean() for m in (method, "product of experts", "oracle"))
    return (fused - floor) / (ceiling - floor)


def interval_of_gain(results, method, kinds):
    """Share of the oracle's gain with its interval: the ratio to first order in its numerator and denominator."""
    (fused, objects), (floor, _), (ceiling, _) = (
        pooled(results, m, kinds) for m in (method, "product of experts", "oracle")
    )
    share, whole = share_of_gain(results, method, kinds), (ceiling - floor).mean()
    rest = paired_bootstrap(fused - floor, share * (ceiling - floor), objects, n_draws=N_DRAWS)
    return replace(rest, mean=share, low=share + rest.low / whole, high=share + rest.high / whole)


def interval_rows(results):
    """Every method over all corruptions: its gain, and PrecisionFusion minus it."""
    kinds, rows = [*SEEN, *UNSEEN], []
    for method in METHODS:
        row = {"method": method, "gain": percent(interval_of_gain(results, method, kinds))}
        if method != "PrecisionFusion":
            ours, objects = pooled(results, "PrecisionFusion", kinds)
            lead = paired_bootstrap(ours, pooled(results, method, kinds)[0], objects, n_draws=N_DRAWS)
            row["PrecisionFusion minus it"] = points(lead)
        rows.append(row)
    return rows


def swapped(results, method):
    """Correct answers (n_seeds, n_trials) of a method while one of three views shows another digit."""
    correct = results["swap_correct"][:, SWAP_METHODS.index(method), 1:].astype(float)
    return correct.reshape(len(correct), -1)


def table(results):
    """Accuracy in % by method and corruption; swapped views; memory; calibration."""
    kinds = {"clean": ["clean"]} | {kind: [kind] for kind in (*SEEN, *UNSEEN)}
    kinds |= {"seen": list(SEEN), "unseen": list(UNSEEN), "all": [*SEEN, *UNSEEN], "swap": ["swap"]}
    accuracy = [
        {"method": m, **{name: 100 * pooled(results, m, kind)[0].mean() for name, kind in kinds.items()}}
        for m in METHODS
    ]
    for row in accuracy:
        row["gain"] = 100 * share_of_gain(results, row["method"], [*SEEN, *UNSEEN])
    swap = [
        {
            "method": m,
            "clean": 100 * results["swap_correct"][:, i, 0].mean(),
            **{f"view {j + 1} swapped": 100 * results["swap_correct"][:, i, j + 1].mean() for j in range(3)},
            "swapped": 100 * swapped(results, m).mean(),
        }
        for i, m in enumerate(SWAP_METHODS)
    ]
    memory = [{"density": m, "numbers stored": int(n)} for m, n in zip(DENSITIES, results["floats"][0], strict=True)]
    return {
        "accuracy (%), mean over views and levels; gain in % of the oracle's over the product of experts": accuracy,
        "95 % intervals, all corruptions: gain (%), and PrecisionFusion minus each method (points)": interval_rows(
            results
        ),
        "three views (fou, kar, third): accuracy (%)": swap,
        "memory": memory,
        "calibration of the reliability, over all conditions but swaps": calibration_rows(results, VIEWS),
    }


def verdict(results) -> Verdict:
    everything = [*SEEN, *UNSEEN]
    gain = share_of_gain(results, "PrecisionFusion", everything)
    against = {m: versus(results, m, everything) for m in ("k-NN reliability", "GMM reliability", "permuted weights")}
    gate = {name: versus(results, "trained gate", kinds) for name, kinds in (("unseen", UNSEEN), ("seen", SEEN))}
    loss = versus(results, "product of experts", ["clean"])
    mild = {m: versus(results, m, ["noise"], mildest=True) for m in SAW_NOTHING}
    off, on, oracle = (swapped(results, m) for m in (SWAP_METHODS[1], SWAP_METHODS[3], SWAP_METHODS[4]))
    objects = np.tile(results["objects"], 3)
    recovered = (on.mean() - off.mean()) / (oracle.mean() - off.mean())
    half = paired_bootstrap(on, (off + oracle) / 2, objects)
    ours, knn, gmm = (int(n) for n in results["floats"][0])
    nearest = min(mild, key=lambda m: mild[m].mean)
    checks = {
        f"share of the oracle's gain {gain:.1%}": gain >= GAIN,
        **{f"minus {m} {points(i)}": i.low > -MARGIN for m, i in list(against.items())[:2]},
        f"minus permuted weights {points(against['permuted weights'])}": against["permuted weights"].low > 0,
        f"numbers stored {ours}, k-NN {knn}, GMM {gmm}": ours <= MEMORY * knn,
        f"unseen corruptions, minus trained gate {points(gate['unseen'])}": gate["unseen"].mean >= OVER_GATE,
        f"clean, minus product of experts {points(loss)}": loss.mean >= -CLEAN_LOSS,
        f"mildest noise, minus {nearest} (the closest) {points(mild[nearest])}": mild[nearest].mean >= 0,
        f"swapped, agreement minus half-way {points(half)}; recovered {recovered:.0%}, on minus off "
        f"{points(paired_bootstrap(on, off, objects))}": half.mean >= 0,
    }
    lines = [f"{'met   ' if met else 'MISSED'} {text}" for text, met in checks.items()]
    lines.append(f"       seen corruptions, minus trained gate {points(gate['seen'])} (no rule)")
    return Verdict("PASS" if all(checks.values()) else "FAIL", RULE, "points are of accuracy\n" + "\n".join(lines))


def percent(interval):
    return f"{100 * interval.mean:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(interval):
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
