"""Objects from the user's own files: which files, what they are called, and one mesh out of each."""

from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from tqdm import tqdm

from smc.worlds._decimate import decimate
from smc.worlds._mesh import Mesh
from smc.worlds._mesh_file import SUFFIXES, read_mesh_file
from smc.worlds._normalise import normalise


def load_folder(path, labels, up, max_faces, n_faces, strict):
    """Meshes, classes, groups and ids for `ObjectBank.from_folder`, whose docstring explains the arguments."""
    try:
        import PIL  # noqa: F401
        import trimesh  # noqa: F401
    except ImportError as error:
        raise ImportError(f"ObjectBank.from_folder needs {error.name}: pip install 'mesmrise[meshes]'") from None
    root = Path(path)
    if not root.is_dir():
        raise ValueError(f"path must be a folder of meshes; {str(root)!r} is not a folder")
    if up not in ("y", "z"):
        raise ValueError(f"up must be 'y' or 'z', got {up!r}")
    _check_count("max_faces", max_faces, 1)
    if n_faces is not None:
        _check_count("n_faces", n_faces, 50)
    root = root.resolve()
    problems = _Problems(strict)
    files = _find_files(root, problems)
    if not files:
        raise ValueError(f"path holds no mesh: no file in {str(root)!r} ends in {', '.join(SUFFIXES)}")
    rows = _rows_of_folders(files, problems) if labels is None else _rows_of_table(Path(labels), files, problems)
    meshes, kept = [], []
    for row in tqdm(rows, desc="reading meshes", unit="mesh", disable=None, delay=2, leave=False):
        try:
            mesh, remark = read_mesh_file(root, files[row[0]], max_faces)
            mesh = _finish(mesh, up, n_faces)
        # Readers of damaged files raise whatever they stumble over.
        except Exception as error:
            problems.add(row[0], f"skipped: {error or type(error).__name__}", error)
            continue
        if remark:
            problems.add(row[0], remark)
        meshes.append(mesh)
        kept.append(row)
    if not meshes:
        raise ValueError(f"path holds no mesh that can be used: {problems}")
    problems.warn()
    ids, classes, groups = zip(*kept)
    return meshes, classes, groups, ids


def _check_count(name, value, lowest):
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < lowest:
        raise ValueError(f"{name} must be an integer of at least {lowest}, got {value!r}")


class _Problems:
    """What was wrong with which file: raised at once if strict, else told in one warning."""

    def __init__(self, strict):
        self._strict, self._lines = strict, []

    def add(self, name, what, cause=None):
        line = f"{name}: {' '.join(str(what).split())}"
        if self._strict:
            raise ValueError(line.replace(": skipped: ", ": ")) from cause
        self._lines.append(line)

    def __bool__(self):
        return bool(self._lines)

    def __str__(self):
        return "; ".join(self._lines)

    def warn(self):
        if self._lines:
            warnings.warn(f"{len(self._lines)} of the meshes had problems: {self}", UserWarning, stacklevel=4)


def _find_files(root, problems):
    """Mesh files {path relative to the folder: path}, sorted; nothing that a link takes out of the folder."""
    files = {}
    for folder, subfolders, names in os.walk(root):
        entries = [*(name for name in subfolders if Path(folder, name).is_symlink()), *names]
        for name in sorted(entries):
            file = Path(folder, name)
            is_mesh = file.suffix.lower() in SUFFIXES
            if not file.is_symlink() and is_mesh:
                files[file.relative_to(root).as_posix()] = file
            elif file.is_symlink() and (is_mesh or file.is_dir()):
                if not file.resolve().is_relative_to(root):
                    problems.add(file.relative_to(root).as_posix(), "skipped: a symbolic link out of the folder")
                elif is_mesh:
                    files[file.relative_to(root).as_posix()] = file
    return dict(sorted(files.items()))


def _rows_of_folders(files, problems):
    """(id, class, group) of every file below a subfolder, which names its class."""
    rows = []
    for name in files:
        parts = name.split("/")
        if len(parts) == 1:
            problems.add(name, "skipped: a mesh outside the subfolders has no class")
        else:
            rows.append((name, parts[0], name))
    return rows


def _rows_of_table(table, files, problems):
    """(id, class, group) of the files that a CSV names."""
    if not table.is_file():
        raise ValueError(f"labels must be a CSV file with the columns id and class; {str(table)!r} is not a file")
    by_name = {}
    for name in files:
        by_name.setdefault(str(Path(name).with_suffix("").as_posix()), []).append(name)
    by_name |= {name: [name] for name in files}
    rows = {}
    with open(table, newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if not {"id", "class"} <= set(reader.fieldnames or ()):
            raise ValueError(f"labels must have the columns id and class (and may have group), got {reader.fieldnames}")
        for line in reader:
            label, where = (line["class"] or "").strip(), f"labels, line {reader.line_num}"
            matches = by_name.get((line["id"] or "").strip(), [])
            if not label:
                raise ValueError(f"{where}: the class of {line['id']!r} is empty")
            if len(matches) > 1:
                raise ValueError(f"{where}: {line['id']!r} may be any of {', '.join(matches)}; add the suffix")
            if not matches:
                problems.add(line["id"], f"skipped: named by {where}, but the folder has no such mesh")
            elif matches[0] in rows:
                raise ValueError(f"{where}: {matches[0]!r} is listed twice")
            else:
                rows[matches[0]] = (matches[0], label, (line.get("group") or "").strip() or matches[0])
    if not rows and not problems:
        raise ValueError("labels lists no object")
    return list(rows.values())


def _finish(mesh, up, n_faces):
    """Drop what no triangle uses, decimate, turn z up and normalise."""
    used, faces = np.unique(mesh.faces, return_inverse=True)
    vertices, faces, colors = mesh.vertices[used], faces.reshape(-1, 3), mesh.face_colors
    if n_faces is not None and len(faces) > n_faces:
        centres = vertices[faces].mean(axis=1)
        vertices, faces, _ = decimate(vertices, faces, np.zeros(len(faces), int), n_faces)
        colors = colors[cKDTree(centres).query(vertices[faces].mean(axis=1))[1]]
    if up == "y":
        vertices = vertices[:, [0, 2, 1]] * (1, -1, 1)
    return Mesh(normalise(vertices), faces.astype(np.int32), colors.astype(np.float32))
