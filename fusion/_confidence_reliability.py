"""Reliability from what an expert says, instead of from what its sense looks like: the baselines of fusion."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp, xlogy
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from topology._validation import check_choice, check_integer, check_real

SCORES = ("entropy", "energy", "accuracy")
SMALLEST_PROBABILITY = 1e-12
LOG_TEMPERATURES = (-3.0, 3.0)


class ConfidenceReliability(BaseEstimator):
    """How sure an expert is, or how often it is right, as the reliability of its sense.

    The expert is calibrated by a temperature on samples left out of its fit. It needs no density, but an expert may be
    sure of itself on degraded input, which is why `DensityReliability` exists.

    Parameters
    ----------
    expert : classifier
        Cloned; give that of the modality. A `FrozenEstimator` is calibrated on X as it is.
    score : {"entropy", "energy", "accuracy"}, default="entropy"
        With C classes: "entropy" 1 - H(p) / log C; "energy" log sum_c exp(f_c / T), with f the ``decision_function``,
        from the lowest (0) to the highest (1) that occurred in calibration; "accuracy" the share of left-out samples
        that are recognised, (A - 1/C) / (1 - 1/C), the same for every sample.
    power : float > 0, default=1
        Exponent of the score.
    cv : int, default=5
        Folds of the calibration, fewer where a class has fewer samples.

    Attributes
    ----------
    expert_ : fitted classifier
    temperature_ : float
        Only for "entropy" and "energy".
    accuracy_ : float
        Of left-out samples.
    n_features_in_ : int

    References
    ----------
    Guo et al. (2017), ICML (temperature). Zhang et al. (2023), ICML (energy as the weight of a modality).
    """

    def __init__(self, expert, *, score="entropy", power=1.0, cv=5):
        self.expert = expert
        self.score = score
        self.power = power
        self.cv = cv

    def fit(self, X, y, groups=None):
        """Fit the expert and calibrate it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), clean samples
        y : array-like of shape (n_samples,), class labels, at least two of each
        groups : array-like of shape (n_samples,), default=None
            Groups that are left out of the fit as a whole.
        """
        self._check_parameters()
        if y is None:
            raise ValueError("y must hold the class label of each sample of X; got None")
        X, y = validate_data(self, X, y, ensure_min_samples=2)
        check_classification_targets(y)
        method = "decision_function" if self.score == "energy" else "predict_proba"
        if not hasattr(self.expert, method):
            raise TypeError(f'score="{self.score}" needs an expert with {method}; got {self.expert!r}')
        classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(classes) < 2 or counts.min() < 2:
            raise ValueError(
                f"y must hold at least 2 samples of at least 2 classes; got {len(classes)} class(es), {counts} samples"
            )
        n_folds = int(min(self.cv, counts.min()))
        folds = StratifiedKFold(n_folds) if groups is None else StratifiedGroupKFold(n_folds)
        logits = _as_logits(cross_val_predict(self.expert, X, y, groups=groups, cv=folds, method=method), method)
        self.accuracy_ = float((logits.argmax(axis=1) == codes).mean())
        if self.score != "accuracy":
            self.temperature_ = _fit_temperature(logits, codes)
        if self.score == "energy":
            energies = logsumexp(logits / self.temperature_, axis=1)
            self._lowest, self._highest = energies.min(), energies.max()
        self.expert_ = clone(self.expert).fit(X, y)
        self._n_classes = len(classes)
        return self

    def reliability(self, X):
        """Reliability of each sample, shape (n_samples,), in [0, 1]."""
        check_is_fitted(self, "expert_")
        X = validate_data(self, X, reset=False)
        return np.clip(self._confidence(X), 0, 1) ** self.power

    def _confidence(self, X):
        if self.score == "accuracy":
            chance = 1 / self._n_classes
            return np.full(len(X), (self.accuracy_ - chance) / (1 - chance))
        method = "decision_function" if self.score == "energy" else "predict_proba"
        logits = _as_logits(getattr(self.expert_, method)(X), method) / self.temperature_
        if self.score == "energy":
            span = max(self._highest - self._lowest, np.finfo(float).tiny)
            return (logsumexp(logits, axis=1) - self._lowest) / span
        p = np.exp(log_softmax(logits, axis=1))
        return 1 + xlogy(p, p).sum(axis=1) / np.log(self._n_classes)

    def _check_parameters(self):
        check_choice("score", self.score, SCORES)
        check_integer("cv", self.cv, 2)
        check_real("power", self.power, 0, open_low=True)
        if isinstance(self.expert, type) or not hasattr(self.expert, "fit"):
            raise TypeError(f"expert must be a classifier with fit; got {self.expert!r}")


def _as_logits(values, method):
    """Logits (n_samples, n_classes) from probabilities, or from a decision function with one column for two classes."""
    if method == "predict_proba":
        return np.log(np.maximum(values, SMALLEST_PROBABILITY))
    return values if values.ndim == 2 else np.column_stack([np.zeros(len(values)), values])


def _fit_temperature(logits, codes):
    rows = np.arange(len(codes))

    def loss(log_temperature):
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[rows, codes].mean()

    return float(np.exp(minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded").x))
