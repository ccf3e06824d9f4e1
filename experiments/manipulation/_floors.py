"""What the raw sensors tell without any encoder: the floor under every claim about learning."""

from __future__ import annotations

import numpy as np

N_DISTANCE_BINS = 32
LARGEST_DISTANCE = 0.2  # metres: two radii of a held object


def grey_pixels(images):
    """(n, size, size, 3) uint8 -> (n, 256): grey, averaged down to 16 x 16."""
    n, size = images.shape[:2]
    block = size // 16
    grey = images[:, : 16 * block, : 16 * block].mean(-1)
    return grey.reshape(n, 16, block, 16, block).mean((2, 4)).reshape(n, -1)


def cloud_shape(points):
    """(n, n_points, 3) -> (n, 67): distances between points (D2, Osada et al. 2002), spectrum, heights."""
    centred = points - points.mean(1, keepdims=True)
    partner = np.roll(centred, points.shape[1] // 3, axis=1)
    distance = np.linalg.norm(centred - partner, axis=-1)
    spectrum = np.linalg.eigvalsh(np.einsum("npi,npj->nij", centred, centred) / points.shape[1])
    return np.concatenate(
        [
            histogram(distance, 0, LARGEST_DISTANCE),
            np.sqrt(np.maximum(spectrum, 0)),
            histogram(centred[..., 1], -LARGEST_DISTANCE / 2, LARGEST_DISTANCE / 2),
        ],
        axis=1,
    )


def histogram(values, low, high):
    bins = np.clip(((values - low) / (high - low) * N_DISTANCE_BINS).astype(int), 0, N_DISTANCE_BINS - 1)
    counts = np.zeros((len(values), N_DISTANCE_BINS))
    np.add.at(counts, (np.arange(len(values))[:, None], bins), 1 / values.shape[1])
    return counts


RAW = {"image": grey_pixels, "points": cloud_shape}
