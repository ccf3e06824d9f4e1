"""The look that all figures share; matplotlib is loaded when a figure is drawn."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np

# Colours that remain distinct under the common colour-vision deficiencies (Okabe & Ito 2008).
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B8A500", "#5A5A5A")

STYLE = {
    "figure.figsize": (6.4, 4.0),
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "mesmrise",
}


@contextmanager
def style():
    """Draw in the shared look, without a display, and leave the caller's settings as they were."""
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({**STYLE, "backend": "Agg", "axes.prop_cycle": cycler(color=PALETTE)}):
        yield


def save_figure(figure, path: Path) -> None:
    """Write `figure` to `path` (.png or .svg), without a date, so that the same figure gives the same file."""
    with style():
        figure.savefig(path, metadata={"Date": None} if Path(path).suffix == ".svg" else None)


def save_film(figure, moving, show, n_frames, path: Path, fps: int) -> None:
    """Write an animation of `figure` to `path` (.gif); what stays is drawn once.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    moving : list of matplotlib.artist.Artist
        What is drawn anew for every frame, from back to front.
    show : callable
        `show(frame)` changes the moving artists.
    n_frames : int
    path : Path
    fps : int
        Frames per second.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    for artist in moving:
        artist.set_animated(True)
    show(0)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    pictures = []
    for frame in range(n_frames):
        show(frame)
        canvas.restore_region(background)
        for artist in moving:
            figure.draw_artist(artist)
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=1000 / fps, loop=0)


def close_figure(figure) -> None:
    """Release `figure`; pyplot would keep it."""
    import matplotlib.pyplot as plt

    plt.close(figure)


def interval_line(ax, x, values, label=None, **kwargs):
    """Mean line over seeds with its 95 % interval over seeds (Student t); no band for one seed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : array_like of shape (n_points,)
    values : array_like of shape (n_seeds, n_points)
        NaN marks a point that a seed did not measure.
    label : str, optional
    **kwargs
        For `ax.plot`.

    Returns
    -------
    matplotlib.lines.Line2D
    """
    from scipy.stats import t

    x, values = np.asarray(x), np.atleast_2d(np.asarray(values, dtype=float))
    if values.shape[1:] != x.shape:
        raise ValueError(f"values must have shape (n_seeds, {len(x)}); got {values.shape}")
    measured = np.isfinite(values)
    n = measured.sum(axis=0)
    mean = np.divide(np.where(measured, values, 0.0).sum(axis=0), n, out=np.full(len(x), np.nan), where=n > 0)
    squares = np.where(measured, (values - mean) ** 2, 0.0).sum(axis=0)
    half = t.ppf(0.975, np.maximum(n - 1, 1)) * np.sqrt(squares / np.maximum(n * (n - 1), 1))
    (line,) = ax.plot(x, mean, **{"marker": "o", "label": label, **kwargs})
    if len(values) > 1:
        ax.fill_between(x, mean - half, mean + half, color=line.get_color(), alpha=0.2, linewidth=0)
    return line
