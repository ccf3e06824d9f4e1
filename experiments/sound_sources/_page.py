"""The page of the experiment: predictions on the circle, errors by number of sources, and what sights add."""

import numpy as np

from experiments._figures import PALETTE

from ._recordings import MOST_SOURCES

LINES = {  # of the error panels
    "rMCL": PALETTE[0],
    "rMCL, winner-take-all": PALETTE[5],
    "rMCL*": PALETTE[4],
    "sMCL": PALETTE[1],
    "ensemble": PALETTE[3],
    "MDN": PALETTE[2],
    "histogram": PALETTE[6],
    "shuffled targets": PALETTE[7],
}
RADII = {"rMCL": 1.0, "MDN": 0.75, "histogram": 0.5}  # of the circles that predictions are drawn on
OBSERVERS = {
    "sight alone": PALETTE[7],
    "nearest within a limit": PALETTE[1],
    "forced fusion": PALETTE[3],
    "causal inference": PALETTE[0],
    "causal, other scene": PALETTE[5],
    "true pairing": "black",
}


def figure(results):
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(12.5, 8.6))
    top, bottom = fig.subfigures(2, 1, height_ratios=(1, 1.05))
    draw_circles(top, results)
    axes = bottom.subplots(1, 4, width_ratios=(1.1, 1.1, 1, 1))
    draw_errors(axes[:2], results)
    draw_observers(axes[2:], results)
    return fig


def draw_circles(panel, results):
    """One recording of each number of sources, in an unseen room, first seed."""
    axes = panel.subplots(1, MOST_SOURCES, subplot_kw={"projection": "polar"})
    shown_of = (results[f"shown_{name}"][0] for name in ("truth", *RADII))
    for n, (ax, truth, *shown) in enumerate(zip(axes, *shown_of)):
        for (name, radius), prediction in zip(RADII.items(), shown):
            angle, mass = prediction.T
            share = mass / mass.sum()
            ax.plot(np.linspace(0, 2 * np.pi, 200), np.full(200, radius), color="#CCCCCC", linewidth=0.8, zorder=1)
            ax.scatter(angle, np.full(len(angle), radius), 4 + 260 * share, color=LINES[name], alpha=0.8, zorder=3,
                       label=name, linewidth=0)  # fmt: skip
        for i, source in enumerate(truth[np.isfinite(truth)]):
            ax.plot([source, source], [0, 1.15], color="black", linewidth=1, zorder=2, label=None if i else "source")
        ax.set(ylim=(0, 1.2), yticks=[], title=("one source", "two sources", "three sources")[n])
        ax.grid(visible=False)
        ax.tick_params(labelsize=7, pad=-2)
    handles, labels = axes[0].get_legend_handles_labels()
    legend = panel.legend(handles, labels, loc="outside right center", title="unseen room;\narea: its share")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
            handle.set_alpha(1)


def draw_errors(axes, results):
    """Solid: unseen rooms; pale: seen rooms."""
    x = np.arange(1, MOST_SOURCES + 1)
    for ax, key, title in zip(axes, ("emd", "oracle"), ("EMD (degrees)", "oracle error (degrees)")):
        for name, color in LINES.items():
            seen, unseen = results[f"{key}_{name}"].mean(axis=0)
            ax.plot(x, seen, color=color, linewidth=1, linestyle=":")
            ax.plot(x, unseen, "o-", color=color, label=name, linewidth=1.6)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
        ax.set(xticks=x, xlabel="number of sources", title=title)
    axes[0].legend(fontsize=7, ncols=2, loc="lower right", title="unseen rooms; dotted: seen", title_fontsize=7)
    axes[0].set_ylim(bottom=axes[0].get_ylim()[0] / 4)


def draw_observers(axes, results):
    """Big: means; small: seeds."""
    keys = {"right": "share of sights given to\nthe right sound, or to none", "all": "RMSE of all sights\n(degrees)"}
    for ax, (key, title) in zip(axes, keys.items()):
        for y, (name, color) in enumerate(OBSERVERS.items()):
            values = results[f"{key}_{name}"]
            ax.plot(values.mean(), y, "o", color=color, markersize=10)
            ax.plot(values, np.full(len(values), y), ".", color="black", markersize=3)
        ax.set(title=title)
        ax.set_yticks(range(len(OBSERVERS)), OBSERVERS if key == "right" else [""] * len(OBSERVERS), fontsize=8)
        ax.invert_yaxis()
    axes[1].tick_params(axis="y", length=0)
