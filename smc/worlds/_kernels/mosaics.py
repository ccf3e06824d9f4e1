"""Layer of mosaics. A mosaic is a function of its seed and of the frames it is made of."""

import math

import numpy as np
from numba import prange

from smc.worlds._kernels.compiling import jit
from smc.worlds._kernels.random import below, stream, uniform

MOSAIC_STREAM = np.uint64(512)
PER_PIECE = 10  # counters that a piece uses
GREY = 128.0


@jit()
def between(key, counter, low, high):
    """Number in low .. high whose logarithm is uniform."""
    return low * (high / low) ** uniform(key, counter)


@jit()
def lay(frames, key, most_pieces, longest, zoom, contrast, tint, image):
    """Fill image (size, size, 3) of uint8 with pieces of frames (n, size, size, 3)."""
    size = image.shape[0]
    n_pieces = int(between(key, 0, 1.0, most_pieces + 1.0))
    angle, stretch = math.pi * uniform(key, 1), between(key, 2, 1.0, longest)
    along_u, along_v = stretch * math.cos(angle), stretch * math.sin(angle)
    across_u, across_v = -math.sin(angle) / stretch, math.cos(angle) / stretch
    middle = np.empty((n_pieces, 2))
    cut = np.empty((n_pieces, 3))  # where in the frame, and pixels of it for each of the piece
    color = np.empty((n_pieces, 4))  # contrast, and shift of each channel
    source = np.empty(n_pieces, np.int64)
    for k in range(n_pieces):
        counter = 3 + PER_PIECE * k
        u, v = 1.4 * uniform(key, counter) - 0.2, 1.4 * uniform(key, counter + 1) - 0.2
        middle[k, 0], middle[k, 1] = along_u * u + along_v * v, across_u * u + across_v * v
        source[k] = below(key, counter + 2, frames.shape[0])
        cut[k, 0], cut[k, 1] = size * uniform(key, counter + 3), size * uniform(key, counter + 4)
        cut[k, 2] = between(key, counter + 5, zoom[0], zoom[1])
        color[k, 0] = contrast[0] + (contrast[1] - contrast[0]) * uniform(key, counter + 6)
        for c in range(3):
            color[k, 1 + c] = 255.0 * tint * (2.0 * uniform(key, counter + 7 + c) - 1.0)
    for row in range(size):
        v = (row + 0.5) / size
        for column in range(size):
            u = (column + 0.5) / size
            x, y = along_u * u + along_v * v, across_u * u + across_v * v
            nearest, least = 0, np.inf
            for k in range(n_pieces):
                distance = (x - middle[k, 0]) ** 2 + (y - middle[k, 1]) ** 2
                if distance < least:
                    nearest, least = k, distance
            i = int(cut[nearest, 0] + cut[nearest, 2] * row) % size
            j = int(cut[nearest, 1] + cut[nearest, 2] * column) % size
            for c in range(3):
                value = frames[source[nearest], i, j, c]
                value = GREY + color[nearest, 0] * (value - GREY) + color[nearest, 1 + c]
                image[row, column, c] = np.uint8(min(max(value, 0.0), 255.0) + 0.5)


@jit()
def lay_block(frames, seeds, most_pieces, longest, zoom, contrast, tint, out, start, stop):
    for n in range(start, stop):
        lay(frames, stream(seeds[n], MOSAIC_STREAM), most_pieces, longest, zoom, contrast, tint, out[n])


@jit()
def lay_all(frames, seeds, most_pieces, longest, zoom, contrast, tint, out):
    """Lay every mosaic of out (B, size, size, 3) uint8."""
    lay_block(frames, seeds, most_pieces, longest, zoom, contrast, tint, out, 0, out.shape[0])


@jit(parallel=True)
def lay_all_parallel(frames, seeds, most_pieces, longest, zoom, contrast, tint, out, n_blocks):
    """`lay_all` by several threads; each mosaic is laid by one of them only."""
    n = out.shape[0]
    for block in prange(n_blocks):
        lay_block(
            frames,
            seeds,
            most_pieces,
            longest,
            zoom,
            contrast,
            tint,
            out,
            block * n // n_blocks,
            (block + 1) * n // n_blocks,
        )
