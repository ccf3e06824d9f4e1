"""One tetromino at a time, seen through a 3x3 patch."""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium as gym

from smc.worlds._table_environment import CELL, TableEnvironment
from smc.worlds._tetromino_states import SIZE, TetrominoStates

LINE = (52, 62, 80)  # between rendered cells


class TetrominoPatch(TableEnvironment):
    """A tetromino behind a 3x3 patch; registered as ``mesmrise/TetrominoPatch-v0``.

    The observation (3, 3) of int8 shows 1 where the piece is. Actions 0 to 4 move it up, left, right and down and turn
    it clockwise about its centre cell; one that would move it out of sight does nothing. There is no reward and no end;
    ``info["state"]`` is a row of `TetrominoStates.states`. ``reset(options={"state": number})`` starts in that row
    instead of in a random state of a random piece.

    Parameters
    ----------
    pieces : sequence of str, default=("J", "S")
        Distinct letters out of I, J, L, O, S, T and Z.
    render_mode : {None, "ansi", "rgb_array"}, default=None
        A picture in text, or an image (height, width, 3) of uint8.

    Examples
    --------
    >>> world = TetrominoPatch("J")
    >>> observation, info = world.reset(seed=0)
    >>> observation.shape
    (3, 3)
    """

    colors = {".": (246, 247, 249), "#": (0, 114, 178)}

    def __init__(self, pieces: Sequence[str] = ("J", "S"), *, render_mode: str | None = None):
        super().__init__(TetrominoStates(pieces), render_mode)
        self.observation_space = gym.spaces.MultiBinary((SIZE, SIZE))

    def lines(self, state: int) -> list[str]:
        return ["".join(".#"[cell] for cell in row) for row in self.table.senses["patch"][state]]

    def render(self):
        image = super().render()
        if self.render_mode == "rgb_array":
            image[::CELL] = image[:, ::CELL] = LINE
        return image

    def _observe(self):
        observation, info = super()._observe()
        return observation["patch"], info
