"""Walking and turning in a corridor."""

from __future__ import annotations

from smc.worlds._corridor_states import CorridorStates
from smc.worlds._table_environment import TableEnvironment


class Corridor(TableEnvironment):
    """Corridor with textured walls; registered as ``mesmrise/Corridor-v0``.

    The observation is a dict of ``image`` (6,), as `CorridorStates` tells. Actions 0 to 3 are forward, back, turn left
    and turn right. ``info["state"]`` is the place and the heading.

    Parameters
    ----------
    length : int, default=12
    random_state : int, default=0
        Seeds the textures, not the episodes.
    render_mode : {None, "ansi", "rgb_array"}, default=None
        The corridor from above with the numbers of its textures; an arrow is the agent.

    Examples
    --------
    >>> world = Corridor()
    >>> _, info = world.reset(options={"state": 0})
    >>> *_, info = world.step(0)
    >>> info["state"].tolist()
    [1, 0]
    """

    colors = {
        "0": (0, 114, 178), "1": (230, 159, 0), "2": (0, 158, 115), "3": (204, 121, 167),
        "4": (86, 180, 233), "5": (184, 165, 0), "6": (143, 107, 199), "7": (140, 109, 49),
        "#": (52, 62, 80), ".": (232, 234, 238), **dict.fromkeys(">^<v", (204, 78, 58)),
    }  # fmt: skip

    def __init__(self, length: int = 12, random_state: int = 0, *, render_mode: str | None = None):
        super().__init__(CorridorStates(length, random_state), render_mode)

    def lines(self, state):
        place, heading = self.table.states[state]
        north, south = ("#" + "".join(map(str, row[1:-1])) + "#" for row in self.table.textures.tolist())
        floor = ["."] * self.table.length
        floor[place] = ">^<v"[heading]
        return [north, "#" + "".join(floor) + "#", south]
