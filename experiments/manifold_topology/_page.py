"""Table and figure of `manifold_topology`."""

from __future__ import annotations

import numpy as np

from experiments._figures import PALETTE
from experiments._verdict import paired_bootstrap
from experiments.manifold_topology._learning import METHODS
from experiments.manifold_topology._shape import TRUTH

SHAPES = ("ring", "torus")
SHOWN = ("supervised", "pixels", "time contrast, invariance", "EquiMod, equivariance")
SHOWN_VIEWS = 300


def of(results, name):
    """Betti numbers (n_seeds, n_objects + 1, 2, 3) of the maps of one method."""
    return results["betti"][:, METHODS.index(name)]


def right(betti, *, symmetrical=False):
    """Share (n_seeds, 2) of maps with the Betti numbers of the pose, by number of turning axes."""
    betti = betti[:, -1:] if symmetrical else betti[:, :-1]
    truth = np.array(TRUTH["symmetrical" if symmetrical else "asymmetrical"])
    return (betti == truth).all(axis=-1).mean(axis=1)


def table(results):
    """Share of right Betti numbers, and the numbers that were found most often."""
    rows = []
    for name in METHODS:
        row = {"map of": name}
        for i, shape in enumerate(SHAPES):
            share = paired_bootstrap(right(of(results, name))[:, i])
            row |= {f"{shape}, right": share.mean, f"{shape}, low": share.low, f"{shape}, high": share.high}
            found = of(results, name)[:, :-1, i].reshape(-1, 3)
            values, counts = np.unique(found, axis=0, return_counts=True)
            row[f"{shape}, most frequent"] = " ".join(map(str, values[counts.argmax()]))
            row[f"{shape} of the vase, right"] = right(of(results, name), symmetrical=True)[:, i].mean()
        rows.append(row)
    return rows


def figure(results):
    """The manifolds of one object in three principal components, coloured by yaw, with the map
    drawn on; below, how often they are right."""
    import matplotlib.pyplot as plt
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    fig = plt.figure(figsize=(12.5, 10), layout="constrained")
    grid = fig.add_gridspec(3, len(SHOWN), height_ratios=(1, 1, 0.6))
    for column, name in enumerate(SHOWN):
        for i, shape in enumerate(SHAPES):
            ax = fig.add_subplot(grid[i, column], projection="3d")
            points = results["shown"][0, METHODS.index(name), i]
            colours = np.degrees(results["yaw"][0, i])
            dots = ax.scatter(*points.T, c=colours, cmap="twilight", s=6, vmin=-180, vmax=180, depthshade=False)
            units = results["units"][0, METHODS.index(name), i]
            links = units[np.argwhere(results["linked"][0, METHODS.index(name), i])]
            ax.add_collection3d(Line3DCollection(links, colors="black", linewidths=0.6, alpha=0.5))
            found = results["betti"][0, METHODS.index(name), 0, i]
            ax.set_title(f"{name}\n{shape}: Betti {' '.join(map(str, found))}", fontsize=9)
            for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
                axis.set_ticklabels([])
            ax.set_box_aspect((1, 1, 1), zoom=1.1)
    fig.colorbar(dots, ax=fig.axes, shrink=0.4, aspect=30, label="yaw (degrees)", ticks=[-180, -90, 0, 90, 180])
    shares = fig.add_subplot(grid[2, :])
    for i, (shape, colour) in enumerate(zip(SHAPES, (PALETTE[0], PALETTE[3]))):
        intervals = [paired_bootstrap(right(of(results, name))[:, i]) for name in METHODS]
        means = np.array([interval.mean for interval in intervals])
        ends = np.array([[v.mean - v.low, v.high - v.mean] for v in intervals]).T if len(results["betti"]) > 1 else None
        x = np.arange(len(METHODS)) + 0.36 * (i - 0.5)
        shares.bar(x, means, 0.32, yerr=ends, capsize=3, color=colour, label=shape)
    shares.set(ylabel="share of right\nBetti numbers", ylim=(0, 1.02))
    shares.set_xticks(range(len(METHODS)), [name.replace(" ", "\n") for name in METHODS], fontsize=8)
    shares.grid(axis="x", visible=False)
    shares.legend(loc="upper right")
    return fig
