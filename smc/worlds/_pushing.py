"""Objects on a table that slide or tip when they are pushed: many at once, without any environment API."""

from __future__ import annotations

import math

import numpy as np

from smc.worlds._bank import ObjectBank
from smc.worlds._kernels import pushing as kernels
from smc.worlds._mesh import Mesh
from smc.worlds._packing import pack_meshes
from smc.worlds._pose import pose_matrix
from smc.worlds._rasteriser import Camera, render
from smc.worlds._seeds import check_count, row_seeds
from smc.worlds._sensors import noisy

DISTANCE = 0.9  # metres from the camera to the objects, which it sees from the side
TABLE_DROP = 0.1  # metres from the optical axis down to the table
EDGE = 0.26  # metres from the middle of the table to the rails at its ends
N_ACTIONS = 3
OPTIONS = ("object", "yaw", "friction")
TABLE_COLOR = (0.45, 0.36, 0.28)


class PushedObjects:
    """n objects, each on a table of its own, that slide or tip by the height of the push and a hidden friction.

    An object stands and falls as its bounding box does, with its weight in the middle. A push at height h slides it if
    that takes less force than tipping it about the lower edge on the far side, and tips it if ``friction * h`` exceeds
    the box's half-width. It then lies on its side, and is pushed as it lies. Friction is drawn once an episode and
    cannot be sensed: what a push does is ambiguous, with a probability that `tip_probability` gives.

    Parameters
    ----------
    n : int
    bank : ObjectBank, default=ObjectBank.bundled()
    size : int, default=64
        Rows and columns of the image.
    friction : tuple of float, default=(0.2, 1.0)
        Range of the coefficient of friction, uniform.
    yaw_range : tuple of float, default=(-pi, pi)
        Range of the yaw at which objects stand, radians.
    push_step : float, default=0.06
        Way of the largest push, metres.
    image_noise : float, default=0.01
        Standard deviation of the camera's noise, as a share of the full range.

    Attributes
    ----------
    object : ndarray (n,) of int64
        Numbers in the bank.
    yaw, friction, place : ndarray (n,)
        Radians; coefficient; metres from the middle of the table to the right.
    quarters : ndarray (n,) of int64
        Quarter turns to the right since it stood, 0 to 3.
    tipped : ndarray (n,) of bool
        Whether the last push tipped it.

    References
    ----------
    Lynch, K. M. & Mason, M. T. (1996). Stable pushing: mechanics, controllability, and planning. International Journal
    of Robotics Research 15 (quasi-static pushing).
    """

    def __init__(
        self,
        n,
        bank=None,
        *,
        size=64,
        friction=(0.2, 1.0),
        yaw_range=(-math.pi, math.pi),
        push_step=0.06,
        image_noise=0.01,
    ):
        check_count(n, "n", 1, 2**24)
        check_count(size, "size", 8, 4096)
        if bank is not None and not isinstance(bank, ObjectBank):
            raise TypeError(f"bank is {type(bank).__name__}; an ObjectBank is needed")
        self.n, self.size = n, size
        self.friction_range = _range(friction, "friction", lowest=0.0)
        self.yaw_range = _range(yaw_range, "yaw_range")
        for name, value, highest in (("push_step", push_step, EDGE), ("image_noise", image_noise, 1.0)):
            if not 0 <= value <= highest:
                raise ValueError(f"{name} is {value!r}; a number in [0, {highest:g}] is needed")
        self.push_step, self.image_noise = float(push_step), float(image_noise)
        self.bank = ObjectBank.bundled() if bank is None else bank
        self._packed = self.bank.packed
        self._drawn = pack_meshes([*self.bank, _table()])
        self._camera = Camera(size)
        self.object, self.quarters = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.yaw, self.friction, self.place = np.zeros(n), np.zeros(n), np.zeros(n)
        self.tipped = np.zeros(n, bool)
        self._box = np.zeros((n, 3))

    def begin(self, random_state=None, options=None) -> None:
        """Set up an object with a friction on every table.

        Parameters
        ----------
        random_state : int, Generator or None
        options : dict, optional
            `object` (numbers), `yaw` or `friction` (positive): one value for all or (n,); the rest is drawn as if none
            were given.
        """
        rng = np.random.default_rng(random_state)
        drawn = {
            "object": rng.integers(len(self.bank), size=self.n),
            "yaw": rng.uniform(*self.yaw_range, self.n),
            "friction": rng.uniform(*self.friction_range, self.n),
        }
        drawn |= self._check_options(options or {})
        self.object[:], self.yaw[:], self.friction[:] = (drawn[name] for name in OPTIONS)
        packed = self._packed
        kernels.measure(packed.x, packed.y, packed.z, packed.first_vertex, self.object, self.yaw, self._box)
        self.place[:], self.quarters[:], self.tipped[:] = 0.0, 0, False

    def act(self, actions) -> None:
        """Push: actions (n, 3) in [-1, 1] as `PushObject` explains them."""
        actions = check_actions(actions, self.n)
        again = actions[:, 2] > 0.5
        self.place[again], self.quarters[again] = 0.0, 0
        half_width, height = self._standing()
        share, way = (1 + actions[:, 0]) / 2, self.push_step * actions[:, 1]
        kernels.push(
            half_width, height, self.friction, share, way, EDGE, self.place, self.quarters, self.tipped
        )  # fmt: skip

    def tip_probability(self, actions):
        """Probability (n,) that actions tip the objects, for an agent that knows the range of frictions only."""
        actions = check_actions(actions, self.n)
        half, tall = self.box(standing=actions[:, 2] > 0.5).T
        height = (1 + actions[:, 0]) / 2 * tall
        low, high = self.friction_range
        needed = half / np.maximum(height, np.finfo(float).tiny)
        probability = (needed < low).astype(float) if high == low else np.clip((high - needed) / (high - low), 0, 1)
        return np.where(actions[:, 1] == 0, 0.0, probability)

    def box(self, standing=False):
        """Half-width and height (n, 2) in metres of the boxes as they lie, or as they stand where `standing`."""
        half_width, height = self._standing()
        lies = (self.quarters % 2 != 0) & ~np.asarray(standing)
        return np.column_stack([np.where(lies, height / 2, half_width), np.where(lies, 2 * half_width, height)])

    def poses(self):
        """From the objects' frames to the camera frame, (n, 3, 4), as `render` takes them."""
        roll = self._roll()
        # The box's middle lies beside the object's origin, and the object turns about that.
        beside = self._box[:, :2].mean(axis=1)
        x = self.place - np.cos(roll) * beside
        y = TABLE_DROP - self.box()[:, 1] / 2 - np.sin(roll) * beside
        return pose_matrix(self.yaw, 0.0, roll, x, y, DISTANCE)

    def look(self, random_state=None) -> dict:
        """Observation, arrays with n rows: `image`, `box` and `pose`, see `PushObject`."""
        seeds = row_seeds(np.random.default_rng(random_state), self.n)
        objects = np.column_stack([self.object, np.full(self.n, len(self.bank))])
        table = np.broadcast_to(pose_matrix(0.0, 0.0, 0.0, 0.0, TABLE_DROP, DISTANCE), (self.n, 3, 4))
        image = render(self._drawn, objects, np.stack([self.poses(), table], axis=1), self._camera).image
        roll = self._roll()
        return {
            "image": noisy(image, np.full(self.n, self.image_noise), seeds),
            "box": self.box().astype(np.float32),
            "pose": np.column_stack([self.place, np.cos(roll).round(), np.sin(roll).round()]).astype(np.float32),
        }

    def _roll(self):
        return self.quarters * (math.pi / 2)

    def _standing(self):
        """Half-width and height (n,) of the boxes when they stand."""
        left, right, height = self._box.T
        return (right - left) / 2, np.ascontiguousarray(height)

    def _check_options(self, options) -> dict:
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise ValueError(f"options {unknown} are unknown; choose from {', '.join(OPTIONS)}")
        fixed = {}
        for name, value in options.items():
            value = np.asarray(value)
            if value.shape not in ((), (self.n,)):
                raise ValueError(f"options[{name!r}] has shape {value.shape}; () or {(self.n,)} is needed")
            if name == "object":
                row_seeds(np.broadcast_to(value, self.n), self.n, "options['object']")
                if (value >= len(self.bank)).any():
                    raise ValueError(f"options['object'] has numbers outside 0..{len(self.bank) - 1}")
            elif value.dtype.kind not in "iuf" or not np.isfinite(value).all() or (name != "yaw" and value.min() <= 0):
                raise ValueError(f"options[{name!r}] must be finite{'' if name == 'yaw' else ' and positive'}")
            fixed[name] = value
        return fixed


