"""What an embedding does to density and precision, read off one map per object."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata
from sklearn.neighbors import NearestNeighbors

from experiments.density_on_manifolds._world import SMALL_TURN
from fusion import LocalPrecision
from topology import CodebookDensity, GrowingNeuralGas

N_NEIGHBORS = 20  # of the density without a map
GRID_POINTS_PER_BIN = 3  # errors are averaged over neighbouring yaws
SLOPES = ("slope", "slope_knn", "slope_clean", "slope_corrected", "slope_permuted", "stretch")
RANKS = ("rank_precision", "rank_density", "rank_permuted")
MEASURES = (*SLOPES, *RANKS, "error")


def measure(embedded, experience, config, seed):
    """Every measure of one embedding as a mean over objects, and the log densities (n_objects, n_grid) of its maps.

    slope, slope_knn : of log density on log p(yaw), by the map and by nearest neighbours
    slope_clean : the same for the map of the embedded views without noise
    slope_corrected : the same, times the speed of the embedding, |de / dyaw|: what is left is not stretch
    slope_permuted : of the log density of one object on log p of another
    stretch : the slope that stretch alone leaves, of log(p / |de / dyaw|) on log p
    rank_precision, rank_density : rank correlation over yaw of the precision and of the density that the map
        estimates with the true decoding precision; rank_permuted: with the true precision of another object
    error : root mean squared error of the decoded yaw, radians
    """
    truth = experience.log_density
    n_objects, n_grid = truth.shape

    def by_object(name):
        return embedded[name].reshape(n_objects, -1, embedded[name].shape[-1])

    seen, clean, at_grid = (by_object(name) for name in ("image", "clean", "test_clean"))
    glances = embedded["test_image"].reshape(config.n_glances, n_objects, n_grid, -1).swapaxes(0, 1)
    glances = np.ascontiguousarray(glances.reshape(n_objects, config.n_glances * n_grid, -1))
    speed = np.linalg.norm(embedded["ahead"] - embedded["behind"], axis=1) / (2 * SMALL_TURN)
    log_speed = _log_length(speed).reshape(truth.shape)

    def over_glances(values):
        return values.reshape(n_objects, -1, n_grid).mean(axis=1)

    found = over_glances(np.stack([map_density(*pair, config, seed) for pair in zip(seen, glances)]))
    neighbors = over_glances(np.stack([neighbor_density(*pair) for pair in zip(seen, glances)]))
    found_clean = np.stack([map_density(*pair, config, seed) for pair in zip(clean, at_grid)])
    yaw = experience.yaw.reshape(n_objects, -1)
    test_yaw = np.tile(experience.test_yaw[:n_grid], config.n_glances)
    squared_error, variance = map(
        np.stack, zip(*(decode(x, y, x_test, test_yaw, seed) for x, y, x_test in zip(seen, yaw, glances)))
    )
    precise, estimated, dense = (
        v.reshape(n_objects, -1, GRID_POINTS_PER_BIN).mean(axis=2)
        for v in (-over_glances(squared_error), -np.log(over_glances(variance)), found)
    )
    values = {
        "slope": slopes(found, truth),
        "slope_knn": slopes(neighbors, truth),
        "slope_clean": slopes(found_clean, truth),
        "slope_corrected": slopes(found_clean + log_speed, truth),
        "slope_permuted": slopes(found, np.roll(truth, 1, axis=0)),
        "stretch": slopes(truth - log_speed, truth),
        "rank_precision": rank_correlations(estimated, precise),
        "rank_density": rank_correlations(dense, precise),
        "rank_permuted": rank_correlations(estimated, np.roll(precise, 1, axis=0)),
        "error": np.sqrt(squared_error.mean(axis=1)),
    }
    return {name: value.mean() for name, value in values.items()}, found


def slopes(found, truth):
    """Slope (n_objects,) of the regression of `found` on `truth`, both (n_objects, n_grid)."""
    truth = truth - truth.mean(axis=1, keepdims=True)
    return (found * truth).sum(axis=1) / (truth**2).sum(axis=1)


def rank_correlations(found, truth):
    """Spearman's correlation (n_objects,) over the columns; 0 for what does not vary."""
    a, b = (rankdata(values, axis=1) - (values.shape[1] + 1) / 2 for values in (found, truth))
    norm = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), norm, out=np.zeros(len(a)), where=norm > 0)


def map_density(X, X_test, config, seed):
    """Log density (n_test,) by the cells of a map along the one dimension of a turn, up to a constant."""
    gng = GrowingNeuralGas(config.n_units, error_decay="auto", random_state=seed)
    return CodebookDensity(gng, kind="cell", intrinsic_dimension=1).fit(X).score_samples(X_test)


def neighbor_density(X, X_test):
    """The same from the distance to a near neighbour."""
    index = NearestNeighbors(n_neighbors=min(N_NEIGHBORS, len(X))).fit(X)
    return -_log_length(index.kneighbors(X_test)[0][:, -1])


def decode(X, yaw, X_test, test_yaw, seed):
    """Squared error of the decoded yaw and the variance that the map expects, (n_test,) each, radians squared."""
    readouts = (
        LocalPrecision(random_state=seed).fit(X, f(yaw)).predict(X_test, return_std=True) for f in (np.cos, np.sin)
    )
    (cosine, cosine_std), (sine, sine_std) = readouts
    error = np.angle(np.exp(1j * (np.arctan2(sine, cosine) - test_yaw)))
    return error**2, cosine_std**2 + sine_std**2


def _log_length(length):
    """Logarithm of lengths that rounding may have made 0."""
    return np.log(np.maximum(length, np.finfo(np.float32).tiny))
