"""Pictures of maps: the graph over the data, its growth, its learning curves. Needs matplotlib (extra `plot`)."""

import io

import numpy as np
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from topology import storage
from topology._validation import check_choice, check_integer, check_matrix

__all__ = ["animate_map", "plot_dynamics", "plot_map"]

DATA, EDGE, UNIT, INK = "#b8c4ce", "#34495e", "#d1495b", "#2c3e50"
MAX_DATA_POINTS = 20_000  # more dots only make the picture slower
LABELS = {
    "n_units": "units",
    "n_edges": "edges",
    "quantization_error": "mean distance\nto the winner",
    "n_samples_seen": "samples presented",
}


def plot_map(est, X=None, kind="graph", ax=None):
    """Draw a fitted map, over the data if they are given.

    More than two features are projected on the first two principal components of X, or of the prototypes without X.

    Parameters
    ----------
    est : fitted map with `prototypes_`, `edges_`, `counts_`
    X : array-like (n_samples, n_features), optional
    kind : {"graph", "hits"}
        "graph": units and edges. "hits": the area of every unit shows how many samples it won, of X if given, else
        of the training data.
    ax : matplotlib Axes, optional

    Returns
    -------
    ax : matplotlib Axes
    """
    check_is_fitted(est, "prototypes_")
    check_choice("kind", kind, ("graph", "hits"))
    prototypes = np.asarray(est.prototypes_)
    X = None if X is None else check_matrix("X", X, n_columns=prototypes.shape[1])
    view = _View(prototypes if X is None else X)
    ax = _new_axes(view(prototypes if X is None else X)) if ax is None else ax
    _draw_data(ax, view, X)
    _draw_edges(ax, view, view(prototypes), est.edges_)
    if kind == "graph":
        size = np.clip(3000 / len(prototypes), 6, 40)
        ax.scatter(*view(prototypes).T, s=size, color=UNIT, edgecolor="white", linewidth=0.5, zorder=3)
    else:
        _draw_hits(ax, view(prototypes), _count_hits(est, X))
    view.dress(ax)
    return ax


def plot_dynamics(history):
    """Draw every number that a `History` recorded against its steps, one panel each.

    Returns
    -------
    figure : matplotlib Figure
    """
    import matplotlib.pyplot as plt

    records = history.to_dict()
    steps = records.pop("step")
    curves = {name: values for name, values in records.items() if isinstance(values, np.ndarray) and values.ndim == 1}
    if not curves or len(steps) == 0:
        raise ValueError(f"history must have recorded a number, for example 'n_units', got {sorted(records)}")
    figure, axes = plt.subplots(
        len(curves), 1, sharex=True, squeeze=False, figsize=(6, 0.6 + 1.7 * len(curves)), layout="constrained"
    )
    for ax, (name, values) in zip(axes[:, 0], curves.items()):
        ax.plot(steps, values, color=UNIT if name == "quantization_error" else EDGE, linewidth=1.6)
        ax.set_ylabel(LABELS.get(name, name), color=INK)
        ax.set_ylim(bottom=min(0, np.nanmin(values)))
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25, linewidth=0.6)
        ax.margins(x=0.01)
    axes[-1, 0].set_xlabel("samples presented" if "quantization_error" in curves else "step", color=INK)
    return figure


