"""Surroundings of the objects: pictures drawn from a seed, in several kinds that may be held out from one another."""

from __future__ import annotations

import numpy as np

from smc.worlds._kernels import backgrounds as kernels
from smc.worlds._rasteriser import Light
from smc.worlds._seeds import check_count, row_seeds
from smc.worlds._threads import run_frames

BACKGROUND_KINDS = ("plain", "texture", "stripes", "clutter", "room")

# How far a background takes on the colour of the light: objects are lit by it, far walls only partly.
TINT_SHARE = 0.5


def backgrounds(kind, seeds, size: int = 64, light: Light | None = None) -> np.ndarray:
    """Backgrounds, one per seed.

    Parameters
    ----------
    kind : str or sequence of str (B,)
        "plain" one colour; "texture" smooth gradient with low-frequency clouds; "stripes" three colours in turn in any
        direction; "clutter" blocks of three grains; "room" floor, walls and ceiling in perspective, tiled and shaded.
    seeds : array of int (B,)
        A picture depends on its own seed, kind and light only.
    size : int, default=64
        Rows and columns; another size shows the same picture in another resolution.
    light : Light, default=Light()
        Its colour tints every kind by half, its direction shades the walls of a room.

    Returns
    -------
    ndarray (B, size, size, 3) of uint8
    """
    seeds = np.asarray(seeds)
    if seeds.ndim != 1 or len(seeds) == 0:
        raise ValueError(f"seeds has shape {seeds.shape}; one integer per background is needed")
    seeds = row_seeds(seeds, len(seeds), "seeds")
    check_count(size, "size", 1, 4096)
    out = np.empty((len(seeds), size, size, 3), np.uint8)
    lights = (Light() if light is None else light).rows(len(seeds))
    run_frames(
        kernels.paint,
        kernels.paint_parallel,
        _codes(kind, len(seeds)),
        seeds,
        lights,
        TINT_SHARE,
        out,
        n_frames=len(out),
    )
    return out


def check_kind(kind) -> str:
    """Refuse an unknown kind of background."""
    if kind not in BACKGROUND_KINDS:
        raise ValueError(f"background kind {kind!r} is unknown; choose from {', '.join(BACKGROUND_KINDS)}")
    return kind


def _codes(kind, n_frames: int) -> np.ndarray:
    kinds = [kind] * n_frames if isinstance(kind, str) else list(kind)
    if len(kinds) != n_frames:
        raise ValueError(f"kind names {len(kinds)} backgrounds for {n_frames} seeds")
    return np.array([BACKGROUND_KINDS.index(check_kind(k)) for k in kinds], np.int64)
