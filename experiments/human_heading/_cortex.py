"""A simulated cortex that feels headings, and how precise a map of it takes each heading to be."""

import numpy as np

from experiments._senses._life import calibrate
from experiments._senses._sensors import Sensor
from fusion import LocalPrecision

N_CELLS = 60
TUNING = 0.7  # concentration of a tuning curve, nearly a cosine
RATE = 20.0  # spikes of a cell at its preferred heading
PREFERRED = (90.0, 30.0)  # degrees to either side, and their spread
SENSE = "heading"


class Cortex(Sensor):
    """A population of cells with broad tuning that prefer headings to the sides, as in area MSTd, which makes it most
    precise straight ahead (Gu, Fetsch, Adeyemo, DeAngelis & Angelaki 2010, Neuron 66:596).
    """

    def __init__(self, rng):
        side = np.where(np.arange(N_CELLS) % 2 == 0, 1, -1)
        self.preferred = side * PREFERRED[0] + PREFERRED[1] * rng.standard_normal(N_CELLS)

    def sense(self, heading, rng):
        """Responses (n_samples, 60) to headings (n_samples,) in degrees."""
        gap = np.deg2rad(heading[:, None] - self.preferred)
        return np.sqrt(rng.poisson(RATE * np.exp(TUNING * (np.cos(gap) - 1))) + 3 / 8)

    def conditions(self, n, rng):
        return {}


def live(config, seed):
    """Cortex, what `LocalPrecision` learned from its headings, and the generator that goes on from there."""
    rng = np.random.default_rng(seed)
    cortex = Cortex(rng)
    heading = rng.uniform(-90, 90, config.n_experience)
    return cortex, LocalPrecision(random_state=seed).fit(cortex.experience(heading, rng), heading), rng


def learned_shape(config, seed):
    """How the learned precision of a heading falls away from straight ahead: a function, 1 at 0."""
    cortex, trust, rng = live(config, seed)
    grid = np.arange(-60.0, 61.0, 5.0)
    learned = np.array(
        [1 / np.mean(1 / trust.precision(cortex.experience(np.full(200, place), rng))) for place in grid]
    )
    learned = (learned + learned[::-1]) / 2
    learned /= learned[len(grid) // 2]
    return lambda headings: np.interp(headings, grid, learned)


def calibrate_cortex(config, seed):
    """Calibration of the learned precision, as `experiments._senses._life.calibrate` gives it."""
    cortex, trust, rng = live(config, seed)
    return calibrate({SENSE: trust}, {SENSE: cortex}, 90.0, config.n_experience // 2, rng)
