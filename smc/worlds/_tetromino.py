"""One tetromino at a time, seen through a 3x3 patch."""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium as gym
import numpy as np

from smc.worlds._tetromino_states import ACTIONS, SIZE, TetrominoStates

CELL = 24  # pixels of a rendered cell
EMPTY, FULL, LINE = (246, 247, 249), (0, 114, 178), (52, 62, 80)


class TetrominoPatch(gym.Env):
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

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}

    def __init__(self, pieces: Sequence[str] = ("J", "S"), *, render_mode: str | None = None):
        self.table = TetrominoStates(pieces)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode must be None or one of {self.metadata['render_modes']}; got {render_mode!r}")
        self.render_mode = render_mode
        self.observation_space = gym.spaces.MultiBinary((SIZE, SIZE))
        self.action_space = gym.spaces.Discrete(len(ACTIONS))
        self._state = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        state = (options or {}).get("state")
        if state is None:
            state = self.table.sample(1, self.np_random)[0]
        elif not (isinstance(state, (int, np.integer)) and 0 <= state < self.table.n_states):
            raise ValueError(f"options['state'] must be an integer in 0..{self.table.n_states - 1}; got {state!r}")
        self._state = int(state)
        return self._observe()

    def step(self, action):
        if not self.action_space.contains(action):
            raise ValueError(f"action must be an integer from 0 to 4 ({', '.join(ACTIONS)}); got {action!r}")
        self._state = int(self.table.following[self._state, action])
        observation, info = self._observe()
        return observation, 0.0, False, False, info

    def render(self):
        patch = self.table.patches[self._state]
        if self.render_mode == "ansi":
            return "\n".join("".join(".#"[cell] for cell in row) for row in patch)
        if self.render_mode == "rgb_array":
            image = np.where(patch[..., None], FULL, EMPTY).astype(np.uint8).repeat(CELL, axis=0).repeat(CELL, axis=1)
            image[::CELL] = image[:, ::CELL] = LINE
            return image
        return None

    def _observe(self):
        return self.table.patches[self._state].copy(), {"state": self.table.states[self._state].copy()}
