"""Table and figure of `density_on_manifolds`."""

from __future__ import annotations

import numpy as np

from experiments._figures import PALETTE
from experiments._verdict import paired_bootstrap
from experiments.density_on_manifolds._learning import CELLS, METHODS, RAW
from experiments.density_on_manifolds._measures import MEASURES

STYLES = {
    "pixels": ("black", "s", 0.0),
    "mid": (PALETTE[2], "o", -0.24),
    "backbone": (PALETTE[0], "D", -0.08),
    "invariance": (PALETTE[3], "^", 0.08),
    "equivariance": (PALETTE[4], "v", 0.24),
}
SHOWN = (RAW, ("random", "mid"), ("NT-Xent 0.1", "invariance"), ("EquiMod", "invariance"))


def of_cell(results, measure, method, head):
    """One measure (n_seeds,) of one method and head."""
    return results[measure][:, CELLS.index((method, head))]


def by_head(results, measure, head):
    """One measure (n_seeds,) of a head, as a mean over the trained objectives."""
    trained = [method for method in METHODS if method != "random"]
    return np.mean([of_cell(results, measure, method, head) for method in trained], axis=0)


def table(results):
    """Every measure as a mean over seeds, with the interval of the slope."""
    rows = []
    for i, (method, head) in enumerate(CELLS):
        row = {"objective": method, "head": head}
        slope = paired_bootstrap(results["slope"][:, i])
        for name in MEASURES:
            row[name.replace("_", ", ")] = results[name][:, i].mean()
        rows.append(row | {"slope, low": slope.low, "slope, high": slope.high})
    return rows


def figure(results):
    """Densities of one object; slopes and rank correlations by objective and head; slopes against the stretch."""
    import matplotlib.pyplot as plt

    fig, ((curves, stretch), (slopes, ranks)) = plt.subplots(
        2, 2, figsize=(13, 9), gridspec_kw={"width_ratios": (1, 1)}
    )
    _draw_curves(curves, results)
    _draw_stretch(stretch, results)
    _draw_cells(slopes, results, "slope")
    slopes.axhline(1, color="black", linewidth=0.8)
    slopes.annotate("the world's density", (-0.45, 1), (0, 3), textcoords="offset points", fontsize=8)
    slopes.set(title="density that is left, with noise", ylabel="slope on log p(yaw)", ylim=(0, 1.15))
    _draw_cells(ranks, results, "rank_precision")
    _draw_cells(ranks, results, "rank_density", hollow=True)
    ranks.set(
        title="precision: learned from errors (filled), density (hollow)",
        ylabel="rank correlation with true precision",
        ylim=(0, 1.02),
    )
    handles, labels = slopes.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return fig


def _draw_curves(ax, results):
    yaw, truth = np.degrees(results["yaw"][0]), results["truth"][0]
    ax.plot(yaw, truth - truth.mean(), color="black", linewidth=2.5, label="true log p(yaw)")
    for (method, head), dash in zip(SHOWN, (":", "--", "-", "-")):
        found = results["curve"][0, CELLS.index((method, head))]
        label = "pixels" if head == "pixels" else f"{method}, {head}"
        colour = PALETTE[1] if method == "EquiMod" else STYLES[head][0]
        ax.plot(yaw, found - found.mean(), dash, color=colour, linewidth=1.5, label=label)
    ax.set(title="one object of one agent", xlabel="yaw (degrees)", ylabel="log density (nats, centred)")
    ax.set_xticks([-180, -90, 0, 90, 180])
    ax.set_ylim(top=ax.get_ylim()[1] + 1.3)
    ax.legend(fontsize=8, ncols=2, loc="upper left")


def _draw_stretch(ax, results):
    for (_, head), expected, found in zip(CELLS, results["stretch"].T, results["slope_clean"].T):
        colour, marker, _ = STYLES[head]
        ax.plot(expected.mean(), found.mean(), marker, color=colour)
    low = 0.2
    ax.plot([low, 1.1], [low, 1.1], color="black", linewidth=0.8)
    ax.annotate("only stretch", (0.3, 0.3), (4, -12), textcoords="offset points", fontsize=8)
    ax.set(title="without noise: slope and stretch", xlabel="slope of log(p / |de / dyaw|) on log p(yaw)")
    ax.set(ylabel="slope of the map's log density", xlim=(low, 1.1), ylim=(low, 1.1), aspect="equal")


def _draw_cells(ax, results, measure, *, hollow=False):
    methods = [RAW[0], *METHODS]
    for head, (colour, marker, shift) in STYLES.items():
        cells = [(i, cell) for i, cell in enumerate(CELLS) if cell[1] == head]
        x = np.array([methods.index(method) for _, (method, _) in cells]) + shift
        values = results[measure][:, [i for i, _ in cells]]
        intervals = [paired_bootstrap(column) for column in values.T]
        means = values.mean(axis=0)
        ends = np.array([[i.mean - i.low, i.high - i.mean] for i in intervals]).T if len(values) > 1 else None
        face = "white" if hollow else colour
        label = None if hollow else head
        ax.errorbar(x, means, ends, fmt=marker, color=colour, markerfacecolor=face, capsize=2, linewidth=1, label=label)
    names = ["no encoder", *METHODS]
    ax.set_xticks(range(len(methods)), [name.replace(" ", "\n", 1) for name in names], fontsize=8)
    ax.grid(axis="x", visible=False)
