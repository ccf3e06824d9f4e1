"""Pictures of maps, of their growth and of their learning curves. Needs matplotlib (extra `plot`)."""

import io

import numpy as np
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from topology import storage
from topology._plot_lattice import LatticePicture
from topology._plot_space import EDGE, INK, TINY, UNIT, SpacePicture, View, draw_data, draw_edges, figure_size
from topology._validation import check_choice, check_integer, check_matrix

__all__ = ["animate_map", "plot_dynamics", "plot_map"]

KINDS = ("graph", "u_matrix", "hits", "planes")
MAX_PLANES = 64
LABELS = {
    "n_units": "units",
    "n_edges": "edges",
    "quantization_error": "mean distance\nto the winner",
    "n_samples_seen": "samples presented",
    "radius": "neighbourhood radius",
}


def plot_map(est, X=None, kind="graph", ax=None):
    """Draw a fitted map.

    A self-organising map is drawn on its lattice, one square or hexagon per unit; "graph" and all kinds of other maps
    are drawn among the data. There more than two features are projected on the first two principal components of X,
    or of the prototypes without X.

    Parameters
    ----------
    est : fitted map with `prototypes_`, `edges_`, `counts_`
    X : array-like (n_samples, n_features), optional
        Drawn underneath where the map is drawn among the data, except under "planes"; its rows are counted by "hits".
    kind : {"graph", "u_matrix", "hits", "planes"}
        "graph": units and edges. "u_matrix": mean distance of every unit to its neighbours, in the metric of the map;
        the sides of a cell, or the edges, show the distance between two units. "hits": samples that every unit won,
        of X if given, else of the training data. "planes": the value of every feature over the map, one panel each,
        from its lowest (dark) to its highest; of more than 64 features those that vary most.
    ax : matplotlib Axes, optional
        For "planes" a sequence of Axes, one per panel.

    Returns
    -------
    ax : matplotlib Axes, for "planes" an ndarray of them

    Raises
    ------
    TypeError, ValueError
        `est` is not a map, X does not fit it, or the kind does not, as "u_matrix" where no unit has a neighbour.

    References
    ----------
    Ultsch and Siemon (1990), Proc. INNC, 305, for the U-matrix.
    """
    check_choice("kind", kind, KINDS)
    if isinstance(est, type) or not hasattr(est, "fit"):
        raise TypeError(f"est must be a fitted map, got {est!r}")
    check_is_fitted(est)
    if not hasattr(est, "prototypes_") or not hasattr(est, "edges_"):
        raise TypeError(f"est must be a map with prototypes_ and edges_, got {type(est).__name__}")
    if kind == "u_matrix" and len(est.edges_) == 0:
        raise ValueError(
            "kind 'u_matrix' needs units with neighbours and this map has no edges; 'graph', 'hits' and 'planes' fit it"
        )
    hits = _count_hits(est, X) if kind == "hits" else None
    if hasattr(est, "positions_") and kind != "graph":
        picture = LatticePicture(est)
    else:
        X = None if X is None else check_matrix("X", X, n_columns=est.prototypes_.shape[1])
        picture = SpacePicture(est, X)
    if kind == "planes":
        return _draw_planes(picture, est, ax)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=figure_size(*picture.size()), layout="constrained")[1]
    if kind == "graph":
        picture.draw_graph(ax)
    elif kind == "hits":
        _add_colorbar(ax, picture.draw_hits(ax, hits, "magma_r"), "samples won")
    else:
        drawn = picture.draw_distances(ax, *_neighbor_distances(est), "viridis")
        _add_colorbar(ax, drawn, "distance to neighbouring units")
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
    view = View(last if X is None else X)
    frames = np.unique(np.linspace(0, n_records - 1, min(n_records, max_frames)).round().astype(int))
    positions = [view(records["prototypes"][i]) for i in frames]

    everywhere = np.concatenate(positions if X is None else [*positions, view(X)])
    low, high = everywhere.min(axis=0), everywhere.max(axis=0)
    margin = 0.04 * max((high - low).max(), TINY)
    low, high = low - margin, high + margin
    figure = Figure(figsize=figure_size(*(high - low)), dpi=90, layout="constrained")
    canvas, ax = FigureCanvasAgg(figure), figure.add_subplot()
    draw_data(ax, view, X)
    lines = draw_edges(ax, view, positions[-1], records["edges"][-1])
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
    palette = pictures[-1].quantize(64, method=Image.Quantize.MAXCOVERAGE)
    colours = np.reshape(palette.getpalette(), (-1, 3))
    colours[(colours > 240).all(axis=1)] = 255  # the background becomes white, not nearly so
    palette.putpalette(colours.ravel().tolist())
    pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    payload = io.BytesIO()
    options = {"save_all": True, "append_images": pictures[1:], "duration": 1000 / fps, "loop": 0}
    pictures[0].save(payload, format="GIF", **options)
    storage.write_atomically(path, payload.getvalue())


