"""Objects turned fully round one axis or two, and what they look like."""

from __future__ import annotations

import numpy as np

from experiments._smooth_pictures import noisy, smooth_pictures
from smc.worlds import ObjectBank, pose_matrix

ASYMMETRICAL = ("airplane", "chair", "teapot")  # no two poses look alike
SYMMETRICAL = ("vase",)  # every yaw looks the same
PITCH = 0.4  # radians: the axes of yaw and roll are never parallel, so that two full turns make a torus


class Turning:
    """One object of every family, whose poses (n, 2) are yaw and roll in radians."""

    def __init__(self, config, rng):
        self.families = ASYMMETRICAL[: config.n_objects] + SYMMETRICAL
        bank = ObjectBank.procedural(1, self.families, seed=int(rng.integers(2**31)), checker=0.0)
        self._meshes, self._size, self._noise, self._rng = bank.packed, config.size, config.noise, rng

    def look(self, objects, poses):
        """Noisy pictures (n, size, size, 3), float in [0, 1]."""
        poses = pose_matrix(poses[:, 0], PITCH, poses[:, 1])
        return noisy(smooth_pictures(self._meshes, objects, poses, self._size, finer=2), self._noise, self._rng)

    def turn(self, number, n, *, n_axes):
        """Pictures and poses of one object turned at random about yaw, or about both axes."""
        poses = self._rng.uniform(-np.pi, np.pi, (n, 2))
        poses[:, n_axes:] = 0
        return self.look(np.full(n, number), poses), poses
