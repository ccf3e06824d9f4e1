"""Meshes laid out for the rasteriser: all of them one after another in a few arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from smc.worlds._mesh import Mesh


class PackedMeshes(NamedTuple):
    """Arrays of all meshes, concatenated; made by `pack_meshes`, read by `render`.

    What a pixel needs for its colour is kept as a function of the point on the object (plane of the face, affine
    texture map), so that colours are computed once per visible pixel and stay exact under perspective and clipping.
    """

    x: np.ndarray  # (n_vertices,) float32, and likewise y, z
    y: np.ndarray
    z: np.ndarray
    faces: np.ndarray  # (n_faces, 3) int32, vertex indices within the mesh
    normals: np.ndarray  # (n_faces, 3) float32, unit length, 0 for a face without area
    offsets: np.ndarray  # (n_faces,) float32, normal . point on the face
    colors: np.ndarray  # (n_faces, 3) float32
    texture_row: np.ndarray  # (n_faces,) int32, row of `texture_map`, -1 without texture
    texture_map: np.ndarray  # (n_textured, 8) float64: s = a . p + a0, t = b . p + b0 as (a, a0, b, b0)
    texels: np.ndarray  # (n_texels, 3) float32, all textures row by row
    first_vertex: np.ndarray  # (n_meshes + 1,) int64
    first_face: np.ndarray  # (n_meshes + 1,) int64
    first_texel: np.ndarray  # (n_meshes,) int64
    texture_shape: np.ndarray  # (n_meshes, 2) int64, height and width
    radius: np.ndarray  # (n_meshes,) float64, largest distance of a vertex from the mesh's origin

    @property
    def n_meshes(self) -> int:
        return len(self.radius)


def pack_meshes(meshes: Mesh | Iterable[Mesh]) -> PackedMeshes:
    """Lay out meshes for `render`; do it once and keep the result.

    Parameters
    ----------
    meshes : Mesh or iterable of Mesh
        An `ObjectBank` is one.

    Returns
    -------
    PackedMeshes

    Raises
    ------
    TypeError
        If an element is no `Mesh`.
    ValueError
        If there is no mesh, or one has no face, indices out of range or values that are not finite.
    """
    meshes = [meshes] if isinstance(meshes, Mesh) else list(meshes)
    if not meshes:
        raise ValueError("meshes is empty; at least one mesh is needed")
    for i, mesh in enumerate(meshes):
        _check(mesh, f"meshes[{i}]")
    vertices = np.concatenate([np.asarray(m.vertices, np.float32) for m in meshes])
    corners = [np.asarray(m.vertices, np.float64)[m.faces] for m in meshes]
    normals, offsets = zip(*(_planes(c) for c in corners))
    rows, maps, n_textured = [], [], 0
    for mesh, corner in zip(meshes, corners):
        row, texture_map = _texture_map(mesh, corner, n_textured)
        n_textured += len(texture_map)
        rows.append(row)
        maps.append(texture_map)
    textures = [np.zeros((0, 1, 3)) if m.texture is None else np.asarray(m.texture) for m in meshes]
    return PackedMeshes(
        *np.ascontiguousarray(vertices.T),
        faces=np.concatenate([np.asarray(m.faces, np.int32) for m in meshes]),
        normals=np.concatenate(normals).astype(np.float32),
        offsets=np.concatenate(offsets).astype(np.float32),
        colors=np.concatenate([np.asarray(m.face_colors, np.float32) for m in meshes]),
        texture_row=np.concatenate(rows).astype(np.int32),
        texture_map=np.concatenate(maps),
        texels=np.concatenate([t.reshape(-1, 3) for t in textures]).astype(np.float32),
        first_vertex=_starts([len(m.vertices) for m in meshes]),
        first_face=_starts([len(m.faces) for m in meshes]),
        first_texel=_starts([t.shape[0] * t.shape[1] for t in textures])[:-1],
        texture_shape=np.array([t.shape[:2] for t in textures], np.int64),
        radius=np.array([np.linalg.norm(np.asarray(m.vertices, np.float64), axis=1).max() for m in meshes]),
    )


def _starts(lengths) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _planes(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals (n, 3) and offsets (n,) of triangles (n, 3, 3)."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    return normals, np.einsum("ij,ij->i", normals, corners.mean(1))


def _texture_map(mesh: Mesh, corners: np.ndarray, first_row: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_faces,) and affine maps (n_textured, 8) from a point of the object to its texture coordinates."""
    if mesh.texture is None:
        return np.full(len(corners), -1), np.zeros((0, 8))
    textured = np.flatnonzero(np.asarray(mesh.face_uv)[:, 0] >= 0)
    rows = np.full(len(corners), -1)
    rows[textured] = first_row + np.arange(len(textured))
    corners = corners[textured]
    uv = np.asarray(mesh.uv, np.float64)[np.asarray(mesh.face_uv)[textured]]
    edges, d_uv = corners[:, 1:] - corners[:, :1], uv[:, 1:] - uv[:, :1]
    # the gradient lies in the face's plane: least-norm solution of edges @ gradient = d_uv
    gradient = np.linalg.pinv(edges) @ d_uv
    constant = uv[:, 0] - np.einsum("ni,nij->nj", corners[:, 0], gradient)
    maps = np.concatenate([gradient, constant[:, None]], axis=1)
    return rows, maps.transpose(0, 2, 1).reshape(-1, 8)


