"""A hand and a target in a visual field, seen through goggles."""

from __future__ import annotations

import numpy as np

from smc.worlds._seeds import check_count
from smc.worlds._state_table import StateTable
from topology._validation import check_choice

ACTIONS = ("up", "right", "down", "left")
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
GOGGLES = ("none", "left-right", "up-down", "half turn")


class ReachStates(StateTable):
    """Hand and target on a square field; the actions move the hand, the target stays.

    The goggles change what is seen and nothing else: through ``left-right`` a hand that moves right is seen to move
    left. The senses are ``hand`` and ``target``, the (row, column) at which each is seen.

    Parameters
    ----------
    size : int, default=7
        Cells along a side of the field.
    goggles : {"none", "left-right", "up-down", "half turn"}, default="none"

    Attributes
    ----------
    states : ndarray (size**4, 4) of int64
        Row and column of the hand, then of the target, as they are.
    """

    def __init__(self, size: int = 7, goggles: str = "none"):
        check_count(size, "size", 2, 16)
        check_choice("goggles", goggles, GOGGLES)
        self.size, self.goggles = size, goggles
        states = np.indices((size,) * 4).reshape(4, -1).T
        moved = states[:, None].repeat(len(MOVES), axis=1)
        moved[..., :2] = np.clip(moved[..., :2] + MOVES, 0, size - 1)
        # Only the hand moves, so every target must be one with which an episode can begin.
        following = np.ravel_multi_index(tuple(np.moveaxis(moved, -1, 0)), (size,) * 4)
        senses = {"hand": self.seen(states[:, :2]), "target": self.seen(states[:, 2:])}
        super().__init__(states, ACTIONS, following, senses)

    def seen(self, positions: np.ndarray) -> np.ndarray:
        """Where positions (..., 2) are seen through the goggles, as int8."""
        seen = np.array(positions, dtype=np.int8)
        for axis, goggles in ((0, ("up-down", "half turn")), (1, ("left-right", "half turn"))):
            if self.goggles in goggles:
                seen[..., axis] = self.size - 1 - seen[..., axis]
        return seen