def animate_map(history, path, X=None, *, fps=15, max_frames=120):
    """Write the growth of a map as an animated GIF.

    Parameters
    ----------
    history : History with "prototypes" and "edges" in `store`
    path : str or path-like
    X : array-like (n_samples, n_features), optional
        Drawn underneath; also defines the projection, as in `plot_map`.
    fps : int, default=15
        Frames per second.
    max_frames : int, default=120
        Longer histories are thinned evenly.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    check_integer("fps", fps, 1)
    check_integer("max_frames", max_frames, 2)
    records = history.to_dict()
    n_records = len(records["step"])
    missing = {"prototypes", "edges"} - set(records)
    if missing or n_records == 0:
        raise ValueError(f"history must have recorded prototypes and edges, missing {sorted(missing) or 'any record'}")
    last = records["prototypes"][-1]
    X = None if X is None else check_matrix("X", X, n_columns=last.shape[1])
    view = _View(last if X is None else X)
    frames = np.unique(np.linspace(0, n_records - 1, min(n_records, max_frames)).round().astype(int))
    positions = [view(records["prototypes"][i]) for i in frames]

    everywhere = np.concatenate(positions if X is None else [*positions, view(X)])
    low, high = everywhere.min(axis=0), everywhere.max(axis=0)
    margin = 0.04 * max((high - low).max(), np.finfo(np.float32).tiny)
    low, high = low - margin, high + margin
    figure = Figure(figsize=_figure_size(*(high - low)), dpi=90, layout="constrained")
    canvas, ax = FigureCanvasAgg(figure), figure.add_subplot()
    _draw_data(ax, view, X)
    lines = _draw_edges(ax, view, positions[-1], records["edges"][-1])
    dots = ax.scatter(*positions[-1].T, s=22, color=UNIT, edgecolor="white", linewidth=0.5, zorder=3)
    title = ax.set_title(" ", fontsize=10, color=INK, loc="left")
    view.dress(ax)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))

    # What stays is drawn once; a frame adds edges, units and title.
    moving = (lines, dots, title)
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    pictures = []
    for record, position in zip(tqdm(frames, desc="frames", delay=2, disable=None, leave=False), positions):
        lines.set_segments(position[records["edges"][record]])
        dots.set_offsets(position)
        title.set_text(f"{len(position)} units after {records['step'][record]:,} samples")
        canvas.restore_region(background)
        for artist in moving:
            figure.draw_artist(artist)
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    palette = pictures[-1].quantize(64, method=Image.Quantize.MAXCOVERAGE)  # keeps white white
    pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    payload = io.BytesIO()
    options = {"save_all": True, "append_images": pictures[1:], "duration": 1000 / fps, "loop": 0}
    pictures[0].save(payload, format="GIF", **options)
    storage.write_atomically(path, payload.getvalue())


class _View:
    """Two coordinates of every row: the features themselves, or principal components if there are more."""

    def __init__(self, rows):
        self.n_features = rows.shape[1]
        if self.n_features > 2:
            self.mean = rows.mean(axis=0)
            _, singular, components = np.linalg.svd(rows - self.mean, full_matrices=False)
            self.components = components[:2]
            self.shares = singular[:2] ** 2 / max(np.sum(singular**2), np.finfo(np.float32).tiny)

    def __call__(self, rows):
        if self.n_features == 1:
            return np.column_stack([rows[:, 0], np.zeros(len(rows))])
        return np.asarray(rows) if self.n_features == 2 else (rows - self.mean) @ self.components.T

    def dress(self, ax):
        if self.n_features > 1:
            ax.set_aspect("equal", adjustable="box")
        ax.tick_params(colors=INK, labelsize=8, length=2)
        ax.spines[:].set_visible(False)
        if self.n_features > 2:
            for axis, share, number in zip((ax.xaxis, ax.yaxis), self.shares, "12"):
                axis.set_label_text(f"principal component {number} ({share:.0%} of variance)", fontsize=9, color=INK)
        else:
            ax.set_xlabel("feature 0", fontsize=9, color=INK)
            ax.set_ylabel("feature 1" if self.n_features == 2 else "", fontsize=9, color=INK)
            if self.n_features == 1:
                ax.set_yticks([])


def _new_axes(positions):
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=_figure_size(*np.ptp(positions, axis=0)), layout="constrained")[1]


def _figure_size(width, height):
    """Inches for data of this width and height, so that equal scales leave no empty bands."""
    ratio = height / max(width, np.finfo(np.float32).tiny)
    return 5.5, 5.5 * float(np.clip(ratio, 0.3, 1.2)) + 0.6


def _draw_data(ax, view, X):
    if X is not None:
        X = X[:: int(np.ceil(len(X) / MAX_DATA_POINTS))]
        ax.scatter(*view(X).T, s=np.clip(20000 / len(X), 1.5, 12), color=DATA, linewidth=0, zorder=1, rasterized=True)


def _draw_edges(ax, view, positions, edges):
    from matplotlib.collections import LineCollection

    alpha = 0.8 if view.n_features <= 2 else 0.35  # projected edges cross each other
    lines = LineCollection(positions[np.asarray(edges)], color=EDGE, linewidth=1.0, alpha=alpha, zorder=2)
    ax.add_collection(lines)
    return lines


def _count_hits(est, X):
    if X is None:
        return np.asarray(est.counts_)
    return np.bincount(est.predict(X.astype(est.prototypes_.dtype)), minlength=len(est.prototypes_))


def _draw_hits(ax, positions, hits):
    """Areas proportional to the hits; the largest disc has about the size of a cell when 100 units fill the axes."""
    area = 220 * hits / max(hits.max(), 1)
    dots = ax.scatter(*positions.T, s=area, c=hits, cmap="magma_r", vmin=0, edgecolor="white", linewidth=0.5, zorder=3)
    colorbar = ax.figure.colorbar(dots, ax=ax, shrink=0.7, pad=0.02)
    colorbar.set_label("samples won", fontsize=9, color=INK)
    colorbar.ax.tick_params(labelsize=8, colors=INK)
    colorbar.outline.set_visible(False)
