"""Building blocks of the procedural families: lathe, tube, superquadric and box, each with texture coordinates."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Part(NamedTuple):
    """A piece of an object in one colour.

    Attributes
    ----------
    vertices : ndarray (n_vertices, 3)
    faces : ndarray (n_faces, 3)
    uv : ndarray (n_vertices, 2)
        Texture coordinates in [0, 1].
    color : int
        Which of the object's colours; colour 0 is the one that a texture replaces.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    color: int


@lru_cache(maxsize=64)
def _grid(rows, columns):
    """Triangles (2 * rows * columns, 3) and coordinates in [0, 1] of a grid of (rows + 1) * (columns + 1) vertices."""
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    above = first + columns + 1
    faces = np.concatenate(
        [np.stack([first, first + 1, above + 1], axis=1), np.stack([first, above + 1, above], axis=1)]
    )
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    return faces, np.stack([u.ravel(), v.ravel()], axis=1)


@lru_cache(maxsize=16)
def _circle(n_sides):
    angle = np.linspace(0, 2 * np.pi, n_sides + 1)
    return np.cos(angle), np.sin(angle)


def smooth_curve(points, n_points):
    """Curve (n_points, d) through control points (k, d): Catmull-Rom, equal time between control points."""
    points = np.asarray(points, np.float64)
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    time = np.linspace(0, len(points) - 1, n_points)
    start = np.minimum(time.astype(int), len(points) - 2)
    t = (time - start)[:, None]
    a, b, c, d = (padded[start + i] for i in range(4))
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def lathe(profile, color=0, *, n_sides=20, centre=(0.0, 0.0, 0.0), scale=(1.0, 1.0)):
    """Turn a profile (k, 2) of radius and height about the vertical axis; `scale` squeezes it along x and y."""
    profile = np.asarray(profile, np.float64)
    radius, height = np.abs(profile[:, 0]), profile[:, 1]
    cos, sin = _circle(n_sides)
    vertices = np.stack(
        [
            np.outer(radius, cos) * scale[0] + centre[0],
            np.outer(radius, sin) * scale[1] + centre[1],
            np.broadcast_to(height[:, None] + centre[2], (len(profile), n_sides + 1)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    faces, uv = _grid(len(profile) - 1, n_sides)
    return Part(vertices, faces, uv, color)


def tube(path, radius, color=0, *, n_sides=8):
    """Round bar with closed ends along a path (k, 3); `radius` is a number or one per path point."""
    path = np.asarray(path, np.float64)
    radius = np.broadcast_to(np.asarray(radius, np.float64), len(path))
    tangent = np.gradient(path, axis=0)
    # End points twice, the outer copies with radius 0, close the ends.
    path, tangent = (np.concatenate([points[:1], points, points[-1:]]) for points in (path, tangent))
    radius = np.concatenate([[0.0], radius, [0.0]])
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    # One fixed direction across the path keeps the tube from twisting; it must not lie along the path itself.
    across = np.eye(3)[np.argmin(np.abs(tangent).max(axis=0))]
    first = np.cross(tangent, across)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    cos, sin = _circle(n_sides)
    ring = first[:, None] * cos[:, None] + second[:, None] * sin[:, None]
    faces, uv = _grid(len(path) - 1, n_sides)
    return Part((path[:, None] + radius[:, None, None] * ring).reshape(-1, 3), faces, uv, color)


def superquadric(size, roundness=(1.0, 1.0), color=0, *, centre=(0.0, 0.0, 0.0), n_sides=16):
    """Superellipsoid (Barr 1981) with half axes `size`; roundness near 0 is a box, 1 an ellipsoid, 2 an octahedron."""
    cos, sin = _circle(n_sides)
    latitude = np.linspace(-np.pi / 2, np.pi / 2, n_sides // 2 + 1)
    vertical, around = roundness
    ring = np.cos(latitude).clip(0) ** vertical
    x, y, z = (np.sign(c) * np.abs(c) ** e for c, e in ((cos, around), (sin, around), (np.sin(latitude), vertical)))
    vertices = np.stack(
        [
            np.outer(ring, x) * size[0] + centre[0],
            np.outer(ring, y) * size[1] + centre[1],
            np.broadcast_to((z * size[2] + centre[2])[:, None], (len(z), len(x))),
        ],
        axis=-1,
    ).reshape(-1, 3)
    faces, uv = _grid(n_sides // 2, n_sides)
    return Part(vertices, faces, uv, color)


def box(size, centre=(0.0, 0.0, 0.0), color=0, *, divisions=2):
    """Box with edge lengths `size`, each side a grid of its own with the full texture."""
    faces, uv = _grid(divisions, divisions)
    plane = np.concatenate([uv * 2 - 1, np.ones((len(uv), 1))], axis=1)
    sides = np.concatenate([np.roll(plane * (sign, 1, sign), k, axis=1) for k in range(3) for sign in (1, -1)])
    offsets = np.repeat(np.arange(6) * len(uv), len(faces))[:, None]
    return Part(
        sides * (np.asarray(size) / 2) + np.asarray(centre),
        np.tile(faces, (6, 1)) + offsets,
        np.tile(uv, (6, 1)),
        color,
    )
