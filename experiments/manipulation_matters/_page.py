"""Table and figure: one column of panels per factor."""

from __future__ import annotations

import numpy as np

from experiments._figures import PALETTE, interval_line

from ._cells import FACTORS, RANDOM, SPEEDS
from ._claims import NAMES, of_cell

PANELS = {
    "accuracy on unseen objects": ("linear", "few"),
    "the same in unknown rooms": ("linear_unknown", "few_unknown"),
    "action R2": ("r2",),
    "H@1 among views of the object": ("hit",),
}
SMOOTHED = 15  # training steps
LABELS = {"linear": "linear", "few": "5 labels", "linear_unknown": "linear", "few_unknown": "5 labels"}


def table(results):
    rows = [
        {"factor": factor, "level": level.replace("\n", " "), **means(results, name)}
        for factor, levels in FACTORS.items()
        for level, name in levels.items()
    ]
    return [*rows, {"factor": "control", "level": RANDOM, **means(results, RANDOM)}]


def means(results, name):
    return {title: of_cell(results, key, name).mean() for key, title in NAMES.items()}


def figure(results):
    """Response curves: rows are measures, columns are factors; below, the turns that learning progress chose."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(14, 12.5))
    top, bottom = fig.subfigures(2, 1, height_ratios=(4.2, 1))
    axes = top.subplots(
        len(PANELS), len(FACTORS), sharey="row", width_ratios=[len(levels) + 1 for levels in FACTORS.values()]
    )
    for row, (title, keys) in zip(axes, PANELS.items()):
        for ax, (factor, levels) in zip(row, FACTORS.items()):
            x = np.arange(len(levels))
            for key, color in zip(keys, PALETTE):
                values = np.stack([of_cell(results, key, name).mean(axis=1) for name in levels.values()], axis=1)
                if "degrees" in factor:
                    interval_line(ax, x, values, color=color)
                else:
                    ax.plot(x, values.mean(axis=0), "o", color=color, label=LABELS.get(key))
                ax.plot(np.tile(x, (len(values), 1)).T + 0.15, values.T, ".", color=color, markersize=3, alpha=0.7)
                ax.axhline(of_cell(results, key, RANDOM).mean(), color=color, linewidth=1, linestyle=":")
            ax.set_xlim(-0.5, len(levels) - 0.5)
            ax.set_xticks(x, [""] * len(levels))
            ax.grid(axis="x", visible=False)
        row[0].set_ylabel(title)
    for ax, (factor, levels) in zip(axes.T, FACTORS.items()):
        ax[0].set_title(factor)
        ax[-1].set_xticks(range(len(levels)), list(levels), fontsize=8)
    axes[0, 0].legend(title="dotted: random encoder", loc="lower right", fontsize=8, title_fontsize=8)
    ax = bottom.subplots()
    chosen = results["chosen"].mean(axis=0)
    width = min(SMOOTHED, len(chosen))
    shares = np.apply_along_axis(np.convolve, 0, chosen, np.full(width, 1 / width), "valid")
    steps = np.arange(len(shares)) + (width + 1) / 2
    ax.stackplot(steps, shares.T, labels=SPEEDS, colors=PALETTE)
    ax.set(xlabel="training step", ylabel="share of turns", xlim=(steps[0], steps[-1] + (len(steps) == 1)), ylim=(0, 1))
    ax.set_title(f"turns that learning progress chose, mean over {width} steps")
    ax.legend(title="degrees", loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return fig
