"""What a camera sees, by casting one ray per pixel at every triangle; no projection, no clipping, no z-buffer."""

import numpy as np


def cast_rays(meshes, poses, camera, light):
    """Colour (size, size, 3) float or NaN, depth, object number and sureness of every pixel.

    A pixel is sure when no edge, no near plane and no second surface lies so close that rounding could decide.
    """
    size = camera.size
    centre = (np.arange(size) + 0.5 - size / 2) / camera.focal
    rays = np.stack([*np.meshgrid(centre, centre), np.ones((size, size))], axis=-1)
    depth = np.full((size, size), np.inf)
    ids = np.full((size, size), -1)
    color = np.full((size, size, 3), np.nan)
    sure = np.ones((size, size), bool)
    for number, (mesh, pose) in enumerate(zip(meshes, poses)):
        corners = mesh.vertices.astype(float) @ pose[:, :3].T + pose[:, 3]
        for face, triangle in enumerate(corners[mesh.faces]):
            if abs(np.linalg.det(triangle)) < 1e-9:
                continue
            weights = rays @ np.linalg.inv(triangle)  # ray = weights @ triangle / z
            with np.errstate(divide="ignore"):
                z = 1 / weights.sum(-1)
            inside = (weights > 0).all(-1) & (z >= camera.near)
            edge = np.abs(weights * z[..., None]).min(-1) < 1e-5
            sure &= ~(edge & (weights * z[..., None] > -1e-4).all(-1)) & ~(inside & (np.abs(z - camera.near) < 1e-6))
            sure &= ~(inside & np.isfinite(depth) & (np.abs(z - depth) < 1e-5))
            nearer = inside & (z < depth)
            depth[nearer], ids[nearer] = z[nearer], number
            weights = (weights * z[..., None])[nearer]
            sure[nearer] &= ~_near_texel_border(mesh, face, weights)
            color[nearer] = _albedo(mesh, face, weights) * _shade(triangle, light)
    return color, depth, ids, sure


def _texture_place(mesh, face, weights):
    """Row and column in the texture, not rounded."""
    s, t = (weights @ mesh.uv[mesh.face_uv[face]].astype(float)).T
    height, width = mesh.texture.shape[:2]
    return (1 - t) * height, s * width


def _near_texel_border(mesh, face, weights):
    if mesh.texture is None or mesh.face_uv[face, 0] < 0:
        return np.zeros(len(weights), bool)
    return (np.abs(np.stack([p - np.round(p) for p in _texture_place(mesh, face, weights)])) < 1e-3).any(0)


def _albedo(mesh, face, weights):
    if mesh.texture is None or mesh.face_uv[face, 0] < 0:
        return mesh.face_colors[face]
    row, column = (p.astype(int) for p in _texture_place(mesh, face, weights))
    return mesh.texture[np.clip(row, 0, len(mesh.texture) - 1), np.clip(column, 0, mesh.texture.shape[1] - 1)]


def _shade(triangle, light):
    normal = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
    normal /= np.linalg.norm(normal)
    if normal @ triangle[0] > 0:  # turn it to the camera, which is at 0
        normal = -normal
    incidence = max(normal @ (light.direction / np.linalg.norm(light.direction)), 0)
    return light.color * (light.ambient + (1 - light.ambient) * incidence)
