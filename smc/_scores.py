"""Scores of hypotheses as masses."""

import numpy as np


def normalise_scores(scores, shape):
    """Scores of K hypotheses along the last axis as masses that sum to 1."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != shape:
        raise ValueError(f"scores must have shape {shape}, one per hypothesis, got {scores.shape}")
    if not (np.isfinite(scores).all() and scores.min() >= 0):
        raise ValueError("scores must be finite and at least 0")
    largest = scores.max(axis=-1, keepdims=True)
    if (largest == 0).any():
        raise ValueError("scores must not all be zero: no hypothesis would carry mass")
    return scores / largest / (scores / largest).sum(axis=-1, keepdims=True)
