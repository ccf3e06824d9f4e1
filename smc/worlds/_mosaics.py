"""Surroundings that were never seen, laid from pieces of what was."""

from __future__ import annotations

import numpy as np

from smc.worlds._kernels import mosaics as kernels
from smc.worlds._seeds import check_count, row_seeds
from smc.worlds._threads import run_frames

LONGEST = 2.0  # stretch of the pieces along a direction, and as much less across it
ZOOM = (1 / 8, 2.0)  # pixels of a frame for each pixel of a piece
CONTRAST = (0.5, 1.5)
TINT = 0.25  # shift of each channel to either side, as a share of the range


def mosaics(frames, seeds, most_pieces: int = 48) -> np.ndarray:
    """Pictures of pieces, each cut from a frame, shown larger or smaller, in another contrast and another tint.

    The pieces of a mosaic are the cells of points in a plane that is stretched in some direction; there may be few or
    many of them, and one alone fills the picture. Behind objects that were cut out (`changed`), mosaics of an agent's
    own frames are rooms that it has never been in.

    Parameters
    ----------
    frames : array of uint8 (n_frames, size, size, 3)
        What the pieces are cut from.
    seeds : array of int (B,)
        A mosaic depends on its own seed and the frames only.
    most_pieces : int, default=48
        The logarithm of their number is uniform from 0 on.

    Returns
    -------
    ndarray (B, size, size, 3) of uint8
    """
    frames, seeds = np.asarray(frames), np.asarray(seeds)
    square = frames.ndim == 4 and frames.shape[1] == frames.shape[2] and frames.shape[3] == 3
    if frames.dtype != np.uint8 or not square or frames.size == 0:
        raise ValueError(f"frames is {frames.dtype} {frames.shape}; uint8 (n_frames >= 1, size, size, 3) is needed")
    if seeds.ndim != 1 or len(seeds) == 0:
        raise ValueError(f"seeds has shape {seeds.shape}; one integer per mosaic is needed")
    seeds = row_seeds(seeds, len(seeds), "seeds")
    check_count(most_pieces, "most_pieces", 1, 4096)
    out = np.empty((len(seeds), *frames.shape[1:]), np.uint8)
    run_frames(
        kernels.lay_all,
        kernels.lay_all_parallel,
        np.ascontiguousarray(frames),
        seeds,
        most_pieces,
        LONGEST,
        ZOOM,
        CONTRAST,
        TINT,
        out,
        n_frames=len(out),
    )
    return out
