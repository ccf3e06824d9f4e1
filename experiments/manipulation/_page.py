"""The figure page, and the film of a map growing over what the eye has learned."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from experiments._figures import PALETTE, interval_line
from experiments._reliability_calibration import draw_calibration
from topology import History
from topology.plotting import animate_map

from ._claims import method
from ._life import ACTIONS
from ._looking import POLICIES
from ._methods import SENSES
from ._tables import ENCODER_ROWS, has_calibration

SHOWN = (
    "PrecisionFusion",
    "product of experts",
    "mean probability",
    "constant discount",
    "concatenation",
    "permuted weights",
    "oracle",
)
SENSE_COLOUR = dict(zip(SENSES, PALETTE, strict=False))


def figure(results):
    import matplotlib.pyplot as plt

    drawing = plt.figure(figsize=(20, 13))
    deserved = "deserved" if has_calibration(results) else "weights"
    axes = drawing.subplot_mosaic(
        [
            ["curves", "curves", "hit", "r2"],
            ["image", "points", "weights", deserved],
            ["map image", "map points", "looks", "looks"],
        ]
    )
    learning_curves(axes["curves"], results)
    encoder_bars(axes["hit"], results, "hit", "same-object H@1")
    encoder_bars(axes["r2"], results, "turn_r2", "R2 of the turn read from two views")
    for sense in SENSES:
        accuracy_by_strength(axes[sense], results, sense)
        draw_map(axes[f"map {sense}"], results, sense)
    weights_given(axes["weights"], results)
    views_curve(axes["looks"], results)
    if has_calibration(results):
        draw_calibration(axes["deserved"], results, SENSES)
    for letter, ax in zip("ABCDEFGHIJ", axes.values(), strict=False):
        title = ax.get_title()
        ax.set_title("")
        ax.set_title(f"{letter}  {title}", loc="left")
    return drawing


def learning_curves(ax, results):
    losses = results["losses"]  # (n_seeds, n_actions, n_steps)
    window = max(1, losses.shape[-1] // 40)
    n = losses.shape[-1] // window
    smooth = losses[..., : n * window].reshape(*losses.shape[:2], n, window).mean(-1)
    for a, action in enumerate(ACTIONS):
        interval_line(
            ax, window * (np.arange(n) + 0.5), smooth[:, a], f"{action} action".replace("none", "no"), marker=""
        )
    ax.set(
        title="Learning to predict what a turn changes",
        xlabel="training step",
        ylabel="prediction loss (InfoNCE, nats)",
    )
    ax.legend()


def encoder_bars(ax, results, measure, label):
    names = ENCODER_ROWS[measure]
    values = results[measure].mean(-1)  # (n_seeds, n_rows, n_senses)
    x = np.arange(len(names))
    for s, sense in enumerate(SENSES):
        seeds = values[:, :, s]
        ax.bar(x + 0.4 * s - 0.2, seeds.mean(0), 0.38, label=sense, color=SENSE_COLOUR[sense])
        ax.plot(np.tile(x + 0.4 * s - 0.2, (len(seeds), 1)), seeds, ".", color="0.2", markersize=3)
    if measure == "hit":
        ax.axhline(results["chance"].mean(), color="0.4", linestyle=":", label="chance")
    ax.axhline(0, color="0.2", linewidth=0.8)
    ax.set_xticks(x, [n.replace(" ", "\n") for n in names])
    ax.set(title="What the encoder knows of its turns" if measure == "hit" else "Turns told from views", ylabel=label)
    ax.legend()


def accuracy_by_strength(ax, results, sense):
    kinds, strength, confirms = (results[f"condition_{k}"][0] for k in ("kind", "strength", "confirms"))
    levels = np.unique(strength[kinds == sense])
    for i, name in enumerate(SHOWN):
        correct = method(results, name).mean((1, 3, 4))  # (n_seeds, n_conditions)
        at = [correct[:, (kinds == sense) & confirms & (strength == s)].mean(1) for s in levels]
        values = np.stack([correct[:, kinds == "clean"].mean(1), *at], 1)
        dashed = {"linestyle": "--"} if name in ("permuted weights", "oracle") else {}
        interval_line(ax, [0, *levels], values, name, color=PALETTE[i], **dashed)
    ax.axhline(100 / results["n_classes"].mean(), color="0.4", linestyle=":")
    ax.set(
        title=f"{sense.capitalize()} failing",
        xlabel="strength of the degradation (0 = clean)",
        ylabel="accuracy (%)",
        ylim=(0, None),
    )
    ax.legend(fontsize=8)


def weights_given(ax, results):
    weights = results["weights"].mean(-1)  # (n_seeds, n_conditions, n_senses)
    x = np.arange(weights.shape[1])
    for s, sense in enumerate(SENSES):
        interval_line(ax, x, weights[:, :, s], sense, color=SENSE_COLOUR[sense], linestyle="")
    ax.set_xticks(x, [c.replace("_", " ") for c in results["condition"][0]], rotation=90, fontsize=7)
    ax.set(title="Trust given to each sense", ylabel="mean reliability", ylim=(0, 1.02))
    ax.legend()


def views_curve(ax, results):
    correct = 100 * results["look_correct"].mean((2, 3))  # (n_seeds, n_policies, n_looks)
    for p, policy in enumerate(POLICIES):
        style = {"linestyle": "--"} if policy.startswith("oracle") else {}
        interval_line(ax, 1 + np.arange(correct.shape[-1]), correct[:, p], policy, **style)
    ax.set(title="Looking again", xlabel="views", ylabel="accuracy (%), 5 labels per class")
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.65))  # between the oracle and the others


def draw_map(ax, results, sense):
    """The first life's map over the embeddings of one sense, on their first two principal components."""
    samples, units, edges = (results[f"map_{k}_{sense}"][0] for k in ("samples", "units", "edges"))
    units = units[-1][np.isfinite(units[-1, :, 0])]
    flat = PCA(2, random_state=0).fit(samples)
    points = flat.transform(samples)
    draw_graph(ax, points, flat.transform(units), edges[-1])
    add_thumbnails(ax, points, results["map_thumbnails"][0])
    ax.set(title=f"Map of the {sense}", xlabel="first principal component", ylabel="second principal component")


def draw_graph(ax, points, units, edges):
    from matplotlib.collections import LineCollection

    ax.scatter(*points.T, s=3, color="0.8", rasterized=True)
    edges = edges[edges[:, 0] >= 0]
    ax.add_collection(LineCollection(units[edges], colors="0.35", linewidths=0.7))
    ax.plot(*units.T, "o", color=PALETTE[3], markersize=3.5)
    ax.grid(False)


def add_thumbnails(ax, points, images, n_shown=24):
    """Pictures of samples that lie far from one another (farthest-point order), at their place on the map."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    chosen = [0]
    distance = np.full(len(images), np.inf)
    while len(chosen) < min(n_shown, len(images)):
        distance = np.minimum(distance, np.linalg.norm(points[: len(images)] - points[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    for i in chosen:
        ax.add_artist(AnnotationBbox(OffsetImage(images[i], zoom=0.8), points[i], frameon=False))


def growing_map(results, path):
    """GIF of the first life's map growing over the image embeddings."""
    units, edges, seen = (results[f"map_{key}_image"][0] for key in ("units", "edges", "seen"))
    history = History(store=("prototypes", "edges"))
    for prototypes, links, step in zip(units, edges, seen, strict=True):
        present = np.isfinite(prototypes[:, 0])
        history({"prototypes": prototypes[present], "edges": links[links[:, 0] >= 0]}, int(step))
    animate_map(history, path, results["map_samples_image"][0])
