"""What a continuous action changes: linear maps over the cells of a map, and how far to trust them."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from smc._cells import Cells, apply_linear_maps, fit_linear_maps
from smc._noise import CellNoise
from smc._ridge import CrossValidatedRidge, Features
from smc._transitions import pick_modality
from topology import GrowingNeuralGas
from topology._validation import check_generator, check_integer

LOCAL_RIDGES = (1.0, 10.0, 100.0, 1000.0, np.inf)
STEPS_PER_UNIT, MAX_UNITS = 75, 200


class LocalLinearContingency(BaseEstimator):
    """Predicted change of one sense under a continuous action, and the variance of its error.

    The change is a ridge regression on the observation, on features phi of the action and on products of both. In each
    cell of a map of the sense, a further ridge regression of what remains on [1, phi] is pooled with the cell's
    neighbours and blended between the nearest units. All penalties are chosen by cross-validation.

    The variance is learned from errors on left-out folds: per cell and output, times a factor that is log-linear in the
    cell's noise and in phi. Folds leave out whole groups if the transitions have at least `n_folds` of them, so that
    the variance holds for new groups, such as objects never seen.

    Parameters
    ----------
    estimator : estimator, optional
        Map with ``fit``, ``predict``, ``prototypes_`` and ``edges_``; a clone is fitted on the observations. Wrap a
        fitted map in `sklearn.frozen.FrozenEstimator` to keep it. Default: a `topology.GrowingNeuralGas` with one unit
        per 75 steps, at most 200.
    modality : str, optional
        The sense to predict; to be named if the transitions have several.
    action_features : callable, optional
        ``phi(action) -> (n, m)``. Default: the components of the action, their squares and products. Sines and cosines
        suit turns of up to half a circle.
    n_components : int, default=24
        Principal components of the observation whose products with phi are features.
    n_folds : int, default=4
    random_state : int, RandomState, Generator or None
        Seeds the folds and the default map.

    Attributes
    ----------
    estimator_ : estimator
        The fitted map.
    ridge_, local_ridge_ : float
        Chosen penalties, in steps; an infinite `local_ridge_` means that the cells did not help.
    noise_variance_ : ndarray (n_units, n_features)
        Variance of the error in each cell, in squared units of the sense, before the factor.

    Examples
    --------
    >>> import numpy as np
    >>> from smc import Transitions
    >>> rng = np.random.default_rng(0)
    >>> angle, turn = rng.uniform(-3, 3, 500), rng.uniform(-0.5, 0.5, 500)
    >>> on_ring = lambda angle: np.column_stack([np.cos(angle), np.sin(angle)])
    >>> steps = Transitions({"eye": on_ring(angle)}, turn[:, None], {"eye": on_ring(angle + turn)})
    >>> model = LocalLinearContingency(random_state=0).fit(steps)
    >>> change, variance = model.predict([[1.0, 0.0]], [[0.2]])
    >>> change.round(1).tolist()
    [[-0.0, 0.2]]
    """

    def __init__(
        self, estimator=None, *, modality=None, action_features=None, n_components=24, n_folds=4, random_state=None
    ):
        self.estimator = estimator
        self.modality = modality
        self.action_features = action_features
        self.n_components = n_components
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, transitions):
        """Learn from `transitions` (`Transitions`) with observations (n, n_features) and real actions (n, d).

        Raises
        ------
        ValueError
            If the sense is not named, not a vector per step, or there are fewer than ``5 * n_folds`` steps.
        """
        self._check_parameters()
        X, action, change = self._read(transitions)
        if len(X) < 5 * self.n_folds:
            raise ValueError(f"transitions must hold at least 5 * n_folds = {5 * self.n_folds} steps; got {len(X)}")
        phi = self._phi(action)
        rng = check_generator(self.random_state)
        folds = _draw_folds(len(X), transitions.group, self.n_folds, rng)
        self.estimator_ = self._fit_map(X, rng)
        self.n_features_in_, self._n_action = X.shape[1], action.shape[1:]
        self._cells = Cells(self.estimator_.prototypes_, self.estimator_.edges_, X)
        self._features = Features(X, phi, self.n_components)
        features, phi = self._features(X, phi)
        inputs, shares = _with_constant(phi), self._cells.shares(X)

        self._ridge = CrossValidatedRidge(features, change, folds, self.n_folds)
        self.ridge_ = self._ridge.ridge
        errors = self._left_out_errors(features, inputs, shares, change, folds)
        best = int(np.argmin([(error**2).sum() for error in errors]))
        self.local_ridge_ = LOCAL_RIDGES[best]
        residual = change - self._ridge.predict(features)
        (self._maps,) = fit_linear_maps(self._cells, shares, inputs, residual, [self.local_ridge_])
        self._noise = CellNoise(self._cells, shares, phi, errors[best] ** 2, folds, self.n_folds)
        self.noise_variance_ = self._noise.variance
        return self

    def predict(self, X, action):
        """Predict what an action changes.

        Parameters
        ----------
        X : array (n_samples, n_features)
            Observations.
        action : array (n_samples, d)

        Returns
        -------
        change : ndarray (n_samples, n_features)
            Predicted next observation minus observation, in units of the sense.
        variance : ndarray (n_samples, n_features)
            Expected squared error of each component of `change`.
        """
        X, action = self._check_inputs(X, action)
        features, phi = self._features(X, self._phi(action))
        shares = self._cells.shares(X)
        change = self._ridge.predict(features)
        if np.isfinite(self.local_ridge_):
            change += apply_linear_maps(self._maps, shares, _with_constant(phi))
        return change, self._noise.predict(shares, phi)

    def units(self, X):
        """Number of the best matching unit of each observation (n_samples,)."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict(X)

    def score(self, transitions):
        """R2 of the predicted change: 1 - sum |error|^2 / sum |change - mean change|^2, summed over steps and outputs.

        The mean is that of the given steps; predicting no change at all scores 0 or a little less.
        """
        X, action, change = self._read(transitions)
        error = change - self.predict(X, action)[0]
        total = ((change - change.mean(axis=0)) ** 2).sum()
        if total == 0.0:
            raise ValueError("transitions must hold changes that differ, for R2 compares with their variance")
        return float(1.0 - (error**2).sum() / total)

    # --- parts of fit --------------------------------------------------------------------------------------------

    def _fit_map(self, X, rng):
        if self.estimator is None:
            n_units = int(np.clip(len(X) // STEPS_PER_UNIT, 2, MAX_UNITS))
            return GrowingNeuralGas(n_units, random_state=rng).fit(X)
        fitted = clone(self.estimator).fit(X, None)
        n_features = fitted.prototypes_.shape[1]
        if n_features != X.shape[1]:
            raise ValueError(f"estimator is a map of {n_features} features, the observations have {X.shape[1]}")
        return fitted

    def _left_out_errors(self, features, inputs, shares, change, folds):
        """Errors (n, n_features) on left-out folds, for each local penalty."""
        errors = [np.empty_like(change) for _ in LOCAL_RIDGES]
        for fold in range(self.n_folds):
            left, kept = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            residual = change - self._ridge.predict(features, without_fold=fold)
            maps = fit_linear_maps(self._cells, shares[kept], inputs[kept], residual[kept], LOCAL_RIDGES)
            for error, cell_maps in zip(errors, maps):
                error[left] = residual[left] - apply_linear_maps(cell_maps, shares[left], inputs[left])
        return errors

    # --- checks --------------------------------------------------------------------------------------------------

    def _check_parameters(self):
        check_integer("n_components", self.n_components, 1)
        check_integer("n_folds", self.n_folds, 2)
        if self.action_features is not None and not callable(self.action_features):
            raise TypeError(f"action_features must be None or callable; got {type(self.action_features).__name__}")

    def _read(self, transitions):
        name = pick_modality(transitions, self.modality)
        X = np.asarray(transitions.observation[name], dtype=float)
        if X.ndim != 2:
            raise ValueError(
                f"observation[{name!r}] must be vectors (n, n_features), such as an embedding; got {X.shape}"
            )
        return X, transitions.action, np.asarray(transitions.next_observation[name], dtype=float) - X

    def _check_inputs(self, X, action):
        check_is_fitted(self, "estimator_")
        X = check_array(X, dtype=float, input_name="X")
        if X.shape[1] != self.n_features_in_:
            raise ValueError(f"X must have {self.n_features_in_} features, as in fit; got {X.shape[1]}")
        action = check_array(action, dtype=None, ensure_2d=False, input_name="action")
        if action.shape != (len(X), *self._n_action):
            raise ValueError(f"action must have shape {(len(X), *self._n_action)}; got {action.shape}")
        return X, action

    def _phi(self, action):
        if self.action_features is None:
            if action.ndim != 2:
                raise ValueError(
                    "action must be vectors (n, d); code discrete actions by action_features, as one-hot vectors"
                )
            first, second = np.triu_indices(action.shape[1])
            return np.hstack([action, action[:, first] * action[:, second]]).astype(float)
        phi = np.asarray(self.action_features(action), dtype=float)
        if phi.ndim != 2 or len(phi) != len(action) or not np.isfinite(phi).all():
            raise ValueError(f"action_features must return finite values of shape ({len(action)}, m); got {phi.shape}")
        return phi


def _draw_folds(n, group, n_folds, rng):
    """Fold number of each step; whole groups share one, if there are enough groups."""
    if group is not None:
        labels, of_label = np.unique(group, return_inverse=True)
        if len(labels) >= n_folds:
            return (rng.permutation(len(labels)) % n_folds)[of_label]
    return rng.permutation(n) % n_folds


def _with_constant(phi):
    return np.hstack([np.ones((len(phi), 1)), phi])
