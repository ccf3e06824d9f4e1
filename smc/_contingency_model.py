"""What an action does in a context, learned by counting."""

from __future__ import annotations

from collections import namedtuple
from numbers import Integral

import numpy as np
from scipy.special import digamma, xlogy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from smc._context_symbols import ContextSymbols, pair
from smc._context_tree import ContextTree
from smc._contingency_file import load_model, save_model
from smc._contingency_graph import as_graph
from smc._contingency_steps import as_actions, as_history, as_observations, previous_steps
from smc._symbols import Symbols
from smc._transitions import pick_modality
from topology._validation import check_choice, check_integer, check_real

MAX_ORDER = 4
MOST = 1 << 61  # so far from 0 may observations lie that changes, and changes added to observations, stay exact
CHUNK, CALLBACK_CHUNK = 1 << 15, 1 << 12  # steps counted in one go: few enough to stay near the processor

COUNTED_BY = ("order", "target", "alpha", "forgetting", "min_parent", "max_contexts")

# What a callback sees: steps counted, contexts of all depths, mean surprise in nats since the last callback.
ContingencyState = namedtuple("ContingencyState", "n_steps n_contexts surprise")


class ContingencyModel(BaseEstimator):
    """Counts of outcomes per context and action; shorter contexts lend to longer ones.

    The probability of an outcome o at depth d mixes its count with the probability one depth below,

        p_d(o) = (c_d(o) + alpha p_{d-1}(o)) / (n_d + alpha),

    from a uniform distribution over the outcomes seen so far, through the action alone (depth 0) and the action in the
    observation (depth 1), to the actions and observations of the steps before (depth 2 and more): a Dirichlet prior
    centred on the shorter context (MacKay & Peto 1995). What was never met thus falls back on what is known without it:
    an observation on the action alone, and an action never done, about which a curious agent must be able to ask, on
    all outcomes alike. Both are answered, not refused.

    Observations are whole numbers, one or an array of them per step (a place, a binary patch), and so are actions.
    Every method takes one step, with an integer action, or n steps, with an array of actions. The order in which steps
    are counted changes nothing, unless they are forgotten, admitted or dropped (the last three parameters). Parameters
    set while a model holds counts apply from the next `fit` on; until then it refuses to count further steps.

    Parameters
    ----------
    order : int from 0 to 4, default=1
        Depth of the longest context: 0 the action alone, 1 the action in the observation, 2 and more also the one,
        two or three steps before.
    target : {"change", "next"}, default="change"
        The outcome: next observation minus observation, which many contexts may share, or the next observation itself.
    alpha : float, default=1.0
        Weight of the shorter context, in observed steps; positive.
    modality : str, optional
        The sense to learn from `Transitions` that have several.
    forgetting : float in [0, 1), default=0.0
        Share of every count that each further step takes away.
    min_parent : int, default=0
        A longer context is opened once so many steps were counted in the context it lengthens.
    max_contexts : int, optional
        Most contexts, of all depths together; at least 2 (order + 1). When after a step there may be no room for
        another, those met longest ago are dropped, longer before shorter ones, until an eighth of the places (at least
        order + 1) is free.

    Attributes
    ----------
    outcomes_ : ndarray (n_outcomes, ...)
        The outcomes seen so far, shaped as observations and sorted; the columns of `predict_proba`.
    n_steps_ : int
        Steps counted so far.
    n_contexts_ : int
        Distinct contexts known, at the greatest depth.

    References
    ----------
    MacKay, D. J. C. & Peto, L. C. B. (1995). A hierarchical Dirichlet language model. Natural Language Engineering 1.

    Examples
    --------
    >>> model = ContingencyModel(target="change").update([0, 1, 2], [1, 1, 1], [1, 2, 3])
    >>> int(model.predict(7, 1))
    8
    """

    def __init__(
        self, order=1, target="change", *, alpha=1.0, modality=None, forgetting=0.0, min_parent=0, max_contexts=None
    ):
        self.order = order
        self.target = target
        self.alpha = alpha
        self.modality = modality
        self.forgetting = forgetting
        self.min_parent = min_parent
        self.max_contexts = max_contexts

    # --- learning ------------------------------------------------------------------------------------------------

    def fit(self, transitions, *, callback=None):
        """Count the steps of `transitions`, forgetting everything counted before.

        Parameters
        ----------
        transitions : Transitions
            If `order` is 2 or more, ``group`` names the episode of each step: steps of a group follow each other, and
            a group is one episode, whole.
        callback : callable(state, step), optional
            Called every 4096 steps; ``state`` has n_steps, n_contexts (of all depths) and surprise (mean in nats of
            the steps since the last call, each before it was counted). Returning True stops.
        """
        self._learn(transitions, fresh=True, callback=callback)
        return self

    def partial_fit(self, transitions, *, callback=None):
        """Count the steps of `transitions` too; parameters as in `fit`."""
        self._learn(transitions, fresh=False, callback=callback)
        return self

    def prequential(self, transitions):
        """Predict each step from what was counted before it, then count it (Dawid 1984).

        Parameters
        ----------
        transitions : Transitions
            As in `fit`.

        Returns
        -------
        surprise : ndarray (n,)
            -log p(outcome) in nats.
        right : ndarray (n,) of bool
            Whether the outcome was the most probable one.

        References
        ----------
        Dawid, A. P. (1984). Statistical theory: the prequential approach. Journal of the Royal Statistical Society A.
        """
        return self._learn(transitions, fresh=False, predict=True)

    def update(self, observation, action, next_observation, *, history=None):
        """Count one step or n steps too.

        Parameters
        ----------
        observation, next_observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)
        history : pair of arrays, optional
            Observations (h, ...), or (n, h, ...), and actions (h,), (n, h) or (n, h, d), of the h steps before, the
            oldest first. `order` - 1 of them are used. Without it a step counts as the first of its episode.
        """
        self._check_parameters()
        action, single = as_actions(action)
        observation = self._observations("observation", observation, len(action), single, self.target)
        following = self._observations("next_observation", next_observation, len(action), single, self.target)
        if following.shape != observation.shape:
            raise ValueError(
                f"next_observation must have the shape of observation, {observation.shape}; got {following.shape}"
            )
        fresh = not hasattr(self, "_tree")
        if not fresh:
            self._check_same_parameters()
            self._check_shapes(observation, action)
        past = as_history(history, observation.shape[1:], action.shape[1], len(action), single)
        if fresh:
            self._start(observation.shape[1:], action.shape[1])
        contexts = self._symbols.add(_flat(observation), action, past)
        self._tree.count(contexts, self._outcomes.add(self._outcome_rows(observation, following)))
        return self

    def _learn(self, transitions, fresh, callback=None, predict=False):
        self._check_parameters()
        modality = pick_modality(transitions, self.modality)
        action, _ = as_actions(transitions.action)
        n = len(action)
        observation = self._observations("observation", transitions.observation[modality], n, False, self.target)
        following = self._observations(
            "next_observation", transitions.next_observation[modality], n, False, self.target
        )
        previous = previous_steps(transitions, modality) if self.order > 1 else None
        fresh = fresh or not hasattr(self, "_tree")
        if not fresh:
            self._check_same_parameters()
            self._check_shapes(observation, action)
        if fresh:
            self._start(observation.shape[1:], action.shape[1])
        contexts = self._symbols.add_episodes(_flat(observation), action, previous)
        outcomes = self._outcomes.add(self._outcome_rows(observation, following))
        place = self._outcomes.in_order()[1] if predict or callback is not None else None
        return self._count(contexts, outcomes, place, callback)

    def _start(self, shape, n_digits):
        self._parameters = self.get_params()  # those that the counts belong to
        self._shape = shape
        self._n_digits = n_digits  # integers per action
        self._width = int(np.prod(shape))  # integers per observation
        self._symbols = ContextSymbols(self.order, n_digits, self._width)
        self._outcomes = Symbols(self._width)
        self._tree = ContextTree(self.order, self.alpha, self.forgetting, self.min_parent, self.max_contexts)

    def _outcome_rows(self, observation, following):
        return _flat(following - observation if self._parameters["target"] == "change" else following)

    def _count(self, contexts, outcomes, place, callback):
        """Count steps chunk by chunk."""
        chunk = CHUNK if callback is None else CALLBACK_CHUNK
        parts = []
        progress = tqdm(total=len(outcomes), unit=" steps", desc="contingencies", delay=2, disable=None, leave=False)
        with progress:
            for start in range(0, len(outcomes), chunk):
                rows = slice(start, start + chunk)
                parts.append(self._tree.count(contexts[rows], outcomes[rows], place))
                progress.update(len(outcomes[rows]))
                if callback is not None:
                    state = ContingencyState(self.n_steps_, self._tree.n_contexts, float(parts.pop()[0].mean()))
                    if callback(state, state.n_steps):
                        break
        self._outcomes.truncate(self._tree.n_outcomes)  # what was not counted is no outcome
        return tuple(map(np.concatenate, zip(*parts))) if parts else None

    # --- what is known -------------------------------------------------------------------------------------------

    @property
    def outcomes_(self):
        check_is_fitted(self, "_tree")
        return self._outcomes.rows[self._outcomes.in_order()[0]].reshape(-1, *self._shape)

    @property
    def n_steps_(self):
        check_is_fitted(self, "_tree")
        return self._tree.n_steps

    @property
    def n_contexts_(self):
        check_is_fitted(self, "_tree")
        return self._tree.n_longest

    def predict_proba(self, observation, action, *, history=None):
        """Probability of each outcome of `outcomes_`.

        Parameters
        ----------
        observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)
            Of one never met all outcomes are equally probable.
        history : pair of arrays, optional
            The steps before, as in `update`.

        Returns
        -------
        ndarray (n_outcomes,), or (n, n_outcomes)
            Sums to 1 over the outcomes.
        """
        pseudo_counts, single = self._pseudo_counts(observation, action, history)
        return _unbatch(pseudo_counts / pseudo_counts.sum(axis=-1, keepdims=True), single)

    def predict(self, observation, action, *, history=None):
        """The most probable next observation, shaped as `observation`, whatever the target.

        Of equally probable ones the first of `outcomes_`, so also for an action never met; parameters as in
        `predict_proba`.
        """
        observation, contexts, single = self._queries(observation, action, history)
        best = self._tree.best_outcomes(contexts, self._outcomes.in_order()[1])
        outcome = self._outcomes.rows[best].reshape(observation.shape)
        return _unbatch(observation + outcome if self._parameters["target"] == "change" else outcome, single)

    def surprise(self, observation, action, next_observation, *, history=None):
        """Surprise -log p(outcome) of what came next, in nats.

        An outcome never seen is taken as one more possible outcome; of an action never met all are equally surprising.

        Parameters
        ----------
        observation, next_observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)
        history : pair of arrays, optional
            The steps before, as in `update`.

        Returns
        -------
        float, or ndarray (n,)
        """
        observation, contexts, single = self._queries(observation, action, history)
        target = self._parameters["target"]
        following = self._observations("next_observation", next_observation, len(observation), single, target)
        self._check_shapes(following, name="next_observation")
        outcomes = self._outcomes.find(self._outcome_rows(observation, following))
        return _unbatch(-np.log(self._tree.probabilities(contexts, outcomes)), single)

    def information_gain(self, observation, action, *, history=None):
        """Information in nats that one more step is expected to give about the outcome probabilities.

        The mutual information between the next outcome and the unknown probabilities under their Dirichlet posterior:
        the expected Kullback-Leibler divergence of the posterior after the step from the one before it (Lindley 1956).
        Large where little was counted, most for an action never met; 0 in the limit of many steps however random the
        outcomes are.

        Parameters
        ----------
        observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)
        history : pair of arrays, optional
            The steps before, as in `update`.

        Returns
        -------
        float, or ndarray (n,)

        References
        ----------
        Lindley, D. V. (1956). On a measure of the information provided by an experiment. Annals of Mathematical
        Statistics 27.
        """
        pseudo_counts, single = self._pseudo_counts(observation, action, history)
        total = pseudo_counts.sum(axis=-1)
        p = pseudo_counts / total[:, None]
        entropy_of_mean = -xlogy(p, p).sum(axis=-1)
        mean_entropy = digamma(total + 1.0) - (p * digamma(pseudo_counts + 1.0)).sum(axis=-1)
        return _unbatch(np.maximum(entropy_of_mean - mean_entropy, 0.0), single)

    def contrast(self, observation, action, *, history=None):
        """How much more probable a change of the observation is with the action than without it (Drescher 1991).

        P(change | action) - P(change | not action) in the same context, where "not" is the mean over all other actions
        met so far: what another choice would do, however often it was made. An action never met is taken to lead to any
        outcome alike.

        Parameters
        ----------
        observation : integers (...), or (n, ...)
        action : int, or integers (n,) or (n, d)
        history : pair of arrays, optional
            The steps before, as in `update`.

        Returns
        -------
        float, or ndarray (n,)
            Between -1 and 1.

        Raises
        ------
        ValueError
            If no other action was met.

        References
        ----------
        Drescher, G. L. (1991). Made-Up Minds: A Constructivist Approach to Artificial Intelligence. MIT Press.
        """
        observation, contexts, single = self._queries(observation, action, history)
        actions = pair(0, np.arange(len(self._symbols.actions)))
        others = actions != contexts[:, :1]
        if not others.any(axis=1).all():
            raise ValueError("action must have alternatives; only one action was ever met")
        unchanged = self._outcomes.find(self._outcome_rows(observation, observation))
        with_action = 1.0 - self._tree.probabilities(contexts, unchanged)
        contexts = np.repeat(contexts, len(actions), axis=0)
        contexts[:, 0] = np.tile(actions, len(others))
        change = 1.0 - self._tree.probabilities(contexts, np.repeat(unchanged, len(actions))).reshape(others.shape)
        return _unbatch(with_action - np.where(others, change, 0.0).sum(axis=1) / others.sum(axis=1), single)

    def _queries(self, observation, action, history):
        """Observations (n, ...) of int64, contexts (n, order + 1) and whether one step was meant."""
        check_is_fitted(self, "_tree")
        action, single = as_actions(action)
        target = self._parameters["target"]
        observation = self._observations("observation", observation, len(action), single, target)
        self._check_shapes(observation, action)
        past = as_history(history, self._shape, self._n_digits, len(action), single)
        return observation, self._symbols.find(_flat(observation), action, past), single

    def _pseudo_counts(self, observation, action, history):
        """Dirichlet parameters (n, n_outcomes) of the longest context."""
        _, contexts, single = self._queries(observation, action, history)
        return self._tree.pseudo_counts(contexts, self._outcomes.in_order()[1]), single

    # --- graph and files -----------------------------------------------------------------------------------------

    def to_networkx(self):
        """Graph of the observations met and where the actions lead, whatever came before.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes are integers, or tuples of the integers of an observation in row-major order (their shape is the
            graph attribute ``observation_shape``). An edge per observation, action and outcome that was seen, keyed by
            the action, has ``action``, ``count`` (in units of the last step, if older ones are forgotten) and
            ``probability`` (that of `predict_proba` without a history).

        Raises
        ------
        ValueError
            If `order` is 0: then no observations are kept.
        """
        check_is_fitted(self, "_tree")
        return as_graph(self)

    def save(self, path):
        """Write the model to one safetensors file, whole or not at all."""
        check_is_fitted(self, "_tree")
        save_model(path, self)

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
        return load_model(cls, path)

    # --- checks --------------------------------------------------------------------------------------------------

    def _check_parameters(self):
        whole = isinstance(self.order, Integral) and not isinstance(self.order, bool)
        if not whole or not 0 <= self.order <= MAX_ORDER:
            raise ValueError(f"order must be an integer from 0 to {MAX_ORDER}; got {self.order!r}")
        check_choice("target", self.target, ("change", "next"))
        check_real("alpha", self.alpha, 0.0, open_low=True)
        check_real("forgetting", self.forgetting, 0.0, 1.0, open_high=True)
        check_integer("min_parent", self.min_parent, 0)
        if self.max_contexts is not None:
            check_integer("max_contexts", self.max_contexts, 2 * (int(self.order) + 1))

    def _check_same_parameters(self):
        for name in COUNTED_BY:
            now, then = getattr(self, name), self._parameters[name]
            if now != then:
                raise ValueError(
                    f"{name} must stay {then!r}, with which steps were counted so far; got {now!r} (fit anew instead)"
                )

    @staticmethod
    def _observations(name, values, n, single, target):
        """Observations (n, ...) of int64, whose changes are such numbers too."""
        values = as_observations(name, values, n, single)
        if target == "change" and not (-MOST <= values.min() and values.max() <= MOST):
            raise ValueError(
                f"{name} must lie within 2**61 of 0 for target='change'; got {values.min()}..{values.max()} (use "
                "target='next' for such symbols)"
            )
        return values

    def _check_shapes(self, observation, action=None, name="observation"):
        if observation.shape[1:] != self._shape:
            raise ValueError(f"{name} must have shape {self._shape} per step, as before; got {observation.shape[1:]}")
        if action is not None and action.shape[1] != self._n_digits:
            raise ValueError(f"action must be {self._n_digits} integers per step, as before; got {action.shape[1]}")


def _flat(observation):
    return observation.reshape(len(observation), -1)


def _unbatch(values, single):
    return values[0] if single else values
