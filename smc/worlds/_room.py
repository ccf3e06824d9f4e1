"""A room in which the agent sees, touches and measures."""

from __future__ import annotations

from collections.abc import Sequence

from smc.worlds._room_states import RoomStates
from smc.worlds._table_environment import TableEnvironment


class TouchRoom(TableEnvironment):
    """Room with three senses; registered as ``mesmrise/TouchRoom-v0``.

    Observations are a dict of ``sight`` (3, 3), ``touch`` (4,) and ``range`` (4,), as `RoomStates` tells. Actions 0 to
    3 step up, right, down and left. ``info["state"]`` is (row, column).

    Parameters
    ----------
    layout : sequence of str, optional
        As in `RoomStates`.
    render_mode : {None, "ansi", "rgb_array"}, default=None

    Examples
    --------
    >>> world = TouchRoom()
    >>> observation, info = world.reset(options={"state": 0})
    >>> observation["touch"].tolist(), observation["range"].tolist()
    ([1, 0, 0, 1], [0, 5, 3, 0])
    """

    colors = {"#": (52, 62, 80), ".": (232, 234, 238), "@": (204, 78, 58)}

    def __init__(self, layout: Sequence[str] | None = None, *, render_mode: str | None = None):
        super().__init__(RoomStates(layout), render_mode)

    def lines(self, state):
        text = [["#" if wall else "." for wall in row] for row in self.table.walls]
        row, column = self.table.states[state]
        text[row][column] = "@"
        return ["".join(row) for row in text]
