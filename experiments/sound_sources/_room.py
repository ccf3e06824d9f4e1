"""What walls do to a sound: transfer functions of a shoebox room by image sources (Allen & Berkley 1979)."""

from itertools import product

import numpy as np

SPEED_OF_SOUND = 343.0  # m/s
N_FINE = 32  # frequencies in a block; see `transfer`


def image_orders(order):
    """Numbers of mirrorings along each axis (n_images, 3), at most `order` in all; the first is the source itself."""
    orders = [n for n in product(range(-order, order + 1), repeat=3) if np.abs(n).sum() <= order]
    return np.array(sorted(orders, key=lambda n: np.abs(n).sum()))


def transfer(sources, microphones, size, reflection, order, n_frequencies, spacing):
    """Response of microphones to sources, each in its own room.

    Parameters
    ----------
    sources : ndarray (n, 3), metres from a corner of the room
    microphones : ndarray (n, n_microphones, 3)
    size : ndarray (n, 3), metres
    reflection : ndarray (n,), share of the pressure that every wall gives back
    order : int, reflections that are followed
    n_frequencies, spacing : frequencies 0, spacing, 2 spacing, ... in Hz

    Returns
    -------
    ndarray (n, n_microphones, n_frequencies) of complex
    """
    orders = image_orders(order)
    mirrored = np.where(orders % 2 == 1, (size - sources)[:, None], sources[:, None])
    images = orders * size[:, None] + mirrored
    distance = np.linalg.norm(images[:, None] - microphones[:, :, None], axis=3)
    gain = reflection[:, None] ** np.abs(orders).sum(axis=1)
    turn = -2j * np.pi * spacing * (distance / SPEED_OF_SOUND)
    # exp(turn (N_FINE a + b)) is a product of two exponentials, so that the sum over images is a product of matrices.
    n_blocks = -(-n_frequencies // N_FINE)
    coarse = np.exp(turn[:, :, None] * (N_FINE * np.arange(n_blocks))[:, None])
    fine = np.exp(turn[..., None] * np.arange(N_FINE)) * (gain[:, None] / distance)[..., None]
    return (coarse @ fine).reshape(*distance.shape[:2], -1)[:, :, :n_frequencies]
