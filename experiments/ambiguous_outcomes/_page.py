"""The figure: predicted pictures of an unseen object, errors of the probability and of the worse branch, friction."""

from __future__ import annotations

import numpy as np

from experiments._figures import PALETTE

from ._friction import POLICIES
from ._tasks import PICTURES, TASKS

SHOWN = ("one prediction", "MDN", "rMCL")
MODELS = (*SHOWN, "rMCL, shuffled actions")
BRANCHES = {
    "push": ("tips", "slides"),
    "occluder": ("first object", "second"),
    "rotation": ("one way", "other way"),
}
LEAST_SHARE = 0.05  # of a prediction that is drawn
GAP = (4, 2)  # rows and columns between pictures


def figure(results):
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(13, 9.6))
    top, middle, bottom = fig.subfigures(3, 1, height_ratios=[1.15, 0.9, 1])
    for ax, task in zip(top.subplots(1, len(TASKS), width_ratios=[1.6, 1, 1]), TASKS):
        _pictures(ax, results, task)
    axes = middle.subplots(1, 4)
    for ax, (measure, sense) in zip(axes, [(m, s) for m in ("error", "branch") for s in ("vector", "image")]):
        _bars(ax, results, measure, sense)
    handles, labels = axes[0].get_legend_handles_labels()
    middle.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
    left, right = bottom.subplots(1, 2)
    _surprises(left, results)
    _friction(right, results)
    return fig


def _pictures(ax, results, task):
    """Both outcomes of one trial of the first seed above, what each model holds possible below, by its share."""
    key, (height, width) = f"{task}_image", PICTURES[task]
    rows = {"true": (results[f"branches_{key}"][0], BRANCHES[task])}
    for name in SHOWN:
        mass = results[f"mass_{key}_{name}"][0]
        mass = mass / mass.sum()
        order = [k for k in np.argsort(-mass) if mass[k] >= LEAST_SHARE]
        rows[name] = results[f"places_{key}_{name}"][0][order], [f"{share:.0%}" for share in mass[order]]
    n_columns = max(len(places) for places, _ in rows.values())
    tall, wide = height + GAP[0], width + GAP[1]
    page = np.zeros((len(rows) * tall, n_columns * wide))
    for i, (places, shares) in enumerate(rows.values()):
        for j, (place, share) in enumerate(zip(places, shares)):
            top, left = i * tall + GAP[0] // 2, j * wide + GAP[1] // 2
            page[top : top + height, left : left + width] = place.reshape(height, width)
            ax.text(left - 0.5, top - 0.8, share, fontsize=8, va="bottom")
            ax.add_patch(_frame(left, top, width, height))
    ax.imshow(page, cmap="gray_r", vmin=0, vmax=0.6)
    ax.set_yticks(np.arange(len(rows)) * tall + tall / 2, list(rows))
    ax.tick_params(length=0)
    ax.set_xticks([])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.set_title(f"{task}: predictions and their shares", fontsize=10, pad=12)


def _frame(left, top, width, height):
    from matplotlib.patches import Rectangle

    return Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor="#BBBBBB", linewidth=0.6)


def _bars(ax, results, measure, sense):
    width = 0.8 / len(MODELS)
    for j, (name, color) in enumerate(zip(MODELS, PALETTE)):
        for i, task in enumerate(TASKS):
            values = results[f"{measure}_{task}_{sense}_{name}"]
            x = i + (j - (len(MODELS) - 1) / 2) * width
            ax.bar(x, values.mean(), width, color=color, label=name if i == 0 else None)
            ax.plot(np.full(len(values), x), values, ".", color="black", markersize=3)
    if measure == "error":
        for i, task in enumerate(TASKS):
            base = results[f"base_{task}_{sense}"].mean()
            label = None if i else "base rate"
            ax.plot([i - 0.45, i + 0.45], [base, base], "--", color="black", linewidth=1, label=label)
    else:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    ax.set_xticks(range(len(TASKS)), TASKS)
    ax.grid(axis="x", visible=False)
    title = "mean error of the probability" if measure == "error" else "squared error of the worse branch"
    ax.set_title(f"{title},\n{sense}s", fontsize=9)


def _surprises(ax, results):
    labels = []
    for i, (task, sense) in enumerate((t, s) for t in TASKS for s in ("vector", "image")):
        one = results[f"surprise_{task}_{sense}_one prediction"]
        for name, color, shift in (("MDN", PALETTE[1], -0.17), ("rMCL", PALETTE[2], 0.17)):
            gain = one - results[f"surprise_{task}_{sense}_{name}"]
            ax.bar(i + shift, gain.mean(), 0.34, color=color, label=name if i == 0 else None)
            ax.plot(np.full(len(gain), i + shift), gain, ".", color="black", markersize=3)
        labels.append(f"{task},\n{sense}s")
    ax.set_xticks(range(len(labels)), labels, fontsize=8)
    ax.grid(axis="x", visible=False)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(ylabel="nats per outcome", title="log density of what happened, above one prediction's")
    ax.legend(fontsize=8)


def _friction(ax, results):
    colors = dict(zip(POLICIES, (PALETTE[7], PALETTE[1], PALETTE[2], "black")))
    for name in POLICIES:
        told = results[f"told_{name}"]
        steps = np.arange(1, told.shape[1] + 1)
        for row in told:
            ax.plot(steps, row, color=colors[name], alpha=0.3, linewidth=0.8)
        line = "o--" if name == "oracle" else "o-"
        ax.plot(steps, told.mean(axis=0), line, color=colors[name], label=name)
    ax.set(xlabel="pushes", ylabel="bits about the friction", title="where to push in order to find out the friction")
    ax.set_xticks(steps)
    ax.set_ylim(bottom=0)
    ax.legend(title="heights chosen by", fontsize=8, title_fontsize=8)
