"""What another sense says of an ambiguous outcome: which hypothesis it supports, and what both say together."""

from itertools import product
from typing import NamedTuple

import numpy as np

from fusion import CausalInference, fuse_gaussians
from smc._scores import normalise_scores

BAYESIAN = ("averaging", "selection", "matching")
MOST_ASSIGNMENTS = 200_000


class FusedHypotheses(NamedTuple):
    """Hypotheses after another sense had its say: a mixture of K Gaussians per row.

    Attributes
    ----------
    weights : ndarray (n, K)
        Posterior probability of each hypothesis; rows sum to 1.
    means : ndarray (n, K, d)
    precisions : ndarray (n, K, d)
    """

    weights: np.ndarray
    means: np.ndarray
    precisions: np.ndarray


class CauseAssignment(NamedTuple):
    """Which hypothesis, if any, has the same cause as the cue.

    Attributes
    ----------
    posterior : ndarray (n, K + 1), or (n, m, K + 1) for m cues judged together
        Probability of each hypothesis to be it and, last, of none; sums to 1 along the last axis.
    means, precisions : ndarray of the same shape
        The cue's cause if that is so: fused with the hypothesis, or (last) by the cue alone, each with the prior.
    """

    posterior: np.ndarray
    means: np.ndarray
    precisions: np.ndarray


def fuse_hypotheses(hypotheses, scores, precision, cue, cue_precision):
    """Weigh scored hypotheses by a cue to the same quantity, and fuse each with it.

    The outcome is one of K Gaussians, with the normalised scores as prior: each hypothesis is weighed by how well it
    predicts the cue and fused with it by `fusion.fuse_gaussians`.

    Parameters
    ----------
    hypotheses : array-like (n, K, d)
    scores : array-like (n, K)
        At least 0, not all 0 in a row.
    precision : array-like that broadcasts to (n, K, d)
        Inverse variance of the outcome about each hypothesis, positive; of a `MultiHypothesisRegressor`
        ``bandwidth_**-2``.
    cue : array-like (n, d)
        In the units of the hypotheses.
    cue_precision : array-like that broadcasts to (n, d)
        Inverse variance of the cue (the `fusion.Precision` kind of trust), at least 0; 0 = no cue.

    Returns
    -------
    FusedHypotheses

    Raises
    ------
    ValueError
        Shapes that do not fit, NaN or infinity, scores that are negative or all zero, precisions out of range.

    Examples
    --------
    >>> fused = fuse_hypotheses([[[-1.0], [1.0]]], [[0.5, 0.5]], 4.0, [[0.5]], [[4.0]])
    >>> fused.weights.round(3).tolist(), fused.means.ravel().tolist()
    ([[0.119, 0.881]], [-0.25, 0.75])
    """
    hypotheses = _as_floats("hypotheses", hypotheses, 3)
    n, _, d = hypotheses.shape
    mass = normalise_scores(scores, hypotheses.shape[:2])
    precision = _as_precision("precision", precision, hypotheses.shape)
    cue = _as_floats("cue", cue, 2, (n, d))
    cue_precision = _as_precision("cue_precision", cue_precision, cue.shape, zero=True)[:, None]
    # Of how the cue scatters about a hypothesis only what differs between hypotheses, so that precision 0 says nothing.
    shared = precision / (precision + cue_precision)
    squares = cue_precision * np.square(cue[:, None] - hypotheses)
    log_weights = 0.5 * (np.log(shared) - shared * squares).sum(axis=2)
    with np.errstate(divide="ignore"):
        log_weights += np.log(mass)
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    both = np.stack(np.broadcast_arrays(hypotheses, cue[:, None]))
    precisions = np.stack(np.broadcast_arrays(precision, cue_precision))
    return FusedHypotheses(weights / weights.sum(axis=1, keepdims=True), *fuse_gaussians(both, precisions))


