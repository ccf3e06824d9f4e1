"""Whether precision was deserved: predicted variance held against the squared errors that were made."""

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import _num_samples, column_or_1d

from topology._validation import check_integer

N_COMPONENTS = 12
N_NEIGHBORS = 50


@dataclass(frozen=True)
class PrecisionCalibration:
    """Calibration of a `Precision` on samples that it did not learn from; see `precision_calibration`.

    Attributes
    ----------
    predicted, measured, standard_errors : ndarray of shape (n_bins,)
        Mean predicted variance, mean squared error and its standard error, in bins of equal count, increasing in
        predicted variance, in units of y**2.
    counts : ndarray of int, shape (n_bins,)
    slope : float
        Of log measured on log predicted: 1 is right, below 1 the differences are exaggerated. NaN with one bin.
    rank_correlation : dict of str to float
        Spearman correlation of the predicted variance with "squared error" (low even for perfect precision, as single
        squared errors scatter) and, if it was given, with the "true variance". NaN if precision does not vary.
    negative_log_likelihood : dict of str to float
        Mean of .5 log(2 pi v) + e**2 / (2 v), in nats, of the model's errors e under its own variance ("predicted"),
        under the best constant in hindsight ("constant"), and under "nearest neighbours" and the "true variance" where
        they were asked for.
    """

    predicted: np.ndarray
    measured: np.ndarray
    standard_errors: np.ndarray
    counts: np.ndarray
    slope: float
    rank_correlation: dict[str, float] = field(default_factory=dict)
    negative_log_likelihood: dict[str, float] = field(default_factory=dict)

    def summary(self):
        """The single numbers, name -> value, as one row of a table."""
        return (
            {"slope": self.slope}
            | {f"rank correlation, {name}": value for name, value in self.rank_correlation.items()}
            | {f"NLL, {name}": value for name, value in self.negative_log_likelihood.items()}
        )


def precision_calibration(model, X, y, *, n_bins=10, true_variance=None, held_out=None):
    """Hold the precision of a model against the errors that it makes.

    Parameters
    ----------
    model : Precision with ``predict``, fitted
        Such as `LocalPrecision`.
    X : array-like of shape (n_samples, n_features)
        Samples that the model did not learn from.
    y : array-like of shape (n_samples,)
        What the model estimates.
    n_bins : int, default=10
    true_variance : array-like of shape (n_samples,), optional
        Variance of the model's estimate given the true stimulus, where a simulation knows it: the ceiling.
    held_out : tuple (X, y), optional
        More samples that the model did not learn from; the mean squared error of the 50 nearest of them, in 12
        principal components, is the baseline "nearest neighbours", which stores every sample.

    Returns
    -------
    PrecisionCalibration

    Raises
    ------
    ValueError
        Shapes that disagree, y that is not finite, or a true variance that is not positive and finite.
    """
    check_integer("n_bins", n_bins, 1)
    y = _check_target("y", y, X)
    if held_out is not None:
        held_out = held_out[0], _check_target("y of held_out", held_out[1], held_out[0])
    variance, squared_error = 1 / model.precision(X), (y - model.predict(X)) ** 2
    references = {"constant": np.full(len(y), squared_error.mean())}
    if held_out is not None:
        references["nearest neighbours"] = _neighbour_variance(model, *held_out, X)
    ranked = {"squared error": squared_error}
    if true_variance is not None:
        true_variance = column_or_1d(np.asarray(true_variance, dtype=float))
        if true_variance.shape != y.shape or not np.isfinite(true_variance).all() or (true_variance <= 0).any():
            raise ValueError(f"true_variance must hold {len(y)} positive finite numbers, one per sample of X")
        references["true variance"] = ranked["true variance"] = true_variance
    varies = np.ptp(variance) > 0
    bins = equal_bins(variance, n_bins)
    predicted, measured = (np.array([v[rows].mean() for rows in bins]) for v in (variance, squared_error))
    return PrecisionCalibration(
        predicted=predicted,
        measured=measured,
        standard_errors=np.array([squared_error[rows].std() / np.sqrt(len(rows)) for rows in bins]),
        counts=np.array([len(rows) for rows in bins]),
        slope=float(np.polyfit(np.log(predicted), np.log(measured), 1)[0]) if len(bins) > 1 else np.nan,
        rank_correlation={
            name: float(spearmanr(variance, values).statistic) if varies else np.nan for name, values in ranked.items()
        },
        negative_log_likelihood={
            name: gaussian_negative_log_likelihood(squared_error, v)
            for name, v in ({"predicted": variance} | references).items()
        },
    )


def _check_target(name, y, X):
    y = column_or_1d(np.asarray(y, dtype=float))
    if len(y) != _num_samples(X) or not np.isfinite(y).all():
        raise ValueError(f"{name} must hold {_num_samples(X)} finite numbers, one per sample of X; got {len(y)} values")
    return y


def gaussian_negative_log_likelihood(squared_error, variance):
    """Mean of .5 log(2 pi v) + e**2 / (2 v), in nats."""
    return float(np.mean(0.5 * np.log(2 * np.pi * variance) + squared_error / (2 * variance)))


def equal_bins(values, n_bins):
    """Rows of bins of about equal count, in increasing order; equal values share a bin."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    member = np.searchsorted(edges, values, side="left")
    return [np.flatnonzero(member == b) for b in np.unique(member)]


def _neighbour_variance(model, X, y, X_test):
    squared_error = (y - model.predict(X)) ** 2
    X, X_test = np.asarray(X, dtype=float), np.asarray(X_test, dtype=float)
    pca = PCA(min(N_COMPONENTS, *X.shape), random_state=0).fit(X)
    nearest = NearestNeighbors(n_neighbors=min(N_NEIGHBORS, len(X))).fit(pca.transform(X))
    return squared_error[nearest.kneighbors(pca.transform(X_test), return_distance=False)].mean(axis=1)
