"""Does reliability matter? Categories of new objects from two senses, of which one may be failing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture

from fusion import DensityReliability, PrecisionFusion
from topology import GrowingNeuralGas

from ._methods import (
    SENSES,
    NeighbourDensity,
    TrainedFusion,
    discounted,
    expert,
    expert_accuracy,
    logistic,
    normalised_confidence,
    powered,
    static_weights,
)
from ._split import draw_labelled

REGIMES = {"1 label": 1, "5 labels": 5, "all labels": None}
METHODS = (
    "image alone",
    "points alone",
    "concatenation",
    "mean probability",
    "product of experts",
    "constant discount",
    "static accuracy",
    "calibrated entropy",
    "trained concatenation",
    "trained gate",
    "k-NN reliability",
    "GMM reliability",
    "condition-mean weights",
    "PrecisionFusion",
    "permuted weights",
    "oracle",
    "raw floor",
    "random-encoder floor",
)


def floats_stored(reliability) -> int:
    """Numbers that the densities of all layers keep; the calibration, alike for all kinds, is left out."""
    total = 0
    for density in reliability.estimators_.values():
        if hasattr(density, "prototypes_"):  # prototypes, variances of their cells, and the basis these are taken in
            n_units, d = density.prototypes_.shape
            total += 2 * n_units * d + d * d
        elif hasattr(density, "means_"):
            total += density.means_.size + density.covariances_.size + density.weights_.size
        else:
            total += density.neighbours_.n_samples_fit_ * density.neighbours_.n_features_in_
    return total


@dataclass(frozen=True)
class Known:
    """Views of the objects that may carry a label, by source ("learned", "noisy", "random", "raw") and sense."""

    features: dict[str, dict[str, np.ndarray]]
    object: np.ndarray


class Reliabilities:
    """Trust in each sense, learned without labels from views of objects that the encoders never met."""

    def __init__(self, embedded, layers, groups, n_units, settings, seed):
        def fitted(make, score):
            shared = {"score": score, "prior_degraded": settings.prior_degraded, "random_state": seed}
            return {m: DensityReliability(make(), layers=layers[m], **shared).fit(embedded[m], groups) for m in SENSES}

        self.gng = fitted(lambda: GrowingNeuralGas(n_units, random_state=seed), "second_moment")
        self.knn = fitted(lambda: NeighbourDensity(settings.n_neighbours), "log_density")
        self.gmm = fitted(
            lambda: GaussianMixture(settings.n_gaussians, covariance_type="diag", random_state=seed, reg_covar=1e-4),
            "log_density",
        )


class Experts:
    """Everything that is fitted to one draw of labels; `judge` gives every method's class scores for one condition."""

    def __init__(self, known: Known, rows, y, reliabilities, expert_columns, settings, seed):
        self.columns, self.settings = expert_columns, settings
        features = {source: {m: known.features[source][m][rows] for m in SENSES} for source in known.features}
        y, objects = y[rows], known.object[rows]
        learned = self._read(features["learned"])
        self.fusion = PrecisionFusion(
            [
                (
                    m,
                    expert_columns[m],
                    expert(y, objects, settings.expert_C, expert_columns[m]),
                    FrozenEstimator(reliabilities.gng[m]),
                )
                for m in SENSES
            ]
        ).fit(features["learned"], y)
        self.concatenated = logistic(settings.concatenation_C).fit(np.hstack(list(learned.values())), y)
        self.floors = {
            source: {m: logistic(settings.expert_C).fit(features[source][m], y) for m in SENSES}
            for source in ("raw", "random")
        }
        accuracy = [
            expert_accuracy(features["learned"][m], y, objects, settings.expert_C, expert_columns[m]) for m in SENSES
        ]
        self.static = static_weights(accuracy, len(np.unique(y)))
        noisy = self._read(features["noisy"])
        both = [np.vstack([learned[m], noisy[m]]) for m in SENSES]
        n_hidden, n_steps = settings.trained_concatenation
        trained = {
            "concat": TrainedFusion("concat", n_hidden=n_hidden, n_steps=n_steps, seed=seed),
            "gate": TrainedFusion("gate", n_steps=settings.trained_gate_steps, seed=seed),
        }
        self.trained = {name: fusion.fit(both, np.tile(y, 2)) for name, fusion in trained.items()}

    def _read(self, features):
        return {m: features[m][:, self.columns[m]] for m in SENSES}

    def judge(self, inputs: dict[str, dict[str, np.ndarray]]):
        """inputs: source -> sense -> features, and "trust" -> rival reliability -> (2, n).

        Returns scores by method, the experts' probabilities P (2, n, C) and the weights r (2, n).
        """
        whole, read = inputs["learned"], self._read(inputs["learned"])
        P = np.stack([self.fusion.experts_[m].predict_proba(whole[m]) for m in SENSES])
        r = self.fusion.weights(whole).T
        ones = np.ones_like(r)

        scores = {
            "image alone": P[0],
            "points alone": P[1],
            "concatenation": self.concatenated.predict_proba(np.hstack(list(read.values()))),
            "mean probability": P.mean(0),
            "product of experts": powered(P, ones),
            "constant discount": discounted(P, self.settings.constant_discount * ones),
            "static accuracy": powered(P, self.static[:, None] ** self.settings.static_power * ones),
            "calibrated entropy": powered(P, normalised_confidence(P) ** self.settings.entropy_power),
            "trained concatenation": self.trained["concat"].log_proba(list(read.values())),
            "trained gate": self.trained["gate"].log_proba(list(read.values())),
            "k-NN reliability": discounted(P, inputs["trust"]["knn"]),
            "GMM reliability": discounted(P, inputs["trust"]["gmm"]),
            "PrecisionFusion": self.fusion.predict_proba(whole),
        }
        for source, name in (("raw", "raw floor"), ("random", "random-encoder floor")):
            floor = [self.floors[source][m].predict_proba(inputs[source][m]) for m in SENSES]
            scores[name] = powered(np.stack(floor), ones)
        return scores, P, r


