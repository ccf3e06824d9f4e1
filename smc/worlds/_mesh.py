"""One object as the rasteriser draws it: triangles with colours, and a texture where there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangle mesh in the object's own frame (metres, z up, bounding box centred on the origin).

    Parameters
    ----------
    vertices : ndarray (n_vertices, 3) of float32
    faces : ndarray (n_faces, 3) of int32
        Vertex indices.
    face_colors : ndarray (n_faces, 3) of float32
        Albedo in [0, 1]; used where a face has no texture.
    uv : ndarray (n_uv, 2) of float32 or None
        Texture coordinates in [0, 1], v upwards.
    face_uv : ndarray (n_faces, 3) of int32 or None
        Indices into `uv`; -1 in the first column marks a face without texture.
    texture : ndarray (height, width, 3) of float32 or None
        Image or atlas, values in [0, 1].
    """

    vertices: np.ndarray
    faces: np.ndarray
    face_colors: np.ndarray
    uv: np.ndarray | None = None
    face_uv: np.ndarray | None = None
    texture: np.ndarray | None = None
