"""Bumps of activity on a field, and where they are."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.sparse import csgraph

RELATIVE_THRESHOLD = 0.5  # of the largest activity of a trial
SILENCE = 0.1  # activity below which a trial holds no bump


@dataclass(frozen=True, eq=False)
class Bump:
    """One connected region of active nodes."""

    nodes: np.ndarray
    mass: float
    peak: float
    position: np.ndarray
    _weight: np.ndarray = field(repr=False)
    _space: object = field(repr=False)

    @cached_property
    def node(self):
        """Node at the centre of mass; found when it is asked for, as the paths through a graph take long."""
        return int(self.nodes[np.argmin(self._space.distances(self.nodes) ** 2 @ self._weight)])


def find_bumps(space, adjacency, activity, volumes):
    """Bumps of one trial, largest mass first.

    Parameters
    ----------
    space : StraightSpace or GraphSpace
    adjacency : sparse matrix (n_nodes, n_nodes)
    activity, volumes : (n_nodes,)
    """
    peak = activity.max()
    if peak < SILENCE:
        return []
    active = np.flatnonzero(activity >= RELATIVE_THRESHOLD * peak)
    n_parts, part = csgraph.connected_components(adjacency[active][:, active], directed=False)
    regions = [active[part == p] for p in range(n_parts)]
    bumps = [_measure(space, nodes, activity[nodes].astype(float), volumes[nodes]) for nodes in regions]
    return sorted(bumps, key=lambda bump: -bump.mass)


def _measure(space, nodes, activity, volumes):
    weight = activity * volumes
    return Bump(
        nodes=nodes,
        mass=float(weight.sum()),
        peak=float(activity.max()),
        position=_barycentre(space, nodes, weight),
        _weight=weight,
        _space=space,
    )


def _barycentre(space, nodes, weight):
    """Weighted mean position (n_dims,); coordinates with a period by the angle of the mean vector."""
    positions = space.positions[nodes]
    straight = weight @ positions / weight.sum()
    repeats = np.isfinite(space.period)
    turn = space.period[repeats] / (2 * np.pi)
    vector = weight @ np.exp(1j * positions[:, repeats] / turn)
    straight[repeats] = np.mod(np.angle(vector) * turn, space.period[repeats])
    return straight
