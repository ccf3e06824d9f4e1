"""How far predicted directions are from the true ones."""

import numpy as np

from ._recordings import MOST_SOURCES


def between(a, b):
    """Angle between directions, in [0, pi]."""
    return np.abs((a - b + np.pi) % (2 * np.pi) - np.pi)


def earth_movers_distance(angles, mass, recordings):
    """Between the predicted masses and equal masses on the sources, along the circle; (n,) in degrees."""
    import ot

    distances = np.empty(len(angles))
    for i, there in enumerate(recordings.present):
        truth = recordings.angles[i, there]
        share = mass[i].astype(float)
        costs = between(angles[i].astype(float)[:, None], truth)
        distances[i] = ot.emd2(share / share.sum(), np.full(len(truth), 1 / len(truth)), costs)
    return np.degrees(distances)


def oracle_error(angles, mass, recordings, n_atoms):
    """Mean angle between the sources and the nearest predicted direction, (n,) in degrees.

    Of a histogram count as many of its highest peaks as the others have directions, lest all bins be guesses.
    """
    if angles.shape[1] > n_atoms:
        peak = (mass >= np.roll(mass, 1, axis=1)) & (mass > np.roll(mass, -1, axis=1))
        chosen = np.argsort(np.where(peak, mass, 0.0), axis=1)[:, -n_atoms:]
        angles = np.take_along_axis(angles, chosen, axis=1)
    nearest = between(angles[:, :, None], recordings.angles[:, None]).min(axis=1)
    return np.degrees(np.where(recordings.present, nearest, 0.0).sum(axis=1) / recordings.present.sum(axis=1))


def by_number(values, recordings):
    """Means (MOST_SOURCES,) over the recordings of one, two, three sources."""
    number = recordings.present.sum(axis=1)
    return np.array([values[number == n].mean() for n in range(1, MOST_SOURCES + 1)])
