"""Policies that look around in order to recognise: actions are places to look from or to touch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, softmax, xlogy

from smc.policies._policy import ValuePolicy

AT_ONCE = 64  # agents, to bound the memory
LANE = 100.0  # what a change of lane costs in a sweep, in units of the first coordinate


class Looks(NamedTuple):
    """What a batch of agents did and found so far: the observation of the policies that recognise.

    Parameters
    ----------
    path : ndarray (n, n_looks) of int
        Places visited, the present one last.
    evidence : ndarray (n, n_looks, n_hypotheses)
        Log-probability of each hypothesis by each look alone, up to a constant.
    total : ndarray (n, n_hypotheses)
        Log-probability by all looks together, up to a constant.
    """

    path: np.ndarray
    evidence: np.ndarray
    total: np.ndarray


class FixedSweep(ValuePolicy):
    """On in one direction, place after place, around and around; the next lane when one is done.

    Parameters
    ----------
    places : array (n_actions, 2)
        Coordinates of the places: the one to sweep along, and the lane.
    period : float, optional
        Where the first coordinate begins again; by default 1.2 times its range.
    """

    def __init__(self, places, *, period=None):
        places = checked_places(places, 2)
        super().__init__(len(places))
        period = np.ptp(places[:, 0]) * 1.2 if period is None else period
        if not period > 0:
            raise ValueError(f"period must be positive, with places that differ along the sweep; got {period}")
        way = places[None] - places[:, None]
        self._values = -(np.abs(way[..., 1]) * LANE + np.mod(way[..., 0], period))

    def values(self, observation, rng):
        return self._values[observation.path[:, -1]]


class PlaceNovelty(ValuePolicy):
    """The place farthest from all that were visited.

    Parameters
    ----------
    places : array (n_actions, d)
        Coordinates of the places.
    """

    def __init__(self, places):
        places = checked_places(places)
        super().__init__(len(places))
        self._distances = np.linalg.norm(places[None] - places[:, None], axis=-1)

    def values(self, observation, rng):
        return self._distances[observation.path].min(axis=1)


class RecognitionGain(ValuePolicy):
    """The place that is expected to tell most about which hypothesis is true.

    The mutual information between the hypotheses, as believed in by now, and the outcome at each place: how uncertain
    the outcome is, less how uncertain it would be if the truth were known (Lindley 1956). With groups of hypotheses,
    such as all poses of an object, what it tells about the group.

    Parameters
    ----------
    likelihood : array (n_hypotheses, n_actions, n_outcomes)
        Probability of each outcome at each place under each hypothesis.
    groups : array (n_hypotheses,) of int, optional
        Number of the group of each hypothesis; by default each is its own.

    References
    ----------
    Lindley, D. V. (1956). On a measure of the information provided by an experiment. Annals of Mathematical
    Statistics 27.
    """

    def __init__(self, likelihood, *, groups=None):
        likelihood = np.asarray(likelihood, dtype=float)
        if likelihood.ndim != 3 or not likelihood.size:
            raise ValueError(
                f"likelihood must have shape (n_hypotheses, n_actions, n_outcomes); got {likelihood.shape}"
            )
        if not ((likelihood >= 0).all() and np.allclose(likelihood.sum(axis=-1), 1.0)):
            raise ValueError("likelihood must hold probabilities that sum to 1 over the outcomes")
        n_hypotheses, n_actions, self._n_outcomes = likelihood.shape
        super().__init__(n_actions)
        groups = np.arange(n_hypotheses) if groups is None else np.asarray(groups)
        if groups.dtype.kind not in "iu" or groups.shape != (n_hypotheses,) or groups.min() < 0:
            raise ValueError(f"groups must be ({n_hypotheses},) numbers from 0 on; got {groups.dtype} {groups.shape}")
        self._likelihood, self._groups = likelihood.reshape(n_hypotheses, -1), groups
        self._alone = n_hypotheses == len(np.unique(groups))
        self._entropy = -xlogy(likelihood, likelihood).sum(axis=-1)

    def values(self, observation, rng):
        total = np.asarray(observation.total, dtype=float)
        if total.ndim != 2 or total.shape[1] != len(self._groups):
            raise ValueError(f"total must have shape (n, {len(self._groups)}), n agents; got {total.shape}")
        if not (total < np.inf).all() or (len(total) and (total.max(axis=1) == -np.inf).any()):
            raise ValueError("total must hold log-probabilities, each agent a finite one; got NaN or infinity")
        belief = softmax(total, axis=1)
        return np.concatenate([self._gain(belief[rows]) for rows in blocks(len(belief))])

    def _gain(self, belief):
        if self._alone:
            return self._uncertainty(belief) - belief @ self._entropy
        gain = self._uncertainty(belief)
        for group in np.unique(self._groups):
            within = belief[:, self._groups == group]
            weight = np.maximum(within.sum(axis=1, keepdims=True), np.finfo(float).tiny)
            members = self._likelihood[self._groups == group]
            gain -= weight * self._entropies((within / weight) @ members)
        return gain

    def _uncertainty(self, belief):
        return self._entropies(belief @ self._likelihood)

    def _entropies(self, outcomes):
        """Entropy in nats (n, n_actions) of outcomes (n, n_actions * n_outcomes)."""
        by_action = -xlogy(outcomes, outcomes).reshape(len(outcomes), self.n_actions, self._n_outcomes)
        return by_action.sum(axis=-1)


class PractisedGain(ValuePolicy):
    """The place that told most about the true hypothesis in practice, on examples like the present one.

    The mean, over practised examples, of the log belief in their true hypothesis once their look from the place is
    added to the evidence so far (Barber & Agakov 2003: a lower bound of the mutual information, up to a constant).
    Examples count by how alike they and the present one looked from the places visited. Serves any classifier, for it
    needs no model of what the senses deliver.

    Parameters
    ----------
    evidence : array (n_examples, n_actions, n_hypotheses)
        Log-probabilities by each look, by a classifier that has not met the example.
    label : array (n_examples,) of int
        The true hypothesis of each.

    References
    ----------
    Barber, D. & Agakov, F. (2003). The IM algorithm: a variational approach to information maximization. NIPS 16.
    """

    def __init__(self, evidence, label):
        evidence, label = np.asarray(evidence), np.asarray(label)
        if evidence.ndim != 3 or label.shape != evidence.shape[:1] or label.dtype.kind not in "iu":
            raise ValueError(
                "evidence must have shape (n_examples, n_actions, n_hypotheses) and label (n_examples,) of int; "
                f"got {evidence.shape} and {label.shape} of {label.dtype}"
            )
        super().__init__(evidence.shape[1])
        self._evidence, self._label = evidence, label

    def values(self, observation, rng):
        every = blocks(len(observation.path))
        return np.concatenate([self._expected(*(part[rows] for part in observation)) for rows in every])

    def _expected(self, path, evidence, total):
        remembered, label = self._evidence, self._label
        alike = np.zeros((len(path), len(label)))
        for look, place in enumerate(path.T):
            alike += np.log(np.einsum("nc,mnc->nm", np.exp(evidence[:, look] / 2), np.exp(remembered[:, place] / 2)))
        after = log_softmax(total[:, None, None] + remembered, axis=-1)
        in_truth = after[:, np.arange(len(label)), :, label]  # (n_examples, n, n_actions)
        return np.einsum("nm,mnp->np", softmax(alike, axis=1), in_truth)


def blocks(n):
    """Rows 0..n - 1 in portions, one at least."""
    return np.array_split(np.arange(n), max(1, -(-n // AT_ONCE)))


def checked_places(places, n_coordinates=None):
    places = np.asarray(places, dtype=float)
    if places.ndim != 2 or not places.size or n_coordinates not in (None, places.shape[1]):
        raise ValueError(f"places must have shape (n_actions, {n_coordinates or 'd'}); got {places.shape}")
    if not np.isfinite(places).all():
        raise ValueError("places must be finite")
    return places
