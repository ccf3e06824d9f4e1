"""A room of free cells and walls, of which the agent sees only the 3x3 cells around it."""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium as gym
import numpy as np

from smc.worlds._room_states import MOVES, ROOM, parse_layout

CELL = 24  # pixels of a rendered cell
COLORS = {"wall": (52, 62, 80), "floor": (232, 234, 238), "seen wall": (86, 101, 130), "seen floor": (255, 246, 214)}
AGENT_COLOR = (204, 78, 58)


class GridWorld(gym.Env):
    """Room seen through a 3x3 patch; registered as ``mesmrise/GridWorld-v0``.

    The observation (3, 3) of int8 shows the cells around the agent, 1 for a wall. Actions 0 to 3 step up, right, down
    and left; a step into a wall does nothing. There is no reward and no end; ``info["position"]`` is (row, column).
    ``reset(options={"position": (row, column)})`` starts there instead of in a random free cell.

    Parameters
    ----------
    layout : sequence of str, optional
        Rows of ``#`` (wall) and ``.`` (free), enclosed by walls, every free cell reachable. Default: a room of 24 cells
        that all look different.
    slip : float, default=0.0
        Probability that a step goes in one of the three other directions.
    render_mode : {None, "ansi", "rgb_array"}, default=None
        A picture in text, or an image (height, width, 3) of uint8 in which the seen patch is lighter.

    Examples
    --------
    >>> world = GridWorld(render_mode="ansi")
    >>> observation, info = world.reset(seed=0, options={"position": (1, 1)})
    >>> observation.tolist()
    [[1, 1, 1], [1, 0, 0], [1, 0, 0]]
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}

    def __init__(self, layout: Sequence[str] | None = None, *, slip: float = 0.0, render_mode: str | None = None):
        self.walls = parse_layout(ROOM if layout is None else layout)
        if not (isinstance(slip, (int, float)) and 0.0 <= slip <= 1.0):
            raise ValueError(f"slip must be a probability in [0, 1]; got {slip!r}")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode must be None or one of {self.metadata['render_modes']}; got {render_mode!r}")
        self.slip = slip
        self.render_mode = render_mode
        self.observation_space = gym.spaces.MultiBinary((3, 3))
        self.action_space = gym.spaces.Discrete(len(MOVES))
        self._free = np.argwhere(~self.walls)
        self._position = self._free[0]

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        start = (options or {}).get("position")
        if start is None:
            self._position = self._free[self.np_random.integers(len(self._free))]
        elif np.shape(start) == (2,) and (self._free == start).all(axis=1).any():
            self._position = np.array(start)
        else:
            raise ValueError(f"options['position'] must be the (row, column) of a free cell; got {start!r}")
        return self._observe()

    def step(self, action):
        if not self.action_space.contains(action):
            raise ValueError(f"action must be 0 (up), 1 (right), 2 (down) or 3 (left); got {action!r}")
        if self.slip and self.np_random.random() < self.slip:
            action = (action + self.np_random.integers(1, len(MOVES))) % len(MOVES)
        target = self._position + MOVES[action]
        if not self.walls[tuple(target)]:
            self._position = target
        observation, info = self._observe()
        return observation, 0.0, False, False, info

    def render(self):
        if self.render_mode == "ansi":
            text = np.where(self.walls, "#", ".")
            text[tuple(self._position)] = "@"
            return "\n".join("".join(row) for row in text)
        if self.render_mode == "rgb_array":
            return self._draw()
        return None

    def _observe(self):
        row, column = self._position
        patch = self.walls[row - 1 : row + 2, column - 1 : column + 2].astype(np.int8)
        return patch, {"position": self._position.copy()}

    def _draw(self):
        row, column = self._position
        image = np.where(self.walls[..., None], COLORS["wall"], COLORS["floor"]).astype(np.uint8)
        seen = np.s_[row - 1 : row + 2, column - 1 : column + 2]
        image[seen] = np.where(self.walls[seen][..., None], COLORS["seen wall"], COLORS["seen floor"])
        image = image.repeat(CELL, axis=0).repeat(CELL, axis=1)
        image[::CELL] = image[:, ::CELL] = COLORS["wall"]
        y, x = np.ogrid[: image.shape[0], : image.shape[1]]
        disc = np.hypot(y - (row + 0.5) * CELL, x - (column + 0.5) * CELL) < 0.32 * CELL
        image[disc] = AGENT_COLOR
        return image
