"""What an action does in a context, learned by counting."""

from __future__ import annotations

from collections import Counter, defaultdict

import networkx as nx
import numpy as np
from scipy.special import digamma, xlogy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from smc._transitions import pick_modality
from topology import storage
from topology._validation import check_choice, check_real


class ContingencyModel(BaseEstimator):
    """Counts of outcomes per context and action; shorter contexts lend to longer ones.

    The probability of an outcome o at depth d mixes its count with the probability one depth below,

        p_d(o) = (c_d(o) + alpha p_{d-1}(o)) / (n_d + alpha),

    from a uniform distribution over the outcomes seen so far, through the action alone (depth 0), to the action in the
    observation (depth 1): a Dirichlet prior centred on the shorter context (MacKay & Peto 1995). An observation or
    action never met thus falls back on what is known without it.

    Observations are whole numbers, one or an array of them per step (a place, a binary patch), and so are actions.
    Every method takes one step, with an integer action, or n steps, with an array of actions.

    Parameters
    ----------
    order : {0, 1}, default=1
        Depth of the longest context: 0 the action alone, 1 the action in the observation.
    target : {"change", "next"}, default="change"
        The outcome: next observation minus observation, which many contexts may share, or the next observation itself.
    alpha : float, default=1.0
        Weight of the shorter context, in observed steps; positive.
    modality : str, optional
        The sense to learn from `Transitions` that have several.

    Attributes
    ----------
    outcomes_ : ndarray (n_outcomes, ...)
        The outcomes seen so far, shaped as observations and sorted; the columns of `predict_proba`.
    n_steps_ : int
        Steps counted so far.
    n_contexts_ : int
        Distinct contexts met so far, at the greatest depth.

    References
    ----------
    MacKay, D. J. C. & Peto, L. C. B. (1995). A hierarchical Dirichlet language model. Natural Language Engineering 1.

    Examples
    --------
    >>> model = ContingencyModel(target="change").update([0, 1, 2], [1, 1, 1], [1, 2, 3])
    >>> int(model.predict(7, 1))
    8
    """

    def __init__(self, order=1, target="change", *, alpha=1.0, modality=None):
        self.order = order
        self.target = target
        self.alpha = alpha
        self.modality = modality

    # --- learning ------------------------------------------------------------------------------------------------

    def fit(self, transitions):
        """Count the steps of `transitions` (`Transitions`), forgetting everything counted before."""
        return self._learn(*self._read(transitions), fresh=True)

    def partial_fit(self, transitions):
        """Count the steps of `transitions` (`Transitions`) too."""
        return self._learn(*self._read(transitions), fresh=False)

    def update(self, observation, action, next_observation):
        """Count one step or n steps too. The order of the steps does not matter.

        Parameters
        ----------
        observation, next_observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)
        """
        return self._learn(observation, action, next_observation, fresh=False)

    def _read(self, transitions):
        modality = pick_modality(transitions, self.modality)
        return transitions.observation[modality], transitions.action, transitions.next_observation[modality]

    def _learn(self, observation, action, next_observation, fresh):
        self._check_parameters()
        fresh = fresh or not hasattr(self, "n_steps_")
        action, single = _as_actions(action)
        observation = _as_symbols("observation", observation, len(action), single)
        following = _as_symbols("next_observation", next_observation, len(action), single)
        if following.shape != observation.shape:
            raise ValueError(
                f"next_observation must have the shape of observation, {observation.shape}; got {following.shape}"
            )
        if fresh:
            self._start(observation.shape[1:], action.shape[1])
        self._check_shapes(observation, action)
        observation, outcome = _flat(observation), _flat(following)
        if self.target == "change":
            outcome = outcome - observation
        steps, counts = np.unique(np.hstack([action, observation, outcome]), axis=0, return_counts=True)
        self._add(steps, counts)
        return self

    def _start(self, shape, n_digits):
        self._shape = shape
        self._n_digits = n_digits  # integers per action
        self._width = int(np.prod(shape))  # integers per observation
        self._tables = [defaultdict(Counter) for _ in range(self.order + 1)]  # per depth: context -> outcome -> count
        self._column = {}  # outcome -> column
        self.n_steps_ = 0

    def _add(self, steps, counts):
        """Add distinct rows (action, observation, outcome), each counted so many times."""
        new = False
        for row, count in zip(steps.tolist(), counts.tolist()):
            outcome = tuple(row[-self._width :])
            for depth, table in enumerate(self._tables):
                table[self._context(row, depth)][outcome] += count
            new = new or outcome not in self._column
        if new:
            self._column = {outcome: i for i, outcome in enumerate(sorted(set().union(*self._tables[0].values())))}
        self.n_steps_ += int(counts.sum())

    def _context(self, row, depth):
        """The start of a row: the action alone, and one observation more per depth."""
        return tuple(row[: self._n_digits + depth * self._width])

    # --- what is known -------------------------------------------------------------------------------------------

    @property
    def outcomes_(self):
        check_is_fitted(self, "n_steps_")
        return np.array(list(self._column), dtype=np.int64).reshape(-1, *self._shape)

    @property
    def n_contexts_(self):
        check_is_fitted(self, "n_steps_")
        return len(self._tables[-1])

    def predict_proba(self, observation, action):
        """Probability of each outcome of `outcomes_`.

        Parameters
        ----------
        observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)

        Returns
        -------
        ndarray (n_outcomes,), or (n, n_outcomes)
            Sums to 1 over the outcomes.
        """
        pseudo_counts, single = self._pseudo_counts(observation, action)
        return _unbatch(pseudo_counts / pseudo_counts.sum(axis=-1, keepdims=True), single)

    def predict(self, observation, action):
        """The most probable next observation, shaped as `observation`, whatever the target."""
        pseudo_counts, single = self._pseudo_counts(observation, action)
        outcome = self.outcomes_[pseudo_counts.argmax(axis=-1)]
        if self.target == "change":
            outcome = outcome + np.asarray(observation, dtype=np.int64).reshape(outcome.shape)
        return _unbatch(outcome, single)

    def surprise(self, observation, action, next_observation):
        """Surprise -log p(outcome) of what came next, in nats.

        An outcome never seen is taken as one more possible outcome.

        Parameters
        ----------
        observation, next_observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)

        Returns
        -------
        float, or ndarray (n,)
        """
        queries, single = self._queries(observation, action)
        following = _as_symbols("next_observation", next_observation, len(queries), single)
        self._check_shapes(following, name="next_observation")
        outcome = _flat(following)
        if self.target == "change":
            outcome = outcome - queries[:, self._n_digits :]
        probability = [self._probability(*pair) for pair in zip(queries.tolist(), map(tuple, outcome.tolist()))]
        return _unbatch(-np.log(probability), single)

    def information_gain(self, observation, action):
        """Information in nats that one more step is expected to give about the outcome probabilities.

        The mutual information between the next outcome and the unknown probabilities under their Dirichlet posterior:
        the expected Kullback-Leibler divergence of the posterior after the step from the one before it (Lindley 1956).
        Large where little was counted, 0 in the limit of many steps however random the outcomes are.

        Parameters
        ----------
        observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)

        Returns
        -------
        float, or ndarray (n,)

        References
        ----------
        Lindley, D. V. (1956). On a measure of the information provided by an experiment. Annals of Mathematical
        Statistics 27.
        """
        pseudo_counts, single = self._pseudo_counts(observation, action)
        total = pseudo_counts.sum(axis=-1)
        p = pseudo_counts / total[:, None]
        entropy_of_mean = -xlogy(p, p).sum(axis=-1)
        mean_entropy = digamma(total + 1.0) - (p * digamma(pseudo_counts + 1.0)).sum(axis=-1)
        return _unbatch(np.maximum(entropy_of_mean - mean_entropy, 0.0), single)

    def _pseudo_counts(self, observation, action):
        """Dirichlet parameters (n, n_outcomes) of the greatest depth."""
        queries, single = self._queries(observation, action)
        distinct, which = np.unique(queries, axis=0, return_inverse=True)
        parameters = np.empty((len(distinct), len(self._column)))
        for i, query in enumerate(distinct.tolist()):
            p = np.full(len(self._column), 1.0 / len(self._column))
            for depth, table in enumerate(self._tables):
                a = self.alpha * p
                for outcome, count in table.get(self._context(query, depth), {}).items():
                    a[self._column[outcome]] += count
                p = a / a.sum()
            parameters[i] = a
        return parameters[which.reshape(-1)], single

    def _probability(self, query, outcome):
        p = 1.0 / (len(self._column) + (outcome not in self._column))
        for depth, table in enumerate(self._tables):
            counts = table.get(self._context(query, depth), {})
            p = (counts.get(outcome, 0) + self.alpha * p) / (sum(counts.values()) + self.alpha)
        return p

    def _queries(self, observation, action):
        """Rows (action, observation) of integers."""
        check_is_fitted(self, "n_steps_")
        action, single = _as_actions(action)
        observation = _as_symbols("observation", observation, len(action), single)
        self._check_shapes(observation, action)
        return np.hstack([action, _flat(observation)]), single

    # --- graph and files -----------------------------------------------------------------------------------------

    def to_networkx(self):
        """Graph of the observations met and where the actions lead.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes are integers, or tuples of the integers of an observation in row-major order (their shape is the
            graph attribute ``observation_shape``). An edge per observation, action and outcome that was seen, keyed by
            the action, has ``action``, ``count`` and ``probability`` (that of `predict_proba`).

        Raises
        ------
        ValueError
            If `order` is 0: then no observations are kept.
        """
        check_is_fitted(self, "n_steps_")
        if self.order == 0:
            raise ValueError("order must be 1 to draw a graph of observations; with order=0 only actions are kept")
        graph = nx.MultiDiGraph(observation_shape=self._shape)
        for context, outcomes in sorted(self._tables[1].items()):
            action, observation = context[: self._n_digits], context[self._n_digits :]
            for outcome, count in sorted(outcomes.items()):
                following = tuple(map(sum, zip(observation, outcome))) if self.target == "change" else outcome
                act = action[0] if self._n_digits == 1 else action
                graph.add_edge(
                    self._node(observation), self._node(following), key=act, action=act, count=count,
                    probability=self._probability(context, outcome),
                )  # fmt: skip
        return graph

    def _node(self, symbols):
        return symbols[0] if self._shape == () else symbols

    def save(self, path):
        """Write the model to one safetensors file, whole or not at all."""
        check_is_fitted(self, "n_steps_")
        rows = [
            (*context, *outcome, count)
            for context, outcomes in sorted(self._tables[-1].items())
            for outcome, count in sorted(outcomes.items())
        ]
        rows = np.array(rows, dtype=np.int64)
        metadata = {"parameters": self.get_params(), "shape": list(self._shape), "n_digits": self._n_digits}
        storage.save(path, {"steps": rows[:, :-1], "counts": rows[:, -1]}, kind="ContingencyModel", metadata=metadata)

    @classmethod
    def load(cls, path):
        """Read a model that `save` wrote.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        topology.storage.CorruptFileError
            The file is damaged or holds something else.
        """
        arrays, metadata = storage.load(path, kind="ContingencyModel")
        try:
            model = cls(**metadata["parameters"])
            model._check_parameters()
            model._start(tuple(metadata["shape"]), metadata["n_digits"])
        except (KeyError, TypeError, ValueError) as error:
            raise storage.CorruptFileError(f"{path}: not the parameters of a contingency model ({error})") from error
        width = model._n_digits + (model.order + 1) * model._width
        storage.check(path, arrays, {"steps": ("i", ("steps", width)), "counts": ("i", ("steps",))})
        if len(arrays["counts"]) == 0 or arrays["counts"].min() < 1:
            raise storage.CorruptFileError(f"{path}: counts must be positive")
        model._add(arrays["steps"], arrays["counts"])
        return model

    # --- checks --------------------------------------------------------------------------------------------------

    def _check_parameters(self):
        if self.order not in (0, 1):
            raise ValueError(f"order must be 0 or 1; got {self.order!r}")
        check_choice("target", self.target, ("change", "next"))
        check_real("alpha", self.alpha, 0.0, open_low=True)

    def _check_shapes(self, observation, action=None, name="observation"):
        if observation.shape[1:] != self._shape:
            raise ValueError(f"{name} must have shape {self._shape} per step, as before; got {observation.shape[1:]}")
        if action is not None and action.shape[1] != self._n_digits:
            raise ValueError(f"action must be {self._n_digits} integers per step, as before; got {action.shape[1]}")


def _as_actions(action):
    """Actions (n, d) of int64, and whether one step was meant."""
    action = _as_integers("action", action)
    if action.ndim > 2:
        raise ValueError(f"action must be an integer or have shape (n,) or (n, d); got {action.shape}")
    single = action.ndim == 0
    return action.reshape(1 if single else len(action), -1), single


def _as_symbols(name, observation, n, single):
    """Observations (n, ...) of int64."""
    observation = _as_integers(name, observation)
    if single:
        return observation[None]
    if observation.ndim == 0 or len(observation) != n:
        raise ValueError(f"{name} must have {n} steps, one per action; got shape {observation.shape}")
    return observation


def _as_integers(name, values):
    values = np.asarray(values)
    if values.dtype.kind not in "biu":
        raise TypeError(f"{name} must hold whole numbers; got {values.dtype} (turn real values into symbols first)")
    if values.size == 0:
        raise ValueError(f"{name} must not be empty; got shape {values.shape}")
    return values.astype(np.int64)


def _flat(observation):
    return observation.reshape(len(observation), -1)


def _unbatch(values, single):
    return values[0] if single else values
