"""Self-organising maps as one would write them on a blackboard: every sample, every unit, no shortcut."""

import numpy as np


def positions(n_rows, n_columns, lattice):
    spacing, shift = (np.sqrt(3) / 2, 0.5) if lattice == "hexagonal" else (1.0, 0.0)
    return np.array([(c + shift * (r % 2), r * spacing) for r in range(n_rows) for c in range(n_columns)])


def distances(n_rows, n_columns, lattice, periodic):
    """Lattice distances (n_units, n_units); on a torus the shortest to any of nine copies."""
    at = positions(n_rows, n_columns, lattice)
    height = n_rows * (np.sqrt(3) / 2 if lattice == "hexagonal" else 1.0)
    copies = [-1, 0, 1] if periodic else [0]
    shifts = [(i * n_columns, j * height) for i in copies for j in copies]
    return np.min([np.linalg.norm(at[:, None] - at + shift, axis=2) for shift in shifts], axis=0)


def neighborhood(distance, kind, radius):
    if radius == 0:
        return float(distance < 1e-9)
    within = distance <= radius + 1e-9
    gaussian = np.exp(-(distance**2) / (2 * radius**2))
    return {"gaussian": gaussian, "bubble": float(within), "cut_gaussian": gaussian * within}[kind]


def schedule(start, end, progress, decay):
    if start == end or progress >= 1:
        return end
    return {
        "exponential": lambda: start ** (1 - progress) * end**progress,
        "linear": lambda: (1 - progress) * start + progress * end,
        "inverse": lambda: 1 / ((1 - progress) / start + progress / end),
    }[decay]()


def difference(x, w, metric):
    """What the searches compare, over the features that are there."""
    observed = ~np.isnan(x)
    gap = w[observed].astype(float) - x[observed]
    return np.abs(gap).sum() if metric == "manhattan" else (gap**2).sum()


def winner(x, prototypes, metric="euclidean"):
    return int(np.argmin([difference(x, w, metric) for w in prototypes]))


def batch_step(X, prototypes, gaps, kind, radius):
    """One step over all samples; a feature that nobody pulls stays."""
    moved = prototypes.astype(float).copy()
    winners = [winner(x, prototypes) for x in X]
    for k in range(len(prototypes)):
        for j in range(X.shape[1]):
            pull = mass = 0.0
            for x, c in zip(X, winners):
                if not np.isnan(x[j]):
                    h = neighborhood(gaps[c, k], kind, radius)
                    pull += h * x[j]
                    mass += h
            if mass > 1e-9:
                moved[k, j] = pull / mass
    return moved


def online(X, prototypes, gaps, kind, radii, rates, decay, length, metric):
    """One sample after the other; prototypes and winners."""
    prototypes, winners = prototypes.astype(float).copy(), []
    for t, x in enumerate(X):
        progress = min(t / max(length - 1, 1), 1)
        radius, rate = schedule(*radii, progress, decay), schedule(*rates, progress, decay)
        c = winner(x, prototypes, metric)
        winners.append(c)
        for k in range(len(prototypes)):
            prototypes[k] += rate * neighborhood(gaps[c, k], kind, radius) * (x - prototypes[k])
            if metric == "cosine":
                prototypes[k] /= np.linalg.norm(prototypes[k])
    return prototypes, winners
