"""Who answers for a sample, and by how much? Six rules from distances (B, K) to weights (B, K).

One family for maps (units compete for samples) and for networks with several hypotheses (heads compete for outcomes).
Every rule takes a row of distances per sample and returns non-negative weights that sum to 1 in every row, as an array
of the same library, device and precision: numpy, torch or any other that follows the array API. Integers become the
library's default floating type, lists become numpy arrays.

Any dissimilarity will do, a loss included: all rules but `boltzmann` depend on the order within a row alone. Where two
distances are equal, the lower index comes first.

`boltzmann` is differentiable in the distances, so that a user who wants it held constant, as annealed training does,
detaches the weights. The other rules are piecewise constant: the gradient of ``(weights * distances).sum()`` is the
weights themselves.
"""

import math

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj

from topology._validation import check_integer, check_real

FAR = 800.0  # exp(-FAR) is 0 in every floating type: larger arguments are cut off before they can overflow

__all__ = ["boltzmann", "lattice", "neural_gas", "relaxed", "top_n", "winner_take_all"]


def winner_take_all(distances):
    """All weight on the nearest: w_k = 1 for k = argmin d, else 0.

    Parameters
    ----------
    distances : array (B, K)
        Finite.

    Returns
    -------
    weights : array (B, K), rows sum to 1

    Raises
    ------
    TypeError
        Not real numbers.
    ValueError
        Not two-dimensional, no column, NaN or infinite.
    """
    xp, distances = _check(distances)
    return _one_hot(xp, distances)


def relaxed(distances, epsilon=0.05):
    """The winner shares a little with all others: w = 1 - epsilon for the winner, epsilon / (K - 1) for each other.

    Parameters
    ----------
    distances : array (B, K)
        Finite.
    epsilon : float in [0, 1], default=0.05
        What the others get together; with one column the winner keeps everything.

    Returns
    -------
    weights : array (B, K), rows sum to 1

    References
    ----------
    Rupprecht et al. (2017), Learning in an uncertain world: representing ambiguity through multiple hypotheses, ICCV.
    """
    epsilon = check_real("epsilon", epsilon, 0, 1)
    xp, distances = _check(distances)
    winner = _one_hot(xp, distances)
    n_others = distances.shape[1] - 1
    if n_others == 0:
        return winner
    return (1 - epsilon) * winner + epsilon / n_others * (1 - winner)


def top_n(distances, n):
    """Equal weight on the n nearest: w = 1 / n for ranks below n, else 0.

    Training lets n fall from K to 1.

    Parameters
    ----------
    distances : array (B, K)
        Finite.
    n : int from 1 to K

    Returns
    -------
    weights : array (B, K), rows sum to 1

    References
    ----------
    Makansi et al. (2019), Overcoming limitations of mixture density networks, CVPR (evolving winner-takes-all).
    """
    n = check_integer("n", n, 1)
    xp, distances = _check(distances)
    if n > distances.shape[1]:
        raise ValueError(f"n must be at most the number of columns of distances, {distances.shape[1]}, got {n}")
    return xp.astype(_ranks(xp, distances) < n, distances.dtype) / n


def boltzmann(distances, temperature):
    """Gibbs distribution of the distances: w_k = exp(-d_k / temperature) / sum_j exp(-d_j / temperature).

    Differentiable in the distances. With squared distances the weights are the posterior of equal Gaussians of
    variance temperature / 2.

    Parameters
    ----------
    distances : array (B, K)
        Finite.
    temperature : float > 0
        In the units of the distances. Low: winner take all; high: equal weights.

    Returns
    -------
    weights : array (B, K), rows sum to 1

    References
    ----------
    Rose, Gurewitz and Fox (1990), Statistical mechanics and phase transitions in clustering, Phys. Rev. Lett. 65:945.
    """
    temperature = check_real("temperature", temperature, 0, open_low=True)
    xp, distances = _check(distances)
    excess = distances - xp.min(distances, axis=1, keepdims=True)
    return _normalised(xp, xp.exp(-_ratio(xp, excess, temperature, FAR)))


