"""A corridor with textured walls, seen from within."""

from __future__ import annotations

import numpy as np

from smc.worlds._seeds import check_count
from smc.worlds._state_table import StateTable, follow
from topology._validation import check_integer

ACTIONS = ("forward", "back", "turn left", "turn right")
HEADINGS = ("east", "north", "west", "south")
N_TEXTURES = 8
REACH = 3  # cells ahead that are seen along the corridor
WEST_END, EAST_END, BEYOND = 8, 9, 10  # looks of the end walls, and of what lies behind them


class CorridorStates(StateTable):
    """Places along a corridor, facing one of four ways.

    ``forward`` and ``back`` step along the corridor; across it, and at its ends, they do nothing. Turns are quarter
    turns. The sense ``image`` (6,) shows, along the corridor, the textures of the left and of the right wall one, two
    and three cells ahead, where the west end is ``8``, the east end ``9`` and what is behind them ``10``; across it,
    the three textures of the wall from left to right, twice, as both rows of the image show the same wall.

    Parameters
    ----------
    length : int, default=12
    random_state : int, default=0
        Seeds the textures. They are drawn until no two states look the same.

    Attributes
    ----------
    states : ndarray (4 * length, 2) of int64
        Place, from the west end, and heading: 0 east, 1 north, 2 west, 3 south.
    """

    def __init__(self, length: int = 12, random_state: int = 0):
        check_count(length, "length", 3, 32)
        check_integer("random_state", random_state, 0)
        self.length = length
        states = [(place, heading) for place in range(length) for heading in range(len(HEADINGS))]
        rng = np.random.default_rng(random_state)
        while True:
            drawn = rng.integers(0, N_TEXTURES, (2, length))
            self.textures = np.hstack([[[WEST_END]] * 2, drawn, [[EAST_END]] * 2])  # of the north and the south wall
            images = np.array([self._see(*state) for state in states], np.int8)
            if len(np.unique(images, axis=0)) == len(states):
                break
        super().__init__(np.array(states), ACTIONS, follow(states, act, len(ACTIONS)), {"image": images})

    def _see(self, place, heading):
        at = place + 1  # the padding
        if HEADINGS[heading] in ("north", "south"):
            wall = self.textures[0 if HEADINGS[heading] == "north" else 1, at - 1 : at + 2]
            return np.tile(wall if HEADINGS[heading] == "north" else wall[::-1], 2)
        step = 1 if HEADINGS[heading] == "east" else -1
        seen = np.full((2, REACH), BEYOND)
        for ahead in range(REACH):
            if 0 <= at + step * (ahead + 1) <= self.length + 1:
                seen[:, ahead] = self.textures[:, at + step * (ahead + 1)]
        return (seen if step == 1 else seen[::-1]).ravel()


def act(state, action):
    """Where an action would lead, within the corridor or not."""
    place, heading = state
    if ACTIONS[action] == "turn left":
        return place, (heading + 1) % 4
    if ACTIONS[action] == "turn right":
        return place, (heading - 1) % 4
    along = {"east": 1, "west": -1}.get(HEADINGS[heading], 0)
    return place + (along if ACTIONS[action] == "forward" else -along), heading
