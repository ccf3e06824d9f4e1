"""The page of the experiment: the environments, recognition in each, soups against their chord."""

import numpy as np

from experiments._figures import PALETTE

from ._laboratory import ENVIRONMENTS, SEEN, UNSEEN
from ._measures import EACH, gaps, mixed


def figure(results):
    """The environments, recognition in each, and soups between the specialists in the unseen one."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(12.5, 4.6))
    left, right = fig.subfigures(1, 2, width_ratios=(1, 4.2))
    for row, name, images in zip(left.subplots(4, 3), ENVIRONMENTS, results["example"][0]):
        for ax, image in zip(row, images):
            ax.imshow(image)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(f"{name},\nunseen" if name == "room" else name)
    bars, scatter = right.subplots(1, 2, width_ratios=(1.9, 1))
    draw_recognition(bars, results)
    draw_gaps(scatter, results)
    return fig


def draw_recognition(ax, results):
    shown = {
        "pretrained": PALETTE[7],
        **{EACH.format(name): color for name, color in zip(SEEN, ("#C8DDED", "#8FB8D8", "#5590BF"))},
        "soup": PALETTE[1],
        "joint": PALETTE[2],
        "unshared start": PALETTE[3],
    }
    width = 0.8 / len(shown)
    for i, (name, color) in enumerate(shown.items()):
        values = results[f"recognition_{name}"]
        x = np.arange(len(ENVIRONMENTS)) + (i - (len(shown) - 1) / 2) * width
        ax.bar(x, values.mean(axis=0), width, color=color, label=f"soup, {name}" if name == "unshared start" else name)
        for row in values:
            ax.plot(x, row, ".", color="black", markersize=2.5)
    ax.axhline(results["chance"].mean(), color="black", linewidth=0.8, linestyle=":")
    ax.set_xticks(range(len(ENVIRONMENTS)), [*SEEN, "room (unseen)"])
    ax.set_ylim(0, 1.3 * ax.get_ylim()[1])
    ax.grid(axis="x", visible=False)
    ax.legend(fontsize=8, ncols=3, loc="upper left")
    ax.set(title="share of frames recognised; dots: seeds, dotted: chance")


def draw_gaps(ax, results):
    """Rewards of soups against the chord, in the unseen environment."""
    styles = zip(gaps(results).items(), ((PALETTE[1], "."), (PALETTE[1], "x"), (PALETTE[3], ".")))
    for (name, gap), (color, marker) in styles:
        start = "unshared start" if name.startswith("unshared") else "soup"
        rewards = results[f"rewards_{start}"][:, mixed(results), UNSEEN].ravel()
        chord = rewards - gap[:, mixed(results), UNSEEN].ravel()
        ax.plot(chord, rewards, marker, color=color, markersize=4, label=name)
    low, high = min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1])
    ax.plot([low, high], [low, high], color="black", linewidth=0.8)
    ax.set_ylim(top=high + 0.3 * (high - low))
    ax.set(xlabel="chord: average of the specialists", ylabel="soup of the specialists", title="unseen; marks: soups")
    ax.legend(fontsize=8, loc="upper left")
