"""A small patch sensor and a fingertip on objects that are held and turned: what they deliver, as codes."""

from __future__ import annotations

import numpy as np

from smc.worlds import Camera, Light, pose_matrix, render
from topology import GrowingNeuralGas

DISTANCE, RADIUS = 0.4, 0.1  # of the object from the eye, and of its bounding sphere, metres
PATCH, FINGER = 2, 1  # half widths in pixels, of 5 x 5 and 3 x 3
NOTHING = 0.12  # depth that the finger reports behind which there is nothing, metres beyond the object's centre


class Handling:
    """Objects turned under the sensors: actions are (view, row, column, sense), numbered in that order.

    Parameters
    ----------
    bank : ObjectBank
    config : Config
    """

    def __init__(self, bank, config):
        self.packed, self.config = bank.packed, config
        self.n_objects, self.n_views, self.n_cells = len(bank), config.n_views, config.grid**2
        self.n_actions = self.n_views * self.n_cells * 2
        self.camera = Camera(size=config.image_size, field_of_view=2 * np.arctan(RADIUS / DISTANCE) * 0.9)

    def feel(self, n_passes, rng):
        """Glimpses (n_objects, n_passes, n_places, 75) and touches (..., 4) at every place, each pass held anew.

        A place is (view, row, column).
        """
        config, shape = self.config, (self.n_objects, n_passes, self.n_views)
        held = rng.normal(size=(*shape[:2], 1, 4)) * (config.turn, config.turn, config.shift, config.shift)
        yaw = 2 * np.pi / self.n_views * np.arange(self.n_views) + held[..., 0]
        tilt, across, down = (np.broadcast_to(0.3 * (i == 1) + held[..., i], shape) for i in (1, 2, 3))
        poses = pose_matrix(yaw, tilt, 0.0, across, down, DISTANCE).reshape(-1, 3, 4)
        light = Light.from_azimuth(np.repeat(rng.uniform(-0.5, 0.5, shape[:2]), self.n_views))
        objects = np.repeat(np.arange(self.n_objects), n_passes * self.n_views)
        seen = render(self.packed, objects, poses, self.camera, light)
        image = seen.image / 255.0 + config.noise * rng.normal(size=seen.image.shape)
        behind = DISTANCE + NOTHING
        depth = np.where(np.isfinite(seen.depth), seen.depth, behind)
        depth += config.noise * RADIUS / 2 * rng.normal(size=depth.shape)
        glimpse, touch = self._patches(image, PATCH), self._patches((depth - DISTANCE) / RADIUS, FINGER)
        slopes = [
            (touch[..., 2, :] - touch[..., 0, :]).mean(axis=-1),
            (touch[..., 2] - touch[..., 0]).mean(axis=-1),
        ]
        touched = np.stack([touch.mean(axis=(-2, -1)), touch[..., 1, 1], *slopes], axis=-1)
        flat = (*shape[:2], self.n_views * self.n_cells, -1)
        return glimpse.reshape(flat), touched.reshape(flat)

    def _patches(self, pictures, half):
        """Windows (n_frames, rows, columns, ..., height, width) around the places of the sensor."""
        step = self.config.image_size / self.config.grid
        centers = np.floor(step * (np.arange(self.config.grid) + 0.5)).astype(int)
        around = centers[:, None] + np.arange(-half, half + 1)
        windows = pictures[:, around[:, None, :, None], around[None, :, None, :]]
        return np.moveaxis(windows, -1, 3) if windows.ndim == 6 else windows


class Codes:
    """Each sense as the units of a growing neural gas; those of touch are numbered after those of sight."""

    def __init__(self, glimpses, touches, n_codes, seed):
        self.maps = []
        for sensed in (glimpses, touches):
            X = sensed.reshape(-1, sensed.shape[-1])
            self.maps.append(GrowingNeuralGas(n_codes, random_state=seed).fit(X))

    @property
    def n_codes(self):
        return sum(len(m.prototypes_) for m in self.maps)

    def __call__(self, glimpses, touches):
        """Code (n_objects, n_passes, n_actions) that every action brings; actions are (place, sense)."""
        units = [
            m.predict(s.reshape(-1, s.shape[-1])).reshape(s.shape[:-1]) for m, s in zip(self.maps, (glimpses, touches))
        ]
        codes = np.stack([units[0], len(self.maps[0].prototypes_) + units[1]], axis=-1)
        return codes.reshape(*codes.shape[:2], -1)
