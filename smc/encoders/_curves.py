"""Curves of a training while it runs."""

import io
from pathlib import Path

import numpy as np

from smc.encoders._checks import check_positive_integer
from topology.storage import write_atomically

NOT_LOSSES = ("modules", "learning_rate")


class LearningCurves:
    """Callback of `pretrain` that draws the losses as they fall (needs matplotlib, extra ``plot``).

    Parameters
    ----------
    path : path-like, optional
        Picture that is written anew, whole or not at all; without it the curves are drawn into `axes`.
    axes : matplotlib Axes, optional
        Where to draw; by default a figure of its own. In a window or a notebook it is redrawn as the training goes on.
    every : int, default=10
        Steps between drawings.

    Attributes
    ----------
    losses : dict of str to list of float
        What was drawn, by name of loss, one value per step seen.

    Examples
    --------
    >>> from smc.encoders import LearningCurves
    >>> curves = LearningCurves("training.png", every=50)  # pretrain(..., callback=curves)
    """

    def __init__(self, path=None, *, axes=None, every=10):
        check_positive_integer("every", every)
        self.path = None if path is None else Path(path)
        if self.path is not None and not self.path.parent.is_dir():
            raise ValueError(f"path must lie in a folder that exists, got {self.path}")
        self.axes = axes
        self.every = every
        self.steps = []
        self.losses = {}

    def __call__(self, state, step):
        self.steps.append(step)
        for name, value in state.items():
            if name not in NOT_LOSSES:
                self.losses.setdefault(name, []).append(value)
        if step % self.every == 0:
            self.draw()

    def draw(self):
        """Draw what was seen so far; returns the axes."""
        axes = self.axes = self._own_axes() if self.axes is None else self.axes
        axes.clear()
        for name, values in self.losses.items():
            whole = name == "total"
            axes.plot(self.steps, _relative(values), label=name, lw=2 if whole else 1, color="k" if whole else None)
        axes.set(xlabel="step", ylabel="loss relative to the first step")
        axes.axhline(1, color="0.8", lw=0.8, zorder=0)
        axes.legend(fontsize="small", frameon=False)
        if self.path is None:
            axes.figure.canvas.draw_idle()
        else:
            picture = io.BytesIO()
            axes.figure.savefig(picture, format=self.path.suffix[1:] or "png")
            write_atomically(self.path, picture.getvalue())
        return axes

    @staticmethod
    def _own_axes():
        from matplotlib.figure import Figure

        return Figure(figsize=(6, 4), layout="constrained").subplots()


def _relative(values):
    first = abs(values[0]) or 1.0
    return np.asarray(values) / first
