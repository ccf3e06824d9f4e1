"""Objects turned fully round one axis or two, and what they look like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments._smooth_pictures import noisy, smooth_pictures
from smc import Transitions
from smc.worlds import ObjectBank, pack_meshes, pose_matrix

SENSE = "eye"
ASYMMETRICAL = ("airplane", "chair", "teapot")  # and painted, lest front and back look alike
SYMMETRICAL = ("vase",)  # every yaw looks the same
PITCH = 0.4  # radians: the axes of yaw and roll are never parallel, so that two full turns make a torus
TINY = 1e-12  # area of a face without any
DISTANCE = 0.3  # metres: the object fills the picture


class Turning:
    """One object of every family, whose poses (n, 2) are yaw and roll in radians."""

    def __init__(self, config, rng):
        self.families = ASYMMETRICAL[: config.n_objects] + SYMMETRICAL
        bank = ObjectBank.procedural(1, self.families, seed=int(rng.integers(2**31)), checker=0.0)
        meshes = [mesh if f in SYMMETRICAL else painted(mesh) for f, mesh in zip(self.families, bank)]
        self._meshes, self._size, self._noise, self._rng = pack_meshes(meshes), config.size, config.noise, rng

    def look(self, objects, poses):
        """Noisy pictures (n, size, size, 3), float in [0, 1]."""
        poses = pose_matrix(poses[:, 0], PITCH, poses[:, 1], distance=DISTANCE)
        return noisy(smooth_pictures(self._meshes, objects, poses, self._size, finer=2), self._noise, self._rng)

    def steps(self, number, n, episode):
        """Transitions of one object from pose to pose, and the poses before.

        It is turned about yaw for an episode, then about roll, by any angle; every episode starts anew at any pose.
        Each is a group, whose views differ by the turned axis only: were both axes turned at once, views could be
        told apart by the one that moves more pixels.
        """
        before, after = self._rng.uniform(-np.pi, np.pi, (2, n, 2))
        episodes = np.arange(n) // episode
        held = np.stack([episodes % 2 == 1, episodes % 2 == 0], axis=1)
        start = self._rng.uniform(-np.pi, np.pi, (episodes[-1] + 1, 2))[episodes]
        before[held] = after[held] = start[held]
        seen = [{SENSE: self.look(np.full(n, number), poses)} for poses in (before, after)]
        return Transitions(seen[0], circles(after - before), seen[1], episodes), before  # a full turn is no turn

    def seen_to_turn(self, number):
        """Whether turning about yaw, and about roll, changes what the object looks like: (2,) of 0 and 1."""
        return np.array([self.families[number] not in SYMMETRICAL, True], float)

    def turn(self, number, n, *, n_axes):
        """Pictures and poses of one object turned at random about yaw, or about both axes."""
        poses = self._rng.uniform(-np.pi, np.pi, (n, 2))
        poses[:, n_axes:] = 0
        return self.look(np.full(n, number), poses), poses


def painted(mesh):
    """The mesh with a colour for every direction that its faces look in."""
    corners = mesh.vertices[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), TINY)
    return replace(mesh, face_colors=(0.5 + 0.45 * normal).astype(np.float32), face_uv=None, uv=None, texture=None)


def circles(angles):
    """Cosines, then sines, of angles (n, d): (n, 2 d)."""
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
