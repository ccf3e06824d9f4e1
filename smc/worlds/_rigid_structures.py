"""Structures that keep their shape while they drift over a floor: what an agent may come to call objects."""

from __future__ import annotations

import numpy as np

from smc.worlds._kernels.structures import walk_structures
from smc.worlds._seeds import check_count, row_seeds
from topology._validation import check_real

ACTIONS = ("up", "right", "down", "left", "up right", "down right", "down left", "up left")
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)])
TRIES = 1000


class RigidStructures:
    """Square structures on a textured torus, and an eye that sees one cell at a time.

    Every cell of the floor and of each structure has a look of its own, so what the eye sees is a number. An action
    moves the eye to one of the eight neighboring cells. Meanwhile, sometimes, one of the structures moves by a cell,
    up, down or sideways; its parts stay together. Such worlds serve to study invariant sensorimotor structures (Le Hir,
    Sigaud & Laflaquiere 2018); the rules are our own.

    Parameters
    ----------
    n_structures : int, default=4
    size : int, default=3
        Cells along a side of a structure.
    field : int, default=12
        Cells along a side of the torus, more than `size`.
    p_move : float, default=0.05
        Probability that one of the structures moves at a step.
    overlap : bool, default=False
        Whether structures may lie on each other, the first on top and hiding the others; else they block each other.

    Attributes
    ----------
    labels : ndarray (n_symbols,) of int64
        What each cell that can be seen belongs to: 0 the floor, 1 and more the structures.

    References
    ----------
    Le Hir, N., Sigaud, O. & Laflaquiere, A. (2018). Identification of invariant sensorimotor structures as a
    prerequisite for the discovery of objects. Frontiers in Robotics and AI 5.
    """

    def __init__(
        self,
        n_structures: int = 4,
        size: int = 3,
        field: int = 12,
        *,
        p_move: float = 0.05,
        overlap: bool = False,
    ):
        check_count(n_structures, "n_structures", 1, 64)
        check_count(size, "size", 1, 32)
        check_count(field, "field", size + 1, 256)
        check_real("p_move", p_move, 0.0, 1.0)
        if not isinstance(overlap, (bool, np.bool_)):
            raise TypeError(f"overlap must be True or False; got {overlap!r}")
        if not overlap and n_structures > (field // size) ** 2:
            raise ValueError(
                f"n_structures must be at most {(field // size) ** 2}, for which a field of {field} cells surely has "
                f"room without overlap; got {n_structures}"
            )
        self.n_structures, self.size, self.field = int(n_structures), int(size), int(field)
        self.p_move, self.overlap = float(p_move), bool(overlap)
        self.actions = ACTIONS
        self.labels = np.repeat(np.arange(n_structures + 1), [field**2] + [size**2] * n_structures)

    @property
    def n_symbols(self) -> int:
        return len(self.labels)

    @property
    def n_actions(self) -> int:
        return len(ACTIONS)

    def begin(self, n: int, seed) -> np.ndarray:
        """States (n, 2 + 2 n_structures) in which agents start: row and column of the eye and of each structure."""
        seeds = row_seeds(seed, n)
        return np.stack([self._place(np.random.default_rng(s)) for s in seeds.tolist()])

    def walk(self, actions, seed) -> np.ndarray:
        """What many agents see, each in a world of its own.

        Parameters
        ----------
        actions : integers (n, n_steps)
        seed : int, integers (n,) or Generator
            Starts and drift; an array gives each agent its own, whatever batch it stands in.

        Returns
        -------
        ndarray (n, n_steps + 1) of int64
            Numbers of the cells seen, from the start on.
        """
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions must be integers; got {actions.dtype}")
        if actions.ndim != 2:
            raise ValueError(f"actions must have shape (n, n_steps); got {actions.shape}")
        seeds = row_seeds(seed, len(actions))
        return self.advance(self.begin(len(actions), seeds), np.zeros(len(actions), np.int64), seeds, actions)

    def advance(self, state, clock, seeds, actions) -> np.ndarray:
        """Go on from `state` at `clock` steps, both changed in place; what is seen (n, n_steps + 1)."""
        if actions.size and not (0 <= actions.min() and actions.max() < len(MOVES)):
            raise ValueError(f"actions must be in 0..{len(MOVES) - 1}; got {actions.min()}..{actions.max()}")
        seen = np.empty((len(actions), actions.shape[1] + 1), np.int64)
        rules = MOVES, self.size, self.field, self.p_move, self.overlap
        walk_structures(state, clock, seeds, actions.astype(np.int64), *rules, seen)
        return seen

    def _place(self, rng):
        """Draw corners until no two structures meet; where that is rare, put them in a random grid."""
        shape = (self.n_structures, 2)
        corners = rng.integers(0, self.field, shape)
        for _ in range(TRIES):
            if self.overlap or not self._meet(corners):
                break
            corners = rng.integers(0, self.field, shape)
        else:
            slots = rng.permutation((self.field // self.size) ** 2)[: self.n_structures]
            grid = np.stack(np.divmod(slots, self.field // self.size), axis=1)
            corners = (self.size * grid + rng.integers(0, self.field, 2)) % self.field
        return np.concatenate([rng.integers(0, self.field, 2), corners.ravel()])

    def _meet(self, corners):
        apart = np.abs(corners[:, None] - corners[None])
        near = (np.minimum(apart, self.field - apart) < self.size).all(axis=-1)
        return near.sum() > self.n_structures
