"""The environment in which an agent pushes an object that slides or tips: `PushObject`."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium import spaces

from smc.worlds._pushing import EDGE, N_ACTIONS, PushedObjects
from smc.worlds._seeds import check_count

LARGEST_BOX = 0.201  # metres; objects fit into a ball of 0.2, up to rounding


class PushObject(gymnasium.Env):
    """Push an object along a table: it slides, or it tips over, by the height of the push and a hidden friction.

    Gymnasium id ``mesmrise/PushObject-v0``, known once `smc.worlds` is imported. There is no task: the reward is always
    0 and an episode ends (truncated) after `max_steps`. Object, yaw and friction are drawn at its start. The rule is
    that of `PushedObjects`, which pushes many objects at once.

    **Action**, Box(-1, 1, (3,)) of float32; values beyond are clipped:

    ===== ====== ===============================================================================
    index what   effect of value a
    ===== ====== ===============================================================================
    0     height pushes at (1 + a) / 2 of the object's present height
    1     push   slides it by a * `push_step` metres to the right, or tips it to that side; 0: none
    2     stand  a > 0.5 first sets the object up in the middle again
    ===== ====== ===============================================================================

    **Observation**, Dict: `image` uint8 (size, size, 3), from the side; `box` float32 (2,), half-width and height of
    the object as it lies, metres; `pose` float32 (3,): place along the table (metres), cosine and sine of its tilt to
    the right.

    **Info**: `object` its number in the bank, `object_id`, `class`; `yaw`, `friction`; `tipped`, by the last push.

    ``reset(options=...)`` fixes any of `object` (number), `yaw` and `friction`.

    Parameters
    ----------
    bank, size, friction, yaw_range, push_step, image_noise
        As of `PushedObjects`.
    max_steps : int, default=50
    render_mode : {None, "rgb_array"}, default=None
        `render()` gives the last image.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, bank=None, *, max_steps=50, render_mode=None, **pushing):
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is {render_mode!r}; None or 'rgb_array' is needed")
        check_count(max_steps, "max_steps", 1, 2**31)
        self.render_mode, self.max_steps = render_mode, max_steps
        self._table = PushedObjects(1, bank, **pushing)
        size = self._table.size
        self.observation_space = spaces.Dict(
            {
                "image": spaces.Box(0, 255, (size, size, 3), np.uint8),
                "box": spaces.Box(0.0, LARGEST_BOX, (2,), np.float32),
                "pose": spaces.Box(np.float32([-EDGE, -1, -1]), np.float32([EDGE, 1, 1]), dtype=np.float32),
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (N_ACTIONS,), np.float32)
        self._n_steps, self._image = 0, None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._table.begin(self.np_random, options)
        self._n_steps = 0
        return self._look()

    def step(self, action):
        self._table.act(np.asarray(action)[None])
        self._n_steps += 1
        observation, info = self._look()
        return observation, 0.0, False, self._n_steps >= self.max_steps, info

    def render(self):
        return self._image if self.render_mode == "rgb_array" else None

    def _look(self):
        observation = {name: values[0] for name, values in self._table.look(self.np_random).items()}
        self._image = observation["image"]
        table, bank = self._table, self._table.bank
        number = int(table.object[0])
        info = {
            "object": number,
            "object_id": str(bank.ids[number]),
            "class": str(bank.classes[number]),
            "yaw": float(table.yaw[0]),
            "friction": float(table.friction[0]),
            "tipped": bool(table.tipped[0]),
        }
        return observation, info
