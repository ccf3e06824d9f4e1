"""Reaching for a target seen through goggles."""

from __future__ import annotations

from smc.worlds._reach_states import ReachStates
from smc.worlds._table_environment import TableEnvironment


class GogglesReach(TableEnvironment):
    """Hand and target seen through goggles; registered as ``mesmrise/GogglesReach-v0``.

    Observations are a dict of ``hand`` (2,) and ``target`` (2,), the (row, column) at which each is seen. Actions 0 to
    3 move the hand up, right, down and left, whatever the goggles show. ``info["state"]`` is the true row and column of
    the hand and of the target.

    Parameters
    ----------
    size : int, default=7
    goggles : {"none", "left-right", "up-down", "half turn"}, default="none"
    render_mode : {None, "ansi", "rgb_array"}, default=None
        Shows what is seen: ``H`` the hand, ``T`` the target, ``*`` both.

    Examples
    --------
    >>> world = GogglesReach(goggles="left-right")
    >>> before, _ = world.reset(options={"state": 0})
    >>> after, *_ = world.step(1)
    >>> before["hand"].tolist(), after["hand"].tolist()
    ([0, 6], [0, 5])
    """

    colors = {".": (232, 234, 238), "H": (204, 78, 58), "T": (0, 114, 178), "*": (0, 158, 115)}

    def __init__(self, size: int = 7, goggles: str = "none", *, render_mode: str | None = None):
        super().__init__(ReachStates(size, goggles), render_mode)

    def lines(self, state):
        text = [["."] * self.table.size for _ in range(self.table.size)]
        hand, target = (tuple(self.table.senses[name][state]) for name in ("hand", "target"))
        for (row, column), character in ((target, "T"), (hand, "*" if hand == target else "H")):
            text[row][column] = character
        return ["".join(row) for row in text]
