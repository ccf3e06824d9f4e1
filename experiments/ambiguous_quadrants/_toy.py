"""The toy of Letzelter et al. (2023): an input t says how probable each quadrant of a square is."""

import numpy as np

CORNERS = np.array([[-1.0, -1.0], [0.0, 0.0], [-1.0, 0.0], [0.0, -1.0]])  # lower left corners of the quadrants


def probabilities(t):
    """Of the quadrants, (..., 4): the first two when t is 0, the last two when it is 1."""
    t = np.asarray(t, dtype=float)
    return np.stack([(1 - t) / 2, (1 - t) / 2, t / 2, t / 2], axis=-1)


def draw_targets(t, rng):
    """One point of the square for every entry of t, shape (..., 2)."""
    t = np.asarray(t, dtype=float)
    bounds = probabilities(t).cumsum(axis=-1)[..., :3]
    quadrants = (rng.random(t.shape)[..., None] > bounds).sum(axis=-1)
    return CORNERS[quadrants] + rng.random((*t.shape, 2))


def draw_sets(n_samples, rng):
    """Inputs t (n, 1), sets of targets (n, 2, 2), and which are there (n, 2): both with probability |1 - 2t|."""
    t = rng.random(n_samples)
    two = rng.random(n_samples) < np.abs(1 - 2 * t)
    targets = draw_targets(np.column_stack([t, t]), rng)
    present = np.column_stack([np.ones(n_samples, dtype=bool), two])
    return t[:, None].astype(np.float32), targets.astype(np.float32), present


def earth_movers_distance(atoms, t, n_true, rng):
    """Between atoms (points, masses) and fresh samples of the truth at t, Euclidean ground distance."""
    import ot

    points, mass = atoms
    truth = draw_targets(np.full(n_true, t), rng)
    costs = ot.dist(np.asarray(points, dtype=float), truth, metric="euclidean")
    mass = np.asarray(mass, dtype=float)
    return float(ot.emd2(mass / mass.sum(), np.full(n_true, 1 / n_true), costs, numItermax=1_000_000))
