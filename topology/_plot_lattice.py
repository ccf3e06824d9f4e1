"""Self-organising maps drawn on their lattice: squares or hexagons, one per unit, the first row on top."""

import numpy as np

from topology._plot_space import INK

SQUARE = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
ANGLES = np.pi / 6 + np.pi / 3 * np.arange(6)
HEXAGON = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1) / np.sqrt(3)  # neighbours are one step apart
WALL_THICKNESS = 0.22  # of a lattice step


class LatticePicture:
    """One cell per unit."""

    def __init__(self, est):
        self.positions = np.asarray(est.positions_)
        self.edges = np.asarray(est.edges_)
        self.hexagonal = est.lattice == "hexagonal"
        self.cell = HEXAGON if self.hexagonal else SQUARE
        self.n_rows, self.n_columns = est.shape
        self.periodic = est.periodic

    def size(self):
        return np.ptp(self.positions, axis=0) + 1

    def draw_hits(self, ax, hits, cmap):
        cells = self._draw_cells(ax, hits, cmap)
        cells.set_clim(0, max(hits.max(), 1))
        self._dress(ax)
        return cells

    def draw_distances(self, ax, of_units, of_edges, cmap):
        """Cells coloured by the mean distance to the neighbours; the sides of a cell by the distance across them."""
        from matplotlib.collections import PolyCollection

        cells = self._draw_cells(ax, of_units, cmap)
        low, high = of_edges.min(), of_edges.max()
        cells.set_clim(low, high)
        order = np.argsort(of_edges, kind="stable")  # where walls meet, the highest is seen
        walls = PolyCollection(
            np.concatenate([self._walls(self.edges[order]), self._walls(self.edges[order][:, ::-1])]),
            array=np.tile(of_edges[order], 2), cmap=cmap, linewidth=0, zorder=2,
        )  # fmt: skip
        walls.set_clim(low, high)
        ax.add_collection(walls)
        self._dress(ax)
        return cells

    def draw_plane(self, ax, values, cmap):
        cells = self._draw_cells(ax, values, cmap)
        self._dress(ax)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        return cells

    def _draw_cells(self, ax, values, cmap):
        from matplotlib.collections import PolyCollection

        polygons = self.positions[:, None] + self.cell
        cells = PolyCollection(polygons, array=np.asarray(values, float), cmap=cmap, edgecolor="face", linewidth=0.3)
        ax.add_collection(cells)
        ax.autoscale_view()
        return cells

    def _walls(self, edges):
        """Thin rectangles (n_edges, 4, 2) on the side that the first unit of every pair shares with the second."""
        steps = self.positions[edges[:, 1]] - self.positions[edges[:, 0]]
        if self.periodic:
            period = np.array([self.n_columns, self.n_rows * (np.sqrt(0.75) if self.hexagonal else 1.0)])
            steps -= np.round(steps / period) * period
        middles = self.positions[edges[:, 0]] + steps / 2
        across = steps * WALL_THICKNESS / 2
        along = steps[:, ::-1] * [-1, 1] / 2 * np.linalg.norm(self.cell[1] - self.cell[0])
        return middles[:, None] + np.stack([across + along, across - along, -across - along, -across + along], axis=1)

    def _dress(self, ax):
        ax.set_aspect("equal", adjustable="box")
        if not ax.yaxis_inverted():
            ax.invert_yaxis()
        ax.margins(0.01)
        ax.spines[:].set_visible(False)
        ax.tick_params(colors=INK, labelsize=8, length=2)
        rows = _ticks(self.n_rows)
        ax.set_xticks(_ticks(self.n_columns))
        ax.set_yticks(self.positions[rows * self.n_columns, 1], rows)
        ax.set_xlabel("column", fontsize=9, color=INK)
        ax.set_ylabel("row", fontsize=9, color=INK)
        if self.periodic:
            ax.set_title("opposite sides are joined", fontsize=9, color=INK)


def _ticks(n):
    """At most ten whole numbers below n."""
    return np.arange(0, n, max(1, int(np.ceil(n / 10))))
