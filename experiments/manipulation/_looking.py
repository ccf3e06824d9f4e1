"""Does looking matter? The agent picks its next turn by the information that it expects from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.frozen import FrozenEstimator

from fusion import PrecisionFusion, fuse_gaussians

from ._methods import FLOOR, SENSES, discounted, expert
from ._split import draw_labelled

POLICIES = ("information gain", "random turns", "random, no pose twice", "fixed sweep", "oracle next view")
LARGEST_TURN = (np.pi / 3, np.pi / 6)  # yaw and pitch of one action while looking around
LABELS_PER_CLASS = 5
UNREACHED = 1e6  # worth that a pose out of reach lacks
N_IMAGINED = 8  # outcomes imagined per candidate turn


@dataclass(frozen=True)
class Survey:
    """What each sense would deliver of each test object from each pose of a grid."""

    features: dict[str, np.ndarray]  # sense -> (n_objects, n_poses, d)
    poses: np.ndarray  # (n_poses, 2) radians
    object: np.ndarray  # (n_objects,) index into the bank


def look_around(bank, objects, known, survey, reliabilities, columns, foresight, config, seed):
    """Decisions after 1..n_looks views under each policy.

    Returns correct (n_policies, n_draws, n_trials, n_looks) uint8 and object (n_trials,).
    """
    labels = np.searchsorted(bank.class_names, bank.classes)
    rng = np.random.default_rng([seed, 2])
    n_objects, n_poses = len(survey.object), len(survey.poses)
    correct = []
    for _ in range(config.n_draws):
        labelled = np.isin(known.object, draw_labelled(bank, objects.known, LABELS_PER_CLASS, rng))
        y, of = labels[known.object[labelled]], known.object[labelled]
        fusion = PrecisionFusion(
            [(m, columns[m], expert(y, of, columns[m]), FrozenEstimator(reliabilities.gng[m])) for m in SENSES]
        ).fit({m: known.features["learned"][m][labelled] for m in SENSES}, y)
        flat = {m: survey.features[m].reshape(n_objects * n_poses, -1) for m in SENSES}
        evidence = np.log(np.maximum(fusion.predict_proba(flat), FLOOR)).reshape(n_objects, n_poses, -1)
        trust = fusion.weights(flat).T.reshape(len(SENSES), n_objects, n_poses)
        agent = Agent(survey, evidence, trust, fusion, columns, foresight, rng)
        trials = np.repeat(np.arange(n_objects), config.n_starts)
        starts = rng.integers(n_poses, size=len(trials))
        truth = labels[survey.object[trials]]
        paths = [agent.walk(policy, trials, starts, truth, config.n_looks) for policy in POLICIES]
        decisions = [evidence[trials[:, None], path].cumsum(1).argmax(-1) for path in paths]
        correct.append([d == truth[:, None] for d in decisions])
    return np.swapaxes(np.array(correct, np.uint8), 0, 1), survey.object[trials]


class Agent:
    """One agent at work on many trials at once."""

    def __init__(self, survey, evidence, trust, fusion, columns, foresight, rng):
        self.survey, self.evidence, self.trust, self.fusion = survey, evidence, trust, fusion
        self.columns, self.foresight, self.rng = columns, foresight, rng
        self.meaning = {m: foresight[m].meaning(fusion.experts_[m], columns[m]) for m in SENSES}

    def walk(self, policy, objects, starts, truth, n_looks):
        """Poses (n_trials, n_looks) visited from `starts` on, by turns of at most `LARGEST_TURN`."""
        value = {
            "information gain": self.information_gain,
            "random turns": self.random_turns,
            "random, no pose twice": self.random_turns,
            "fixed sweep": self.fixed_sweep,
            "oracle next view": self.oracle_next_view,
        }[policy]
        trial, poses = np.arange(len(objects)), self.survey.poses
        visited = np.zeros((len(objects), len(poses)), bool)
        path = np.empty((len(objects), n_looks), int)
        path[:, 0] = starts
        total = np.zeros((len(objects), self.evidence.shape[-1]))
        for step in range(n_looks):
            here = path[:, step]
            visited[trial, here] = True
            total += self.evidence[objects, here]
            if step + 1 < n_looks:
                worth = value(objects, path[:, : step + 1], total, truth)
                reached = (np.abs(poses[None] - poses[here][:, None]) <= np.add(LARGEST_TURN, 1e-9)).all(-1)
                if policy == "random turns":  # any turn that changes the view, also back
                    worth[~reached | (poses[None] == poses[here][:, None]).all(-1)] = -np.inf
                else:  # no pose twice, and farther than one turn only if all in reach are known
                    worth = np.where(visited, -np.inf, worth - UNREACHED * ~reached)
                path[:, step + 1] = worth.argmax(1)
        return path

    def random_turns(self, objects, path, total, truth):
        return self.rng.random((len(objects), len(self.survey.poses)))

    def fixed_sweep(self, objects, path, total, truth):
        """Turn on in one direction, pose after pose, around and around; tilt when a ring is done."""
        poses = self.survey.poses
        turn = poses[None] - poses[path[:, -1]][:, None]
        span = np.ptp(poses[:, 0]) * 1.2
        return -(np.abs(turn[..., 1]) * 100 + np.mod(turn[..., 0], span))

    def oracle_next_view(self, objects, path, total, truth):
        """The view that leaves most belief in the truth; needs the label and the views themselves."""
        after = belief(total[:, None] + self.evidence[objects])
        return np.take_along_axis(after, truth[:, None, None], -1)[..., 0]

    def information_gain(self, objects, path, total, truth):
        """Mutual information between the category and what the contingencies foresee from each pose."""
        n, n_poses = len(objects), len(self.survey.poses)
        P = np.empty((len(SENSES), N_IMAGINED, n, n_poses, total.shape[-1]))
        r = np.empty((len(SENSES), n))
        for s, sense in enumerate(SENSES):
            mean, deviation = self.foresee(sense, objects, path)
            surprise = self.foresight[sense].draw_errors((N_IMAGINED, n, n_poses), self.rng)
            imagined = (mean + deviation * surprise).reshape(-1, mean.shape[-1])
            unit = self.foresight[sense].model.units(imagined)
            P[s] = self.meaning[sense][unit].reshape(P.shape[1:])
            r[s] = self.trust[s][objects, path[:, -1]]
        after = belief(total[:, None] + discounted(P, np.broadcast_to(r[:, None, :, None], P.shape[:-1])))
        return entropy(after.mean(0)) - entropy(after).mean(0)

    def foresee(self, sense, objects, path):
        """Mean and deviation (n_trials, n_poses, d) of what a sense will deliver, fused over all views so far."""
        poses = self.survey.poses
        means, precisions = [], []
        for here in path.T:
            turn = (poses[None] - poses[here][:, None]).reshape(-1, 2).astype(np.float32)
            now = self.survey.features[sense][objects, here][:, self.columns[sense]]
            now = np.repeat(now, len(poses), axis=0)
            change, variance = self.foresight[sense].model.predict(now, turn)
            means.append(now + change)
            precisions.append(1 / variance)
        mean, precision = fuse_gaussians(np.stack(means), np.stack(precisions))
        shape = (len(objects), len(poses), -1)
        return mean.reshape(shape), precision.reshape(shape) ** -0.5


class Foresight:
    """A contingency model on the map of one sense, with the views that settled on its units.

    The views give imagined outcomes the correlations of real errors, and each unit the category that experts see in it.
    """

    def __init__(self, model, before, turn, after):
        change, variance = model.predict(before, turn)
        self.model, self.views = model, after
        self.errors = ((after - before - change) / np.sqrt(variance)).astype(np.float32)

    def draw_errors(self, shape, rng):
        """Standardised errors (*shape, d), drawn whole."""
        return self.errors[rng.integers(len(self.errors), size=shape)]

    def meaning(self, expert, columns):
        """Class probabilities (n_units, C) of the views on each unit; of all views where a unit has none."""
        whole = np.zeros((len(self.views), expert.n_features_in_), np.float32)
        whole[:, columns] = self.views  # the expert reads only these columns
        units, judged = self.model.units(self.views), expert.predict_proba(whole)
        n_units = len(self.model.estimator_.prototypes_)
        sums = np.tile(judged.mean(0), (n_units, 1))
        np.add.at(sums, units, judged)
        return sums / (1 + np.bincount(units, minlength=n_units))[:, None]


def entropy(p):
    """Shannon entropy over the last axis, nats."""
    return -(p * np.log(np.maximum(p, FLOOR))).sum(-1)


def belief(evidence):
    """Class probabilities (..., C) from summed log-evidence."""
    e = np.exp(evidence - evidence.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def views_needed(correct):
    """Views until the decision is right and stays right to the end of the budget; budget + 1 if it never is."""
    stays = np.logical_and.accumulate(correct[..., ::-1] > 0, axis=-1)[..., ::-1]
    return np.where(stays.any(-1), stays.argmax(-1) + 1, correct.shape[-1] + 1)