def _check(mesh: Mesh, name: str) -> None:
    if not isinstance(mesh, Mesh):
        raise TypeError(f"{name} is {type(mesh).__name__}; a Mesh is needed")
    n_faces = len(mesh.faces)
    if n_faces == 0:
        raise ValueError(f"{name} has no faces")
    for field, width in (("vertices", 3), ("faces", 3), ("face_colors", 3)):
        value = np.asarray(getattr(mesh, field))
        if value.ndim != 2 or value.shape[1] != width:
            raise ValueError(f"{name}.{field} has shape {value.shape}; (n, {width}) is needed")
        if not np.isfinite(value).all():
            raise ValueError(f"{name}.{field} has values that are not finite")
    if np.min(mesh.faces) < 0 or np.max(mesh.faces) >= len(mesh.vertices):
        raise ValueError(f"{name}.faces has vertex indices outside 0..{len(mesh.vertices) - 1}")
    if len(mesh.face_colors) != n_faces:
        raise ValueError(f"{name}.face_colors has {len(mesh.face_colors)} rows for {n_faces} faces")
    if mesh.texture is not None:
        _check_texture(mesh, name)


def _check_texture(mesh: Mesh, name: str) -> None:
    texture = np.asarray(mesh.texture)
    if texture.ndim != 3 or texture.shape[2] != 3 or texture.size == 0 or not np.isfinite(texture).all():
        raise ValueError(f"{name}.texture has shape {texture.shape}; a finite (height, width, 3) image is needed")
    if mesh.uv is None or mesh.face_uv is None:
        raise ValueError(f"{name} has a texture but no uv or face_uv")
    if np.shape(mesh.face_uv) != np.shape(mesh.faces):
        raise ValueError(f"{name}.face_uv has shape {np.shape(mesh.face_uv)}; {np.shape(mesh.faces)} is needed")
    if np.ndim(mesh.uv) != 2 or np.shape(mesh.uv)[1] != 2 or not np.isfinite(mesh.uv).all():
        raise ValueError(f"{name}.uv has shape {np.shape(mesh.uv)}; finite (n, 2) is needed")
    used = np.asarray(mesh.face_uv)[np.asarray(mesh.face_uv)[:, 0] >= 0]
    if used.size and (used.min() < 0 or used.max() >= len(mesh.uv)):
        raise ValueError(f"{name}.face_uv has indices outside 0..{len(mesh.uv) - 1}")
