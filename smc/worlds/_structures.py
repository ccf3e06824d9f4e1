"""An eye over structures that move together."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from smc.worlds._rigid_structures import ACTIONS, RigidStructures
from smc.worlds._table_environment import picture

CHARACTERS = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-="  # of 64 structures
PALETTE = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (184, 165, 0))


class MovingStructures(gym.Env):
    """Rigid structures that drift over a floor; registered as ``mesmrise/MovingStructures-v0``.

    The observation is a dict of ``eye``, the number of the cell seen; actions 0 to 7 move the eye to a neighboring
    cell, as `RigidStructures` tells. There is no reward and no end. ``info["label"]`` is 0 where the eye sees the
    floor, else the number of the structure.

    Parameters
    ----------
    n_structures, size, field, p_move, overlap
        As in `RigidStructures`.
    render_mode : {None, "ansi", "rgb_array"}, default=None

    Examples
    --------
    >>> world = MovingStructures()
    >>> observation, info = world.reset(seed=0)
    >>> 0 <= int(observation["eye"]) < 180
    True
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}
    colors = {".": (232, 234, 238), "@": (204, 78, 58)} | {
        character: PALETTE[i % len(PALETTE)] for i, character in enumerate(CHARACTERS)
    }

    def __init__(
        self,
        n_structures: int = 4,
        size: int = 3,
        field: int = 12,
        *,
        p_move: float = 0.05,
        overlap: bool = False,
        render_mode: str | None = None,
    ):
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode must be None or one of {self.metadata['render_modes']}; got {render_mode!r}")
        self.world = RigidStructures(n_structures, size, field, p_move=p_move, overlap=overlap)
        self.render_mode = render_mode
        self.observation_space = gym.spaces.Dict({"eye": gym.spaces.Discrete(self.world.n_symbols)})
        self.action_space = gym.spaces.Discrete(len(ACTIONS))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self._seeds = self.np_random.integers(2**64, size=1, dtype=np.uint64)
        self._state, self._clock = self.world.begin(1, self._seeds), np.zeros(1, np.int64)
        return self._observe(np.empty((1, 0), np.int64))

    def step(self, action):
        if not self.action_space.contains(action):
            raise ValueError(f"action must be an integer from 0 to 7 ({', '.join(ACTIONS)}); got {action!r}")
        observation, info = self._observe(np.array([[action]]))
        return observation, 0.0, False, False, info

    def render(self):
        if self.render_mode is None:
            return None
        world = self.world
        text = np.full((world.field, world.field), ".")
        corners = self._state[0, 2:].reshape(-1, 2)
        for which in reversed(range(world.n_structures)):
            rows, columns = ((corner + np.arange(world.size)) % world.field for corner in corners[which])
            text[np.ix_(rows, columns)] = CHARACTERS[which]
        text[tuple(self._state[0, :2])] = "@"
        lines = ["".join(row) for row in text]
        return "\n".join(lines) if self.render_mode == "ansi" else picture(lines, self.colors)

    def _observe(self, actions):
        seen = self.world.advance(self._state, self._clock, self._seeds, actions)[0, -1]
        return {"eye": seen}, {"label": int(self.world.labels[seen])}
