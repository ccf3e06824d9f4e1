"""Objects, rooms and views: what is seen of a turned object in familiar and unknown rooms, and by which action.

Every view has a room (background and light) of its own, drawn from its seed alone, so the same objects in the same
poses can be seen in any kind of room, and with the object put away.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace

import numpy as np

from experiments import _views
from experiments._held import tinted
from smc import Transitions
from smc.worlds import (
    Camera,
    Light,
    ObjectBank,
    add_depth_noise,
    add_image_noise,
    backgrounds,
    drop_points,
    pose_matrix,
    render,
)

UNSEEN_FAMILIES = ("hammer", "quadruped", "shelf", "teapot")
TRAINING_FAMILIES = (
    "airplane",
    "bottle",
    "bowl",
    "car",
    "chair",
    "fish",
    "humanoid",
    "lamp",
    "mug",
    "superquadric",
    "table",
    "tree",
    "umbrella",
    "vase",
)
UNSEEN_BUNDLED = ("animal", "bed", "plant", "tool")
N_BUNDLED_TESTS = 3  # objects of each class, of 10 or more
YAW, FAR_YAW, PITCH = math.radians(60), math.radians(90), math.radians(30)
SHIFT = 0.015  # metres that an object may stand beside the middle of the picture
DISTANCE = (0.33, 0.42)  # metres
SENSOR_NOISE = 0.02  # strength for `add_image_noise`: 1 % of the full range
N_FIXED_ROOMS = 16  # training rooms that are to be recognised by an encoder that notices them


@dataclass(frozen=True)
class RoomKind:
    """Where rooms of one kind differ: their backgrounds, and their light's azimuth (radians) and colour."""

    backgrounds: tuple[str, ...]
    azimuth: tuple[float, float]
    saturation: float = 0.0


FRONT, RIGHT, LEFT = ((math.radians(a), math.radians(b)) for a, b in ((-60, 60), (75, 125), (-125, -75)))
ROOMS = {
    "training": RoomKind(("texture",), FRONT),
    "validation": RoomKind(("stripes",), RIGHT, 0.4),  # for choices of design, with objects of development seeds
    "background": RoomKind(("clutter", "room"), FRONT),
    "light": RoomKind(("texture",), LEFT, 0.4),
    "both": RoomKind(("clutter", "room"), LEFT, 0.4),
}


@dataclass(frozen=True)
class Views(_views.Views):
    """Views, and the same ones through a worse sensor."""

    def with_point_noise(self, seed) -> Views:
        """The same views through a worse depth sensor: noise along the line of sight, and a half of the points lost."""
        rows = np.random.default_rng(seed).integers(2**62, size=len(self))
        return replace(self, points=drop_points(add_depth_noise(self.points, 0.15, rows), 0.5, rows))


@dataclass(frozen=True)
class Objects:
    """A bank, and which of its objects are learned from, measured, and of families never met."""

    bank: ObjectBank
    familiar: np.ndarray
    unseen: np.ndarray  # unseen objects of familiar families
    foreign: np.ndarray  # objects of unseen families

    @property
    def label(self):
        """Family of every object, as a number."""
        return np.searchsorted(self.bank.class_names, self.bank.classes)


