"""Pictures, depth, object numbers and point clouds of meshes, many frames in one call."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from smc.worlds._kernels import raster
from smc.worlds._packing import PackedMeshes, pack_meshes
from smc.worlds._seeds import check_count, row_seeds
from smc.worlds._threads import run_frames


@dataclass(frozen=True)
class Camera:
    """Pinhole camera with a square picture, looking along +z; x points right and y down.

    Parameters
    ----------
    size : int, default=64
        Rows and columns of the picture, at most 4096.
    field_of_view : float, default=0.6
        Vertical (and horizontal) opening angle in radians, in (0, pi).
    near : float, default=0.05
        Distance of the near plane in metres; surfaces before it are cut away.
    """

    size: int = 64
    field_of_view: float = 0.6
    near: float = 0.05

    def __post_init__(self):
        check_count(self.size, "size", 1, 4096)
        if not 0 < self.field_of_view < math.pi:
            raise ValueError(f"field_of_view is {self.field_of_view}; an angle in (0, pi) radians is needed")
        if not 0 < self.near < math.inf:
            raise ValueError(f"near is {self.near}; a positive distance in metres is needed")

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.size / 2 / math.tan(self.field_of_view / 2)


@dataclass(frozen=True, eq=False)
class Light:
    """Directional light and ambient light of one colour, for one frame or a batch of them.

    A surface of albedo a whose normal (turned to the viewer) has cosine c with the light's direction shows
    a * color * (ambient + (1 - ambient) * max(c, 0)).

    Parameters
    ----------
    direction : array (3,) or (B, 3), default=(-0.4, -0.6, -0.7)
        From the scene toward the light, in the camera frame, any length; the default stands up left behind the camera.
    color : array (3,) or (B, 3), default=(1, 1, 1)
        Red, green, blue, each >= 0.
    ambient : float or array (B,), default=0.35
        Share of the light that comes from everywhere, in [0, 1].
    """

    direction: np.ndarray = field(default=(-0.4, -0.6, -0.7))
    color: np.ndarray = field(default=(1.0, 1.0, 1.0))
    ambient: np.ndarray = field(default=0.35)

    def __post_init__(self):
        for name in ("direction", "color", "ambient"):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if not np.isfinite(value).all():
                raise ValueError(f"{name} of the light has values that are not finite")
            if name != "ambient" and (value.ndim not in (1, 2) or value.shape[-1] != 3):
                raise ValueError(f"{name} of the light has shape {value.shape}; (3,) or (n_frames, 3) is needed")
            object.__setattr__(self, name, value)
        if (np.linalg.norm(self.direction, axis=-1) == 0).any():
            raise ValueError("direction of the light is 0; a direction toward the light is needed")
        if (self.color < 0).any():
            raise ValueError("color of the light is negative; values >= 0 are needed")
        if self.ambient.ndim > 1 or (self.ambient < 0).any() or (self.ambient > 1).any():
            raise ValueError("ambient of the light must be a number, or one per frame, in [0, 1]")

    @classmethod
    def from_azimuth(cls, azimuth, elevation=0.7, color=(1.0, 1.0, 1.0), ambient=0.35) -> Light:
        """Light at angles (radians) seen from the object: azimuth 0 = the camera's side, positive = its right."""
        azimuth, elevation = np.broadcast_arrays(np.asarray(azimuth, float), np.asarray(elevation, float))
        across = np.cos(elevation)
        direction = [np.sin(azimuth) * across, -np.sin(elevation), -np.cos(azimuth) * across]
        return cls(np.stack(direction, axis=-1), color, ambient)

    def rows(self, n_frames: int) -> np.ndarray:
        """One row per frame (n_frames, 7): unit direction, colour, ambient share."""
        out = np.empty((n_frames, 7))
        try:
            out[:, :3] = self.direction / np.linalg.norm(self.direction, axis=-1, keepdims=True)
            out[:, 3:6] = self.color
            out[:, 6] = self.ambient
        except ValueError:
            raise ValueError(f"the light is given for another number of frames than the {n_frames} of poses") from None
        return out


class Rendering(NamedTuple):
    """What the camera delivers for B frames.

    image : (B, size, size, 3) uint8
    depth : (B, size, size) float32, distance along the optical axis in metres, background +inf
    ids : (B, size, size) int32, column of `objects` that is seen there, background -1
    points : (B, n_points, 3) float32, camera frame, metres; zeros where the object is not visible
    """

    image: np.ndarray
    depth: np.ndarray
    ids: np.ndarray
    points: np.ndarray


