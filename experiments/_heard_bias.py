"""How far a flash shifts where a click is heard, of an agent and of the ideal observer."""

import numpy as np

from fusion import CausalInference

N_NODES = 41


def observer_of(strategy, p_common, prior_sigma, **settings):
    """Observer of a flash and a click, who expects sources around straight ahead."""
    return CausalInference(strategy, p_common=p_common, prior_mean=0.0, prior_sigma=prior_sigma, **settings)


def heard_shift(observer, x, precision):
    """Shift (n_trials,) of what is heard against what the same click alone would have been heard as.

    The raw error of what is heard would hold the pull toward the prior as well. `x` and `precision` (n_trials, 2) are
    estimates of the flash and the click and their inverse variances.
    """
    alone = np.column_stack([np.full(len(x), np.nan), x[:, 1]])
    return (observer.predict(x, precision=precision) - observer.predict(alone, precision=precision))[:, 1]


def ideal_bias(observer, sigma, pair):
    """Expected shift of an ideal observer with noise `sigma` (2,) over the distance of `pair`, a flash and a click.

    Gauss-Hermite quadrature over its measurements.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    weights = np.outer(weights, weights).ravel() / weights.sum() ** 2
    measured = pair + np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2) * sigma
    shift = heard_shift(observer, measured, np.broadcast_to(np.asarray(sigma) ** -2.0, measured.shape))
    return weights @ shift / (pair[0] - pair[1])
