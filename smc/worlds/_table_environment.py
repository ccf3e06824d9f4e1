"""Gymnasium environments over a table of states: the part that all of them share."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from smc.worlds._state_table import StateTable

CELL = 24  # pixels of a rendered cell


class TableEnvironment(gym.Env):
    """Environment that looks its steps up in a `StateTable`.

    The observation is a dict, one array per sense. There is no reward and no end; ``info["state"]`` is a row of
    ``table.states``. ``reset(options={"state": number})`` starts in that row instead of in a random one.

    A subclass gives the rows of text that show a state (`lines`) and a colour for each of their characters.
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}
    colors: dict[str, tuple[int, int, int]] = {}

    def __init__(self, table: StateTable, render_mode: str | None = None):
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode must be None or one of {self.metadata['render_modes']}; got {render_mode!r}")
        self.table = table
        self.render_mode = render_mode
        self.observation_space = gym.spaces.Dict({name: _space_of(sense) for name, sense in table.senses.items()})
        self.action_space = gym.spaces.Discrete(table.n_actions)
        self._state = 0

    def lines(self, state: int) -> list[str]:
        """Rows of text of equal length that show a state."""
        raise NotImplementedError

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
            names = ", ".join(self.table.actions)
            raise ValueError(
                f"action must be an integer from 0 to {self.table.n_actions - 1} ({names}); got {action!r}"
            )
        self._state = int(self.table.following[self._state, action])
        observation, info = self._observe()
        return observation, 0.0, False, False, info

    def render(self):
        if self.render_mode is None:
            return None
        lines = self.lines(self._state)
        if self.render_mode == "ansi":
            return "\n".join(lines)
        return picture(lines, self.colors)

    def _observe(self):
        observation = {name: sense[self._state].copy() for name, sense in self.table.senses.items()}
        return observation, {"state": self.table.states[self._state].copy()}


def picture(lines: list[str], colors: dict[str, tuple[int, int, int]]) -> np.ndarray:
    """Image (height, width, 3) of uint8: a square per character."""
    cells = np.array([[colors[character] for character in line] for line in lines], np.uint8)
    return cells.repeat(CELL, axis=0).repeat(CELL, axis=1)


def _space_of(sense):
    shape, dtype = sense.shape[1:], sense.dtype
    return gym.spaces.Box(int(sense.min()), int(sense.max()), shape, dtype)
