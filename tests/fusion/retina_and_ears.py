"""Two noisy senses of a position y in degrees; the noise of each is never told to whom learns from it."""

import numpy as np


def draw_positions(rng, n):
    """Positions in degrees, uniform over +-45."""
    return rng.uniform(-45.0, 45.0, n)


def draw_blur(rng, n, largest=100.0):
    """Blur width in degrees and photon count, log-uniform."""
    return np.exp(rng.uniform(np.log(3.0), np.log(largest), n)), np.exp(rng.uniform(np.log(20.0), np.log(120.0), n))


def see(rng, y, width, photons):
    """Responses (n_samples, 61) of a retina: Poisson counts around y, brought to unit variance by a square root."""
    receptors = np.arange(-90.0, 91.0, 3.0)
    width, photons = np.broadcast_to(width, y.shape)[:, None], np.broadcast_to(photons, y.shape)[:, None]
    bump = np.exp(-((receptors - y[:, None]) ** 2) / (2 * width**2)) / (np.sqrt(2 * np.pi) * width)
    return 2 * np.sqrt(rng.poisson(3 * photons * bump + 1) + 3 / 8)


def hear(rng, y, gain):
    """Responses (n_samples, 38) of two ears: 25 channels of time difference, 13 of level difference."""
    gain = np.broadcast_to(gain, y.shape)
    s = np.sqrt(20 / gain)
    angle = np.deg2rad(y)
    itd = 0.76 * np.sin(angle) + 0.085 * s * rng.standard_normal(len(y))
    ild = 15 * np.sin(angle) + 2 * s * rng.standard_normal(len(y))
    tuning = np.hstack(
        [
            np.exp(-((np.linspace(-0.9, 0.9, 25) - itd[:, None]) ** 2) / (2 * 0.12**2)),
            np.exp(-((np.linspace(-20, 20, 13) - ild[:, None]) ** 2) / (2 * 4.0**2)),
        ]
    )
    return 2 * np.sqrt(rng.poisson(gain[:, None] * tuning + 0.5) + 3 / 8)


def draw_level(rng, n):
    """Sound level, as the gain of the ears, log-uniform."""
    return np.exp(rng.uniform(np.log(8.0), np.log(40.0), n))


def gaussian_nll(y, mean, variance):
    """Mean of .5 log(2 pi v) + e**2 / (2 v), in nats."""
    return float(np.mean(0.5 * np.log(2 * np.pi * variance) + (y - mean) ** 2 / (2 * variance)))
