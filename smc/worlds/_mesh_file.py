"""One mesh out of a file that nobody vouches for: sizes are checked before anything is allocated."""

from __future__ import annotations

import io
import json
import logging
import re
import struct
import warnings
from collections.abc import Mapping

import numpy as np

from smc.worlds._mesh import Mesh

SUFFIXES = (".obj", ".ply", ".stl", ".off", ".glb")
BYTES_PER_FACE = 500  # of text or images, beyond which a file is not opened: far above what any format needs
MIN_BYTES = 2**20
GREY = (0.7, 0.7, 0.7)


def read_mesh_file(root, file, max_faces):
    """Mesh of one file, colours baked into its faces, in the file's own unit and axes.

    Returns
    -------
    mesh : Mesh
    remark : str
        What could not be drawn as the file says; empty if nothing.
    """
    import trimesh

    limit = max(MIN_BYTES, max_faces * BYTES_PER_FACE)
    if file.stat().st_size > limit:
        raise ValueError(f"{file.stat().st_size:,} bytes are more than {limit:,}, the most for max_faces={max_faces:,}")
    data = file.read_bytes()
    suffix = file.suffix.lower()
    _check_count(_COUNT.get(suffix, lambda data: 0)(data), max_faces)
    if suffix == ".off":
        # Widely used collections glue the counts to the magic word.
        data = re.sub(rb"\A\s*(C?OFF)(?=[\d])", rb"\1\n", data)
    beside = _Beside(root, file.parent, limit)
    logger = logging.getLogger("trimesh")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from PIL import Image

            warnings.simplefilter("error", Image.DecompressionBombWarning)
            scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], resolver=beside, process=False)
            return _merge(scene, max_faces), beside.remark()
    finally:
        logger.disabled = was_disabled


# ------------------------------------------------------------------------------------------------- sizes


def _check_count(count, max_faces):
    if count > max_faces:
        raise ValueError(f"{count:,} faces are more than max_faces={max_faces:,}")


def _count_ply(data):
    header = data[: data.find(b"end_header") + 1].decode("latin1")
    counts = {name: int(count) for name, count in re.findall(r"^element\s+(\w+)\s+(\d+)", header, re.MULTILINE)}
    # Any element is allocated as announced; a mesh has at most three vertices for each of its faces.
    return max([counts.get("face", 0), *(count // 3 for count in counts.values())])


def _count_off(data):
    match = re.match(rb"\s*C?OFF\s*(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)", data)
    if match is None:
        raise ValueError("the header gives no number of faces")
    return max(int(match[2]), int(match[1]) // 3)


def _count_stl(data):
    if len(data) >= 84:
        count = struct.unpack_from("<I", data, 80)[0]
        if len(data) == 84 + 50 * count or not data.lstrip().startswith(b"solid"):
            return count
    return data.count(b"facet normal")


def _count_obj(data):
    return len(re.findall(rb"^\s*f\s", data, re.MULTILINE))


def _count_glb(data):
    magic, _, _, length, _ = struct.unpack_from("<4sIIII", data)
    if magic != b"glTF":
        raise ValueError("the file does not start as GLB files do")
    tree = json.loads(data[20 : 20 + length])
    # An accessor without data stands for zeros, which are allocated all the same.
    return max((accessor["count"] // 3 for accessor in tree.get("accessors", ())), default=0)


_COUNT = {".ply": _count_ply, ".off": _count_off, ".stl": _count_stl, ".obj": _count_obj, ".glb": _count_glb}


class _Beside(Mapping):
    """The files that a mesh file names, materials and textures: read only from inside the user's folder."""

    def __init__(self, root, folder, limit):
        self._root, self._folder, self._limit = root, folder, limit
        self._missing = []

    def __getitem__(self, name):
        file = (self._folder / str(name).strip().replace("\\", "/")).resolve()
        if not file.is_relative_to(self._root) or not file.is_file() or file.stat().st_size > self._limit:
            self._missing.append(str(name))
            raise KeyError(name)
        return file.read_bytes()

    def remark(self):
        return (
            f"drawn without {', '.join(dict.fromkeys(self._missing))}, not found in the folder" if self._missing else ""
        )

    def __iter__(self):
        return (file.name for file in self._folder.iterdir())

    def __len__(self):
        return sum(1 for _ in self)


# ---------------------------------------------------------------------------------------- shape and colour


def _merge(scene, max_faces):
    """One mesh of everything in a scene, each part where it is placed."""
    nodes = [(scene.geometry[name], pose) for pose, name in (scene.graph[n] for n in scene.graph.nodes_geometry)]
    nodes = [(part, pose) for part, pose in nodes if len(getattr(part, "faces", ()))]
    if not nodes:
        raise ValueError("the file holds no triangles")
    # A scene may show one part any number of times.
    _check_count(sum(len(part.faces) for part, _ in nodes), max_faces)
    n_before = np.cumsum([0] + [len(part.vertices) for part, _ in nodes])
    vertices = np.concatenate([part.vertices @ pose[:3, :3].T + pose[:3, 3] for part, pose in nodes])
    faces = np.concatenate([part.faces + n for (part, _), n in zip(nodes, n_before)])
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError("a triangle names a vertex that does not exist")
    corners = vertices[faces]
    if not np.isfinite(corners).all():
        raise ValueError("coordinates are not finite")
    if not np.ptp(corners.reshape(-1, 3), axis=0).max() > 0:
        raise ValueError("all vertices lie in one point")
    return Mesh(vertices, faces, np.concatenate([_face_colors(part) for part, _ in nodes]))


def _face_colors(part):
    """Colours (n_faces, 3) in [0, 1]: a texture's mean over each face, else the face's, vertices' or material's."""
    visual = part.visual
    if visual.kind in ("face", "vertex"):
        return visual.face_colors[:, :3] / 255.0
    material = getattr(visual, "material", None)
    if material is None:
        return np.tile(GREY, (len(part.faces), 1))
    tint = np.ones(3)
    if hasattr(material, "to_simple"):
        material = material.to_simple()
        tint = np.asarray(material.main_color)[:3] / 255.0
    image, uv = getattr(material, "image", None), getattr(visual, "uv", None)
    if image is None or uv is None or len(uv) != len(part.vertices):
        return np.tile(np.asarray(material.main_color)[:3] / 255.0, (len(part.faces), 1))
    return tint * _mean_texture(image, np.asarray(uv)[part.faces])


def _mean_texture(image, uv):
    """Mean colours (n, 3) of triangles whose corners have the texture coordinates uv (n, 3, 2), v upwards."""
    image.thumbnail((512, 512))
    texture = np.asarray(image.convert("RGBA")) / 255.0
    # Ten places spread over the triangle, none of them on its border.
    i, j = np.array([(i, j) for i in range(4) for j in range(4 - i)]).T
    weights = (np.stack([i, j, 3 - i - j], axis=1) + 1 / 3) / 4
    places = np.nan_to_num(np.einsum("kc,ncd->nkd", weights, uv)) % 1
    height, width = texture.shape[:2]
    column = (places[..., 0] * width).astype(int).clip(0, width - 1)
    row = ((1 - places[..., 1]) * height).astype(int).clip(0, height - 1)
    rgba = texture[row, column]
    opacity = rgba[..., 3:] + 1e-6
    return (rgba[..., :3] * opacity).sum(axis=1) / opacity.sum(axis=1)
