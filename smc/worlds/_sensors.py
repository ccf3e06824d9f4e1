"""Degradations of what the camera and the depth sensor deliver.

Each is a pure function `(x, strength, seed) -> array like x`, with strength 0 (identity) to 1 (little is left). A row
depends on its own values, strength and seed alone: frames that share a row seed share the occluder and the direction of
the missing part, as frames of one faulty sensor do.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtri

from smc.worlds._kernels import sensors as kernels
from smc.worlds._seeds import row_seeds
from smc.worlds._threads import run_frames

DARKEST = 0.02  # exposure at strength 1
WIDEST_BLUR = 0.1  # of the image's height, standard deviation
STRONGEST_NOISE = 0.5  # of the full range, standard deviation
LARGEST_OCCLUDER = 0.7  # of the image's area
DEEPEST_NOISE = 0.08  # metres, standard deviation
FEWEST_POINTS = 0.02  # share of the points that are left
NARROWEST_VIEW = 0.1


def _quantiles() -> np.ndarray:
    values = ndtri((np.arange(4096) + 0.5) / 4096)
    return values / values.std()


QUANTILES = _quantiles()


def darken(images, strength, seed=0) -> np.ndarray:
    """Underexpose: brightness times 0.02**strength, cut off to whole grey levels, which loses shades for good.

    Parameters
    ----------
    images : array of uint8 (B, height, width, 3)
    strength : float or array (B,)
        In [0, 1].
    seed : int or array of int (B,)
        Not used: the same for every seed.

    Returns
    -------
    ndarray of uint8 (B, height, width, 3)
    """
    images, strength, _ = _check_images(images, strength, seed)
    return (images * (DARKEST**strength)[:, None, None, None]).astype(np.uint8)


def blur(images, strength, seed=0) -> np.ndarray:
    """Gaussian blur with a standard deviation of strength / 10 image heights; arguments as `darken`."""
    images, strength, _ = _check_images(images, strength, seed)
    out = images.copy()
    for value in np.unique(strength[strength > 0]):
        rows = strength == value
        sigma = value * WIDEST_BLUR * images.shape[1]
        smooth = gaussian_filter(images[rows].astype(np.float32), (0, sigma, sigma, 0), mode="nearest", truncate=3)
        out[rows] = (smooth + 0.5).astype(np.uint8)
    return out


def add_image_noise(images, strength, seed=0) -> np.ndarray:
    """Gaussian noise on every pixel and channel, standard deviation strength / 2 of the full range; see `darken`.

    Frames with the same row seed get the same noise: give each frame its own.
    """
    images, strength, seeds = _check_images(images, strength, seed)
    return noisy(images, STRONGEST_NOISE * strength, seeds)


def noisy(images, sigma, seeds) -> np.ndarray:
    """Images with Gaussian noise of standard deviation `sigma` (B,), as a share of the full range."""
    out = np.empty_like(images)
    arguments = (images, 255.0 * sigma, QUANTILES, seeds, out)
    run_frames(kernels.add_noise, kernels.add_noise_parallel, *arguments, n_frames=len(images))
    return out


def occlude(images, strength, seed=0) -> np.ndarray:
    """Opaque ellipse of one colour before the lens, 0.7 * strength of the image's area (less what sticks out).

    Its place, colour and shape depend on the row's seed only, its size on the strength; arguments as `darken`.
    """
    images, strength, seeds = _check_images(images, strength, seed)
    out = images.copy()
    kernels.occlude(out, LARGEST_OCCLUDER * strength, seeds)
    return out


def add_depth_noise(clouds, strength, seed=0) -> np.ndarray:
    """Gaussian error of the distance along each point's line of sight, standard deviation 0.08 m * strength in depth.

    Parameters
    ----------
    clouds : array of float (B, n_points, 3)
        Camera frame, metres. Points at 0 (nothing seen) stay as they are.
    strength : float or array (B,)
        In [0, 1].
    seed : int or array of int (B,)
        With an array, each row depends on its own seed only.

    Returns
    -------
    ndarray (B, n_points, 3) of the clouds' dtype
    """
    clouds, strength, seeds = _check_clouds(clouds, strength, seed)
    out = clouds.copy()
    kernels.jitter_depth(out, DEEPEST_NOISE * strength, QUANTILES, seeds)
    return out


def drop_points(clouds, strength, seed=0) -> np.ndarray:
    """Lose a share 0.98 * strength of the points; arguments as `add_depth_noise`.

    Copies of the kept points stand in for the lost ones, as in `render`, where too few pixels are repeated: a sensor
    that must deliver a fixed number of points resamples the valid ones.
    """
    clouds, strength, seeds = _check_clouds(clouds, strength, seed)
    out = clouds.copy()
    kernels.drop(out, _n_kept(clouds, strength, FEWEST_POINTS), seeds)
    return out


def partial_view(clouds, strength, seed=0) -> np.ndarray:
    """Lose all points on one side of the object, a share 0.9 * strength of them; arguments as `add_depth_noise`.

    The side (a direction in the image plane) depends on the row's seed only. Copies of the kept points stand in.
    """
    clouds, strength, seeds = _check_clouds(clouds, strength, seed)
    out = clouds.copy()
    places = np.empty(out.shape[:2])
    kernels.places_along(out, seeds, places)
    order = np.argsort(places, axis=1, kind="stable")
    kernels.cut_view(out, order, _n_kept(clouds, strength, NARROWEST_VIEW), seeds)
    return out


DEGRADATIONS = {
    "image": {"darkness": darken, "blur": blur, "noise": add_image_noise, "occluder": occlude},
    "points": {"depth_noise": add_depth_noise, "dropout": drop_points, "partial_view": partial_view},
}


def _n_kept(clouds, strength, least) -> np.ndarray:
    n_points = clouds.shape[1]
    return np.maximum(np.rint(n_points * (1 - (1 - least) * strength)), 1).astype(np.int64)


def _check_images(images, strength, seed):
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or images.size == 0:
        raise ValueError(f"images is {images.dtype} {images.shape}; uint8 (n_images, height, width, 3) is needed")
    return np.ascontiguousarray(images), *_check_rows(strength, seed, len(images))


def _check_clouds(clouds, strength, seed):
    clouds = np.asarray(clouds)
    if clouds.dtype.kind != "f" or clouds.ndim != 3 or clouds.shape[2] != 3 or clouds.size == 0:
        raise ValueError(f"clouds is {clouds.dtype} {clouds.shape}; float (n_clouds, n_points, 3) is needed")
    if not np.isfinite(clouds).all():
        raise ValueError("clouds has values that are not finite")
    return np.ascontiguousarray(clouds), *_check_rows(strength, seed, len(clouds))


def _check_rows(strength, seed, n_rows):
    strength = np.asarray(strength, dtype=np.float64)
    if strength.shape not in ((), (n_rows,)):
        raise ValueError(f"strength has shape {strength.shape}; a number or ({n_rows},) is needed")
    if not ((strength >= 0) & (strength <= 1)).all():
        raise ValueError("strength must lie in [0, 1]")
    return np.broadcast_to(strength, (n_rows,)), row_seeds(seed, n_rows)