def _count_hits(est, X):
    if X is None:
        return np.asarray(est.counts_)
    return np.bincount(est.predict(X), minlength=len(est.prototypes_))


def _neighbor_distances(est):
    """Mean distance of every unit to its neighbours (n_units,), NaN without any, and length of every edge."""
    a, b = np.asarray(est.prototypes_, float)[est.edges_.T]
    metric = getattr(est, "metric", "euclidean")
    if metric == "manhattan":
        lengths = np.abs(a - b).sum(axis=1)
    else:
        lengths = np.linalg.norm(a - b, axis=1)
        lengths = lengths**2 / 2 if metric == "cosine" else lengths  # units of length 1
    n_units = len(est.prototypes_)
    ends, both = est.edges_.ravel(), np.repeat(lengths, 2)
    with np.errstate(invalid="ignore"):
        return np.bincount(ends, both, n_units) / np.bincount(ends, minlength=n_units), lengths


def _draw_planes(picture, est, axes):
    import matplotlib.pyplot as plt

    prototypes = np.asarray(est.prototypes_)
    n_features = prototypes.shape[1]
    names = getattr(est, "feature_names_in_", [f"feature {i}" for i in range(n_features)])
    shown = np.sort(np.argsort(-prototypes.var(axis=0), kind="stable")[:MAX_PLANES])
    if axes is None:
        n_columns = int(np.ceil(np.sqrt(len(shown))))
        n_rows = -(-len(shown) // n_columns)
        width = 2.6 if n_columns <= 4 else 1.4
        height = width * (figure_size(*picture.size())[1] - 0.6) / 5.5 + 0.5
        figure, grid = plt.subplots(
            n_rows, n_columns, squeeze=False, figsize=(n_columns * width + 0.8, n_rows * height), layout="constrained"
        )
        axes = grid.ravel()
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
        if len(shown) < n_features:
            figure.suptitle(f"the {MAX_PLANES} of {n_features} features that vary most", fontsize=10, color=INK)
    axes = np.atleast_1d(np.asarray(axes, object)).ravel()
    if len(axes) < len(shown):
        raise ValueError(f"ax must hold {len(shown)} Axes for kind 'planes', one per feature, got {len(axes)}")
    for ax, feature in zip(axes, shown):
        values = prototypes[:, feature]
        picture.draw_plane(ax, values, "viridis")
        low, high = _rounded(values.min(), values.max())
        ax.set_title(f"{names[feature]}\n{low:.3g} to {high:.3g}", fontsize=8, color=INK)
    return axes[: len(shown)]


def _rounded(*values):
    """To three digits of the largest: what is 0 beside it is 0."""
    digits = 2 - int(np.floor(np.log10(max(np.abs(values).max(), TINY))))
    return [round(float(value), digits) + 0.0 for value in values]


def _add_colorbar(ax, drawn, label):
    colorbar = ax.figure.colorbar(drawn, ax=ax, shrink=0.7, pad=0.02)
    colorbar.set_label(label, fontsize=9, color=INK)
    colorbar.ax.tick_params(labelsize=8, colors=INK)
    colorbar.outline.set_visible(False)
