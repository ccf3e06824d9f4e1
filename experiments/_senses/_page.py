"""Tables and pictures of cue combination that the experiments share."""

import numpy as np

from experiments._figures import interval_line
from experiments._senses._cue_combination import compare
from experiments._senses._life import NUMBERS, mean_calibration
from experiments._senses._observers import RULES

LABELS = {
    "learned": "learned",
    "oracle": "oracle, told the conditions",
    "constant": "constant precision",
    "density": "density only",
    "permuted": "learned, permuted over levels",
    "exchanged": "learned, exchanged within a level",
}
LOOKS = {
    "learned": ("#0072B2", "o", "-"),
    "oracle": ("#5A5A5A", "s", ":"),
    "constant": ("#009E73", "^", "--"),
    "density": ("#D55E00", "v", "--"),
    "permuted": ("#56B4E9", "x", ":"),
    "exchanged": ("#CC79A7", "D", "--"),
}
IN_PANEL = {
    "slope": "slope",
    "rank correlation, true variance": "rank",
    "NLL, predicted": "NLL",
    "NLL, true variance": "  stimulus known",
    "NLL, nearest neighbours": "  k-NN",
    "NLL, constant": "  constant",
}


def combination_rows(results, levels, unit):
    """One row per level and rule: what the senses alone predict and what was measured, means and intervals."""
    rows = []
    alone = results["alone"].mean(axis=0) / np.sqrt(2)
    for rule, (weights, ratios) in compare(results).items():
        for j, level in enumerate(levels):
            rows.append(
                {
                    unit: level,
                    "precision": LABELS[rule],
                    "sigma alone": f"{alone[j, 0]:.2f} / {alone[j, 1]:.2f}",
                    "weight predicted": float(results["optimal_weight"][:, j].mean()),
                    "measured - predicted": format(weights[j], "+.3f"),
                    "sigma / predicted": format(ratios[j], ".2f"),
                }
            )
    return rows


def draw_weights(ax, results, levels, label):
    """Weight of the first sense by level, one line per rule, and what the thresholds of each sense predict."""
    ax.plot(levels, results["optimal_weight"].mean(axis=0), "k--", linewidth=2.5, label="predicted by each sense alone")
    for i, rule in enumerate(RULES):
        color, marker, dash = LOOKS[rule]
        values = results["weight"][:, i]
        interval_line(ax, levels, values, LABELS[rule], color=color, marker=marker, linestyle=dash)
    ax.set(xlabel=label, ylabel="weight of vision", ylim=(-0.05, 1.05), xticks=levels)


def draw_ratios(ax, ratios, rules, levels, label):
    """Threshold of both senses over the predicted one (n_seeds, n_rules, n_levels)."""
    ax.axhline(1, color="black", linestyle="--", linewidth=1.2)
    for i, rule in enumerate(rules):
        color, marker, dash = LOOKS[rule]
        interval_line(ax, levels, ratios[:, i], LABELS[rule], color=color, marker=marker, linestyle=dash)
    ax.set(xlabel=label, ylabel="threshold of both / predicted", yscale="log", xticks=levels)
    means = ratios.mean(axis=0)
    ax.set_ylim(means.min() / 1.08, means.max() * 1.12)
    _plain_ticks(ax)


def draw_calibration(ax, results, sense, title, unit):
    """Squared error against predicted variance of one sense, means over seeds."""
    from fusion.plotting import plot_calibration

    plot_calibration(mean_calibration(results, sense), ax=ax)
    ax.get_legend().remove()
    ax.set(title=title, xlabel=f"predicted variance ({unit}²)", ylabel=f"mean squared error ({unit}²)")
    numbers = dict(zip(NUMBERS, results["calibration_numbers"][:, sense].mean(axis=0)))
    text = "\n".join(f"{label} {numbers[name]:.2f}" for name, label in IN_PANEL.items())
    ax.text(0.03, 0.98, text, transform=ax.transAxes, va="top", fontsize=8)


def _plain_ticks(ax):
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    wide = ax.get_ylim()[1] > 1.8
    ax.yaxis.set_major_locator(
        FixedLocator([1, 1.2, 1.5, 2, 3, 4, 6] if wide else [0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.2])
    )
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())