def assign_cause(observer, hypotheses, scores, precision, cue, cue_precision):
    """Causal inference with several hypotheses: which of them, if any, shares the cause of a cue?

    The cue has a cause in common with one of the things that the hypotheses stand for, with the observer's prior
    probability `p_common_`, shared out among them as their scores; else it has a cause of its own. One hypothesis gives
    the posterior of `CausalInference.common_cause_proba`.

    Several cues, such as sights of one scene, are judged together if they stand in one row: no two of them share a
    hypothesis, and the posterior of each is summed over all assignments that are possible. In rows of their own, with
    the same hypotheses, they are judged one by one, and two may claim one hypothesis.

    Parameters
    ----------
    observer : fusion.CausalInference
        One of the Bayesian strategies, fitted with precisions or with all parameters given.
    hypotheses : array-like (n, K)
        On the axis of the observer's prior. For directions take each within half a turn of the cue.
    scores : array-like (n, K)
        At least 0, not all 0 in a row. Of hypotheses with one mean for several sources, how probable each source is.
    precision : array-like that broadcasts to (n, K)
    cue : array-like (n,), or (n, m) for m cues judged together
    cue_precision : array-like that broadcasts to the shape of `cue`
        Inverse variances, positive.

    Returns
    -------
    CauseAssignment
        The observer's estimate of the cue's cause is ``(posterior * means).sum(axis=-1)`` when it averages, and the
        mean of the likeliest column when it selects.

    Raises
    ------
    TypeError, ValueError
        An observer that is no `CausalInference`, makes no posterior or was fitted without precisions; shapes that do
        not fit, NaN or infinity, scores that are negative or all zero, precisions that are not positive; cues in one
        row of which (K + 1)^m exceeds 200,000.

    References
    ----------
    Koerding et al. (2007), PLoS ONE 2:e943 (one hypothesis).

    Examples
    --------
    Two sights near one of two sounds: together, one of them has the other sound, or none.

    >>> observer = CausalInference(p_common=0.9, sigma=(1, 1), prior_mean=0, prior_sigma=10)
    >>> sounds = [[0.0, 5.0]], [[1.0, 1.0]], 1.0
    >>> assign_cause(observer, *sounds, [[0.1, 0.4]], 9.0).posterior.round(2).tolist()
    [[[0.51, 0.0, 0.49], [0.48, 0.0, 0.52]]]
    """
    if not isinstance(observer, CausalInference):
        raise TypeError(f"observer must be a CausalInference, got {type(observer).__name__}")
    if observer.strategy not in BAYESIAN or np.isnan(getattr(observer, "precision_scale_", 1.0)):
        raise ValueError(
            f"observer must have one of the strategies {', '.join(BAYESIAN)} and be fitted with precisions, if at all; "
            f"got {observer!r}"
        )
    hypotheses = _as_floats("hypotheses", hypotheses, 2)
    n, n_hypotheses = hypotheses.shape
    mass = normalise_scores(scores, hypotheses.shape)
    precision = _as_precision("precision", precision, hypotheses.shape)
    together = np.ndim(cue) == 2
    cue = _as_floats("cue", cue, 2, (n, np.shape(cue)[1])) if together else _as_floats("cue", cue, 1, (n,))
    cue_precision = _as_precision("cue_precision", cue_precision, cue.shape)
    if together:
        n_cues = cue.shape[1]
        if (n_hypotheses + 1) ** n_cues > MOST_ASSIGNMENTS:
            raise ValueError(f"cue must hold fewer cues per row, got {n_cues} for {n_hypotheses} hypotheses")
        # A row per cue, and back.
        hypotheses, mass, precision = (np.repeat(a, n_cues, axis=0) for a in (hypotheses, mass, precision))
        parts = _judge(observer, hypotheses, mass, precision, cue.ravel(), cue_precision.ravel())
        odds, means, precisions = (a.reshape(n, n_cues, n_hypotheses + 1) for a in parts)
        return CauseAssignment(_exclusive(odds), means, precisions)
    odds, means, precisions = _judge(observer, hypotheses, mass, precision, cue, cue_precision)
    return CauseAssignment(odds / (1 + odds[:, :-1].sum(axis=1, keepdims=True)), means, precisions)


def _judge(observer, hypotheses, mass, precision, cue, cue_precision):
    """Of one cue per row: odds of each hypothesis against none, fused means and precisions; none is the last column."""
    cue, cue_precision = (np.broadcast_to(a[:, None], hypotheses.shape) for a in (cue, cue_precision))
    pairs, trust = np.stack([hypotheses, cue]), np.stack([precision, cue_precision])
    common = observer.common_cause_proba(pairs.reshape(2, -1).T, precision=trust.reshape(2, -1).T)
    odds = mass * (common / np.maximum(1 - common, np.finfo(float).tiny)).reshape(hypotheses.shape)
    trust *= observer.precision_scale_
    prior = observer.prior_mean_, observer.prior_sigma_**-2
    fused, alone = fuse_gaussians(pairs, trust, prior), fuse_gaussians(cue[None, :, :1], trust[1:, :, :1], prior)
    return np.column_stack([odds, np.ones(len(odds))]), *(np.column_stack(parts) for parts in zip(fused, alone))


def _exclusive(odds):
    """Posteriors (n, m, K + 1) of m cues that share no hypothesis, from their odds one by one."""
    _, n_cues, n_columns = odds.shape
    assignments = np.array(list(product(range(n_columns), repeat=n_cues)))
    taken = [(assignments == k).sum(axis=1) for k in range(n_columns - 1)]
    assignments = assignments[np.max(taken, axis=0) <= 1]
    with np.errstate(divide="ignore"):
        log_odds = np.log(odds)
    posterior = np.empty_like(odds)
    for row, of_cues in zip(posterior, log_odds):
        log_weights = of_cues[np.arange(n_cues), assignments].sum(axis=1)
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        for i in range(n_cues):
            row[i] = np.bincount(assignments[:, i], weights, minlength=n_columns)
    return posterior


def _as_floats(name, values, n_dimensions, shape=None):
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != n_dimensions or not values.size or shape not in (None, values.shape):
        raise ValueError(f"{name} must have {shape or f'{n_dimensions} dimensions'}, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return values


def _as_precision(name, values, shape, zero=False):
    values = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(values).all() and (values.min() >= 0 if zero else values.min() > 0)):
        raise ValueError(f"{name} must be finite and {'at least' if zero else 'above'} 0")
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise ValueError(f"{name} must broadcast to {shape}, got shape {values.shape}") from None
