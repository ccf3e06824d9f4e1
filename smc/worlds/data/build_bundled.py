"""Build `bundled.npz`, the objects behind `ObjectBank.bundled()`, from the furniture libraries of Sweet Home 3D.

    python smc/worlds/data/build_bundled.py FOLDER

FOLDER holds the .sh3f files of the Debian package sweethome3d-furniture 1.8. The script needs pillow and
fast_simplification, which the toolkit itself does not. `labels.csv` says which objects to take and what they are; it
was written by hand, in front of pictures of all of them. Everything else in this folder except the licence texts is
made here: models are turned upright, decimated, and their textures baked into one colour per face.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import posixpath
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree
from tqdm import tqdm

from smc.worlds._decimate import decimate
from smc.worlds._normalise import RADIUS, normalise

HERE = Path(__file__).parent
LIBRARIES = ("BlendSwap-CC-0", "BlendSwap-CC-BY", "Scopia")
N_FACES = 2000
SHAPE_SHARE = 0.7  # of the faces, in objects with varied textures: the rest goes where the colour varies
N_SAMPLES = 60_000  # colour samples per object, about one for every pixel of a large picture
MIN_OPACITY = 0.5  # more transparent texture is a hole, as between the leaves of a plant
SAME_COLOR = 0.04  # spread of colour within a face that is not worth a split
NEAR_COPY = 0.02  # total variation distance of two shape histograms below which a pair counts as near-copies


class Material(NamedTuple):
    color: np.ndarray  # (3,)
    texture: np.ndarray | None  # (height, width, 4)


class Surface(NamedTuple):
    """All triangles of one material."""

    points: np.ndarray  # (n, 3, 3)
    uv: np.ndarray  # (n, 3, 2)
    material: Material


# ---------------------------------------------------------------------------------------------------- reading


def read_catalogue(archive):
    """Entries {object id: {key: value}} of a library."""
    entries = {}
    for line in archive.read("PluginFurnitureCatalog.properties").decode("latin1").splitlines():
        if match := re.match(r"(\w+)#(\d+)=(.*)", line.strip()):
            entries.setdefault(match[2], {})[match[1]] = match[3].strip()
    return {_object_id(entry["model"]): entry for entry in entries.values()}


def _object_id(model):
    library, *_, name = model.strip("/").split("/")
    return f"{library}/{name.removesuffix('.obj')}"


def read_surfaces(archive, path):
    """Surfaces of an OBJ file with its materials; other records than v, vt, f, usemtl and mtllib are passed over."""
    folder = posixpath.dirname(path)
    vertices, uv, materials, triangles = [], [(0.0, 0.0)], {}, {}
    current = triangles.setdefault(None, [])
    for line in archive.read(path).decode("latin1").splitlines():
        key, _, rest = line.strip().partition(" ")
        if key == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif key == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif key == "f":
            corners = [_corner(word, len(vertices), len(uv) - 1) for word in rest.split()]
            current += [(corners[0], corners[i], corners[i + 1]) for i in range(1, len(corners) - 1)]
        elif key == "usemtl":
            current = triangles.setdefault(rest.strip(), [])
        elif key == "mtllib":
            materials |= read_materials(archive, posixpath.join(folder, rest.strip()))
    vertices, uv = np.array(vertices), np.array(uv)
    return [
        Surface(vertices[corners[..., 0]], uv[corners[..., 1]], materials.get(name, Material(np.full(3, 0.64), None)))
        for name, corners in ((name, np.array(corners)) for name, corners in triangles.items() if corners)
    ]


def _corner(word, n_vertices, n_uv):
    """Indices (vertex, uv) of a corner "v", "v/vt", "v//vn" or "v/vt/vn", which count from 1 or back from -1."""
    vertex, texture = [*word.split("/"), ""][:2]
    vertex = int(vertex)
    texture = int(texture or 0)
    return vertex - 1 if vertex > 0 else vertex + n_vertices, texture if texture >= 0 else texture + n_uv + 1


def read_materials(archive, path):
    materials, name = {}, None
    for line in archive.read(path).decode("latin1").splitlines():
        key, _, rest = line.strip().partition(" ")
        if key == "newmtl":
            name = rest.strip()
            materials[name] = Material(np.full(3, 0.64), None)
        elif key == "Kd":
            materials[name] = materials[name]._replace(color=np.array([float(x) for x in rest.split()[:3]]))
        elif key == "map_Kd":
            image = posixpath.join(posixpath.dirname(path), rest.strip())
            if image in archive.namelist():  # some name a file on their author's disk
                materials[name] = materials[name]._replace(texture=_read_texture(archive.read(image)))
    return materials


def _read_texture(data):
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    image.thumbnail((512, 512))
    return np.asarray(image) / 255.0


# ----------------------------------------------------------------------------------------------------- shape


def upright(surfaces, entry):
    """Turn and stretch as the catalogue says, then from y-up to z-up."""
    turn = np.array(entry.get("modelRotation", "1 0 0 0 1 0 0 0 1").split(), float).reshape(3, 3)
    points = [surface.points @ turn.T for surface in surfaces]
    everything = np.concatenate(points).reshape(-1, 3)
    extent = np.ptp(everything, axis=0)
    wanted = np.array([float(entry[key]) for key in ("width", "height", "depth")])
    stretch = wanted / np.where(extent > 0, extent, 1)
    return [surface._replace(points=(p * stretch)[..., [0, 2, 1]] * (1, -1, 1)) for surface, p in zip(surfaces, points)]


def simplify(surfaces, n_faces):
    """Triangles (n, 3, 3) of each surface, about n_faces in all; texture coordinates are lost."""
    corners = np.concatenate([surface.points for surface in surfaces]).reshape(-1, 3)
    faces = np.arange(len(corners)).reshape(-1, 3)
    materials = np.repeat(np.arange(len(surfaces)), [len(surface.points) for surface in surfaces])
    vertices, faces, materials = decimate(corners, faces, materials, n_faces)
    return [vertices[faces[materials == i]] for i in range(len(surfaces))]


def _areas(points):
    return 0.5 * np.linalg.norm(np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]), axis=1)


# ---------------------------------------------------------------------------------------------------- colour


class Paint:
    """Colour of a surface at any point near it, from samples of its texture."""

    def __init__(self, surface, n_samples, rng):
        self._constant = surface.material.color
        self._tree, self.varies = None, False
        if surface.material.texture is None:
            return
        areas = _areas(surface.points)
        if not areas.sum() > 0:
            return
        # Every triangle is sampled, the large ones more often.
        chosen = np.concatenate([np.arange(len(areas)), rng.choice(len(areas), n_samples, p=areas / areas.sum())])
        weights = rng.dirichlet((1, 1, 1), len(chosen))[:, None]
        places = (weights @ surface.points[chosen])[:, 0]
        self._reach = 0.05 * np.ptp(surface.points.reshape(-1, 3), axis=0).max()
        self._colors = _look_up(surface.material.texture, (weights @ surface.uv[chosen])[:, 0])
        self.varies = self._colors.std(axis=0).max() > SAME_COLOR
        self._tree = cKDTree(np.concatenate([places, self._reach * _normals(surface.points)[chosen]], axis=1))

    def __call__(self, points, n_places=16):
        """Colours (n, 3), their spread (n,) and opacity (n,) of triangles (n, 3, 3)."""
        if self._tree is None:
            return np.tile(self._constant, (len(points), 1)), np.zeros(len(points)), np.ones(len(points))
        weights = np.random.default_rng(0).dirichlet((1, 1, 1), n_places)
        places = np.einsum("kc,ncd->nkd", weights, points)
        # The normal is part of the place, so that the two sides of a sheet keep their own colours.
        normals = np.repeat(self._reach * _normals(points)[:, None], n_places, axis=1)
        rgba = self._colors[self._tree.query(np.concatenate([places, normals], axis=2))[1]]
        opacity = rgba[..., 3]
        total = opacity.sum(axis=1, keepdims=True) + 1e-9
        mean = (rgba[..., :3] * opacity[..., None]).sum(axis=1) / total
        spread = rgba[..., :3].std(axis=1).max(axis=1) + opacity.std(axis=1)
        return mean, spread, opacity.mean(axis=1)


def _look_up(texture, uv):
    height, width = texture.shape[:2]
    column = np.floor(uv[:, 0] % 1 * width).astype(int).clip(0, width - 1)
    row = np.floor((1 - uv[:, 1]) % 1 * height).astype(int).clip(0, height - 1)
    return texture[row, column]


def _normals(points):
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-30)


def split_colorful(points, paint, n_extra):
    """Halve the triangles in which the colour varies most until n_extra are added: detail that only the texture has."""
    _, spread, _ = paint(points)
    while n_extra > 0:
        score = np.where(spread > SAME_COLOR, spread * _areas(points), 0)
        worst = np.argsort(-score)[: min(n_extra, max(1, len(points) // 4))]
        worst = worst[score[worst] > 1e-4 * _areas(points).sum()]
        if not len(worst):
            break
        halves = _halve(points[worst])
        keep = np.delete(np.arange(len(points)), worst)
        points = np.concatenate([points[keep], halves])
        spread = np.concatenate([spread[keep], paint(halves)[1]])
        n_extra -= len(worst)
    return points


def _halve(points):
    """Cut triangles (n, 3, 3) in two across their longest edge."""
    edges = np.linalg.norm(points - np.roll(points, -1, axis=1), axis=2)
    start = np.argmax(edges, axis=1)
    a, b, c = (points[np.arange(len(points)), (start + k) % 3] for k in range(3))
    middle = (a + b) / 2
    return np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])


# ---------------------------------------------------------------------------------------------------- objects


def convert(archive, entry):
    """Vertices (n, 3) of int16, faces (m, 3) of uint16 and colours (m, 3) of uint8 of a library's object."""
    surfaces = upright(read_surfaces(archive, entry["model"].strip("/")), entry)
    area = sum(_areas(surface.points).sum() for surface in surfaces)
    rng = np.random.default_rng(0)
    paints = [Paint(surface, int(N_SAMPLES * _areas(surface.points).sum() / area) + 1, rng) for surface in surfaces]
    textured = np.array([paint.varies for paint in paints])
    shapes = simplify(surfaces, int(SHAPE_SHARE * N_FACES) if textured.any() else N_FACES)
    share = np.array([_areas(points).sum() for points in shapes]) * textured
    if share.sum() > 0:
        spare = N_FACES - sum(len(points) for points in shapes)
        extra = (spare * share / share.sum()).astype(int)
        shapes = [split_colorful(points, paint, n) for points, paint, n in zip(shapes, paints, extra)]
    painted = [paint(points, n_places=64) for points, paint in zip(shapes, paints)]
    keep = np.concatenate([opacity for _, _, opacity in painted]) >= MIN_OPACITY
    return pack(np.concatenate(shapes)[keep], np.concatenate([color for color, _, _ in painted])[keep])


