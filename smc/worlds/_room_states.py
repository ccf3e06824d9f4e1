"""All free cells of a room, with what sight, touch and a range sense tell in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smc.worlds._state_table import StateTable, follow

ACTIONS = ("up", "right", "down", "left")
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])

# No two cells of this room look the same: what is seen tells where one is.
ROOM = (
    "#########",
    "#......##",
    "#..#....#",
    "#.......#",
    "#.#...#.#",
    "#########",
)


class RoomStates(StateTable):
    """Room of free cells and walls for an agent that sees, touches and measures.

    The actions step up, right, down and left; a step into a wall does nothing. The senses are ``sight``, the 3x3 cells
    around the agent (1 for a wall); ``touch``, whether there is a wall beside it above, right, below and left; and
    ``range``, the free cells as far as the wall in the same four directions.

    Parameters
    ----------
    layout : sequence of str, optional
        Rows of ``#`` (wall) and ``.`` (free), enclosed by walls, every free cell reachable. Default: the room of
        `GridWorld`.

    Attributes
    ----------
    walls : ndarray (n_rows, n_columns) of bool
    states : ndarray (n_states, 2) of int64
        Row and column.
    """

    def __init__(self, layout: Sequence[str] | None = None):
        self.walls = parse_layout(ROOM if layout is None else layout)
        cells = [tuple(cell) for cell in np.argwhere(~self.walls).tolist()]
        following = follow(cells, lambda cell, action: tuple((np.array(cell) + MOVES[action]).tolist()), len(MOVES))
        ranges = np.array([[self._range(cell, move) for move in MOVES] for cell in cells], np.int8)
        sight = np.stack([self.walls[r - 1 : r + 2, c - 1 : c + 2] for r, c in cells]).astype(np.int8)
        senses = {"sight": sight, "touch": (ranges == 0).astype(np.int8), "range": ranges}
        super().__init__(np.array(cells), ACTIONS, following, senses)

    def _range(self, cell, move):
        steps = 0
        while not self.walls[tuple(cell + (steps + 1) * move)]:
            steps += 1
        return steps


def parse_layout(layout) -> np.ndarray:
    """Walls (n_rows, n_columns) of bool; refuses what is open, ragged or in unconnected parts."""
    if isinstance(layout, str) or not all(isinstance(row, str) for row in layout):
        raise TypeError("layout must be a sequence of str, one per row")
    if not layout or len({len(row) for row in layout}) != 1 or set("".join(layout)) - set("#."):
        raise ValueError("layout must hold rows of equal length made of '#' (wall) and '.' (free)")
    walls = np.array([list(row) for row in layout]) == "#"
    if not (walls[[0, -1]].all() and walls[:, [0, -1]].all()):
        raise ValueError("layout must be enclosed by walls: '#' along its whole border")
    free = set(map(tuple, np.argwhere(~walls).tolist()))
    if not free:
        raise ValueError("layout must have at least one free cell '.'")
    frontier = [min(free)]
    unreached = free - set(frontier)
    while frontier:
        row, column = frontier.pop()
        for d_row, d_column in MOVES.tolist():
            neighbor = (row + d_row, column + d_column)
            if neighbor in unreached:
                unreached.discard(neighbor)
                frontier.append(neighbor)
    if unreached:
        raise ValueError(f"layout must be connected; from {min(free)} the cell {min(unreached)} cannot be reached")
    return walls
