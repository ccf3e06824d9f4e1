"""What an action may change: contingencies whose outcome is one of several."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from smc._transitions import pick_modality
from smc.hypotheses._regressor import MultiHypothesisRegressor
from topology._validation import check_matrix


class AmbiguousContingency(BaseEstimator):
    """Changes of one sense under an action, as scored hypotheses, where `smc.LocalLinearContingency` predicts a mean.

    Parameters
    ----------
    estimator : MultiHypothesisRegressor, optional
        A clone is fitted to the observation and the action; discrete actions enter as one-hot vectors. Default: one of
        10 hypotheses.
    modality : str, optional
        The sense to predict; to be named if the transitions have several.

    Attributes
    ----------
    estimator_ : MultiHypothesisRegressor
    modality_ : str
    n_actions_ : int
        Number of discrete actions, 0 if actions are vectors.
    resolution_ : float
        Standard deviation of an outcome about its hypothesis, in units of the sense.

    Examples
    --------
    A push to the right moves an object by 1 or not at all; a push to the left never moves it. The policy that asks for
    the outcome that tells most pushes to the right.

    >>> import numpy as np
    >>> from smc import Transitions
    >>> from smc.policies import AmbiguousOutcome
    >>> rng = np.random.default_rng(0)
    >>> place, push = rng.uniform(0, 3, (500, 1)), rng.integers(2, size=500)
    >>> moved = place + (push * (rng.random(500) < 0.5))[:, None]
    >>> regressor = MultiHypothesisRegressor(2, hidden=(16,), n_epochs=60, learning_rate=0.02, random_state=0)
    >>> model = AmbiguousContingency(regressor).fit(Transitions({"touch": place}, push, {"touch": moved}))
    >>> policy = AmbiguousOutcome(model.outcomes, model.n_actions_, resolution=model.resolution_)
    >>> policy({"touch": place[:3]}, rng).tolist()
    [1, 1, 1]
    """

    def __init__(self, estimator=None, *, modality=None):
        self.estimator = estimator
        self.modality = modality

    def fit(self, transitions):
        """Learn from `transitions` (`smc.Transitions`); observations of more dimensions are flattened.

        Raises
        ------
        TypeError
            No transitions, or an estimator that is no `MultiHypothesisRegressor`.
        ValueError
            A sense that is not named, negative numbers of actions, or as `MultiHypothesisRegressor.fit`.
        """
        estimator = MultiHypothesisRegressor() if self.estimator is None else self.estimator
        if not isinstance(estimator, MultiHypothesisRegressor):
            raise TypeError(f"estimator must be a MultiHypothesisRegressor, got {type(estimator).__name__}")
        self.modality_ = pick_modality(transitions, self.modality)
        before, after = (
            _as_rows(senses[self.modality_]) for senses in (transitions.observation, transitions.next_observation)
        )
        action = transitions.action
        if action.ndim == 1 and action.min() < 0:
            raise ValueError(f"action must hold numbers of actions from 0, got {action.min()}")
        self.n_actions_ = int(action.max()) + 1 if action.ndim == 1 else 0
        self._n_features, self._n_action = before.shape[1], action.shape[1:]
        self.estimator_ = clone(estimator).fit(np.hstack([before, self._code(action)]), after - before)
        self.resolution_ = self.estimator_.bandwidth_
        return self

    def predict(self, X, action):
        """What an action may change.

        Parameters
        ----------
        X : array (n_samples, ...)
            Observations.
        action : array (n_samples, d), or (n_samples,) of int

        Returns
        -------
        hypotheses : ndarray (n_samples, K, n_features)
            Next observation minus observation, in units of the sense.
        scores : ndarray (n_samples, K)
        """
        check_is_fitted(self, "estimator_")
        X = check_matrix("X", _as_rows(X), n_columns=self._n_features)
        return self.estimator_.predict_hypotheses(np.hstack([X, self._code(action, len(X))]))

    def outcomes(self, observation, actions=None):
        """What each of several actions may change, as `smc.policies.AmbiguousOutcome` asks.

        Parameters
        ----------
        observation : array (n_agents, ...), or dict of such with the sense
        actions : array (n_actions, d), optional
            Vectors to choose from. None: all discrete actions.

        Returns
        -------
        hypotheses : ndarray (n_agents, n_actions, K, n_features)
        scores : ndarray (n_agents, n_actions, K)
        """
        check_is_fitted(self, "estimator_")
        if actions is None:
            if not self.n_actions_:
                raise ValueError("actions must be given where they are vectors, got None")
            actions = np.arange(self.n_actions_)
        actions = np.asarray(actions)
        X = _as_rows(observation[self.modality_] if isinstance(observation, Mapping) else observation)
        hypotheses, scores = self.predict(np.repeat(X, len(actions), axis=0), np.concatenate([actions] * len(X)))
        shape = len(X), len(actions)
        return hypotheses.reshape(*shape, *hypotheses.shape[1:]), scores.reshape(*shape, -1)

    def _code(self, action, n=None):
        """Actions as columns."""
        action = np.asarray(action)
        expected = (len(action) if n is None else n, *self._n_action)
        if action.shape != expected:
            raise ValueError(f"action must have shape {expected}, got {action.shape}")
        if not self.n_actions_:
            return check_matrix("action", action)
        if action.dtype.kind not in "iu":
            raise TypeError(f"action must hold numbers of discrete actions, got {action.dtype}")
        if action.min() < 0 or action.max() >= self.n_actions_:
            raise ValueError(
                f"action must be in 0..{self.n_actions_ - 1}, as in fit; got {action.min()}..{action.max()}"
            )
        return np.eye(self.n_actions_)[action]


def _as_rows(X):
    X = np.asarray(X, dtype=np.float64)
    return X.reshape(len(X), -1)
