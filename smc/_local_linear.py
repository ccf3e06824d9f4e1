"""What a continuous action changes: linear maps over the cells of a map, and how far to trust them."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from smc._batch_rules import BatchRules
from smc._cells import Cells
from smc._local_linear_file import load_rules, save_rules
from smc._recursive import RecursiveRules
from smc._ridge import Features, LimitedFeatures
from smc._transitions import pick_modality
from topology import GrowingNeuralGas
from topology._validation import check_choice, check_generator, check_integer, check_real, read_only

STEPS_PER_UNIT, MAX_UNITS = 75, 200
RECURSIVE_RIDGE = 10.0

# What a callback sees: steps learned by this call, and `noise_variance_` as it stands.
LocalLinearState = namedtuple("LocalLinearState", "n_steps noise_variance")


class LocalLinearContingency(BaseEstimator):
    """Predicted change of one sense under an action, and the variance of its error.

    In batch training the change is a ridge regression on the observation, on features phi of the action and on
    products of both. In each cell of a map of the sense, a further ridge regression of what remains on [1, phi] is
    pooled with the cell's neighbours and blended between the nearest units. All penalties are chosen by
    cross-validation.

    The variance is learned from errors on left-out folds: per cell and output, times a factor that is log-linear in the
    cell's noise and in phi, and then made to agree with the errors by isotonic regression. Folds leave out whole groups
    if the transitions have at least `n_folds` of them, so that the variance holds for new groups, such as objects never
    seen.

    In online training the same two levels are learned step by step by recursive least squares, each discrete action
    with regressions of its own; the cells take the leading principal components of the observation too. The variance is
    that of Bayesian linear regression, times a factor, and made to agree with the errors in the same way; both are
    learned from the error that each step met. What the first steps show, the map and the scales, stays; an observation
    counts as at most ten of its standard deviations from the mean. Steps in any number of portions give the same.

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
    training : {"batch", "online"}, default="batch"
        How to learn; only "online" has `partial_fit` and discrete actions.
    forgetting : float in [0, 1), default=0.0
        Share of its weight that a step loses with each further step in the same regression; online only.
    random_state : int, RandomState, Generator or None
        Seeds the folds and the default map.

    Attributes
    ----------
    estimator_ : estimator
        The fitted map.
    ridge_, local_ridge_ : float
        Penalties, in steps; an infinite `local_ridge_` means that the cells did not help.
    noise_variance_ : ndarray (n_units, n_features)
        Variance of the error in each cell, in squared units of the sense, before the factor. With discrete actions
        (n_units, n_actions, n_features).

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
        self,
        estimator=None,
        *,
        modality=None,
        action_features=None,
        n_components=24,
        n_folds=4,
        training="batch",
        forgetting=0.0,
        random_state=None,
    ):
        self.estimator = estimator
        self.modality = modality
        self.action_features = action_features
        self.n_components = n_components
        self.n_folds = n_folds
        self.training = training
        self.forgetting = forgetting
        self.random_state = random_state

    def fit(self, transitions, *, callback=None):
        """Learn from `transitions` (`Transitions`) with observations (n, n_features), forgetting all learned before.

        Actions are real vectors (n, d); in online training also the numbers (n,) of discrete actions, all of which
        must occur up to the largest.

        Parameters
        ----------
        transitions : Transitions
        callback : callable(state, step), optional
            In online training called every 1024 steps, and then may stop by returning True; in batch training, which
            takes all steps at once, called once when all is learned. ``state`` has n_steps, those of this call, and
            noise_variance, as `noise_variance_` but read-only.

        Raises
        ------
        ValueError
            If the sense is not named, not a vector per step, or there are fewer than ``5 * n_folds`` steps.
        """
        self._check_parameters()
        X, action, change = self._read(transitions)
        if len(X) < 5 * self.n_folds:
            raise ValueError(f"transitions must hold at least 5 * n_folds = {5 * self.n_folds} steps; got {len(X)}")
        n_actions, phi, number = self._code(action)
        rng = check_generator(self.random_state)
        folds = _draw_folds(len(X), transitions.group, self.n_folds, rng)
        self.estimator_ = self._fit_map(X, rng)
        self.n_features_in_, self._n_action, self._n_actions = X.shape[1], action.shape[1:], n_actions
        cells = Cells(self.estimator_.prototypes_, self.estimator_.edges_, X)
        if self.training == "batch":
            features = Features(X, phi, self.n_components)
            self._rules = BatchRules(cells, features, X, phi, change, folds, self.n_folds)
            if callback is not None:
                self._telling(callback)(len(X))
        else:
            features = LimitedFeatures(X, phi, self.n_components)
            n_regressions = max(n_actions, 1)
            self._rules = RecursiveRules(cells, features, X.shape[1], n_regressions, RECURSIVE_RIDGE, self.forgetting)
            self._rules.update(X, phi, number, change, self._telling(callback))
        return self

    def partial_fit(self, transitions, *, callback=None):
        """Learn from further steps too, in their order; the first ones as in `fit`, and `callback` too.

        Raises
        ------
        ValueError
            In batch training, or if the steps do not fit the earlier ones.
        """
        self._check_parameters()
        if self.training == "batch":
            raise ValueError("training must be 'online' to learn from further steps; got 'batch'")
        if not hasattr(self, "estimator_"):
            return self.fit(transitions, callback=callback)
        X, action, change = self._read(transitions)
        X, action = self._check_inputs(X, action)
        _, phi, number = self._code(action, self._n_actions)
        self._rules.update(X, phi, number, change, self._telling(callback))
        return self

    @property
    def ridge_(self):
        check_is_fitted(self, "estimator_")
        return self._rules.ridge

    @property
    def local_ridge_(self):
        check_is_fitted(self, "estimator_")
        return self._rules.local_ridge

    @property
    def noise_variance_(self):
        check_is_fitted(self, "estimator_")
        noise = self._rules.noise_variance
        return noise.reshape(-1, self._n_actions, noise.shape[-1]) if self._n_actions else noise

    def predict(self, X, action):
        """Predict what an action changes.

        Parameters
        ----------
        X : array (n_samples, n_features)
            Observations.
        action : array (n_samples, d), or (n_samples,) of int

        Returns
        -------
        change : ndarray (n_samples, n_features)
            Predicted next observation minus observation, in units of the sense.
        variance : ndarray (n_samples, n_features)
            Expected squared error of each component of `change`, whatever the distribution of the errors. Those of raw
            sensors have heavy tails: of them, far more than half lie within .67 standard deviations.
        """
        X, action = self._check_inputs(X, action)
        _, phi, number = self._code(action, self._n_actions)
        return self._rules.predict(X, phi, number)

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

    def save(self, path):
        """Write what was learned to one safetensors file, whole or not at all.

        Of the map, its prototypes and edges are kept. `random_state` is kept if it is None or an integer.
        """
        check_is_fitted(self, "estimator_")
        save_rules(path, self)

    @classmethod
    def load(cls, path, *, action_features=None):
        """Read a model that `save` wrote.

        Parameters
        ----------
        path : str or path-like
        action_features : callable, optional
            The function that the model was fitted with, for files hold no code; needed if there was one.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        topology.storage.CorruptFileError
            The file is damaged or holds something else.
        """
        return load_rules(cls, path, action_features)

    # --- parts of fit --------------------------------------------------------------------------------------------

    def _telling(self, callback):
        """A function of the number of steps learned that calls the callback; None without one."""
        if callback is None:
            return None
        return lambda n_steps: callback(LocalLinearState(n_steps, read_only(self.noise_variance_)), n_steps)

    def _fit_map(self, X, rng):
        if self.estimator is None:
            n_units = int(np.clip(len(X) // STEPS_PER_UNIT, 2, MAX_UNITS))
            return GrowingNeuralGas(n_units, random_state=rng).fit(X)
        fitted = clone(self.estimator).fit(X, None)
        n_features = fitted.prototypes_.shape[1]
        if n_features != X.shape[1]:
            raise ValueError(f"estimator is a map of {n_features} features, the observations have {X.shape[1]}")
        return fitted

    # --- checks --------------------------------------------------------------------------------------------------

    def _check_parameters(self):
        check_integer("n_components", self.n_components, 1)
        check_integer("n_folds", self.n_folds, 2)
        check_choice("training", self.training, ("batch", "online"))
        check_real("forgetting", self.forgetting, 0.0, 1.0, open_high=True)
        if self.training == "batch" and self.forgetting:
            raise ValueError(f"forgetting must be 0 in batch training; got {self.forgetting}")
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

    def _code(self, action, n_known=None):
        """Number of discrete actions or 0, features of the action (n, m) and its number (n,), 0 if it has none."""
        if action.ndim != 1 or self.action_features is not None or self.training == "batch":
            return 0, self._phi(action), np.zeros(len(action), np.int64)
        if action.dtype.kind not in "iu":
            raise TypeError(f"action must be whole numbers, or vectors (n, d); got {action.dtype}")
        number = action.astype(np.int64)
        n_actions = int(number.max()) + 1 if n_known is None else n_known
        if number.min() < 0 or number.max() >= n_actions:
            raise ValueError(f"action must be in 0..{n_actions - 1}, as in fit; got {number.min()}..{number.max()}")
        if n_known is None and len(np.unique(number)) < n_actions:
            missing = np.setdiff1d(np.arange(n_actions), number)[0]
            raise ValueError(f"action must hold every number from 0 to {n_actions - 1}; {missing} is missing")
        return n_actions, np.empty((len(number), 0)), number

    def _phi(self, action):
        if self.action_features is None:
            if action.ndim != 2:
                raise ValueError(
                    "action must be vectors (n, d); learn discrete actions with training='online', or code them by "
                    "action_features, as one-hot vectors"
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
