"""Lateral interaction of a field: near nodes excite, all nodes together inhibit."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from fusion._field_kernels import BLOCK, ROWS
from topology._validation import check_real

DEFAULT_WIDTH = 4.0  # in spacings of the nodes
# On a line whose density jumps fourfold two equal cues at the jump were decoded 4.6, -.8, .1 and -.3 degrees off the
# middle after 1, 5, 10 and 100 passes, kernel 4 degrees; on a gas of 300 units more than 50 passes fitted noise.
N_PASSES = 10


@dataclass(frozen=True)
class LateralKernel:
    """Gaussian excitation among near nodes and one global inhibition.

    w(d) = excitation exp(-d**2 / (2 width**2)) - inhibition, integrated over the field in units of the volume under
    the Gaussian: a uniformly active neighbourhood excites itself by `excitation`, whatever the width and the number of
    nodes, and every such neighbourhood inhibits all nodes by `inhibition`.

    Parameters
    ----------
    width : float or None, default=None
        Standard deviation, in the unit of the positions. None: four times the typical distance of adjacent nodes.
    excitation, inhibition : float >= 0
    reach : float, default=3
        Nodes farther apart than `reach` widths do not excite each other.

    References
    ----------
    Amari (1977), Biological Cybernetics 27:77.
    """

    width: float | None = None
    excitation: float = 4.0
    inhibition: float = 0.6
    reach: float = 3.0

    def __post_init__(self):
        if self.width is not None:
            check_real("width", self.width, 0, open_low=True)
        check_real("excitation", self.excitation, 0)
        check_real("inhibition", self.inhibition, 0)
        check_real("reach", self.reach, 0, open_low=True)


def gaussian_links(space, width, reach):
    """Sparse (n_nodes, n_nodes) matrix of exp(-d**2 / (2 width**2)) over all pairs in reach, 1 on its diagonal."""
    i, j, distance = space.pairs_within(reach * width)
    gauss = np.exp(-(distance**2) / (2 * width**2))
    own = np.arange(len(space))
    entries = np.r_[gauss, gauss, np.ones(len(space))]
    return sparse.csr_array((entries, (np.r_[i, j, own], np.r_[j, i, own])), shape=(len(space), len(space)))


def relative_volumes(links, volumes=None):
    """Share of the volume under the Gaussian that each node stands for, (n_nodes,).

    Without given `volumes` they are those for which the Gaussian around every node integrates to one, so that sums over
    nodes approximate one integral and dense regions do not win by number. The first pass gives the inverse density of
    nodes at the scale of the kernel (Coifman & Lafon 2006, Appl. Comput. Harmon. Anal. 21:5, alpha = 1), the others
    sharpen it where the density changes within a width. No dimension is needed, unlike by powers of edge lengths.
    Given volumes are only brought to this unit.
    """
    if volumes is not None:
        return volumes / (links @ volumes).mean()
    volumes = np.ones(links.shape[0])
    for _ in range(N_PASSES):
        volumes = volumes / (links @ volumes)
    return volumes


class TiledLinks:
    """Weighted links in the layout of the kernels, nodes reordered so that each block is compact in space.

    Parameters
    ----------
    weights : sparse matrix (n_nodes, n_nodes), weight of column j on row i
    positions : (n_nodes, n_dims)

    Attributes
    ----------
    order : (n_nodes,), node at each place
    size : int, number of places, a multiple of BLOCK
    arrays : tuple (weights, sources, starts) for `evolve`
    """

    def __init__(self, weights, positions):
        n = weights.shape[0]
        self.order = compact_order(positions)
        placed = sparse.csr_array(weights)[self.order][:, self.order].sorted_indices()
        n_blocks = -(-n // BLOCK)
        self.size = n_blocks * BLOCK
        node = np.repeat(np.arange(n), np.diff(placed.indptr))
        heard, entry = np.unique(node // BLOCK * n + placed.indices, return_inverse=True)
        n_heard = np.bincount(heard // n, minlength=n_blocks)
        n_rows = -(-n_heard // ROWS) * ROWS
        starts = np.r_[0, np.cumsum(n_rows)]
        row = np.arange(len(heard)) + (starts[:-1] - np.r_[0, np.cumsum(n_heard)[:-1]])[heard // n]
        tiles = np.zeros((starts[-1], BLOCK), np.float32)
        # A row that only fills up its block names the block's own first node: near in memory, and of weight 0.
        sources = np.repeat(np.arange(n_blocks) * BLOCK, n_rows).astype(np.uint32)
        sources[row] = heard % n
        tiles[row[entry], node % BLOCK] = placed.data
        self.arrays = (tiles, sources, starts)

    def place(self, values):
        """Values (..., n_nodes) as float32 columns (size, ...) in the order of the links; empty places hold 0."""
        values = np.asarray(values)
        placed = np.zeros((self.size, *values.shape[:-1]), np.float32)
        placed[: len(self.order)] = np.moveaxis(values[..., self.order], -1, 0)
        return placed

    def collect(self, placed):
        """The inverse of `place`, (..., n_nodes)."""
        values = np.empty((*placed.shape[1:], len(self.order)), placed.dtype)
        values[..., self.order] = np.moveaxis(placed[: len(self.order)], 0, -1)
        return values


def compact_order(positions):
    """Nodes in the order of the leaves of a k-d tree, BLOCK in each leaf (the last may hold fewer)."""
    leaves, open_parts = [], [np.arange(len(positions))]
    while open_parts:
        part = open_parts.pop()
        if len(part) <= BLOCK:
            leaves.append(part)
            continue
        half = max(len(part) // (2 * BLOCK), 1) * BLOCK
        longest = np.ptp(positions[part], axis=0).argmax()
        part = part[np.argpartition(positions[part, longest], half)]
        open_parts += [part[half:], part[:half]]
    return np.concatenate(leaves)
