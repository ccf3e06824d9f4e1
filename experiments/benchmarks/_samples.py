"""The data of the table `topology`, float32: a uniform square in 2 dimensions, else 32 clusters with 8 inner ones."""

import numpy as np


def draw(n_samples: int, n_features: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if n_features == 2:
        return rng.random((n_samples, 2), dtype=np.float32)
    centers = 2 * rng.standard_normal((32, n_features), dtype=np.float32)
    basis = rng.standard_normal((8, n_features), dtype=np.float32)
    X = centers[rng.integers(0, 32, n_samples)]
    X += 0.5 * rng.standard_normal((n_samples, 8), dtype=np.float32) @ basis
    X += 0.1 * rng.standard_normal((n_samples, n_features), dtype=np.float32)
    X -= X.mean(axis=0)
    return X / X.std()
