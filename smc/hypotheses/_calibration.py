"""Do scores say how often their cells are hit? The error, and two numbers that mend it."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from topology._validation import check_integer, check_matrix

N_BINS = 15


def calibration_error(scores, hits, n_bins=N_BINS):
    """Expected calibration error: mean distance between score and frequency of hits, over bins of equal numbers.

    Parameters
    ----------
    scores : array-like (n_samples, n_hypotheses)
        Probabilities.
    hits : array-like (n_samples, n_hypotheses) of bool
        Whether each cell was hit.
    n_bins : int, default=15
        Bins hold equally many scores, since most scores are small.

    Returns
    -------
    error : float in [0, 1]

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), AAAI (the error); Nguyen and O'Connor (2015), EMNLP (bins of equal numbers).
    """
    scores, hits = check_matrix("scores", scores), check_matrix("hits", hits)
    n_bins = check_integer("n_bins", n_bins, 1)
    if scores.shape != hits.shape:
        raise ValueError(f"scores and hits must have the same shape, got {scores.shape} and {hits.shape}")
    if not np.isin(hits, (0, 1)).all():
        raise ValueError("hits must be True or False, or 0 or 1")
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError("scores must be probabilities in [0, 1]")
    order = np.argsort(scores, axis=None, kind="stable")
    excess = np.array_split((scores.ravel() - hits.ravel())[order], min(n_bins, scores.size))
    return float(sum(abs(part.sum()) for part in excess) / scores.size)


def fit_platt(logits, hits):
    """Slope above 0 and intercept of the logits that fit the hits best (Platt 1999).

    Targets are (h + 1) / (h + 2) for the h hits and 1 / (m + 2) for the m misses, so that few outcomes make no score
    sure. Where low scores are hit more often than high ones, the slope is 1; where the hits do not vary, (1, 0).
    """
    logits, hits = logits.ravel(), hits.ravel().astype(bool)
    if hits.all() or not hits.any():
        return 1.0, 0.0
    targets = np.where(hits, (hits.sum() + 1) / (hits.sum() + 2), 1 / ((~hits).sum() + 2))
    # Every outcome counts as a hit and as a miss, in the shares of its target.
    labels, weights = np.repeat([1, 0], len(logits)), np.concatenate([targets, 1 - targets])
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(np.tile(logits, 2)[:, None], labels, weights)
    if model.coef_[0, 0] > 0:
        return float(model.coef_[0, 0]), float(model.intercept_[0])
    farthest = np.abs(logits).max() + np.log(len(logits) + 2)
    return 1.0, float(brentq(lambda shift: (expit(logits + shift) - targets).sum(), -farthest, farthest))
