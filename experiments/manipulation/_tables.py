"""The numbers of the experiment, one table per question."""

from __future__ import annotations

import numpy as np

from experiments._reliability_calibration import calibration_rows
from experiments._verdict import paired_bootstrap

from ._claims import advantage, method, views_needed
from ._life import ENCODERS
from ._looking import POLICIES
from ._methods import SENSES
from ._recognition import METHODS, REGIMES

TRUST_AT_ALARM = 0.62  # reliability of a view as rare as one clean view in twenty
ENCODER_ROWS = {
    "hit": (*ENCODERS, "identity"),
    "turn_r2": (*ENCODERS, "supervised ceiling"),
    "change_r2": (*ENCODERS, "true encoder, shuffled turns"),
}


def table(results) -> dict[str, list[dict]]:
    tables = {
        "Does action matter? (objects never met)": action_rows(results),
        "Does reliability matter? (accuracy, %)": method_rows(results),
        "What does each sense deserve?": weight_rows(results),
        "Does looking matter? (accuracy, %, after n views)": looking_rows(results),
    }
    if has_calibration(results):
        tables["Calibration of the reliability, over all conditions, all labels"] = calibration_rows(results, SENSES)
    return tables


def has_calibration(results):
    """Lives that were stored before calibration was a part of them can still be drawn."""
    return "reliability_numbers" in results


def action_rows(results):
    """H@1 and R2 by encoder and sense; chance of H@1 is 1 / (frames - 1), identity predicts no change (R2 0)."""
    rows = {}
    for measure, names in ENCODER_ROWS.items():
        values = results[measure].mean((0, 3))
        for name, value in zip(names, values, strict=True):
            row = rows.setdefault(name, {"encoder": name})
            row.update({f"{measure} {sense}": float(v) for sense, v in zip(SENSES, value, strict=True)})
    rows["chance"] = {"encoder": "chance", **{f"hit {m}": float(results["chance"].mean()) for m in SENSES}}
    return list(rows.values())


def method_rows(results):
    kinds, names = results["condition_kind"][0], results["condition"][0]
    confirms = results["condition_confirms"][0]
    rows = []
    for name in METHODS:
        correct = method(results, name)
        row = {"method": name}
        for r, regime in enumerate(REGIMES):
            row[f"clean, {regime}"] = correct[:, r, kinds == "clean"].mean()
            row[f"degraded, {regime}"] = np.mean([correct[:, r, (kinds == m) & confirms].mean() for m in SENSES])
        for m in SENSES:
            row[f"{m} degraded"] = correct[:, :, (kinds == m) & confirms].mean()
        if not confirms[np.isin(kinds, SENSES)].all():
            row["development types"] = np.mean([correct[:, :, (kinds == m) & ~confirms].mean() for m in SENSES])
        for unseen in names[kinds == "unseen"]:
            row[f"unseen {unseen}"] = correct[:, :, names == unseen].mean()
        if name != "PrecisionFusion":
            row["PrecisionFusion's lead, degraded"] = f"{advantage(results, name, 'degraded'):+.1f}"
        rows.append({k: float(v) if isinstance(v, np.floating) else v for k, v in row.items()})
    return rows


def weight_rows(results):
    """Mean reliability of each sense, and how well it separates each degradation from clean views."""
    clean = results["weights"][:, 0]
    rows = []
    for c, name in enumerate(results["condition"][0]):
        row = {"condition": name}
        for s, sense in enumerate(SENSES):
            row[f"weight {sense}"] = float(results["weights"][:, c, s].mean())
            row[f"alarm {sense}"] = float((results["weights"][:, c, s] < TRUST_AT_ALARM).mean())
            row[f"AUROC {sense}"] = float(
                np.mean([separation(a, b) for a, b in zip(clean[:, s], results["weights"][:, c, s])])
            )
        rows.append(row)
    return rows


def separation(clean, other):
    """Probability that a clean view is trusted more than another (area under the ROC curve)."""
    from scipy.stats import mannwhitneyu

    return mannwhitneyu(clean, other).statistic / (clean.size * other.size)


def looking_rows(results):
    correct = 100.0 * results["look_correct"]
    needed = views_needed(results["look_correct"]).astype(float)
    of = np.tile(results["look_object"], correct.shape[2])
    rows = []
    for p, policy in enumerate(POLICIES):
        row = {"policy": policy}
        row.update({f"{n + 1}": float(correct[:, p, ..., n].mean()) for n in range(correct.shape[-1])})
        row["views needed"] = f"{paired_bootstrap(needed[:, p].reshape(len(needed), -1), objects=of):.2f}"
        rows.append(row)
    return rows
