"""Holding objects before a camera: poses, actions and pictures of n hands at once, without any environment API."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from smc.worlds._backgrounds import backgrounds, check_kind
from smc.worlds._bank import ObjectBank
from smc.worlds._mesh import Mesh
from smc.worlds._packing import pack_meshes
from smc.worlds._pose import pose_matrix
from smc.worlds._rasteriser import Camera, Light, render
from smc.worlds._seeds import check_count, row_seeds
from smc.worlds._sensors import noisy

DISTANCE = 0.4  # metres from the camera, at zoom 0
FARTHEST_MOVE = 0.08  # metres; the middle of the object stays in the picture
ZOOM_RANGE = (-0.6, 0.45)  # natural logarithm of the magnification; the object stays clear of the near plane
SCREEN_DISTANCE = 0.14  # metres from the camera to the occluder, before anything that is held
SCREEN_COLOR = (0.55, 0.5, 0.42)
ANGLES = ("yaw", "pitch", "roll")
OPTIONS = ("object", "pose", "background", "background_seed", "light_seed")


@dataclass(frozen=True, eq=False)
class Handling:
    """What may be held, seen and done; the parameters of `ManipulateObject`, where they are described."""

    bank: ObjectBank | None = None
    size: int = 64
    n_points: int = 256
    backgrounds: tuple[str, ...] = ("plain", "texture")
    light_azimuth: tuple[float, float] = (-1.0, 1.0)
    light_saturation: float = 0.0
    yaw_range: tuple[float, float] = (-math.pi / 2, math.pi / 2)
    pitch_range: tuple[float, float] = (-math.pi / 6, math.pi / 6)
    roll_range: tuple[float, float] = (0.0, 0.0)
    pose_limits: tuple | None = None
    turn_step: float = math.pi / 2
    move_step: float = 0.04
    zoom_step: float = 0.2
    image_noise: float = 0.01
    occluder: float = 0.0
    max_steps: int = 50

    @property
    def n_actions(self) -> int:
        return 8 if self.occluder else 7

    def __post_init__(self):
        if self.bank is not None and not isinstance(self.bank, ObjectBank):
            raise TypeError(f"bank is {type(self.bank).__name__}; an ObjectBank is needed")
        kinds = (self.backgrounds,) if isinstance(self.backgrounds, str) else tuple(self.backgrounds)
        if not kinds:
            raise ValueError("backgrounds is empty; at least one kind is needed")
        object.__setattr__(self, "backgrounds", tuple(check_kind(kind) for kind in kinds))
        check_count(self.size, "size", 8, 4096)
        check_count(self.n_points, "n_points", 1, 2**20)
        check_count(self.max_steps, "max_steps", 1, 2**31)
        for name in ("light_azimuth", "yaw_range", "pitch_range", "roll_range"):
            _check_range(getattr(self, name), name)
        for name, highest in (("light_saturation", 1), ("image_noise", 1), ("occluder", 1), ("turn_step", math.pi)):
            _check_number(getattr(self, name), name, highest)
        for name in ("move_step", "zoom_step"):
            _check_number(getattr(self, name), name, 1)
        limits = (None,) * 3 if self.pose_limits is None else tuple(self.pose_limits)
        if len(limits) != 3:
            raise ValueError(f"pose_limits has {len(limits)} entries; one per angle is needed: yaw, pitch, roll")
        object.__setattr__(self, "pose_limits", limits)
        for limit, name in zip(limits, ANGLES):
            start = getattr(self, f"{name}_range")
            if limit is not None:
                _check_range(limit, "pose_limits")
                if start[0] < limit[0] or start[1] > limit[1] or max(map(abs, limit)) > math.pi:
                    raise ValueError(
                        f"pose_limits of {name} {limit} must lie in [-pi, pi] and hold {name}_range {start}"
                    )


class Hands:
    """n hands, each with an object, a background and a light of its own.

    Attributes
    ----------
    angles : ndarray (n, 3)
        Yaw, pitch, roll.
    offset : ndarray (n, 3)
        x, y (metres, right and down) and zoom (logarithm of the magnification).
    holding, covered : ndarray (n,) of bool
        Whether the hand holds its object, and whether the occluder stands before it.
    """

    def __init__(self, n: int, handling: Handling):
        self.handling = handling
        self.bank = ObjectBank.bundled() if handling.bank is None else handling.bank
        self._meshes = pack_meshes([*self.bank, _screen(handling)]) if handling.occluder else self.bank.packed
        self._camera = Camera(handling.size)
        self.n = n
        self.object = np.zeros(n, np.int64)
        self.angles, self._start, self.offset = np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 3))
        self.holding, self.covered = np.zeros(n, bool), np.zeros(n, bool)
        self.background = np.full(n, handling.backgrounds[0], dtype="<U16")
        self.background_seed, self.light_seed = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self._ground = np.zeros((n, handling.size, handling.size, 3), np.uint8)
        self._light = np.zeros((n, 6))

    def begin(self, rows, generators, options=None) -> None:
        """Start new episodes in `rows`, each drawn from its own generator; `options` fixes some of what is drawn."""
        fixed = self._check_options(options or {})
        for row in rows:
            drawn = self._draw(generators[row]) | {name: values[row] for name, values in fixed.items()}
            self.object[row] = drawn["object"]
            self.angles[row] = self._start[row] = self._wrap(np.asarray(drawn["pose"], float))
            self.background[row] = drawn["background"]
            self.background_seed[row], self.light_seed[row] = drawn["background_seed"], drawn["light_seed"]
            self._light[row] = self._draw_light(drawn["light_seed"])
        self.offset[rows] = 0.0
        self.holding[rows], self.covered[rows] = True, self.handling.occluder > 0
        kinds, seeds = self.background[rows].tolist(), self.background_seed[rows]
        self._ground[rows] = backgrounds(kinds, seeds, self.handling.size, self._lights(rows))

    def act(self, actions, rows) -> None:
        """Do `actions` (n, 7 or 8) in [-1, 1] in the hands `rows`; those that hold nothing after it do not move."""
        handling = self.handling
        for index, state in ((6, self.holding), (7, self.covered)):
            if index < handling.n_actions:
                order = actions[rows, index]
                state[rows] = np.where(order > 0.5, True, np.where(order < -0.5, False, state[rows]))
        moving = rows[self.holding[rows]]
        self.angles[moving] = self._wrap(self.angles[moving] + handling.turn_step * actions[moving, :3])
        steps = np.array([handling.move_step, handling.move_step, handling.zoom_step])
        low = [-FARTHEST_MOVE, -FARTHEST_MOVE, ZOOM_RANGE[0]]
        high = [FARTHEST_MOVE, FARTHEST_MOVE, ZOOM_RANGE[1]]
        self.offset[moving] = np.clip(self.offset[moving] + steps * actions[moving, 3:6], low, high)

    def look(self, generators):
        """Observation (dict of arrays with n rows) and information (dict of arrays with n rows)."""
        handling, everyone = self.handling, np.arange(self.n)
        seeds = np.array([generator.integers(2**63) for generator in generators], np.uint64)
        frames = render(
            self._meshes,
            *self._scene(),
            self._camera,
            self._lights(everyone),
            background=self._ground,
            n_points=handling.n_points,
            seed=seeds,
        )
        turned = _half_turn(self.angles - self._start)
        observation = {
            "image": noisy(frames.image, np.full(self.n, float(handling.image_noise)), seeds),
            "points": frames.points,
            "proprioception": np.column_stack([turned, self.offset, self.holding]).astype(np.float32),
        }
        info = {
            "pose": self._pose(),
            "object": self.object.copy(),
            "object_id": self.bank.ids[self.object],
            "class": self.bank.classes[self.object],
            "visible": (frames.ids == 0).any(axis=(1, 2)),
            "background": self.background.copy(),
            "background_seed": self.background_seed.copy(),
            "light_seed": self.light_seed.copy(),
        }
        if handling.occluder:
            info["covered"] = self.covered.copy()
        return observation, info

    def _scene(self):
        """What is to be drawn and where: the object, and after it the occluder where there is one."""
        objects, poses = np.where(self.holding, self.object, -1), pose_matrix(*self._pose().T)
        if not self.handling.occluder:
            return objects, poses
        screen = np.broadcast_to(np.eye(3, 4), poses.shape)
        return np.column_stack([objects, np.where(self.covered, len(self.bank), -1)]), np.stack([poses, screen], axis=1)

    def _pose(self) -> np.ndarray:
        """Yaw, pitch, roll, x, y, distance (n, 6)."""
        return np.column_stack([self.angles, self.offset[:, :2], DISTANCE * np.exp(-self.offset[:, 2])])

    def _wrap(self, angles) -> np.ndarray:
        """Keep angles (..., 3) within their limits, or within half a turn where they are free."""
        angles = np.array(angles)
        for i, limit in enumerate(self.handling.pose_limits):
            angles[..., i] = _half_turn(angles[..., i]) if limit is None else np.clip(angles[..., i], *limit)
        return angles

    def _draw(self, rng) -> dict:
        """Everything an episode starts with; always the same number of draws."""
        handling = self.handling
        ranges = np.array([handling.yaw_range, handling.pitch_range, handling.roll_range])
        return {
            "object": rng.integers(len(self.bank)),
            "pose": rng.uniform(ranges[:, 0], ranges[:, 1]),
            "background": handling.backgrounds[rng.integers(len(handling.backgrounds))],
            "background_seed": rng.integers(2**62),
            "light_seed": rng.integers(2**62),
        }

    def _draw_light(self, seed) -> np.ndarray:
        """Direction and colour (6,) of a light."""
        azimuth, hue = np.random.default_rng(seed).random(2)
        low, high = self.handling.light_azimuth
        light = Light.from_azimuth(low + azimuth * (high - low))
        return np.concatenate([light.direction, colorsys.hsv_to_rgb(hue, self.handling.light_saturation, 1.0)])

    def _lights(self, rows) -> Light:
        return Light(self._light[rows, :3], self._light[rows, 3:])

    def _check_options(self, options) -> dict:
        """Every option given, as one value per hand."""
        if not isinstance(options, dict):
            raise TypeError(f"options is {type(options).__name__}; a dict is needed")
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise ValueError(f"options {unknown} are unknown; choose from {', '.join(OPTIONS)}")
        fixed = {}
        for name, value in options.items():
            shape = (self.n, 3) if name == "pose" else (self.n,)
            array = np.asarray(value)
            if array.shape not in (shape, shape[1:]):
                raise ValueError(f"options[{name!r}] has shape {array.shape}; {shape[1:]} or {shape} is needed")
            fixed[name] = np.broadcast_to(array, shape)
        for name in ("object", "background_seed", "light_seed"):
            if name in fixed:
                row_seeds(fixed[name], self.n, f"options[{name!r}]")
        if "object" in fixed and (fixed["object"] >= len(self.bank)).any():
            raise ValueError(f"options['object'] has numbers outside 0..{len(self.bank) - 1}")
        if "pose" in fixed and not (fixed["pose"].dtype.kind in "iuf" and np.isfinite(fixed["pose"]).all()):
            raise ValueError("options['pose'] has values that are no finite angles")
        for kind in np.unique(fixed.get("background", [])):
            check_kind(str(kind))
        return fixed


def _screen(handling) -> Mesh:
    """A square in the middle of the picture, in the camera frame."""
    half = handling.occluder * SCREEN_DISTANCE * math.tan(Camera().field_of_view / 2)
    corners = np.array([(x, y, SCREEN_DISTANCE) for x in (-half, half) for y in (-half, half)], np.float32)
    return Mesh(corners, np.array([(0, 1, 2), (1, 2, 3)], np.int32), np.tile(np.float32(SCREEN_COLOR), (2, 1)))


def _half_turn(angle):
    """Angles in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _check_number(value, name, highest):
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value <= highest:
        raise ValueError(f"{name} is {value!r}; a number in [0, {highest:.4g}] is needed")


def _check_range(value, name):
    values = np.asarray(value)
    if values.shape != (2,) or values.dtype.kind not in "iuf" or not np.isfinite(values).all() or value[0] > value[1]:
        raise ValueError(f"{name} is {value!r}; (low, high) in radians is needed")
