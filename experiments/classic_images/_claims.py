"""The verdict, and the figures that it is printed beside."""

from __future__ import annotations

import numpy as np

from experiments._verdict import Verdict, paired_bootstrap

from ._methods import BASES, METHODS, WITH
from ._training import LABELS

# Linear top-1 on CIFAR-10 in %: the README of EquiMod's repository; VICReg's is that of solo-learn.
PUBLISHED = {"SimCLR": 90.96, "SimCLR + EquiMod": 92.79, "BYOL": 90.44, "BYOL + EquiMod": 91.57, "VICReg": 92.07}


def verdict(results) -> Verdict:
    """Whether EquiMod helps, over all three base methods; void if one of them is no better than a random encoder."""
    linear = {method: 100 * results["linear"][:, i].mean() for i, method in enumerate(METHODS)}
    void = [base for base in BASES if linear[base] <= linear["random encoder"]]

    gain = paired_bootstrap(results["gain"])
    pooled = {name: added(results, name, BASES) for name in LABELS}
    lines = ["pooled: " + ", ".join(f"{name} {in_points(interval)}" for name, interval in pooled.items())]
    lines += [f"{base} + EquiMod minus {base}, linear: {in_points(added(results, 'linear', [base]))}" for base in BASES]
    lines.append(f"gain of the prediction {gain:.3f}")
    lines.append(", ".join(f"{method} {linear[method]:.1f} %" for method in ("random encoder", *BASES)) + ", linear")
    status = "PASS" if pooled["linear"].low > 0 and gain.low > 0 else "FAIL"
    if void:
        status = "NOT ASSESSED"
        lines.append(f"void, not above a random encoder: {', '.join(void)}")
    return Verdict(
        status=status,
        rule="pooled over SimCLR, BYOL and VICReg, linear accuracy with EquiMod minus without, in points: interval\n"
        "above 0; gain of the predicted over the unchanged embedding: interval above 0; void if one of the three\n"
        "is not above a random encoder",
        measured="\n".join(lines),
        published="CIFAR-10, ResNet-18, 800 epochs: SimCLR 90.96 -> 92.79, BYOL 90.44 -> 91.57 (README of EquiMod);\n"
        "solo-learn, 1000 epochs: SimCLR 90.74, BYOL 92.58, VICReg 92.07, with labels (SupCon) 93.82",
    )


def added(results, name, bases, n_draws=10_000):
    """Interval of what EquiMod adds to some base methods, by share of labels."""
    with_it, without = (
        np.concatenate([results[name][:, METHODS.index(base + suffix)] for base in bases], axis=1)
        for suffix in (WITH, "")
    )
    return paired_bootstrap(with_it, without, np.tile(results["objects"], (1, len(bases))), n_draws=n_draws)


def in_points(interval):
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
