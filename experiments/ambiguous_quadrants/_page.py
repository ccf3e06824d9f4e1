"""The figure, and the film of hypotheses that learn their cells."""

import io

import numpy as np
from scipy.spatial import Voronoi

from experiments._figures import PALETTE, interval_line, style

from ._collapse import ASSIGNMENTS, FILM_T, FILMED, STARTS
from ._toy import CORNERS, draw_targets, probabilities

OFFICIAL_MEAN = 0.167
DRAWN = {
    "rMCL": (PALETTE[0], "-"),
    "rMCL*": (PALETTE[5], "--"),
    "sMCL": (PALETTE[3], "-"),
    "MDN, means": (PALETTE[2], "-"),
    "codebook": (PALETTE[7], ":"),
}


def figure(results):
    """Predictions at three t, EMD against t, and the collapse test."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(11.5, 7.2))
    top, bottom = fig.subfigures(2, 1)
    shown = results["shown"][0]
    axes = top.subplots(1, len(shown), sharey=True)
    for ax, t, rows in zip(np.atleast_1d(axes), results["t_shown"][0], shown):
        draw_truth(ax, t, 400)
        draw_cells(ax, rows)
        ax.scatter(*rows[:, :2].T, s=22 + 700 * rows[:, 2], color=PALETTE[0], edgecolor="white", zorder=3)
        ax.set(title=f"rMCL at t = {t:g}; area: score", xlabel="first output", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    np.atleast_1d(axes)[0].set_ylabel("second output")
    left, right = bottom.subplots(1, 2)
    for name, (color, dash) in DRAWN.items():
        interval_line(left, results["t"][0], results[f"emd_{name}"], name, color=color, linestyle=dash, markersize=3)
    left.axhline(OFFICIAL_MEAN, color="black", linewidth=0.8, label="official mean of rMCL")
    left.set(
        xlabel="t", ylabel="EMD (earth mover's distance)", ylim=(0, None), title="distance between prediction and truth"
    )
    left.legend(ncols=3, fontsize=8, loc="lower center")
    draw_collapse(right, results)
    return fig


def draw_collapse(ax, results):
    """Dead hypotheses by assignment and start."""
    dead = results["collapse_dead"]
    y = np.arange(len(ASSIGNMENTS))
    for i, (start, color) in enumerate(zip(STARTS, (PALETTE[7], PALETTE[1]))):
        rows = dead[:, i]
        label = "usual start" if start == "usual" else "all but one start far away"
        ax.barh(y + 0.2 - 0.4 * i, rows.mean(axis=0), 0.38, color=color, label=label)
        for seed in rows:
            ax.plot(seed, y + 0.2 - 0.4 * i, ".", color="black", markersize=3, alpha=0.6)
    ax.set_yticks(y, list(ASSIGNMENTS))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=f"dead hypotheses of {results['film'].shape[3]}", title="bars: means; dots: seeds")
    ax.legend(loc="lower right", fontsize=8)


def draw_truth(ax, t, n_samples):
    Y = draw_targets(np.full(n_samples, t), np.random.default_rng(0))
    for corner, p in zip(CORNERS, probabilities(t)):
        ax.add_patch(_square(corner, p))
    ax.scatter(*Y.T, s=3, color="#9A9A9A", linewidth=0, zorder=1)
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    ax.grid(visible=False)


def draw_cells(ax, rows):
    """Borders between the cells of the hypotheses."""
    from matplotlib.collections import LineCollection

    lines = LineCollection(borders(rows[:, :2]), color=PALETTE[0], linewidth=0.6, alpha=0.6, zorder=2)
    return ax.add_collection(lines)


def borders(points):
    """Segments of the Voronoi diagram; four far points close the outer cells."""
    far = 100 * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    diagram = Voronoi(np.concatenate([points, far]))
    ridges = zip(diagram.ridge_points, diagram.ridge_vertices)
    return [diagram.vertices[ends] for pair, ends in ridges if pair.max() < len(points) and -1 not in ends]


def write_film(results, path):
    """GIF: hard and ranked assignment side by side, from the start with all hypotheses but one far away."""
    import matplotlib.pyplot as plt
    from PIL import Image

    film, steps = results["film"][0], results["film_steps"][0]
    pictures = []
    with style():
        for frame in [*range(len(steps)), *[len(steps) - 1] * 8]:  # the end stays for a while
            fig, axes = plt.subplots(1, len(FILMED), figsize=(8, 4.9), dpi=80)
            for ax, name, rows in zip(axes, FILMED, film[:, frame]):
                draw_truth(ax, FILM_T, 300)
                draw_cells(ax, rows)
                ax.scatter(*rows[:, :2].T, s=15 + 500 * rows[:, 2], color=PALETTE[0], edgecolor="white", zorder=3)
                ax.set(title=name, xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), xlabel="first output")
            axes[0].set_ylabel("second output")
            fig.suptitle(f"hypotheses at t = {FILM_T:g} after {steps[frame]:,} steps; area: score", fontsize=10)
            buffer = io.BytesIO()
            fig.savefig(buffer, format="png", dpi=80)
            plt.close(fig)
            pictures.append(Image.open(buffer).convert("RGB").quantize(64))
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=120, loop=0, format="GIF")


def _square(corner, p):
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, facecolor=PALETTE[1], alpha=0.5 * float(p), linewidth=0, zorder=0)
