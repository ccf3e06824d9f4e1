"""The objects shipped with the package, as `data/build_bundled.py` packed them."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from smc.worlds._mesh import Mesh
from smc.worlds._normalise import normalise
from topology.storage import CorruptFileError

DATA = Path(__file__).parent / "data"
ARRAYS = ("vertices", "faces", "colors", "n_vertices", "n_faces")


def load_bundled():
    """Meshes, classes, groups and ids of the shipped objects."""
    arrays = _read_arrays(DATA / "bundled.npz", DATA / "bundled.npz.sha256")
    with open(DATA / "labels.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if len(rows) != len(arrays["n_faces"]):
        raise CorruptFileError(f"{DATA / 'labels.csv'} lists {len(rows)} objects, not {len(arrays['n_faces'])}")
    vertices = np.split(arrays["vertices"], np.cumsum(arrays["n_vertices"])[:-1])
    last_faces = np.cumsum(arrays["n_faces"])[:-1]
    faces, colors = np.split(arrays["faces"], last_faces), np.split(arrays["colors"], last_faces)
    meshes = [
        Mesh(normalise(v), f.astype(np.int32), c.astype(np.float32) / np.float32(255))
        for v, f, c in zip(vertices, faces, colors)
    ]
    return meshes, *([row[column] for row in rows] for column in ("class", "group", "id"))


def _read_arrays(file, hash_file):
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != hash_file.read_text().strip():
        raise CorruptFileError(f"{file} is damaged: its SHA-256 is not the one in {hash_file.name}")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in ARRAYS}
    except (KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise CorruptFileError(f"{file} is damaged: {error}") from error