def neural_gas(distances, radius):
    """Weight by rank: w_k proportional to exp(-rank_k / radius), the nearest having rank 0.

    Needs no scale in the units of the distances. Training lets the radius, the lambda of the source, fall.

    Parameters
    ----------
    distances : array (B, K)
        Finite.
    radius : float > 0
        In ranks.

    Returns
    -------
    weights : array (B, K), rows sum to 1

    References
    ----------
    Martinetz, Berkovich and Schulten (1993), IEEE Trans. Neural Networks 4:558.
    """
    radius = check_real("radius", radius, 0, open_low=True)
    xp, distances = _check(distances)
    ranks = xp.astype(_ranks(xp, distances), distances.dtype)
    return _normalised(xp, xp.exp(-_ratio(xp, ranks, radius, FAR)))


def lattice(distances, positions, radius, *, period=None):
    """Weight by place on a lattice: w_k proportional to exp(-|p_k - p_winner|^2 / (2 radius^2)).

    Parameters
    ----------
    distances : array (B, K)
        Finite.
    positions : array (K, n_axes)
        Places of the units on the lattice, for example `positions_` of a self-organizing map.
    radius : float > 0
        In the units of `positions`.
    period : sequence of float > 0 (n_axes,), optional
        Lengths after which a periodic lattice repeats along every axis; differences are taken the short way round.

    Returns
    -------
    weights : array (B, K), rows sum to 1

    References
    ----------
    Kohonen (1982), Biological Cybernetics 43:59.
    """
    radius = check_real("radius", radius, 0, open_low=True)
    xp, distances = _check(distances)
    positions = _check_positions(xp, positions, distances)
    lengths = [None] * positions.shape[1] if period is None else _check_period(period, positions.shape[1])
    winners = xp.argmin(distances, axis=1)
    squares = xp.zeros_like(distances)
    for axis, length in enumerate(lengths):
        places = positions[:, axis]
        steps = xp.abs(places[None, :] - xp.take(places, winners, axis=0)[:, None])
        if length is not None:
            steps = steps % length
            steps = xp.minimum(steps, length - steps)
        squares = squares + _ratio(xp, steps, radius, math.sqrt(2 * FAR)) ** 2
    return _normalised(xp, xp.exp(-squares / 2))


def _check(distances):
    """The array library of the distances, and the distances as a finite floating array (B, K)."""
    xp, distances = _floating("distances", distances)
    if distances.ndim != 2 or distances.shape[1] == 0:
        raise ValueError(f"distances must have shape (B, K) with K >= 1, got {tuple(distances.shape)}")
    if not bool(xp.all(xp.isfinite(distances))):
        raise ValueError("distances must be finite, got NaN or infinity")
    return xp, distances


def _check_positions(xp, positions, distances):
    if not is_array_api_obj(positions) or array_namespace(positions) is not xp:
        positions = xp.asarray(positions, device=device(distances))
    _, positions = _floating("positions", positions)
    if positions.ndim != 2 or positions.shape[0] != distances.shape[1] or positions.shape[1] == 0:
        raise ValueError(
            f"positions must have shape (K, n_axes) with K = {distances.shape[1]}, got {tuple(positions.shape)}"
        )
    if not bool(xp.all(xp.isfinite(positions))):
        raise ValueError("positions must be finite, got NaN or infinity")
    return xp.astype(positions, distances.dtype)


def _check_period(period, n_axes):
    period = [check_real(f"period[{axis}]", length, 0, open_low=True) for axis, length in enumerate(period)]
    if len(period) != n_axes:
        raise ValueError(f"period must have one length for each of the {n_axes} axes of positions, got {period}")
    return period


def _floating(name, array):
    if not is_array_api_obj(array):
        array = np.asarray(array)
    xp = array_namespace(array)
    if xp.isdtype(array.dtype, "integral"):
        return xp, xp.astype(array, xp.asarray(0.0).dtype)
    if not xp.isdtype(array.dtype, "real floating"):
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return xp, array


def _one_hot(xp, distances):
    units = xp.arange(distances.shape[1], device=device(distances))
    winners = xp.argmin(distances, axis=1)
    return xp.astype(winners[:, None] == units[None, :], distances.dtype)


def _ranks(xp, distances):
    """Place of every entry in its row, 0 for the smallest; equal entries in the order of their indices."""
    order = xp.argsort(distances, axis=1, stable=True)
    return xp.argsort(order, axis=1, stable=False)  # no two entries are equal


def _ratio(xp, values, scale, most):
    """values / scale, at most `most`, for a scale as small as it may be."""
    scale = max(scale, float(xp.finfo(values.dtype).smallest_normal))
    return xp.clip(values, max=most * scale) / scale


def _normalised(xp, weights):
    return weights / xp.sum(weights, axis=1, keepdims=True)