def recognise(
    bank, objects, known: Known, tests, conditions, test_object, reliabilities, columns, config, settings, seed
):
    """Correctness of every method under every condition, regime and draw.

    tests : function condition -> inputs of all test views, in the order of `test_object` (n_views,).
    Returns correct (n_methods, n_regimes, n_conditions, n_draws, n_trials), object (n_draws, n_trials), and the class
    probabilities (n_senses, n_conditions, n_views, n_classes) of the experts with all labels.
    """
    labels = np.searchsorted(bank.class_names, bank.classes)
    rng = np.random.default_rng([seed, 1])
    tested = np.unique(test_object)
    n_chosen = round(config.share_tested * len(tested))
    rows = [np.flatnonzero(np.isin(test_object, rng.permutation(tested)[:n_chosen])) for _ in range(config.n_draws)]
    correct = np.zeros((len(METHODS), len(REGIMES), len(conditions), config.n_draws, len(rows[0])), np.uint8)
    inputs = [tests(c) for c in conditions]
    for regime, per_class in enumerate(REGIMES.values()):
        for draw in range(config.n_draws):
            if per_class is not None or draw == 0:  # with all labels the experts are the same in every draw
                labelled = draw_labelled(bank, objects.known, per_class, rng)
                chosen = np.isin(known.object, labelled)
                experts = Experts(known, chosen, labels[known.object], reliabilities, columns, settings, seed)
                judged = [experts.judge(x) for x in inputs]
            truth = labels[test_object[rows[draw]]]
            scored = list(with_controls(judged, rows[draw], truth, rng))
            for m, method in enumerate(METHODS):
                for c, scores in enumerate(scored):
                    correct[m, regime, c, draw] = scores[method].argmax(-1) == truth
    return correct, np.stack([test_object[r] for r in rows]), np.stack([P for _, P, _ in judged], axis=1)


def with_controls(judged, rows, truth, rng):
    """Scores of the chosen rows, with the methods that need all conditions, or the truth, beside them."""
    pooled = np.concatenate([r[:, rows] for _, _, r in judged], axis=1)
    permuted = np.stack([rng.permutation(weights) for weights in pooled])
    for c, (scores, P, r) in enumerate(judged):
        P, r = P[:, rows], r[:, rows]
        chosen = {method: s[rows] for method, s in scores.items()}
        chosen["condition-mean weights"] = discounted(P, r.mean(1, keepdims=True) + np.zeros_like(r))
        chosen["permuted weights"] = discounted(P, permuted[:, c * len(rows) : (c + 1) * len(rows)])
        options = [chosen[name] for name in ("image alone", "points alone", "product of experts")]
        chosen["oracle"] = max(options, key=lambda s: (s.argmax(-1) == truth).mean())
        yield chosen
