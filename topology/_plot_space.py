"""Maps drawn where their units are: among the data, in two coordinates."""

import numpy as np

DATA, EDGE, UNIT, INK = "#b8c4ce", "#34495e", "#d1495b", "#2c3e50"
MAX_DATA_POINTS = 20_000  # more dots only make the picture slower
TINY = np.finfo(np.float32).tiny


class View:
    """Two coordinates of every row: the features themselves, or principal components if there are more."""

    def __init__(self, rows, names=None):
        self.n_features = rows.shape[1]
        self.names = [f"feature {i}" for i in range(self.n_features)] if names is None else list(names)
        if self.n_features > 2:
            self.mean = rows.mean(axis=0)
            _, singular, components = np.linalg.svd(rows - self.mean, full_matrices=False)
            if len(components) < 2:  # a single row
                components, singular = np.eye(2, self.n_features), np.zeros(2)
            self.components = components[:2]
            self.shares = singular[:2] ** 2 / max(np.sum(singular**2), TINY)

    def __call__(self, rows):
        if self.n_features == 1:
            return np.column_stack([rows[:, 0], np.zeros(len(rows))])
        return np.asarray(rows) if self.n_features == 2 else (rows - self.mean) @ self.components.T

    def dress(self, ax):
        """Equal scales, quiet axes, and what they show."""
        if self.n_features > 1:
            ax.set_aspect("equal", adjustable="box")
        ax.tick_params(colors=INK, labelsize=8, length=2)
        ax.spines[:].set_visible(False)
        if self.n_features > 2:
            for axis, share, number in zip((ax.xaxis, ax.yaxis), self.shares, "12"):
                axis.set_label_text(f"principal component {number} ({share:.0%} of variance)", fontsize=9, color=INK)
        else:
            ax.set_xlabel(self.names[0], fontsize=9, color=INK)
            ax.set_ylabel(self.names[1] if self.n_features == 2 else "", fontsize=9, color=INK)
            if self.n_features == 1:
                ax.set_yticks([])


class SpacePicture:
    """Units and edges among the data."""

    def __init__(self, est, X):
        self.prototypes = np.asarray(est.prototypes_)
        self.edges = np.asarray(est.edges_)
        self.X = X
        self.view = View(self.prototypes if X is None else X, getattr(est, "feature_names_in_", None))
        self.positions = self.view(self.prototypes)

    def size(self):
        return np.ptp(self.positions if self.X is None else self.view(self.X), axis=0)

    def draw_graph(self, ax):
        draw_data(ax, self.view, self.X)
        draw_edges(ax, self.view, self.positions, self.edges)
        self._scatter(ax, color=UNIT)
        self.view.dress(ax)

    def draw_hits(self, ax, hits, cmap):
        """Areas in proportion; the largest disc has about the size of a cell when 100 units fill the axes."""
        draw_data(ax, self.view, self.X)
        draw_edges(ax, self.view, self.positions, self.edges)
        dots = self._scatter(ax, size=220 * hits / max(hits.max(), 1), c=hits, cmap=cmap, vmin=0)
        self.view.dress(ax)
        return dots

    def draw_distances(self, ax, of_units, of_edges, cmap):
        """Units coloured by their mean distance to their neighbours, edges by their length."""
        draw_data(ax, self.view, self.X)
        lines = draw_edges(ax, self.view, self.positions, self.edges)
        lines.set(color=None, array=of_edges, cmap=cmap, linewidth=1.8, clim=(of_edges.min(), of_edges.max()))
        dots = self._scatter(ax, c=of_units, cmap=cmap, plotnonfinite=True)
        dots.set_clim(*lines.get_clim())
        self.view.dress(ax)
        return dots

    def draw_plane(self, ax, values, cmap):
        draw_edges(ax, self.view, self.positions, self.edges).set(linewidth=0.5, alpha=0.2)
        dots = self._scatter(ax, size=np.clip(1500 / len(values), 6, 40), c=values, cmap=cmap)
        self.view.dress(ax)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        return dots

    def _scatter(self, ax, size=None, **colours):
        size = np.clip(3000 / len(self.positions), 6, 40) if size is None else size
        return ax.scatter(*self.positions.T, s=size, edgecolor="white", linewidth=0.5, zorder=3, **colours)


def figure_size(width, height):
    """Inches for data of this width and height, so that equal scales leave no empty bands."""
    ratio = height / max(width, TINY)
    return 5.5, 5.5 * float(np.clip(ratio, 0.3, 1.2)) + 0.6


def draw_data(ax, view, X):
    if X is not None:
        X = X[:: int(np.ceil(len(X) / MAX_DATA_POINTS))]
        ax.scatter(*view(X).T, s=np.clip(20000 / len(X), 1.5, 12), color=DATA, linewidth=0, zorder=1, rasterized=True)


def draw_edges(ax, view, positions, edges):
    from matplotlib.collections import LineCollection

    alpha = 0.8 if view.n_features <= 2 else 0.35  # projected edges cross each other
    lines = LineCollection(positions[np.asarray(edges)], color=EDGE, linewidth=1.0, alpha=alpha, zorder=2)
    ax.add_collection(lines)
    return lines
