"""Pictures that change smoothly as an object turns: through a lens that blurs, on a retina that adds noise."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from smc.worlds import Camera, render

BLUR = 0.7  # standard deviation of the lens, pixels
BLOCK = 500  # frames drawn at once


def smooth_pictures(meshes, objects, poses, size, *, finer=4):
    """Pictures (n, size, size, 3), float in [0, 1], of one object each before a grey wall.

    Drawn `finer` times as fine and averaged: with hard edges pixels jump as the object turns, and what it shows is a
    curve without a derivative.
    """
    camera = Camera(size * finer)
    image = np.empty((len(objects), size, size, 3), np.float32)
    for start in range(0, len(objects), BLOCK):
        rows = slice(start, start + BLOCK)
        fine = render(meshes, objects[rows], poses[rows], camera).image
        coarse = fine.reshape(-1, size, finer, size, finer, 3).mean(axis=(2, 4), dtype=np.float32) / 255
        image[rows] = gaussian_filter(coarse, (0, BLUR, BLUR, 0), mode="nearest", truncate=3)
    return image


def noisy(image, noise, rng):
    """The same pictures through fresh noise of standard deviation `noise`, a number or one per picture (n,)."""
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    grain *= np.broadcast_to(np.asarray(noise, np.float32), len(image))[:, None, None, None]
    return np.clip(image + grain, 0, 1)