def pack(points, colors):
    """Vertices in units of RADIUS / 32767 (int16), faces (uint16) and colours (uint8) of triangles (m, 3, 3)."""
    corners = normalise(points.reshape(-1, 3)) * (32767 / RADIUS)
    vertices, faces = np.unique(np.round(corners).astype(np.int16), axis=0, return_inverse=True)
    faces = faces.reshape(-1, 3)
    keep = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    used, faces = np.unique(faces[keep], return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.uint16)
    order = np.argsort(faces.min(axis=1), kind="stable")  # neighbours in the file differ little, which packs well
    return vertices[used], faces[order], np.round(colors[keep][order].clip(0, 1) * 255).astype(np.uint8)


# ------------------------------------------------------------------------------------------------- all together


def shape_histogram(vertices, faces):
    """Histogram (64,) of the distances between random points of a surface (Osada et al. 2002), size normalised."""
    rng = np.random.default_rng(0)
    points = vertices[faces] / 32767
    areas = _areas(points)
    chosen = rng.choice(len(areas), 200_000, p=areas / areas.sum())
    places = np.einsum("nc,ncd->nd", rng.dirichlet((1, 1, 1), len(chosen)), points[chosen])
    distances = np.linalg.norm(places[::2] - places[1::2], axis=1)
    return np.histogram(distances, bins=64, range=(0, 2))[0] / len(distances)


