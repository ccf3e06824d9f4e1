"""Procedural objects: unlimited numbers of them, whose shape, proportions, colours and texture are set apart."""

from __future__ import annotations

import zlib
from colorsys import hsv_to_rgb

import numpy as np
from tqdm import tqdm

from smc.worlds._families import FAMILIES, Shape
from smc.worlds._mesh import Mesh
from smc.worlds._normalise import normalise

N_COLORS = 3


def make_objects(n_per_class, classes, seed, variation, proportions, palette, checker):
    """Meshes, class names and ids for `ObjectBank.procedural`, whose docstring explains the arguments."""
    for name, value, lowest in (("n_per_class", n_per_class, 1), ("seed", seed, 0)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < lowest:
            raise ValueError(f"{name} must be an integer of at least {lowest}, got {value!r}")
    if isinstance(classes, str):
        raise TypeError(f"classes must be a sequence of family names, got the string {classes!r}")
    classes = tuple(FAMILIES) if classes is None else tuple(classes)
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f"classes must name at least one family, and each once, got {classes}")
    unknown = [name for name in classes if name not in FAMILIES]
    if unknown:
        raise ValueError(f"classes holds the unknown {unknown}; the families are {', '.join(FAMILIES)}")
    for name, value in (("variation", variation), ("checker", checker)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    proportions = np.asarray(proportions, np.float64)
    if proportions.shape != (3,) or not (np.isfinite(proportions) & (proportions > 0)).all():
        raise ValueError(f"proportions must be 3 positive numbers, got {proportions.tolist()}")
    if palette is not None:
        palette = np.asarray(palette, np.float64)
        if (
            palette.ndim != 2
            or palette.shape[1] != 3
            or not len(palette)
            or not ((palette >= 0) & (palette <= 1)).all()
        ):
            raise ValueError(f"palette must be (n_colors, 3) with values in [0, 1], got shape {palette.shape}")
    factors = {"variation": variation, "proportions": proportions, "palette": palette, "checker": checker}
    numbered = [(name, i) for name in classes for i in range(n_per_class)]
    meshes = [
        make_object(name, i, seed, **factors)
        for name, i in tqdm(numbered, desc="making objects", unit="object", disable=None, delay=2, leave=False)
    ]
    return meshes, [name for name, _ in numbered], [f"{name}/{i:05d}" for name, i in numbered]


def make_object(family, index, seed, *, variation=1.0, proportions=(1.0, 1.0, 1.0), palette=None, checker=0.5):
    """Object number `index` of a family: a function of these arguments alone, whatever else is made."""
    # One stream per factor, so that e.g. other colours leave the shape as it was.
    root = np.random.SeedSequence([seed, zlib.crc32(family.encode()), index])
    shape_rng, color_rng, texture_rng = (np.random.Generator(np.random.PCG64(child)) for child in root.spawn(3))
    parts = list(FAMILIES[family](Shape(shape_rng, variation)))
    colors = _colors(color_rng, palette)
    n_before = np.cumsum([0] + [len(part.vertices) for part in parts])
    faces = np.concatenate([part.faces + n for part, n in zip(parts, n_before)]).astype(np.int32)
    color = np.repeat([part.color for part in parts], [len(part.faces) for part in parts])
    vertices = np.concatenate([part.vertices for part in parts]) * np.asarray(proportions)
    mesh = {"vertices": normalise(vertices), "faces": faces, "face_colors": colors[color]}
    if texture_rng.random() < checker:
        mesh["uv"] = np.concatenate([part.uv for part in parts]).astype(np.float32)
        mesh["face_uv"] = np.where((color == 0)[:, None], faces, np.int32(-1))
        mesh["texture"] = _checker(texture_rng, colors[0])
    return Mesh(**mesh)


def _colors(rng, palette):
    """Colours (N_COLORS, 3): vivid and random, or drawn from the palette, without repeats where it is large enough."""
    if palette is not None:
        return palette[rng.choice(len(palette), N_COLORS, replace=len(palette) < N_COLORS)].astype(np.float32)
    hsv = rng.random((N_COLORS, 3)) * (1.0, 0.6, 0.5) + (0.0, 0.35, 0.45)
    return np.array([hsv_to_rgb(*color) for color in hsv], np.float32)


def _checker(rng, color):
    """Checker texture (rows, columns, 3), one texel per field, in the object's colour and a darker or lighter one."""
    other = color * 0.35 if color.mean() > 0.5 else 1 - 0.5 * (1 - color)
    rows, columns = 2 * rng.integers(2, 7, size=2)
    dark = (np.arange(rows)[:, None] + np.arange(columns)) % 2 == 1
    return np.where(dark[..., None], other, color).astype(np.float32)
