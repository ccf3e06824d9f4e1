"""The ways to fuse two views; all late fusions read the same experts. Each method had four settings to choose from."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from fusion import ConfidenceReliability, CrossModalAgreement, DensityReliability, PrecisionFusion
from topology import GrowingNeuralGas

from ._networks import Network
from ._senses import VIEWS

EXPERT_C = 0.1  # inverse penalty of the logistic experts
N_UNITS = 30  # of each map

# What was tried; see experiments/data/tune_mfeat.py. CHOSEN holds the best of each on the development seeds.
RULES = [{"combine": rule, "power": power} for rule in ("product", "discount") for power in (1.0, 3.0)]
SIZES = [{"n_hidden": n, "n_steps": steps} for n in (64, 128) for steps in (300, 900)]
GRADINGS = [{"grading": g, "combine": rule} for g in ("p_value", "distance") for rule in ("discount", "product")]
TRIED: dict[str, list[dict]] = {
    "concatenation": [{"C": C} for C in (0.01, 0.03, 0.1, 1.0)],
    "constant discount": [{"r": r} for r in (0.3, 0.5, 0.7, 0.9)],
    "static accuracy": RULES,
    "entropy": RULES,
    "energy": RULES,
    "evidential (TMC)": SIZES,
    "trained energy (QMF)": SIZES,
    "trained concatenation": SIZES,
    "trained gate": SIZES,
    "k-NN reliability": GRADINGS,
    "GMM reliability": GRADINGS,
    "PrecisionFusion": GRADINGS,
    "with agreement": GRADINGS,
}
CHOSEN: dict[str, dict] = {
    "concatenation": {"C": 0.01},
    "constant discount": {"r": 0.5},
    "static accuracy": {"combine": "discount", "power": 3.0},
    "entropy": {"combine": "discount", "power": 1.0},
    "energy": {"combine": "product", "power": 1.0},
    "evidential (TMC)": {"n_hidden": 128, "n_steps": 300},
    "trained energy (QMF)": {"n_hidden": 128, "n_steps": 900},
    "trained concatenation": {"n_hidden": 128, "n_steps": 900},
    "trained gate": {"n_hidden": 64, "n_steps": 900},
    "k-NN reliability": {"grading": "distance", "combine": "product"},
    "GMM reliability": {"grading": "distance", "combine": "discount"},
    "PrecisionFusion": {"grading": "distance", "combine": "product"},
    "with agreement": {"grading": "distance", "combine": "product"},
}

METHODS = (
    "best single view",
    "mean probability",
    "product of experts",
    *TRIED,
    "permuted weights",
    "oracle",
)
SAW_NOTHING = METHODS[: METHODS.index("trained concatenation")]  # learned from clean digits alone
TRAINED = ("trained concatenation", "trained gate")  # saw noise and blanks
NETWORKS = {
    "evidential (TMC)": "evidence",
    "trained energy (QMF)": "quality",
    "trained concatenation": "concatenation",
    "trained gate": "gate",
}


def logistic(C=EXPERT_C):
    return LogisticRegression(C=C, max_iter=1000)


class Methods:
    """Every method fitted to one split of the digits, by name: `scores(views)` -> class probabilities."""

    def __init__(self, train, y, seed, n_steps=None):
        self.train = {view: train[view] for view in VIEWS}
        self.y, self.seed, self.n_steps = y, seed, n_steps
        self.experts = {view: FrozenEstimator(logistic().fit(train[view], y)) for view in VIEWS}
        self.accuracy = {view: cross_val_score(logistic(), train[view], y, cv=4).mean() for view in VIEWS}

    def make(self, name, setting):
        """A function from test views to class probabilities."""
        if name == "concatenation":
            model = logistic(setting["C"]).fit(_joined(self.train), self.y)
            return lambda views: model.predict_proba(_joined(views))
        if name in NETWORKS:
            setting = setting if self.n_steps is None else {**setting, "n_steps": self.n_steps}
            network = Network(NETWORKS[name], augmented=name in TRAINED, seed=self.seed, **setting)
            network.fit([self.train[view] for view in VIEWS], self.y)
            return lambda views: network.predict_proba([views[view] for view in VIEWS])
        return self.fusion(name, setting).predict_proba

    def fusion(self, name, setting):
        """The fitted `PrecisionFusion` of a late fusion."""
        combine, agreement = setting.get("combine", "discount"), None
        if name == "constant discount":
            reliability = dict.fromkeys(VIEWS, setting["r"])
        elif name in ("static accuracy", "entropy", "energy"):
            score = "accuracy" if name == "static accuracy" else name
            reliability = {
                view: ConfidenceReliability(logistic(), score=score, power=setting["power"]) for view in VIEWS
            }
        else:
            reliability = {view: self.density(name, setting["grading"]) for view in VIEWS}
            agreement = CrossModalAgreement(random_state=self.seed) if name == "with agreement" else None
        return self.fuse(reliability, combine, agreement)

    def density(self, name, grading):
        if name == "k-NN reliability":
            estimator, score = NearestNeighbors(n_neighbors=10), "distance"
        elif name == "GMM reliability":
            mixture = GaussianMixture(10, random_state=self.seed, reg_covar=1e-3)
            estimator, score = make_pipeline(PCA(15, svd_solver="full"), mixture), "log_density"
        else:
            estimator, score = GrowingNeuralGas(N_UNITS, random_state=self.seed), "second_moment"
        return DensityReliability(estimator, score=score, grading=grading, random_state=self.seed)

    def fuse(self, reliability, combine="discount", agreement=None):
        modalities = [(view, None, self.experts[view], reliability[view]) for view in VIEWS]
        return PrecisionFusion(modalities, combine=combine, agreement=agreement).fit(self.train, self.y)


class Given:
    """Weights that come from elsewhere."""

    def __init__(self, weights):
        self.weights = weights

    def reliability(self, X):
        return self.weights


def floats_stored(fusion) -> int:
    """Numbers that the densities of both views keep; the calibration, alike for all kinds, is left out."""
    total = 0
    for reliability in fusion.reliabilities_.values():
        (density,) = reliability.estimators_.values()
        if hasattr(density, "prototypes_"):  # prototypes, variances of their cells, and the basis these are taken in
            n_units, d = density.prototypes_.shape
            total += 2 * n_units * d + d * d
        elif hasattr(density, "kneighbors"):
            total += density.n_samples_fit_ * density.n_features_in_
        else:
            pca, mixture = density[0], density[1]
            total += pca.components_.size + pca.mean_.size
            total += mixture.means_.size + mixture.covariances_.size + mixture.weights_.size
    return total


def _joined(views):
    return np.hstack([views[view] for view in VIEWS])