def render(
    meshes, objects, poses, camera=None, light=None, *, background=None, n_points=0, points_of=0, seed=0
) -> Rendering:
    """Draw a batch of frames: colour, depth, object numbers and a point cloud in one pass.

    Parameters
    ----------
    meshes : PackedMeshes, or iterable of Mesh
        Pack once with `pack_meshes` where `render` is called more than once.
    objects : array of int (B,) or (B, K)
        Mesh numbers shown in each frame; -1 = none.
    poses : array (B, 3, 4) or (B, K, 3, 4)
        From each object's frame to the camera frame: rotation and translation, p_camera = R p + t (metres).
    camera : Camera, default=Camera()
    light : Light, default=Light()
    background : array of uint8 (size, size, 3) or (B, size, size, 3), default=None
        Behind everything; None = mid grey.
    n_points : int, default=0
        Points per cloud. They are pixels of one object, drawn without replacement; where there are fewer pixels than
        points all of them are repeated equally often, give or take one.
    points_of : int, default=0
        Column of `objects` whose cloud is taken.
    seed : int or array of int (B,), default=0
        Choice of the points. With an array each frame depends on its own seed only.

    Returns
    -------
    Rendering
        Bit-identical for any number of threads and any batch that a frame stands in (given a seed per frame).

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit, mesh numbers out of range, poses that are not finite or not rigid.
    """
    camera = Camera() if camera is None else camera
    light = Light() if light is None else light
    packed = meshes if isinstance(meshes, PackedMeshes) else pack_meshes(meshes)
    objects, poses = _check_scene(objects, poses, packed.n_meshes)
    n_frames, n_slots = objects.shape
    check_count(n_points, "n_points", 0, 2**24)
    check_count(points_of, "points_of", 0, n_slots - 1)
    shape = (n_frames, camera.size, camera.size)
    out = Rendering(
        image=_check_background(background, shape),
        depth=np.empty(shape, np.float32),
        ids=np.empty(shape, np.int32),
        points=np.empty((n_frames, n_points, 3), np.float32),
    )
    lights, seeds = light.rows(n_frames), row_seeds(seed, n_frames)
    arguments = (packed, objects, poses, camera.focal, camera.near, lights, *out, seeds, points_of)
    run_frames(raster.draw_frames, raster.draw_frames_parallel, *arguments, n_frames=n_frames)
    return out


def points_from_depth(depth, ids, camera, n_points, seed=0, *, points_of=0) -> np.ndarray:
    """Point cloud of one object from pictures of depth, by the rule of `render`.

    Parameters
    ----------
    depth : array (B, size, size)
        Distance along the optical axis in metres; anything where `ids` is another object.
    ids : array of int (B, size, size)
    camera : Camera
    n_points : int
    seed : int or array of int (B,), default=0
    points_of : int, default=0
        Value of `ids` that marks the object.

    Returns
    -------
    ndarray (B, n_points, 3) of float32
        Camera frame, metres; zeros where the object is not visible.
    """
    depth, ids = np.ascontiguousarray(depth, np.float32), np.ascontiguousarray(ids, np.int32)
    if depth.ndim != 3 or depth.shape[1:] != (camera.size, camera.size) or ids.shape != depth.shape:
        raise ValueError(
            f"depth {depth.shape} and ids {ids.shape} must both be (n_frames, {camera.size}, {camera.size})"
        )
    if not np.isfinite(depth[ids == points_of]).all():
        raise ValueError("depth has values that are not finite on the object")
    check_count(n_points, "n_points", 1, 2**24)
    points = np.empty((len(depth), n_points, 3), np.float32)
    raster.points_of_frames(depth, ids, camera.focal, row_seeds(seed, len(depth)), points_of, points)
    return points


def _check_scene(objects, poses, n_meshes):
    """Mesh numbers as (B, K) int64 and poses as (B, K, 3, 4) float64."""
    objects = np.asarray(objects)
    if objects.ndim not in (1, 2) or objects.size == 0 or objects.dtype.kind not in "iu":
        raise ValueError(
            f"objects has shape {objects.shape}, {objects.dtype}; integers (n_frames, n_objects) are needed"
        )
    if objects.min() < -1 or objects.max() >= n_meshes:
        raise ValueError(f"objects has numbers outside -1..{n_meshes - 1}")
    poses = np.asarray(poses, dtype=np.float64)
    if poses.shape != (*objects.shape, 3, 4):
        raise ValueError(f"poses has shape {poses.shape}; {(*objects.shape, 3, 4)} is needed for these objects")
    if not np.isfinite(poses).all():
        raise ValueError("poses has values that are not finite")
    rotation = poses[..., :3]
    if np.abs(rotation @ rotation.swapaxes(-1, -2) - np.eye(3)).max() > 1e-5:
        raise ValueError("poses has left 3 x 3 parts that are no rotations")
    if objects.ndim == 1:
        objects, poses = objects[:, None], poses[:, None]
    return np.ascontiguousarray(objects, np.int64), np.ascontiguousarray(poses)


def _check_background(background, shape):
    """A fresh picture (B, size, size, 3) to draw on."""
    if background is None:
        return np.full((*shape, 3), 128, np.uint8)
    background = np.asarray(background)
    if background.dtype != np.uint8 or background.shape not in ((*shape, 3), (*shape[1:], 3)):
        raise ValueError(
            f"background is {background.dtype} {background.shape}; uint8 {(*shape[1:], 3)} or {(*shape, 3)} is needed"
        )
    image = np.empty((*shape, 3), np.uint8)
    image[:] = background
    return image
