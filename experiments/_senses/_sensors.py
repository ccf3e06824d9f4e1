"""Sensors that turn a position or size y into noisy responses of many channels; none of them tells how noisy it is.

Each has `sense(y, rng, *, ...)` under given conditions, one number or one per sample; `conditions(n, rng)`, drawn
log-uniformly from the ranges that the sensor has as fields; and `experience(y, rng)`, which is both: what an agent
lives through. Responses are Poisson counts brought to unit variance by Anscombe's square root (1948, Biometrika 35).
"""

from dataclasses import dataclass

import numpy as np


class Sensor:
    """What all senses share."""

    def experience(self, y, rng):
        """Responses (n_samples, n_channels) to y (n_samples,) under drawn conditions."""
        return self.sense(y, rng, **self.conditions(len(y), rng))


@dataclass(frozen=True)
class Retina(Sensor):
    """Receptors that count the photons of a blurred spot at y.

    Parameters
    ----------
    extent : float
        Receptors cover +-extent around the direction of gaze, in units of y (degrees by default).
    spacing : float
        Distance between receptors at the fovea.
    doubling : float
        Eccentricity at which the spacing has doubled; it grows linearly. Infinite: a uniform retina. A receptor pools
        over an area as wide as its spacing exceeds that at the fovea, which adds to the blur.
    plateau : float
        Eccentricity from which on the spacing no longer grows.
    dark : float
        Mean count of a receptor without light.
    blur_range, photon_range : tuple (low, high)
        Width of the spot, as the SD of a Gaussian in units of y, and photons per glance, in experience.
    """

    extent: float = 90.0
    spacing: float = 3.0
    doubling: float = np.inf
    plateau: float = np.inf
    dark: float = 1.0
    blur_range: tuple[float, float] = (3.0, 100.0)
    photon_range: tuple[float, float] = (20.0, 120.0)

    @property
    def receptors(self):
        """Positions (n_receptors,), symmetric, with one receptor at 0."""
        right = [0.0]
        while right[-1] + self.spacing_at(right[-1]) <= self.extent * (1 + 1e-9):
            right.append(right[-1] + self.spacing_at(right[-1]))
        return np.concatenate([-np.array(right[:0:-1]), right])

    def spacing_at(self, position):
        """Distance between receptors at a position."""
        eccentricity = np.minimum(np.abs(position), self.plateau)
        return self.spacing * (1 + eccentricity / self.doubling)

    def sense(self, y, rng, *, blur, photons):
        """Responses (n_samples, n_receptors) to spots at y (n_samples,)."""
        receptors, (y, blur, photons) = self.receptors, _columns(y, blur, photons)
        area = np.gradient(receptors)
        width = np.hypot(blur, area - self.spacing)
        light = area * _tuning(y, receptors, width) / (np.sqrt(2 * np.pi) * width)
        return _count(rng, photons * light + self.dark)

    def conditions(self, n, rng):
        """Blur and photons of n glances."""
        return {"blur": log_uniform(rng, self.blur_range, n), "photons": log_uniform(rng, self.photon_range, n)}


@dataclass(frozen=True)
class Ears(Sensor):
    """Time and level differences of a sound at y degrees; both jitter, more so for soft sounds.

    The jitter shifts the population response as a whole, so that the level of the sound is its only trace.

    Parameters
    ----------
    level_range : tuple (low, high)
        Level in experience, as the mean count of the best channel.
    hidden_jitter : tuple (low, high)
        Factors of the jitter beyond what the level tells, drawn with even odds where the caller does not say: noise
        that leaves no trace in a single sound.
    """

    level_range: tuple[float, float] = (8.0, 40.0)
    hidden_jitter: tuple[float, float] = (1.0, 1.0)

    def sense(self, y, rng, *, level, jitter=None):
        """Responses (n_samples, 38): 25 channels of time difference, 13 of level difference.

        `jitter` is the factor by which the differences are noisier than the level tells; None draws it.
        """
        n = np.size(y)
        if jitter is None:
            jitter = 1.0 if self.hidden_jitter == (1.0, 1.0) else rng.choice(self.hidden_jitter, n)
        y, level, jitter = _columns(y, level, jitter)
        shift = np.sin(np.deg2rad(y))
        noise = jitter * np.sqrt(20 / level)
        time = 0.76 * shift + 0.085 * noise * rng.standard_normal((n, 1))  # milliseconds
        difference = 15 * shift + 2 * noise * rng.standard_normal((n, 1))  # decibels
        tuning = np.hstack(
            [_tuning(time, np.linspace(-0.9, 0.9, 25), 0.12), _tuning(difference, np.linspace(-20, 20, 13), 4.0)]
        )
        return _count(rng, level * tuning + 0.5)

    def conditions(self, n, rng):
        """Levels of n sounds."""
        return {"level": log_uniform(rng, self.level_range, n)}


@dataclass(frozen=True)
class Touch(Sensor):
    """Joint receptors with bell-shaped tuning to the size y that a hand spans; a light grip recruits few spikes.

    Parameters
    ----------
    extent : float
        Preferred sizes cover +-extent around the usual size, in units of y (mm by default).
    spacing, width : float
        Distance between preferred sizes, and the SD of the tuning, in units of y.
    grip_range : tuple (low, high)
        Grip in experience, as the mean count of the best channel.
    """

    extent: float = 60.0
    spacing: float = 3.0
    width: float = 12.0
    grip_range: tuple[float, float] = (0.6, 6.0)

    def sense(self, y, rng, *, grip):
        """Responses (n_samples, n_channels) to sizes y (n_samples,)."""
        y, grip = _columns(y, grip)
        preferred = np.arange(-self.extent, self.extent + self.spacing / 2, self.spacing)
        return _count(rng, grip * _tuning(y, preferred, self.width) + 0.1)

    def conditions(self, n, rng):
        """Grips of n touches."""
        return {"grip": log_uniform(rng, self.grip_range, n)}


def _columns(y, *conditions):
    """y and each condition, a number or one per sample, as columns (n_samples, 1)."""
    y = np.asarray(y, dtype=float)
    if y.ndim != 1:
        raise ValueError(f"y must have shape (n_samples,); got {y.shape}")
    return [np.broadcast_to(np.asarray(values, dtype=float), y.shape)[:, None] for values in (y, *conditions)]


def log_uniform(rng, bounds, n):
    low, high = bounds
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _tuning(value, preferred, width):
    return np.exp(-((preferred - value) ** 2) / (2 * width**2))


def _count(rng, rate):
    return 2 * np.sqrt(rng.poisson(rate) + 3 / 8)
