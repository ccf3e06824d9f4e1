"""The rule, which stood here before the run, and what was found."""

from __future__ import annotations

import numpy as np

from experiments._verdict import Verdict, paired_bootstrap

from ._cells import BASE, RANDOM, ROWS, SPEEDS

ACCURACIES = ("linear", "few")
KNOWLEDGE = ("r2", "hit")
NAMES = {
    "linear": "linear accuracy",
    "few": "5-label accuracy",
    "linear_unknown": "linear accuracy, unknown rooms",
    "few_unknown": "5-label accuracy, unknown rooms",
    "r2": "action R2",
    "hit": "H@1",
}


def of_cell(results, key, name):
    """Measure (n_seeds, n_test_objects) of a cell."""
    return results[key][:, ROWS.index(name)]


def difference(results, key, name, other):
    return paired_bootstrap(of_cell(results, key, name), of_cell(results, key, other))


# What must be above 0: a claim, its measures, the cell, and the one that it is held against.
CLAIMS = (
    ("3-D manipulation, smooth minus static", ACCURACIES, BASE, "background"),
    ("change of room, beside turning minus turning alone", ACCURACIES, BASE, "rotation"),
    ("action given minus withheld", KNOWLEDGE, BASE, "withheld"),
    ("action given minus shuffled", KNOWLEDGE, BASE, "shuffled"),
    ("smooth minus random encoder", ACCURACIES, BASE, RANDOM),
)
BESIDE = (
    ("change of room, in unknown rooms", ("linear_unknown", "few_unknown"), BASE, "rotation"),
    ("steered minus yoked", (*ACCURACIES, *KNOWLEDGE), "steered", "yoked"),
    ("teleport minus smooth", (*ACCURACIES, *KNOWLEDGE), "teleport", BASE),
    ("action given minus withheld", ACCURACIES, BASE, "withheld"),
    ("all changes minus turning and room", ACCURACIES, "all", BASE),
    ("smooth minus augmentation", ACCURACIES, BASE, "augmentation"),
)


def verdict(results) -> Verdict:
    found = {claim: [difference(results, key, *claim[2:]) for key in claim[1]] for claim in CLAIMS}
    failed = [claim[0] for claim, intervals in found.items() if not all(i.low > 0 for i in intervals)]
    speeds = {key: [of_cell(results, key, f"smooth {speed}").mean() for speed in SPEEDS] for key in NAMES}
    best = ", ".join(f"{NAMES[key]} {SPEEDS[int(np.argmax(speeds[key]))]}" for key in (*ACCURACIES, *KNOWLEDGE))
    return Verdict(
        status="FAIL" if failed else "PASS",
        rule="on unseen objects, intervals above 0: smooth minus static, turning and room minus turning alone, smooth\n"
        "minus random encoder in linear and 5-label accuracy; action given minus withheld and minus shuffled in\n"
        "action R2 and H@1",
        measured="\n".join(_line(results, claim) for claim in CLAIMS)
        + "\nbeside the rule:\n"
        + "\n".join(_line(results, claim) for claim in BESIDE)
        + f"\nbest turn per step, degrees: {best}\nfailed: {'; '.join(failed) or 'none'}",
        published="directions only: 3-D manipulation improves category learning, changing backgrounds help to discard\n"
        "the background (Aubret et al. 2023)",
    )


def _line(results, claim):
    title, keys, name, other = claim
    return f"{title}: " + ", ".join(f"{NAMES[key]} {difference(results, key, name, other):+.3f}" for key in keys)
