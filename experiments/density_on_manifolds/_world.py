"""Objects on a turntable: some sides are seen more often than others, and some through more noise."""

from __future__ import annotations

import numpy as np
from scipy.special import i0

from experiments._smooth_pictures import noisy, smooth_pictures
from smc.worlds import ObjectBank, pose_matrix

FAMILIES = ("airplane", "chair", "fish", "teapot", "quadruped")  # look different from every side
PITCH = 0.4  # radians; seen from above, so that front and back differ
UNIFORM = 0.15  # share of yaw that comes from anywhere
PEAKS = ((0.55, 0.0, 4.0), (0.3, 2.5, 4.0))  # share, direction (radians) and concentration of von Mises parts
PICTURES = ("image", "clean", "test_image", "test_clean", "ahead", "behind")
SMALL_TURN = 0.03  # radians, for derivatives


class Turntable:
    """One object of every family; how often and how clearly a side is seen is known for each.

    The frequent sides lie elsewhere for every object, and the noisy ones relative to the frequent ones as well, evenly
    spaced: over all objects neither the look of a side nor its noise goes with its frequency.
    """

    def __init__(self, config, rng):
        families = FAMILIES[: config.n_objects]
        bank = ObjectBank.procedural(1, families, seed=int(rng.integers(2**31)), checker=0.0)
        self.n_objects = len(families)
        self._meshes, self._size, self._noise = bank.packed, config.size, np.log(config.noise)
        self.frequent = rng.uniform(-np.pi, np.pi, self.n_objects)
        self.noisy = self.frequent + 2 * np.pi * rng.permutation(self.n_objects) / self.n_objects

    def log_density(self, objects, yaw):
        """Log density of yaw (n,) of the objects (n,), per radian."""
        turned = yaw - self.frequent[objects]
        parts = (share * np.exp(k * np.cos(turned - mean)) / (2 * np.pi * i0(k)) for share, mean, k in PEAKS)
        return np.log(sum(parts) + UNIFORM / (2 * np.pi))

    def noise(self, objects, yaw):
        """Standard deviation (n,) of every pixel, as a share of the full range."""
        low, high = self._noise
        return np.exp(low + (high - low) * (1 + np.cos(yaw - self.noisy[objects])) / 2)

    def draw(self, n, rng):
        """Yaw (n_objects, n) of every object by its density."""
        shares = [UNIFORM, *(share for share, _, _ in PEAKS)]
        part = rng.choice(len(shares), (self.n_objects, n), p=shares)
        yaw = rng.uniform(-np.pi, np.pi, part.shape)
        for i, (_, mean, concentration) in enumerate(PEAKS, 1):
            yaw = np.where(part == i, rng.vonmises(mean, concentration, part.shape), yaw)
        return yaw + self.frequent[:, None]

    def look(self, objects, yaw):
        """Pictures (n, size, size, 3), float in [0, 1], without noise."""
        return smooth_pictures(self._meshes, objects, pose_matrix(yaw, PITCH), self._size)

    def glance(self, image, objects, yaw, rng):
        """The same pictures through fresh noise."""
        return noisy(image, self.noise(objects, yaw), rng)


class Experience:
    """What one agent has seen, and what its embeddings are tested on; all rows are ordered by object.

    Attributes
    ----------
    object, yaw, image, clean : (n,), (n,), (n, size, size, 3) twice
        The views lived through, noisy and as they would be without noise.
    test_object, test_yaw, test_image, test_clean : the same on an even grid of yaw
        `test_image` has all of the grid for the first glance, then for the second, and so on.
    ahead, behind : (n_test, size, size, 3)
        Without noise, SMALL_TURN further and less far than the grid.
    """

    def __init__(self, config, seed):
        self.rng = np.random.default_rng(seed)
        self.world = world = Turntable(config, self.rng)
        numbers = np.arange(world.n_objects)
        yaw = world.draw(config.n_views, self.rng)
        self.object, self.yaw = np.repeat(numbers, config.n_views), yaw.ravel()
        self.clean = world.look(self.object, self.yaw)
        self.image = world.glance(self.clean, self.object, self.yaw, self.rng)
        grid = np.linspace(-np.pi, np.pi, config.n_grid, endpoint=False)
        self.test_object, self.test_yaw = np.repeat(numbers, len(grid)), np.tile(grid, len(numbers))
        self.test_clean = world.look(self.test_object, self.test_yaw)
        test = self.test_object, self.test_yaw, self.rng
        self.test_image = np.concatenate([world.glance(self.test_clean, *test) for _ in range(config.n_glances)])
        self.ahead, self.behind = (world.look(self.test_object, self.test_yaw + s * SMALL_TURN) for s in (1, -1))
        self.log_density = world.log_density(self.test_object, self.test_yaw).reshape(len(numbers), -1)

    def pictures(self):
        """All pictures by name."""
        return {name: getattr(self, name) for name in PICTURES}
