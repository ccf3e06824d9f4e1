"""Tables and figures."""

from __future__ import annotations

import numpy as np

from experiments._figures import PALETTE

from ._claims import value
from ._comparison import TESTS
from ._measure import HEADS

SHOWN = {"training": "familiar", "background": "new background", "light": "new light", "both": "both new"}
PANELS = (
    ("linear", None, "Accuracy, all labels (backbone)"),
    ("few", "invariance", "Accuracy, 5 labels (invariance head)"),
    ("r2", None, "Action read from two views (R2)"),
    ("hit", None, "Consequence found among views (H@1)"),
)


def table(results) -> dict[str, list[dict]]:
    """Per measure a row for each method and a column for each test: means over seeds and objects."""
    tables = {"accuracy, all labels, backbone": by_test(results, "linear")}
    for head in HEADS:
        tables[f"accuracy, 5 labels, {head}"] = by_test(results, "few", head)
    for measure, title in ACTION_TABLES.items():
        tables[title] = by_test(results, measure)
    if "ceiling" in results:
        own = {"method": "action decoder itself", "training": float(results["ceiling"].mean())}
        tables[ACTION_TABLES["r2"]].append(own)
    told = zip(results["row"][0].tolist(), results["rooms"].mean(axis=0), strict=True)
    tables["room recognised (chance 1 / 16)"] = [
        {"method": name} | dict(zip(HEADS, map(float, shares), strict=True)) for name, shares in told
    ]
    if "seconds" in results:
        tables |= of_glances(results)
    return tables


def of_glances(results):
    """What the ground costs: accuracy without it; and what the trainings of each design cost."""
    names = results["row"][0].tolist()
    return {
        "ground masked: accuracy, all labels, backbone": by_test(results, "linear_masked"),
        "ground masked: accuracy, 5 labels, invariance": by_test(results, "few_masked", "invariance"),
        "processor time of training (s)": [
            {"method": name, "seconds": float(s)}
            for name, s in zip(names, results["seconds"].mean(axis=0), strict=True)
        ],
    }


ACTION_TABLES = {
    "r2": "action R2, network on pairs",
    "r2_linear": "action R2, ridge on pairs",
    "hit": "H@1",
    "hit_identity": "H@1, identity",
    "hit_shuffled": "H@1, shuffled action",
    "mrr": "MRR",
    "gain": "eqgain",
}


def by_test(results, measure, head=None):
    rows = []
    for name in results["row"][0].tolist():
        means = {test: value(results, measure, name, test, head).mean() for test in TESTS}
        if measure == "few":
            means["unseen families"] = value(results, "families", name, None, head).mean()
        known = {test: float(mean) for test, mean in means.items() if np.isfinite(mean)}
        if known:
            rows.append({"method": name} | known)
    return rows


def figure(results):
    import matplotlib.pyplot as plt

    names = results["row"][0].tolist()
    page, axes = plt.subplots(2, 3, figsize=(15, 3.2 + 0.42 * len(names)))
    for ax, (measure, head, title) in zip(axes[:, :2].flat, PANELS, strict=True):
        draw_rows(ax, results, names, measure, head)
        ax.set_title(title)
    axes[1, 1].axvline(1 / 7, color="black", linewidth=0.8, linestyle=":")
    for ax in axes[:, 1]:
        ax.set_yticklabels([])
    draw_rooms(axes[0, 2], results, names)
    (draw_costs if "seconds" in results else draw_curves)(axes[1, 2], results, names)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    page.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=len(labels),
        title="rooms of unseen objects (bars: range of seeds; dotted: chance; crosses: both new, ground masked)"
        if "seconds" in results
        else "rooms of unseen objects (bars: range of seeds; dotted: chance)",
    )
    return page


def draw_rows(ax, results, names, measure, head):
    """Mean over seeds by row and kind of room, with the range of the seeds."""
    y = np.arange(len(names))
    for k, (test, label) in enumerate(SHOWN.items()):
        seeds = np.stack([value(results, measure, name, test, head).mean(axis=1) for name in names])
        middle = seeds.mean(axis=1)
        shift = (k - 1.5) * 0.16
        ax.hlines(y + shift, seeds.min(axis=1), seeds.max(axis=1), color=PALETTE[k], linewidth=1.2)
        ax.plot(middle, y + shift, "o", color=PALETTE[k], markersize=4.5, label=label)
    if f"{measure}_masked" in results:
        masked = [value(results, f"{measure}_masked", name, "both", head).mean() for name in names]
        ax.plot(masked, y, "x", color="black", markersize=4.5)
    ax.set_yticks(y, names)
    ax.invert_yaxis()
    if measure == "r2":
        ax.set_xlim(left=max(-0.5, ax.get_xlim()[0]))


def draw_rooms(ax, results, names):
    y = np.arange(len(names))
    share = results["rooms"].mean(axis=0)
    for k, head in enumerate(HEADS):
        ax.barh(y + (k - 1) * 0.27, share[:, k], 0.25, color=PALETTE[4 + k], label=head)
    ax.axvline(1 / 16, color="black", linewidth=0.8, linestyle=":")
    ax.set(title="Room recognised", xlim=(0, 1))
    ax.set_yticks(y, [])
    ax.invert_yaxis()
    ax.legend(loc="lower right", frameon=True)


def draw_costs(ax, results, names):
    seconds = results["seconds"].mean(axis=0)
    ax.barh(np.arange(len(names)), seconds, 0.6, color=PALETTE[0])
    ax.set(title="Processor time of training", xlabel="seconds")
    ax.set_yticks(np.arange(len(names)), [])
    ax.invert_yaxis()


def draw_curves(ax, results, names):
    """What each method minimised, as a share of its first value."""
    for k, name in enumerate(names):
        loss = results["loss"][:, k].mean(axis=0)
        if np.isfinite(loss).all():
            width = max(1, len(loss) // 30)
            smooth = np.convolve(loss / abs(loss[0]), np.ones(width) / width, mode="valid")
            style = "-" if k < len(PALETTE) else "--"
            ax.plot(np.arange(len(smooth)) + width / 2, smooth, style, color=PALETTE[k % len(PALETTE)], label=name)
    ax.set(title="Loss, as a share of its first value", xlabel="training step", ylim=(0, None))
    ax.legend(fontsize=7, ncols=2)
