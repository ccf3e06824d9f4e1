"""The page of figures: accuracy and trust by corruption and level, whether trust was deserved, and swapped views."""

from __future__ import annotations

import numpy as np

from experiments._figures import interval_line
from experiments._reliability_calibration import draw_calibration

from ._methods import METHODS
from ._senses import VIEWS
from ._trial import SWAP_METHODS

DRAWN = {
    "oracle": ("#5A5A5A", ":"),
    "PrecisionFusion": ("#0072B2", "-"),
    "k-NN reliability": ("#56B4E9", "--"),
    "trained gate": ("#009E73", "-"),
    "evidential (TMC)": ("#CC79A7", "--"),
    "constant discount": ("#B8A500", "--"),
    "product of experts": ("#E69F00", "--"),
    "permuted weights": ("#D55E00", ":"),
}
UNITS = {
    "noise": "noise (SD of a feature), blank",
    "offset": "offset of all features (SD)",
    "shuffled": "share of features shuffled",
    "spikes": "share of features with spikes",
}
SHORT = {
    "product of experts": "product\nof experts",
    "PrecisionFusion, no agreement": "no\nagreement",
    "agreement of maps (Hebbian)": "agreement\n(Hebbian)",
    "agreement (canonical)": "agreement\n(canonical)",
    "oracle": "oracle",
}


def figure(results):
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(12.5, 10.4))
    grid = fig.add_gridspec(3, 4, height_ratios=(3, 2, 3))
    axes = np.array([[fig.add_subplot(grid[i, j]) for j in range(4)] for i in range(2)])
    for column, kind in enumerate(UNITS):
        x, groups, labels = steps_of(results, kind)
        for method, (color, dash) in DRAWN.items():
            correct = 100 * results["correct"][:, METHODS.index(method)]
            interval_line(axes[0, column], x, means(correct, groups), method, color=color, linestyle=dash)
        for name, weights, color in trust_by_side(results):
            interval_line(axes[1, column], x, means(weights, groups), name, color=color)
        axes[0, column].set_title(f"{kind} and blank (seen in training)" if kind == "noise" else f"{kind} (unseen)")
        axes[0, column].set(ylim=(10, 100), xticks=x[np.isfinite(x)], xticklabels=labels)
        axes[1, column].set(ylim=(-0.03, 1.03), xticks=x[np.isfinite(x)], xticklabels=labels, xlabel=UNITS[kind])
    axes[0, 0].set_ylabel("digits recognised (%)")
    axes[1, 0].set_ylabel("mean weight given")
    axes[1, 0].legend(loc="center right", bbox_to_anchor=(1.0, 0.6))
    draw_calibration(fig.add_subplot(grid[2, :2]), results, VIEWS)
    draw_swaps(results, fig.add_subplot(grid[2, 2:]))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


def steps_of(results, kind):
    """Positions along the axis, masks of the conditions there, and labels; a gap before blanks."""
    kinds, level = results["kind"][0], results["level"][0]
    strengths = np.unique(level[kinds == kind])
    groups = [kinds == "clean"] + [(kinds == kind) & (level == strength) for strength in strengths]
    x, labels = list(np.arange(len(groups), dtype=float)), ["clean", *(f"{s:g}" for s in strengths)]
    if kind == "noise":
        groups += [np.zeros(len(kinds), bool), kinds == "blank"]
        x, labels = [*x, np.nan, len(x) + 0.3], [*labels, "blank"]
    return np.array(x), groups, labels


def means(values, groups):
    """Mean (n_seeds, n_groups) of values (n_seeds, n_conditions, n_test); NaN where a group is empty."""
    return np.stack(
        [
            values[:, g].reshape(len(values), -1).mean(axis=1) if g.any() else np.full(len(values), np.nan)
            for g in groups
        ],
        axis=1,
    )


def trust_by_side(results):
    """Weights (n_seeds, n_conditions, n_test) of the corrupted and of the intact view; of clean digits their mean."""
    view, weights = results["view"][0], results["weights"]
    corrupted = np.array([[v == name for name in VIEWS] for v in view])[None, :, None]
    both = weights.mean(axis=-1)
    for name, side, color in (("corrupted view", corrupted, "#D55E00"), ("intact view", ~corrupted, "black")):
        given = (weights * side).sum(axis=-1)
        yield name, np.where((view == "")[None, :, None], both, given), color


def draw_swaps(results, ax):
    """Accuracy with three views, none or one of which shows another digit; one dot per seed."""
    correct = 100 * results["swap_correct"].mean(axis=-1)
    parts = {
        "no view swapped": (correct[..., 0], "#5A5A5A"),
        "one view swapped": (correct[..., 1:].mean(-1), "#0072B2"),
    }
    x = np.arange(len(SWAP_METHODS))
    for shift, (label, (values, color)) in zip((-0.12, 0.12), parts.items(), strict=True):
        ax.scatter(np.broadcast_to(x + shift, values.shape), values, s=14, color=color, alpha=0.5, linewidth=0)
        ax.scatter(x + shift, values.mean(axis=0), s=500, marker="_", linewidth=2.5, color=color, label=label)
    ax.set_ylabel("digits recognised (%)")
    ax.set_xticks(np.arange(len(SWAP_METHODS)), [SHORT[m] for m in SWAP_METHODS])
    ax.set_title("Three views, one of another digit")
    ax.legend(loc="lower right", markerscale=0.5)
