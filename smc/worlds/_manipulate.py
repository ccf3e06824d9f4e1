"""The environments in which an agent holds an object and turns it: `ManipulateObject` and its vectorised form."""

from __future__ import annotations

import math

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from smc.worlds._handling import FARTHEST_MOVE, ZOOM_RANGE, Handling, Hands
from smc.worlds._seeds import check_count

METADATA = {"render_modes": ["rgb_array"], "render_fps": 10}


class ManipulateObject(gymnasium.Env):
    """Hold an object before the camera, turn it, move it, put it away and take it up again.

    Gymnasium id ``mesmrise/ManipulateObject-v0``, known once `smc.worlds` is imported. There is no task: the reward is
    always 0 and an episode ends (truncated) after `max_steps`. The object, its start pose, the background and the light
    are drawn at the start of an episode; background and light then stay as they are, so whatever changes is the object.

    **Action**, Box(-1, 1, (7,)) of float32, or (8,) with an `occluder`; values beyond are clipped, 0 does nothing:

    ===== ================= ==================================================================================
    index what              effect of value a
    ===== ================= ==================================================================================
    0-2   yaw, pitch, roll  turns by a * `turn_step` (radians) each; for the frame see `pose_matrix`
    3-4   x, y              moves right, down by a * `move_step` (metres), at most 0.08 m from the middle
    5     zoom              magnification times exp(a * `zoom_step`), between exp(-0.6) and exp(0.45)
    6     hold              a < -0.5 puts the object away, a > 0.5 takes it up again, between: as before
    7     cover             a < -0.5 takes the occluder away, a > 0.5 puts it back, between: as before
    ===== ================= ==================================================================================

    An object that is put away rests as it was left: turns, moves and zoom in the same or later steps have no effect
    until it is taken up; a step that takes it up may move it at once.

    **Observation**, Dict: `image` uint8 (size, size, 3); `points` float32 (n_points, 3), the visible surface in the
    camera frame (metres), all zeros when the object is not visible; `proprioception` float32 (7,): yaw, pitch, roll
    relative to the start of the episode (in [-pi, pi]), x, y (metres), zoom (logarithm of the magnification), holding
    (0 or 1).

    **Info**: `pose` (6,) true yaw, pitch, roll, x, y, distance; `object` its number in the bank, `object_id`, `class`;
    `visible`; `background`, `background_seed`, `light_seed`; with an occluder `covered`, whether it stands there.

    ``reset(options=...)`` places exact views: a dict with any of `object` (number), `pose` (yaw, pitch, roll),
    `background` (kind), `background_seed`, `light_seed`; what is left out is drawn as if none were given.

    Parameters
    ----------
    bank : ObjectBank, default=ObjectBank.bundled()
    size : int, default=64
        Rows and columns of the image.
    n_points : int, default=256
    backgrounds : tuple of str, default=("plain", "texture")
        Kinds to draw from, see `smc.worlds.backgrounds`.
    light_azimuth : tuple of float, default=(-1, 1)
        Range of the light's azimuth in radians, see `Light.from_azimuth`.
    light_saturation : float, default=0
        Saturation of the light's random hue, in [0, 1]; 0 = white.
    yaw_range, pitch_range, roll_range : tuple of float, default=(-pi/2, pi/2), (-pi/6, pi/6), (0, 0)
        Ranges of the start pose.
    pose_limits : tuple, default=None
        For yaw, pitch, roll a range (low, high) at which turns stop, or None = free.
    turn_step : float, default=pi/2
        Largest turn of one step, radians.
    move_step : float, default=0.04
        Largest move of one step, metres.
    zoom_step : float, default=0.2
        Largest change of the logarithm of the magnification in one step.
    image_noise : float, default=0.01
        Standard deviation of the camera's noise, fresh in each frame, as a share of the full range.
    occluder : float, default=0
        Share of the picture's width and height, about its middle, that a screen before the object hides; it stands
        there when an episode starts, until it is taken away. 0 = there is none.
    max_steps : int, default=50
    render_mode : {None, "rgb_array"}, default=None
        `render()` gives the last image.
    """

    metadata = METADATA

    def __init__(self, bank=None, *, render_mode=None, **handling):
        self.render_mode = _check_render_mode(render_mode)
        self._hands = Hands(1, Handling(bank=bank, **handling))
        self.observation_space, self.action_space = _spaces(self._hands.handling)
        self._n_steps = 0
        self._image = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._hands.begin(np.arange(1), [self.np_random], options)
        self._n_steps = 0
        return self._look()

    def step(self, action):
        self._hands.act(_check_actions(np.asarray(action)[None], (1, *self.action_space.shape)), np.arange(1))
        self._n_steps += 1
        observation, info = self._look()
        return observation, 0.0, False, self._n_steps >= self._hands.handling.max_steps, info

    def render(self):
        return self._image if self.render_mode == "rgb_array" else None

    def _look(self):
        observation, info = self._hands.look([self.np_random])
        observation = {name: values[0] for name, values in observation.items()}
        self._image = observation["image"]
        return observation, {name: _plain(values[0]) for name, values in info.items()}


