"""Precision of a sense, learned from the topology of its samples and the errors it makes there."""

import numbers
import warnings

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fusion._error_variance import CellVariances, Recalibration
from fusion._local_readout import Cells, LocalReadout
from fusion._typicality import prototypes_of
from topology import GrowingNeuralGas

N_NEAR = 8
N_FOLDS = 4
RIDGE = 1.0
PRIOR_WEIGHT = 10.0


class LocalPrecision(RegressorMixin, BaseEstimator):
    """Estimate a task variable y from one sense, and how precise the estimate is for each sample.

    Principal components of X are mapped; each cell of the map has a linear read-out of y and the variance of its
    cross-fitted errors; a second pass weights samples by their precision; the variances are recalibrated by likelihood.
    No noise level is ever given. Learned from errors, not from density: how often a sample occurs says nothing about
    how well it tells y.

    Parameters
    ----------
    estimator : estimator, default=None
        Map with ``prototypes_`` (or ``cluster_centers_``) and, if it is a graph, ``edges_``; cloned. None:
        `topology.GrowingNeuralGas` of up to 200 units, one per 25 samples.
    n_components : int, default=12
        Principal components kept. X is scaled only as a whole: standardise features of different units beforehand.
    memory : float or None, default=5000
        Number of samples after which the weight of old errors has fallen to 1/e in `partial_fit`. None never forgets;
        the precision of a sense that improves then lags behind.
    random_state : int, RandomState or None, default=None
        Seeds the default map and draws the folds.

    Attributes
    ----------
    estimator_ : estimator
        Fitted map of the scaled components.
    recalibration_ : tuple (a, b)
        Variances v become v0 e**a (v / v0)**b, with v0 the overall variance; b near 1 says that little was needed.
    n_samples_seen_ : int
    n_features_in_ : int

    Notes
    -----
    The estimate is near a posterior mean under the distribution of y in the training data: for blurred samples it is
    pulled toward the mean of y. Precision counts that bias as error.

    Precision says what errors were made near a sample, not whether anything was ever met there: far off its map a
    sample gets the precision of the nearest cells, unchanged. `DensityReliability` tells such samples.
    """

    def __init__(self, estimator=None, *, n_components=12, memory=5000, random_state=None):
        self.estimator = estimator
        self.n_components = n_components
        self.memory = memory
        self.random_state = random_state

    def fit(self, X, y, *, target_variance=None, X_again=None):
        """Learn the map, the read-out and its precision.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            The task variable, from self-motion or another sense. One scalar: for a vector fit one model per coordinate.
        target_variance : float or array-like of shape (n_samples,), default=None
            Variance of the noise in y itself, in units of y**2; it is taken out of the errors. None means exact y.
        X_again : array-like of shape (n_samples, n_features), default=None
            A second glance at each event, with noise of its own. The variance is then learned from half the squared
            difference between the estimates from both glances, whatever the noise in y; it is blind to all that both
            glances share, such as the pull toward the mean of y.

        Raises
        ------
        ValueError
            Bad parameters, wrong shapes, NaN or infinity, y or X that does not vary, negative `target_variance`.

        Warns
        -----
        RuntimeWarning
            Where `target_variance` leaves cells no error of their own; their variance is then bounded below by what
            that noise lets one resolve.
        """
        self._check_parameters()
        _check_numbers(y)
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        noise = _check_target_variance(target_variance, len(y))
        X_again = self._check_second_glance(X_again, X)
        rng = check_random_state(self.random_state)
        self._scale_target(y)
        Z = self._fit_map(X, rng)
        sample = (Z, (y - self._y_mean) / self._y_scale, noise / self._y_scale**2, *self._cells.locate(Z))
        again = None if X_again is None else self._place(X_again)
        folds = rng.permutation(len(y)) % min(N_FOLDS, len(y))
        first = self._cross_fit(*sample, again, folds, np.ones(len(y)))
        self._weight_reference = first.mean()
        self._cross_fit(*sample, again, folds, self._weight_reference / first)
        self._warn_if_unresolved()
        self.n_samples_seen_ = len(y)
        return self

    def partial_fit(self, X, y, *, target_variance=None, X_again=None):
        """Go on learning on the fitted map; the first call is a `fit`.

        The read-out keeps sums over all samples and loses nothing. Its errors are those made before learning from the
        batch; old ones fade with `memory`.
        """
        if not hasattr(self, "n_samples_seen_"):
            return self.fit(X, y, target_variance=target_variance, X_again=X_again)
        _check_numbers(y)
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, reset=False)
        noise = _check_target_variance(target_variance, len(y)) / self._y_scale**2
        y = (y - self._y_mean) / self._y_scale
        X_again = self._check_second_glance(X_again, X)
        again = None if X_again is None else self._place(X_again)
        Z, cells, shares = self._place(X)
        squared_errors, error_noise = self._find_errors(y, noise, (Z, cells, shares), again, self._coefficients)
        raw = self._raw_variances(cells, shares)
        weights = self._weight_reference / (self._variance(cells, shares) + noise)
        first_fold = np.zeros(len(y), dtype=np.intp)
        self._readout.add(Z, y, weights, cells, shares, first_fold)
        keep = 1.0 if self.memory is None else np.exp(-len(y) / self.memory)
        for statistics in (self._errors, self._recalibration):
            statistics.fade(keep)
        self._errors.add(squared_errors, error_noise, cells, shares, first_fold)
        self._recalibration.add(raw, squared_errors, error_noise)
        self._solve()
        self._warn_if_unresolved()
        self.n_samples_seen_ += len(y)
        return self

    def predict(self, X, return_std=False):
        """Estimate of y, shape (n_samples,); with `return_std` also its standard deviation, precision**-0.5."""
        glance = self._locate(X)
        estimates = self._y_mean + self._y_scale * self._readout.predict(*glance, self._coefficients)
        return (estimates, self._y_scale * np.sqrt(self._variance(*glance[1:]))) if return_std else estimates

    def precision(self, X):
        """Inverse variance of the estimate, shape (n_samples,), in units of y**-2."""
        return 1 / (self._variance(*self._locate(X)[1:]) * self._y_scale**2)

    @property
    def recalibration_(self):
        return self._recalibration.a, self._recalibration.b

    def _scale_target(self, y):
        self._y_mean, self._y_scale = y.mean(), y.std()
        if self._y_scale <= 10 * np.finfo(float).eps * abs(self._y_mean):
            raise ValueError("y must vary: nothing can be learned from a constant task variable")

    def _fit_map(self, X, rng):
        if (X == X[0]).all():
            raise ValueError("X must vary: all samples are the same")
        # Centred beforehand, for the covariance of samples far from the origin loses its digits.
        self._x_mean = X.mean(axis=0)
        n_components = min(self.n_components, *X.shape)
        self._pca = PCA(n_components, random_state=rng.randint(2**31)).fit(X - self._x_mean)
        # One scale for all components: their relative size, hence the noise they carry, stays as it is.
        self._x_scale = np.sqrt(self._pca.explained_variance_.mean())
        Z = self._project(X)
        if self.estimator is None:
            n_units = int(np.clip(len(X) // 25, 2, 200))
            self.estimator_ = GrowingNeuralGas(max_units=n_units, random_state=rng.randint(2**31)).fit(Z)
        else:
            self.estimator_ = clone(self.estimator).fit(Z, None)
        self._cells = Cells(prototypes_of(self.estimator_), getattr(self.estimator_, "edges_", None), Z, N_NEAR)
        return Z

    def _cross_fit(self, Z, y, noise, cells, shares, again, folds, weights):
        """Learn read-out, variances and recalibration; return the variance of each sample's target about it."""
        n_folds = folds.max() + 1
        self._readout = LocalReadout(self._cells, n_folds, RIDGE)
        self._readout.add(Z, y, weights, cells, shares, folds)
        squared_errors, error_noise, raw = np.empty((3, len(y)))
        for fold in range(n_folds):
            rows = folds == fold
            glance = [part[rows] for part in (Z, cells, shares)]
            second = None if again is None else [part[rows] for part in again]
            squared_errors[rows], error_noise[rows] = self._find_errors(
                y[rows], noise[rows], glance, second, self._readout.solve(without_fold=fold)
            )
        self._errors = CellVariances(self._cells, n_folds, PRIOR_WEIGHT)
        self._errors.add(squared_errors, error_noise, cells, shares, folds)
        for fold in range(n_folds):
            rows = folds == fold
            variances, _ = self._errors.solve(without_fold=fold)
            raw[rows] = (shares[rows] * variances[cells[rows]]).sum(axis=1)
        self._recalibration = Recalibration()
        self._recalibration.add(raw, squared_errors, error_noise)
        self._solve()
        return self._calibrated(raw, cells, shares) + noise

    def _find_errors(self, y, noise, glance, again, coefficients):
        """Squared errors (n_samples,), and how much of each is expected from the noise of y."""
        estimates = self._readout.predict(*glance, coefficients)
        if again is None:
            return (y - estimates) ** 2, noise
        return (estimates - self._readout.predict(*again, coefficients)) ** 2 / 2, np.zeros(len(y))

    def _solve(self):
        self._coefficients = self._readout.solve()
        self._variances, self._floors = self._errors.solve()
        self._recalibration.fit(self._errors.overall())

    def _raw_variances(self, cells, shares):
        return (shares * self._variances[cells]).sum(axis=1)

    def _variance(self, cells, shares):
        return self._calibrated(self._raw_variances(cells, shares), cells, shares)

    def _calibrated(self, raw, cells, shares):
        return np.maximum(self._recalibration(raw, self._errors.overall()), (shares * self._floors[cells]).sum(axis=1))

    def _warn_if_unresolved(self):
        share = np.mean((self._floors > 0) & (self._variances <= self._floors))
        if share > 0:
            warnings.warn(
                f"target_variance accounts for all of the error in {share:.0%} of the cells: their variance is bounded "
                f"below by what that noise lets one resolve; check that target_variance is not too large",
                RuntimeWarning,
                stacklevel=3,
            )

    def _project(self, X):
        return self._pca.transform(X - self._x_mean) / self._x_scale

    def _locate(self, X):
        check_is_fitted(self)
        return self._place(validate_data(self, X, dtype=np.float64, reset=False))

    def _place(self, X):
        """Components of checked samples, the cells near them, and their share in each."""
        Z = self._project(X)
        return Z, *self._cells.locate(Z)

    def _check_second_glance(self, X_again, X):
        if X_again is None:
            return None
        X_again = validate_data(self, X_again, dtype=np.float64, reset=False)
        if len(X_again) != len(X):
            raise ValueError(f"X_again must hold a second glance at each of the {len(X)} samples; got {len(X_again)}")
        return X_again

    def _check_parameters(self):
        if not isinstance(self.n_components, numbers.Integral) or self.n_components < 1:
            raise ValueError(f"n_components must be an integer of at least 1; got {self.n_components!r}")
        if self.memory is not None and (not isinstance(self.memory, numbers.Real) or not self.memory > 0):
            raise ValueError(f"memory must be None or a positive number of samples; got {self.memory!r}")


def _check_numbers(y):
    if y is not None and np.asarray(y).dtype.kind in "USMm":
        raise TypeError(f"y must hold real numbers, got dtype {np.asarray(y).dtype}")


def _check_target_variance(target_variance, n_samples):
    noise = np.asarray(0.0 if target_variance is None else target_variance, dtype=float)
    if noise.shape not in ((), (n_samples,)):
        raise ValueError(f"target_variance must be a number or have shape ({n_samples},); got shape {noise.shape}")
    if not np.isfinite(noise).all() or (noise < 0).any():
        raise ValueError("target_variance must be finite and not negative; it is the variance of the noise in y")
    return np.broadcast_to(noise, (n_samples,))
