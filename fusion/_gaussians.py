"""Precision-weighted fusion of Gaussian estimates in closed form."""

import numpy as np


def fuse_gaussians(means, precisions, prior=None):
    """Fuse independent Gaussian estimates of one quantity; each cue weighs as much as its precision.

    Parameters
    ----------
    means : array-like of shape (n_cues, ...) or (n_cues, ..., d)
        One estimate per cue, finite, all in the same unit.
    precisions : array-like of shape (n_cues,), (n_cues, ...) or (n_cues, ..., d, d)
        Inverse variances, in units of ``means**-2`` (the `Precision` kind of trust; a `Reliability` in [0, 1] has no
        unit and does not belong here). With as many axes as `means`, scalar or diagonal precisions; an axis of
        length 1 is repeated, and shape (n_cues,) gives each cue one precision throughout. With one axis more,
        symmetric positive semi-definite matrices over the last axis of `means`. 0 ignores a cue. Infinity, in a
        matrix only on the diagonal, fixes the value and wins over every finite precision.
    prior : tuple (mean, precision), optional
        One more Gaussian, shaped like one cue; both broadcast.

    Returns
    -------
    mean : ndarray of shape (...) or (..., d)
    precision : ndarray of shape (...) or (..., d, d)
        The sum of the precisions.

    Raises
    ------
    ValueError
        NaN, shapes that do not fit, negative precision, no positive precision (in some direction) where no prior
        helps, or two infinite precisions with different means.

    References
    ----------
    Ernst & Banks (2002), Nature 415:429 (maximum-likelihood integration of cues).

    Examples
    --------
    >>> mean, precision = fuse_gaussians([10.0, 16.0], [2.0, 1.0])
    >>> float(mean), float(precision)
    (12.0, 3.0)
    """
    means = _as_floats(means, "means")
    precisions = _as_floats(precisions, "precisions")
    if means.ndim == 0 or means.size == 0:
        raise ValueError(f"means must have shape (n_cues, ...) and hold at least one cue; got shape {means.shape}")
    if not np.isfinite(means).all():
        raise ValueError("means must be finite; leave a cue out with precision 0 and any finite mean")
    precisions = _match(precisions, means.shape)
    full = precisions.ndim > means.ndim
    if prior is not None:
        means, precisions = _append_prior(means, precisions, prior)
    if np.isnan(precisions).any():
        raise ValueError("precisions must not contain NaN; 0 ignores a cue")
    return _fuse_matrices(means, precisions) if full else _fuse_scalars(means, precisions)


def _as_floats(values, name):
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a rectangular array of numbers; got {type(values).__name__}") from error


def _match(precisions, shape):
    """Precisions repeated to the shape that the means ask for."""
    if precisions.shape == shape[:1]:
        precisions = precisions.reshape(shape[:1] + (1,) * (len(shape) - 1))
    target = shape
    if precisions.ndim == len(shape) + 1 and precisions.shape[-2:] == (shape[-1], shape[-1]) and len(shape) > 1:
        target = (*shape, shape[-1])
    fits = precisions.ndim == len(target) and precisions.shape[0] == shape[0]
    if not fits or any(size not in (1, wanted) for size, wanted in zip(precisions.shape, target)):
        raise ValueError(
            f"precisions of shape {precisions.shape} do not fit means of shape {shape}; allowed are {shape[:1]}, "
            f"{shape} (scalar or diagonal) and, for means (n_cues, ..., d), (n_cues, ..., d, d)"
        )
    return np.broadcast_to(precisions, target)


def _append_prior(means, precisions, prior):
    try:
        prior_mean, prior_precision = prior
    except (TypeError, ValueError) as error:
        raise TypeError("prior must be a pair (mean, precision)") from error
    prior_mean, prior_precision = _as_floats(prior_mean, "prior mean"), _as_floats(prior_precision, "prior precision")
    if not np.isfinite(prior_mean).all():
        raise ValueError("prior mean must be finite")
    try:
        if precisions.ndim > means.ndim and prior_precision.ndim < 2:
            raise ValueError
        prior_mean = np.broadcast_to(prior_mean, means.shape[1:])
        prior_precision = np.broadcast_to(prior_precision, precisions.shape[1:])
    except ValueError as error:
        raise ValueError(
            f"prior must be a mean that broadcasts to {means.shape[1:]} and a precision that broadcasts to "
            f"{precisions.shape[1:]}; got {prior_mean.shape} and {prior_precision.shape}"
        ) from error
    return np.concatenate([means, prior_mean[None]]), np.concatenate([precisions, prior_precision[None]])