class ManipulateObjectVector(VectorEnv):
    """`num_envs` independent `ManipulateObject` environments that share their bank and render in one batch.

    ``gymnasium.make_vec("mesmrise/ManipulateObject-v0", num_envs=64)`` makes one. Row i of a reset with `seed` equals a
    single environment reset with `seed + i`, bit for bit. Autoreset is next-step: the step after an episode's last one
    ignores that row's action and returns the first observation of a new episode. Options of `reset` hold one value for
    all rows or one per row. Info holds arrays with one row per environment, and for each key a mask `_key`.

    Parameters
    ----------
    num_envs : int, default=1
    bank, render_mode, **handling
        As `ManipulateObject`.
    """

    def __init__(self, num_envs=1, bank=None, *, render_mode=None, **handling):
        check_count(num_envs, "num_envs", 1, 2**20)
        self.num_envs = num_envs
        self.render_mode = _check_render_mode(render_mode)
        self.metadata = METADATA | {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self._hands = Hands(num_envs, Handling(bank=bank, **handling))
        self.single_observation_space, self.single_action_space = _spaces(self._hands.handling)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [None] * num_envs
        self._n_steps = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, bool)
        self._image = None

    @property
    def np_random(self):
        """The generators of the environments, a tuple."""
        return tuple(self._generators)

    def reset(self, *, seed=None, options=None):
        """Start all episodes; `seed` is None, an int (row i gets seed + i) or a list with one seed per row."""
        if seed is None:
            seeds = [None] * self.num_envs
        elif np.ndim(seed) == 0:
            seeds = [int(seed) + i for i in range(self.num_envs)]
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed has {len(seeds)} entries; {self.num_envs} are needed, one per environment")
        for i, row_seed in enumerate(seeds):
            if row_seed is not None or self._generators[i] is None:
                self._generators[i], _ = seeding.np_random(row_seed)
        self._hands.begin(np.arange(self.num_envs), self._generators, options)
        self._n_steps[:] = 0
        self._ended[:] = False
        return self._look()

    def step(self, actions):
        actions = _check_actions(np.asarray(actions), self.action_space.shape)
        restarting, going_on = np.flatnonzero(self._ended), np.flatnonzero(~self._ended)
        if len(restarting):
            self._hands.begin(restarting, self._generators)
        self._hands.act(actions, going_on)
        self._n_steps[restarting] = 0
        self._n_steps[going_on] += 1
        self._ended = self._n_steps >= self._hands.handling.max_steps
        observation, info = self._look()
        nothing = np.zeros(self.num_envs)
        return observation, nothing, np.zeros(self.num_envs, bool), self._ended.copy(), info

    def render(self):
        return tuple(self._image) if self.render_mode == "rgb_array" else None

    def _look(self):
        observation, info = self._hands.look(self._generators)
        self._image = observation["image"]
        return observation, info | {f"_{name}": np.ones(self.num_envs, bool) for name in info}


def _spaces(handling: Handling):
    """Observation and action space of one environment."""
    low = [-math.pi] * 3 + [-FARTHEST_MOVE] * 2 + [ZOOM_RANGE[0], 0.0]
    high = [math.pi] * 3 + [FARTHEST_MOVE] * 2 + [ZOOM_RANGE[1], 1.0]
    observation = spaces.Dict(
        {
            "image": spaces.Box(0, 255, (handling.size, handling.size, 3), np.uint8),
            "points": spaces.Box(-1.0, 1.0, (handling.n_points, 3), np.float32),
            "proprioception": spaces.Box(np.float32(low), np.float32(high), dtype=np.float32),
        }
    )
    return observation, spaces.Box(-1.0, 1.0, (handling.n_actions,), np.float32)


def _check_actions(actions, shape):
    """Actions (n, n_actions) of float64 within [-1, 1]."""
    if actions.shape != shape or actions.dtype.kind not in "iuf":
        raise ValueError(f"action has shape {actions.shape}, {actions.dtype}; numbers {shape} are needed")
    if not np.isfinite(actions).all():
        raise ValueError("action has values that are not finite; numbers in [-1, 1] are needed")
    return np.clip(actions.astype(np.float64), -1.0, 1.0)


def _check_render_mode(mode):
    if mode not in (None, *METADATA["render_modes"]):
        raise ValueError(f"render_mode is {mode!r}; None or 'rgb_array' is needed")
    return mode


def _plain(value):
    """A Python number or string in place of a numpy scalar."""
    return value.item() if isinstance(value, np.generic) else value
