"""Figure and ground by action: what changes when the object is put away is the object."""

from __future__ import annotations

import numpy as np

GREY = 128


def changed(image, empty_image, threshold: float = 0.06) -> np.ndarray:
    """Where a picture differs from the empty scene.

    A pixel has changed where the largest difference of its three channels exceeds the threshold, after gaps of one or
    two pixels are closed (3 x 3 dilation, then erosion). The empty picture must be taken by the same resting camera.
    Only one of the two pictures shows the object, so the outline is that of this view and tells nothing of another
    pose.

    Parameters
    ----------
    image : array of uint8 (..., height, width, 3)
        With the object held.
    empty_image : array of uint8, the same shape
        With the object put away.
    threshold : float, default=0.06
        As a share of the full range, in [0, 1).

    Returns
    -------
    ndarray of bool (..., height, width)
    """
    image, empty_image = np.asarray(image), np.asarray(empty_image)
    for name, value in (("image", image), ("empty_image", empty_image)):
        if value.dtype != np.uint8 or value.ndim < 3 or value.shape[-1] != 3 or value.size == 0:
            raise ValueError(f"{name} is {value.dtype} {value.shape}; uint8 (..., height, width, 3) is needed")
    if image.shape != empty_image.shape:
        raise ValueError(f"empty_image has shape {empty_image.shape}; {image.shape} is needed, as of image")
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}; a number in [0, 1) is needed")
    difference = np.maximum(image, empty_image) - np.minimum(image, empty_image)
    red, green, blue = np.moveaxis(difference > threshold * 255, -1, 0)
    figure = red | green | blue
    for axis in (-2, -1):
        figure = _over_neighbours(np.logical_or, figure, axis)
    for axis in (-2, -1):
        figure = _over_neighbours(np.logical_and, figure, axis)
    return figure


def reveal(image, empty_image, threshold: float = 0.06) -> np.ndarray:
    """Keep what has `changed` since the scene was empty and paint the rest grey.

    Parameters
    ----------
    image, empty_image, threshold
        See `changed`.

    Returns
    -------
    ndarray of uint8, the shape of image
    """
    figure = changed(image, empty_image, threshold)
    return np.where(figure[..., None], image, np.uint8(GREY))


def _over_neighbours(join, mask: np.ndarray, axis: int) -> np.ndarray:
    """Join each pixel with its two neighbours along an axis, as far as there are any."""
    mask = np.moveaxis(mask, axis, 0)
    out = mask.copy()
    out[1:] = join(out[1:], mask[:-1])
    out[:-1] = join(out[:-1], mask[1:])
    return np.moveaxis(out, 0, axis)
