"""Table and figure."""

from __future__ import annotations

import numpy as np

from ._claims import PUBLISHED, added
from ._methods import BASES, CEILING, FLOORS, METHODS, TRAINED, WITH
from ._training import LABELS

N_DRAWN = 2000  # of the bootstrap: enough for a picture
COLORS = dict(zip((*BASES, CEILING, "pooled"), ("#0072B2", "#D55E00", "#009E73", "#5A5A5A", "#000000")))


def table(results):
    """Accuracy in %, by method and share of labels."""
    gain = dict(zip((base + WITH for base in BASES), results["gain"].mean(axis=0)))
    return [
        {
            "method": method,
            **{name: 100 * results[name][:, i].mean() for name in LABELS},
            "gain of the prediction": gain.get(method),
            "published, CIFAR-10, linear": PUBLISHED.get(method),
        }
        for i, method in enumerate(METHODS)
    ]


def figure(results):
    """Accuracy while learning, at the end by share of labels, and what EquiMod adds to it."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(14.5, 4.6), width_ratios=(1, 1.5, 0.9))
    curves(axes[0], results)
    bars(axes[1], results)
    differences(axes[2], results)
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return fig


def curves(ax, results):
    for i, method in enumerate(TRAINED):
        dash = ":" if method == CEILING else "--" if WITH in method else "-"
        color = COLORS[method.removesuffix(WITH)]
        mean = 100 * results["curve"][:, i].mean(axis=0)
        ax.plot(results["step"][0], mean, color=color, linestyle=dash, marker="o", markersize=3)
    ax.set(
        xlabel="step",
        ylabel="unseen images named by 5 neighbours (%)",
        title="while learning (mean; dashed: with EquiMod)",
        ylim=(None, 100),
    )


def bars(ax, results):
    width = 0.8 / len(METHODS)
    for i, method in enumerate(METHODS):
        accuracy = 100 * np.stack([results[name][:, i].mean(axis=1) for name in LABELS], axis=1)
        floor = method in FLOORS
        color = ("#C8C8C8", "#9A9A9A")[i] if floor else COLORS[method.removesuffix(WITH)]
        spread = accuracy.std(axis=0, ddof=1) if len(accuracy) > 1 else None
        ax.bar(
            np.arange(len(LABELS)) + (i - (len(METHODS) - 1) / 2) * width,
            accuracy.mean(axis=0),
            width,
            yerr=spread,
            color=color,
            alpha=0.55 if WITH in method else 1,
            hatch="//" if WITH in method else None,
            edgecolor="white",
            label=method,
        )
    ax.set_xticks(range(len(LABELS)), ["all labels", "10 % of the labels", "1 % of the labels"])
    ax.set(ylabel="unseen images named (%)", title="linear reading at the end (mean, SD over seeds)", ylim=(0, 100))
    ax.grid(axis="x", visible=False)


def differences(ax, results):
    groups = {**{base: [base] for base in BASES}, "pooled": list(BASES)}
    for i, (name, bases) in enumerate(groups.items()):
        for j, label in enumerate(LABELS):
            interval = added(results, label, bases, N_DRAWN)
            place = j + (i - (len(groups) - 1) / 2) * 0.18
            ax.plot([place] * 2, [100 * interval.low, 100 * interval.high], color=COLORS[name], linewidth=2)
            ax.plot(place, 100 * interval.mean, "o", color=COLORS[name], label=name if j == 0 else None)
    ax.axhline(0, color="#5A5A5A", linewidth=1)
    ax.set_xticks(range(len(LABELS)), ["all labels", "10 %", "1 %"])
    ax.set(ylabel="points", title="with EquiMod minus without (95 %)")
    ax.grid(axis="x", visible=False)
    ax.legend(fontsize="small")
