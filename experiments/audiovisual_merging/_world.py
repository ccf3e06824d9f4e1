"""Flashes and sounds at places, and the senses of who meets them."""

import numpy as np

from experiments._senses import Ears, Retina


class World:
    """Flashes and sounds at places in degrees, before a retina with a fovea and two ears."""

    extent = 70.0

    def __init__(self, config):
        self._config = config
        retina = Retina(doubling=config.doubling, blur_range=(3.0, 12.0), photon_range=(15.0, 60.0))
        self.sensors = {"vision": retina, "audition": Ears()}

    def experience(self, y, rng):
        return {sense: sensor.experience(y, rng) for sense, sensor in self.sensors.items()}

    def test(self, rng):
        """Places (n_trials,) ordered by eccentricity, and what the senses answer there."""
        c = self._config
        places = np.concatenate([np.repeat([-e, e], c.n_trials // 2) for e in c.eccentricities])
        conditions = {"vision": {"blur": c.blur, "photons": c.photons}, "audition": {"level": c.level}}
        return places, {name: sensor.sense(places, rng, **conditions[name]) for name, sensor in self.sensors.items()}