def _fuse_scalars(means, precisions):
    if (precisions < 0).any():
        raise ValueError("precisions must not be negative; 0 ignores a cue")
    largest = precisions.max(axis=0)
    if (largest == 0).any():
        raise ValueError(
            "precisions are all 0 somewhere and there is no prior with a positive precision: nothing to fuse"
        )
    fixed = np.isinf(largest)
    # Relative weights, so that neither very large nor very small precisions overflow or vanish in the sum.
    with np.errstate(invalid="ignore", over="ignore"):
        weights = np.where(fixed, np.isinf(precisions), precisions / largest)
        precision = precisions.sum(axis=0)
    _check_agreement(means, weights > 0, fixed)
    weights = weights / weights.sum(axis=0)
    return (weights * means).sum(axis=0), precision


def _check_agreement(means, certain, fixed):
    """Means that are certain must be the same up to rounding."""
    low = np.where(certain, means, np.inf).min(axis=0)
    high = np.where(certain, means, -np.inf).max(axis=0)
    if (fixed & (high - low > 1e-12 * np.maximum(abs(high), abs(low)))).any():
        raise ValueError("two cues of infinite precision disagree about the mean")


def _fuse_matrices(means, precisions):
    d = means.shape[-1]
    diagonal = np.diagonal(precisions, axis1=-2, axis2=-1)
    if np.isinf(precisions).sum() != np.isinf(diagonal).sum():
        raise ValueError("precisions may be infinite only on the diagonal of a matrix")
    if (diagonal < 0).any():
        raise ValueError("precisions must not be negative: a matrix has a negative diagonal entry")
    certain = np.isinf(diagonal)
    fixed = certain.any(axis=0)
    _check_agreement(means, certain, fixed)
    finite = np.where(np.isinf(precisions), 0.0, precisions)
    _check_semidefinite(finite, certain)

    precision = precisions.sum(axis=0)
    mean = np.where(certain, means, 0.0).sum(axis=0) / np.maximum(certain.sum(axis=0), 1)
    # Maximise the product of the Gaussians over the coordinates that no cue has fixed, given those that one has.
    pull = np.einsum("c...ij,c...j->...i", finite, means) - np.einsum("...ij,...j->...i", finite.sum(axis=0), mean)
    total = np.where(fixed[..., :, None] | fixed[..., None, :], np.eye(d), finite.sum(axis=0))
    scale = np.sqrt(np.diagonal(total, axis1=-2, axis2=-1))
    if (scale == 0).any() or (np.linalg.eigvalsh(_equilibrate(total, scale)) <= 4 * d * np.finfo(float).eps).any():
        raise ValueError("the precisions sum to a singular matrix: in some direction no cue and no prior says anything")
    step = np.linalg.solve(_equilibrate(total, scale), (pull / scale)[..., None])[..., 0] / scale
    return np.where(fixed, mean, step), precision


def _equilibrate(matrices, scale):
    """Matrices with unit diagonal, so that units of different size do not look like a singular matrix."""
    return matrices / scale[..., :, None] / scale[..., None, :]


def _check_semidefinite(matrices, certain):
    if (abs(matrices - np.swapaxes(matrices, -1, -2)) > 1e-8 * abs(matrices).max(axis=(-1, -2), keepdims=True)).any():
        raise ValueError("precisions must be symmetric matrices")
    scale = np.sqrt(np.diagonal(matrices, axis1=-2, axis2=-1))
    scale = np.where(scale > 0, scale, 1.0)
    inside = ~(certain[..., :, None] | certain[..., None, :])
    if (np.linalg.eigvalsh(_equilibrate(np.where(inside, matrices, 0.0), scale)) < -1e-8).any():
        raise ValueError("precisions must not be negative: a matrix has a negative eigenvalue")
