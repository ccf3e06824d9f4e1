"""Does looking matter? The agent picks its next turn by what turns told it when it practised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.frozen import FrozenEstimator

from fusion import PrecisionFusion
from smc.policies import FixedSweep, Looks, PractisedGain, RandomPolicy

from ._methods import FLOOR, SENSES, expert
from ._settings import SETTINGS
from ._split import draw_labelled

POLICIES = ("information gain", "random turns", "random, no pose twice", "fixed sweep", "oracle next view")
LARGEST_TURN = (np.pi / 3, np.pi / 6)  # yaw and pitch of one action while looking around
LABELS_PER_CLASS = 5
N_FOLDS = 3  # parts of the labelled objects; experts that know the others judge each part in practice
UNREACHED = 1e6  # worth that a pose out of reach lacks


@dataclass(frozen=True)
class Survey:
    """What each sense delivers of each object from each pose of a grid."""

    features: dict[str, np.ndarray]  # sense -> (n_objects, n_poses, d)
    poses: np.ndarray  # (n_poses, 2) radians
    object: np.ndarray  # (n_objects,) index into the bank

    def of(self, objects) -> Survey:
        rows = np.isin(self.object, objects)
        return Survey({m: x[rows] for m, x in self.features.items()}, self.poses, self.object[rows])


@dataclass(frozen=True)
class Practice:
    """Labelled objects that the agent turned around, judged by experts that had not met them."""

    evidence: np.ndarray  # (n_objects, n_poses, C) log-probabilities
    label: np.ndarray  # (n_objects,)


def look_around(bank, objects, known, tested, turned, reliabilities, columns, config, seed):
    """Decisions after 1..n_looks views under each policy.

    `tested` and `turned` survey the test objects and all that may carry a label. Returns correct (n_policies, n_draws,
    n_trials, n_looks) uint8 and object (n_trials,).
    """
    labels = np.searchsorted(bank.class_names, bank.classes)
    rng = np.random.default_rng([seed, 2])
    trials = np.repeat(np.arange(len(tested.object)), config.n_starts)
    truth = labels[tested.object[trials]]
    correct = []
    for _ in range(config.n_draws):
        labelled = draw_labelled(bank, objects.known, LABELS_PER_CLASS, rng)
        recogniser = Recogniser(known, labels, reliabilities, columns)
        evidence = recogniser.fit(labelled).judge(tested)
        agent = Agent(tested.poses, evidence, practise(recogniser, turned, labelled, labels, rng), rng)
        starts = rng.integers(len(tested.poses), size=len(trials))
        paths = [agent.walk(policy, trials, starts, truth, config.n_looks) for policy in POLICIES]
        decisions = [evidence[trials[:, None], path].cumsum(1).argmax(-1) for path in paths]
        correct.append([d == truth[:, None] for d in decisions])
    return np.swapaxes(np.array(correct, np.uint8), 0, 1), tested.object[trials]


class Recogniser:
    """PrecisionFusion of experts that are fitted to the labels of some objects."""

    def __init__(self, known, labels, reliabilities, columns):
        self.known, self.labels, self.reliabilities, self.columns = known, labels, reliabilities, columns

    def fit(self, objects):
        rows = np.isin(self.known.object, objects)
        of = self.known.object[rows]
        y = self.labels[of]
        self.fusion = PrecisionFusion(
            [
                (
                    m,
                    self.columns[m],
                    expert(y, of, SETTINGS.expert_C, self.columns[m]),
                    FrozenEstimator(self.reliabilities.gng[m]),
                )
                for m in SENSES
            ]
        ).fit({m: self.known.features["learned"][m][rows] for m in SENSES}, y)
        return self

    def judge(self, survey):
        """Log-probabilities (n_objects, n_poses, C)."""
        shape = len(survey.object), len(survey.poses), -1
        flat = {m: x.reshape(-1, x.shape[-1]) for m, x in survey.features.items()}
        return np.log(np.maximum(self.fusion.predict_proba(flat), FLOOR)).reshape(shape).astype(np.float32)


def practise(recogniser, turned, labelled, labels, rng) -> Practice:
    """Judge every labelled object, from all around, by experts that know only other labelled objects."""
    classes, sizes = np.unique(labels[labelled], return_counts=True)
    n_folds = min(N_FOLDS, sizes.min())
    part = np.empty(len(labelled), int)
    for name in classes:
        members = np.flatnonzero(labels[labelled] == name)
        part[members] = rng.permutation(len(members)) % n_folds
    surveys = [turned.of(labelled[part == fold]) for fold in range(n_folds)]
    judged = [recogniser.fit(labelled[part != fold]).judge(survey) for fold, survey in enumerate(surveys)]
    return Practice(np.concatenate(judged), labels[np.concatenate([survey.object for survey in surveys])])


class Agent:
    """One agent at work on many trials at once."""

    def __init__(self, poses, evidence, practice, rng):
        self.poses, self.evidence, self.rng = poses, evidence, rng
        at_random = RandomPolicy(len(poses))
        self.policies = {
            "information gain": PractisedGain(practice.evidence, practice.label),
            "random turns": at_random,
            "random, no pose twice": at_random,
            "fixed sweep": FixedSweep(poses),
        }

    def walk(self, policy, objects, starts, truth, n_looks):
        """Poses (n_trials, n_looks) visited from `starts` on, by turns of at most `LARGEST_TURN`."""
        trial, poses = np.arange(len(objects)), self.poses
        visited = np.zeros((len(objects), len(poses)), bool)
        path = np.empty((len(objects), n_looks), int)
        path[:, 0] = starts
        total = np.zeros((len(objects), self.evidence.shape[-1]), np.float32)
        for step in range(n_looks):
            here = path[:, step]
            visited[trial, here] = True
            total += self.evidence[objects, here]
            if step + 1 < n_looks:
                so_far = path[:, : step + 1]
                if policy == "oracle next view":
                    worth = self.belief_in_truth(objects, total, truth)
                else:
                    looks = Looks(so_far, self.evidence[objects[:, None], so_far], total)
                    worth = self.policies[policy].values(looks, self.rng)
                reached = (np.abs(poses[None] - poses[here][:, None]) <= np.add(LARGEST_TURN, 1e-9)).all(-1)
                if policy == "random turns":  # any turn that changes the view, also back
                    worth[~reached | (poses[None] == poses[here][:, None]).all(-1)] = -np.inf
                else:  # no pose twice, and farther than one turn only if all in reach are known
                    worth = np.where(visited, -np.inf, worth - UNREACHED * ~reached)
                path[:, step + 1] = worth.argmax(1)
        return path

    def belief_in_truth(self, objects, total, truth):
        """What each next view would leave of belief in the truth; needs the label and the views themselves."""
        after = softmax(total[:, None] + self.evidence[objects], axis=-1)
        return np.take_along_axis(after, truth[:, None, None], -1)[..., 0]


def views_needed(correct):
    """Views until the decision is right and stays right to the end of the budget; budget + 1 if it never is."""
    stays = np.logical_and.accumulate(correct[..., ::-1] > 0, axis=-1)[..., ::-1]
    return np.where(stays.any(-1), stays.argmax(-1) + 1, correct.shape[-1] + 1)