def check_actions(actions, n):
    """Actions (n, 3) of float64 within [-1, 1]."""
    actions = np.asarray(actions)
    if actions.shape != (n, N_ACTIONS) or actions.dtype.kind not in "iuf":
        raise ValueError(f"action has shape {actions.shape}, {actions.dtype}; numbers {(n, N_ACTIONS)} are needed")
    if not np.isfinite(actions).all():
        raise ValueError("action has values that are not finite; numbers in [-1, 1] are needed")
    return np.clip(actions.astype(np.float64), -1.0, 1.0)


def _range(value, name, lowest=-np.inf):
    values = np.asarray(value)
    if values.shape != (2,) or values.dtype.kind not in "iuf" or not np.isfinite(values).all() or value[0] > value[1]:
        raise ValueError(f"{name} is {value!r}; (low, high) is needed")
    if values[0] <= lowest:
        raise ValueError(f"{name} is {value!r}; values above {lowest:g} are needed")
    return float(value[0]), float(value[1])


def _table():
    """A board whose top is at height 0, from rail to rail."""
    x, y, z = EDGE, 0.12, 0.02
    corners = np.array([(a, b, c) for a in (-x, x) for b in (-y, y) for c in (-z, 0.0)], np.float32)
    quads = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]
    faces = np.array([f for a, b, c, d in quads for f in ((a, b, c), (a, c, d))], np.int32)
    return Mesh(corners, faces, np.tile(np.float32(TABLE_COLOR), (len(faces), 1)))