def check_groups(rows, objects):
    """Refuse near-copies of one library and class in different groups."""
    histograms = np.array([shape_histogram(vertices, faces) for vertices, faces, _ in objects])
    faults = []
    for i, row in enumerate(rows):
        for j in range(i):
            alike = all(row[key] == rows[j][key] for key in ("library", "class"))
            if alike and row["group"] != rows[j]["group"]:
                distance = np.abs(histograms[i] - histograms[j]).sum() / 2
                if distance < NEAR_COPY:
                    faults.append(f"{row['id']} and {rows[j]['id']} (distance {distance:.3f})")
    if faults:
        raise ValueError("near-copies in different groups: " + "; ".join(faults))


def credit(archive, row, entry):
    """Line of CREDITS.csv: the licence is the library's unless the model's own licence file says otherwise."""
    folder = posixpath.dirname(entry["model"].strip("/")) + "/"
    texts = [
        archive.read(name).decode("latin1")
        for name in archive.namelist()
        if name.startswith(folder) and name.lower().endswith((".txt", ".html", ".mtl"))
    ]
    licence = "CC0 1.0" if row["library"] == "BlendSwap-CC-0" else "CC BY 3.0"
    if any(re.search(r"Released under\s*<a href=\S*licenses/by/3.0", text) for text in texts):
        licence = "CC BY 3.0"
    number = next((m[1] for text in texts if (m := re.search(r"blendswap\.com/blends?/(?:view/)?(\d+)", text))), None)
    source = f"https://www.blendswap.com/blend/{number}" if number else ""
    return {"id": row["id"], "title": entry["name"], "creator": row["creator"], "licence": licence, "source": source}