def make_objects(config, seed) -> Objects:
    """Procedural objects of one seed; none is shared with another seed."""
    n_each = config.n_objects + config.n_test
    bank = tinted(ObjectBank.procedural(n_each, (*TRAINING_FAMILIES, *UNSEEN_FAMILIES), seed, checker=0))
    number = np.tile(np.arange(n_each), len(bank) // n_each)
    met, familiar = np.isin(bank.classes, TRAINING_FAMILIES), number < config.n_objects
    return Objects(bank, *(np.flatnonzero(chosen) for chosen in (met & familiar, met & ~familiar, ~met & ~familiar)))


def bundled_objects(config, seed) -> Objects:
    """The bundled objects, another split for each seed; near-copies lie on one side of it."""
    bank = ObjectBank.bundled()
    rng = np.random.default_rng((seed, 2))
    familiar, unseen, foreign = [], [], []
    for name in bank.class_names:
        members = rng.permutation(np.flatnonzero(bank.classes == name))
        groups, first = np.unique(bank.groups[members], return_index=True)
        order = rng.permutation(len(groups))
        if name in UNSEEN_BUNDLED:
            foreign.append(members[first[order[: 2 * N_BUNDLED_TESTS]]])
        else:
            tested = order[:N_BUNDLED_TESTS]
            unseen.append(members[first[tested]])
            familiar.append(members[~np.isin(bank.groups[members], groups[tested])])
    return Objects(bank, *map(np.concatenate, (familiar, unseen, foreign)))


def draw_poses(rng, shape, *, far=False):
    """Yaw and pitch (..., 2), uniform over the range of training; `far`: beyond it, on one side for each object."""
    pose = rng.uniform(-1, 1, (*shape, 2)) * (YAW, PITCH)
    if far:
        side = np.sign(rng.uniform(-1, 1, (shape[0], *(1,) * (len(shape) - 1))))
        pose[..., 0] = side * rng.uniform(YAW, FAR_YAW, shape)
    return pose


def view(objects: Objects, rows, pose, kind, config, seed, *, room=None) -> Views:
    """See the objects `rows` (n,) of the bank in poses (n, 2).

    Parameters
    ----------
    objects : Objects
    rows, pose : ndarray (n,), (n, 2)
    kind : str
        Of `ROOMS`.
    config : Config
    seed : int or tuple of int
        Of place, room, noise and points.
    room : ndarray (n,) of int, optional
        Seed of each view's room; by default each is of its own.
    """
    rng = np.random.default_rng(seed)
    n, size = len(rows), config.image_size
    x, y = rng.uniform(-SHIFT, SHIFT, (2, n))
    distance = rng.uniform(*DISTANCE, n)
    own_rooms, *noise = rng.integers(2**62, size=(4, n))
    room = own_rooms if room is None else np.asarray(room)
    light = room_lights(kind, room)
    kinds = ROOMS[kind].backgrounds
    ground = backgrounds([kinds[i] for i in room % len(kinds)], room, size, light)
    seen = render(
        objects.bank.packed,
        rows,
        pose_matrix(pose[:, 0], pose[:, 1], 0.0, x, y, distance),
        Camera(size),
        light,
        background=ground,
        n_points=config.n_points,
        seed=noise[0],
    )
    image, empty = (add_image_noise(i, SENSOR_NOISE, s) for i, s in zip((seen.image, ground), noise[1:], strict=True))
    return Views(image, empty, seen.points, pose, np.asarray(rows))


def room_lights(kind, room) -> Light:
    """One light for each room seed."""
    low, high = ROOMS[kind].azimuth
    share, hue = _uniform(room, 1), _uniform(room, 2)
    color = [colorsys.hsv_to_rgb(h, ROOMS[kind].saturation, 1.0) for h in hue]
    return Light.from_azimuth(low + share * (high - low), color=np.array(color))


def _uniform(seeds, stream):
    """Number in [0, 1) for each seed (splitmix64), so that the rooms of a million views are drawn at once."""
    z = np.asarray(seeds).astype(np.uint64) + np.uint64(stream * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) / 2.0**64


@dataclass(frozen=True)
class Experience:
    """What all methods of a seed learn from: each transition is met about once."""

    before: Views
    after: Views
    action: np.ndarray  # (n, 2) change of yaw and pitch, radians

    def transitions(self, *, revealed=False, senses=("image",)) -> Transitions:
        """Frames by sense; "revealed" is a sense too: the image, of which what changed alone is left."""
        before, after = (views.sensed(revealed) for views in (self.before, self.after))
        if "revealed" in senses:
            for sensed, views in ((before, self.before), (after, self.after)):
                sensed["revealed"] = views.sensed(revealed=True)["image"]
        chosen = ({sense: sensed[sense] for sense in senses} for sensed in (before, after))
        observation, next_observation = chosen
        return Transitions(observation, self.action, next_observation, group=self.before.object)


def live(objects: Objects, config, seed, *, fresh_rooms=True, kind="training") -> Experience:
    """Handle the familiar objects: two poses and the action between them, for every transition of the training.

    `fresh_rooms`: before and after are seen in different rooms, so that rooms cannot stand for objects; in a share
    of the transitions (`null_share`) the room alone changes. Otherwise each object has its own room and always turns.
    """
    rng = np.random.default_rng((seed, 0))
    n = config.n_steps * config.batch_size
    rows = objects.familiar[np.arange(n) % len(objects.familiar)]
    first, second = draw_poses(rng, (2, n))
    if fresh_rooms:
        second = np.where(rng.random((n, 1)) < config.null_share, first, second)
    room = None if fresh_rooms else rng.integers(2**62, size=len(objects.bank))[rows]
    before, after = (view(objects, rows, p, kind, config, (seed, i), room=room) for i, p in ((1, first), (2, second)))
    return Experience(before, after, (second - first).astype(np.float32))


@dataclass(frozen=True)
class Gallery:
    """Views that an encoder is measured on, each with a room of its own.

    Attributes
    ----------
    probe : Views
        Of familiar objects in training rooms: what probes learn from.
    tests : dict of str to Views
        Of unseen objects; "training", "background", "light" and "both" differ in the rooms alone; "orientation" is
        beyond the yaw of training, "points" the first seen by a worse depth sensor, "families" of families never met.
    rooms : Views
        Many views in each of a few training rooms.
    room : ndarray
        Which of these rooms.
    label : ndarray (n_objects_of_the_bank,)
    n_views : int
        Of each object, which stand in a row.
    """

    probe: Views
    tests: dict
    rooms: Views
    room: np.ndarray
    label: np.ndarray
    n_views: int

    def looked_at(self, look) -> Gallery:
        """The same with `look` (n images -> n images) applied to all images."""

        def seen(views):
            return replace(views, image=look(views.image))

        tests = {name: seen(views) for name, views in self.tests.items()}
        return replace(self, probe=seen(self.probe), tests=tests, rooms=seen(self.rooms))


SAME_POSES = ("training", "background", "light", "both")


def exhibit(objects: Objects, config, seed) -> Gallery:
    rng = np.random.default_rng((seed, 10))

    def look(rows, kind, n, pose=None):
        pose = draw_poses(rng, (len(rows), config.n_views)) if pose is None else pose
        return view(objects, np.repeat(rows, config.n_views), pose.reshape(-1, 2), kind, config, (seed, n))

    probed = np.concatenate(
        [rows[: config.n_probe] for c in np.unique(objects.label) if len(rows := of_family(objects, c))]
    )
    poses = draw_poses(rng, (len(objects.unseen), config.n_views))
    tests = {kind: look(objects.unseen, kind, 20 + i, poses) for i, kind in enumerate(SAME_POSES)}
    far = draw_poses(rng, poses.shape[:2], far=True)
    tests["orientation"] = look(objects.unseen, "training", 30, far)
    tests["points"] = tests["training"].with_point_noise((seed, 31))
    tests["families"] = look(objects.foreign, "training", 32)
    room = np.repeat(np.arange(N_FIXED_ROOMS), config.n_room_views)
    rows = rng.choice(objects.familiar, len(room))
    seeds = rng.integers(2**62, size=N_FIXED_ROOMS)
    rooms = view(objects, rows, draw_poses(rng, rows.shape), "training", config, (seed, 40), room=seeds[room])
    return Gallery(look(probed, "training", 11), tests, rooms, room, objects.label, config.n_views)


def of_family(objects: Objects, family):
    """Familiar objects of one family."""
    return objects.familiar[objects.label[objects.familiar] == family]
