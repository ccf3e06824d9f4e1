"""Procedural objects held before a camera: scenes, what eye and depth sensor get of them, and the actions between."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from smc import Action
from smc.worlds import Camera, Light, ObjectBank, add_image_noise, backgrounds, drop_points, pose_matrix, render

YAW, PITCH = np.pi / 3, np.pi / 6  # radians, to either side
DISTANCE = 0.4  # metres
FARTHEST_MOVE = 0.02  # metres, to either side
LARGEST_ZOOM = 0.3  # logarithm of the magnification
LIGHT = np.pi / 3  # azimuth, radians, to either side
MOST_LOST = 0.9  # share of a cloud's points
NOISE = 0.02  # strength; the standard deviation is half of it, of the full range
FIELD_OF_VIEW = 0.55  # radians
TINT = 0.35  # red, green and blue towards the right, back and top
RADIUS = 0.1  # metres, of all objects
# Families that have a front.
CLASSES = ("airplane", "car", "chair", "fish", "hammer", "humanoid", "mug", "quadruped", "shelf", "teapot")
FAMILIAR, UNKNOWN = ("plain", "texture"), ("clutter", "stripes")  # kinds of rooms


def make_objects(n_per_class, seed, classes=CLASSES) -> ObjectBank:
    """Objects whose colours shift from one end to the other, so that they look different from every side."""
    return tinted(ObjectBank.procedural(n_per_class, classes, seed, checker=0))


def tinted(bank: ObjectBank) -> ObjectBank:
    """The same objects, redder towards their right, greener towards their back and bluer towards their top."""
    meshes = []
    for mesh in bank:
        place = mesh.vertices[mesh.faces].mean(axis=1) / RADIUS
        meshes.append(replace(mesh, face_colors=np.clip(mesh.face_colors + TINT * place, 0, 1).astype(np.float32)))
    return ObjectBank(meshes, bank.classes, groups=bank.groups, ids=bank.ids)


@dataclass(frozen=True)
class Scene:
    """n objects, each held in a room of its own."""

    object: np.ndarray  # (n,) index into the bank
    angles: np.ndarray  # (n, 2) yaw and pitch, radians
    place: np.ndarray  # (n, 3) right, down, forward of the middle, metres
    zoom: np.ndarray  # (n,) of the picture
    light: np.ndarray  # (n,) azimuth, radians
    room: np.ndarray  # (n,) seed of the background
    lost: np.ndarray  # (n,) share of the points that the depth sensor loses

    def __len__(self):
        return len(self.object)

    def __getitem__(self, rows) -> Scene:
        return Scene(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def pose(self):
        """Object-to-camera poses (n, 3, 4)."""
        return pose_matrix(*self.angles.T, 0.0, *self.place[:, :2].T, DISTANCE + self.place[:, 2])


def draw_scene(objects, rng) -> Scene:
    """`objects` (n,) anywhere in the range of all that can be changed."""
    n = len(objects)
    return Scene(
        objects,
        rng.uniform(-1, 1, (n, 2)) * (YAW, PITCH),
        rng.uniform(-1, 1, (n, 3)) * FARTHEST_MOVE,
        rng.uniform(0, LARGEST_ZOOM, n),
        rng.uniform(-LIGHT, LIGHT, n),
        rng.integers(2**62, size=n),
        rng.uniform(0, MOST_LOST, n),
    )


def sense(bank, scene, rng, *, size=32, n_points=None, rooms=FAMILIAR):
    """What is sensed: `image` (n, size, size, 3) of uint8 and, if `n_points` is given, `points` (n, n_points, 3)."""
    kinds = np.array(rooms)[scene.room % len(rooms)]
    light = Light.from_azimuth(scene.light)
    ground = backgrounds(kinds.tolist(), scene.room, size, light)
    seeds = rng.integers(2**62, size=len(scene))
    frames = render(
        bank.packed,
        scene.object,
        scene.pose,
        Camera(size, FIELD_OF_VIEW),
        light,
        background=ground,
        n_points=n_points or 0,
        seed=seeds,
    )
    image = Action(zoom=scene.zoom).apply(frames.image, "image") if scene.zoom.any() else frames.image
    senses = {"image": add_image_noise(image, NOISE, seeds)}
    if n_points:
        senses["points"] = drop_points(frames.points, scene.lost, seeds)
    return senses


def action_between(before: Scene, after: Scene) -> Action:
    """What leads from one scene to another of the same objects."""
    return Action.between(
        before.pose,
        after.pose,
        zoom=after.zoom - before.zoom,
        background=after.room != before.room,
        light=after.light - before.light,
    )


def between_views(scenes: Scene, n_views, describe) -> np.ndarray:
    """What leads from each view of an object to each other one, (n_objects, n_views, n_views, d) of float32.

    Parameters
    ----------
    scenes : Scene
        Of n_objects * n_views views, in the order (object, view).
    n_views : int
    describe : callable
        Two scenes -> array (n, d).
    """
    first, second = np.meshgrid(np.arange(n_views), np.arange(n_views), indexing="ij")
    starts = n_views * np.arange(len(scenes) // n_views)[:, None]
    told = describe(scenes[(starts + first.ravel()).ravel()], scenes[(starts + second.ravel()).ravel()])
    return told.reshape(-1, n_views, n_views, told.shape[1]).astype(np.float32)