def build(folder):
    archives = {name: zipfile.ZipFile(Path(folder) / f"{name}.sh3f") for name in LIBRARIES}
    entries = {name: read_catalogue(archive) for name, archive in archives.items()}
    with open(HERE / "labels.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    objects, credits = [], []
    for row in tqdm(rows, unit="object", disable=None):
        archive, entry = archives[row["library"]], entries[row["library"]][row["id"]]
        if row["creator"] != entry["creator"]:
            raise ValueError(f"labels.csv names {row['creator']} for {row['id']}, the catalogue {entry['creator']}")
        objects.append(convert(archive, entry))
        credits.append(credit(archive, row, entry))
    check_groups(rows, objects)
    vertices, faces, colors = zip(*objects)
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        vertices=np.concatenate(vertices),
        faces=np.concatenate(faces),
        colors=np.concatenate(colors),
        n_vertices=np.array([len(v) for v in vertices], np.int32),
        n_faces=np.array([len(f) for f in faces], np.int32),
    )
    data = stream.getvalue()
    write(HERE / "bundled.npz", data)
    write(HERE / "bundled.npz.sha256", hashlib.sha256(data).hexdigest().encode() + b"\n")
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, list(credits[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(credits)
    write(HERE / "CREDITS.csv", table.getvalue().encode())
    print(f"{len(rows)} objects, {len(data):,} bytes")


def write(file, data):
    part = file.with_name(file.name + ".part")
    with open(part, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build bundled.npz and CREDITS.csv.")
    parser.add_argument("folder", help="folder of the .sh3f files")
    build(parser.parse_args().folder)
