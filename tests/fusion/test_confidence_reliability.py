import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestNeighbors

from fusion import ConfidenceReliability, DensityReliability, PrecisionFusion, Reliability

LEFT, RIGHT = np.flatnonzero(np.arange(64) % 8 < 4), np.flatnonzero(np.arange(64) % 8 >= 4)


def expert():
    return LogisticRegression(C=1.0, max_iter=500)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    X = X[:, LEFT]
    return X[:600], y[:600], X[600:1000], y[600:1000]


@pytest.fixture(scope="module")
def overlapping():
    """Two classes of which the samples in the middle cannot be told apart."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 500)
    X = np.where(rng.uniform(size=1000) < 0.6, rng.normal(size=1000), 6.0 * (2 * y - 1) + rng.normal(size=1000))
    return X[:, None], y


@pytest.mark.parametrize("score", ["entropy", "energy"])
def test_a_sure_expert_is_right_more_often(digits, score):
    X, y, X_test, y_test = digits
    reliability = ConfidenceReliability(expert(), score=score).fit(X, y)
    given = reliability.reliability(X_test)
    assert isinstance(reliability, Reliability)
    assert given.shape == (400,) and given.min() >= 0 and given.max() <= 1
    right = reliability.expert_.predict(X_test) == y_test
    upper = given > np.median(given)
    assert right[upper].mean() > right[~upper].mean() + 0.05


def test_entropy_by_hand(overlapping):
    X, y = overlapping
    reliability = ConfidenceReliability(LogisticRegression(), power=2.0).fit(X, y)
    p = LogisticRegression().fit(X, y).predict_proba(X) ** (1 / reliability.temperature_)
    p /= p.sum(axis=1, keepdims=True)
    entropy = -(p * np.log(p)).sum(axis=1)
    np.testing.assert_allclose(reliability.reliability(X), (1 - entropy / np.log(2)) ** 2, atol=1e-9)


def test_energy_by_hand(digits):
    X, y, X_test, _ = digits
    reliability = ConfidenceReliability(expert(), score="energy").fit(X, y)
    energy = logsumexp(reliability.expert_.decision_function(X_test) / reliability.temperature_, axis=1)
    inside = (reliability.reliability(X_test) > 0) & (reliability.reliability(X_test) < 1)
    assert inside.mean() > 0.9
    slope, offset = np.polyfit(energy[inside], reliability.reliability(X_test)[inside], 1)
    np.testing.assert_allclose(slope * energy[inside] + offset, reliability.reliability(X_test)[inside], atol=1e-9)
    assert slope > 0


def test_the_temperature_makes_a_boastful_expert_modest(overlapping):
    """Log-probabilities times four: their temperature must be four times as high, the reliability the same."""

    class Boastful(LogisticRegression):
        def predict_proba(self, X):
            p = super().predict_proba(X) ** 4
            return p / p.sum(axis=1, keepdims=True)

    X, y = overlapping
    modest, boastful = (ConfidenceReliability(e).fit(X, y) for e in (LogisticRegression(), Boastful()))
    np.testing.assert_allclose(boastful.temperature_, 4 * modest.temperature_, rtol=1e-3)
    np.testing.assert_allclose(boastful.reliability(X), modest.reliability(X), atol=1e-3)


def test_accuracy_is_that_of_samples_left_out(digits):
    X, y, X_test, _ = digits
    reliability = ConfidenceReliability(expert(), score="accuracy").fit(X, y)
    found = cross_val_score(expert(), X, y, cv=5).mean()
    np.testing.assert_allclose(reliability.accuracy_, found, atol=0.005)
    np.testing.assert_allclose(reliability.reliability(X_test), (reliability.accuracy_ - 0.1) / 0.9)
    worthless = ConfidenceReliability(expert(), score="accuracy").fit(np.zeros((60, 2)), np.arange(60) % 3)
    np.testing.assert_allclose(worthless.reliability(np.zeros((1, 2))), 0, atol=1e-12)


def test_groups_are_left_out_together():
    """Each object is seen ten times and tells nothing about the others: only a split inside objects looks accurate."""
    rng = np.random.default_rng(0)
    objects, y = np.repeat(np.arange(40), 10), np.repeat(np.arange(40) % 2, 10)
    X = rng.normal(size=(40, 30))[objects] + 0.01 * rng.normal(size=(400, 30))
    order = rng.permutation(400)
    X, y, objects = X[order], y[order], objects[order]
    make = ConfidenceReliability(LogisticRegression(), score="accuracy")
    assert make.fit(X, y).accuracy_ > 0.9
    assert make.fit(X, y, groups=objects).accuracy_ < 0.75


def test_every_reliability_fuses(digits):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    kinds = [ConfidenceReliability(expert(), score=score) for score in ("entropy", "energy", "accuracy")]
    kinds += [0.5, DensityReliability(random_state=0), DensityReliability(score="log_density", random_state=0)]
    kinds += [
        DensityReliability(NearestNeighbors(n_neighbors=10), score="distance", random_state=0),
        DensityReliability(GaussianMixture(5, covariance_type="diag"), score="log_density", random_state=0),
    ]
    columns = {"left": LEFT, "right": RIGHT}
    noisy = X[600:800].copy()
    noisy[:, LEFT] += 0.4 * np.random.default_rng(0).normal(size=(200, 32))
    for kind in kinds:
        fusion = PrecisionFusion([(name, c, expert(), kind) for name, c in columns.items()]).fit(X[:400], y[:400])
        assert fusion.score(X[600:800], y[600:800]) > 0.8
        clean, degraded = fusion.weights(X[600:800]).mean(axis=0), fusion.weights(noisy).mean(axis=0)
        assert degraded[1] == clean[1]
        if isinstance(kind, DensityReliability):
            assert degraded[0] < 0.5 * clean[0]
    fusion = PrecisionFusion([("left", LEFT, expert(), kinds[0]), ("right", RIGHT, expert(), 0.8)])
    grid = {"left__reliability__power": [0.5, 1.0], "left__reliability__expert__C": [1.0]}
    search = GridSearchCV(fusion, grid, cv=2).fit(X[:300], y[:300])
    assert search.best_estimator_.reliabilities_["left"].power in (0.5, 1.0)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"score": "margin"}, ValueError, "score must be one of"),
        ({"power": 0}, ValueError, "power must be"),
        ({"cv": 1}, ValueError, "cv must be at least 2"),
        ({"expert": LogisticRegression}, TypeError, "expert must be a classifier"),
        ({"expert": RandomForestClassifier(), "score": "energy"}, TypeError, "decision_function"),
    ],
)
def test_bad_parameters(digits, parameters, error, message):
    with pytest.raises(error, match=message):
        ConfidenceReliability(**{"expert": expert(), **parameters}).fit(*digits[:2])


def test_bad_data(digits):
    X, y = digits[:2]
    with pytest.raises(ValueError, match="2 samples of at least 2 classes"):
        ConfidenceReliability(expert()).fit(X[:11], [0] * 10 + [1])
    with pytest.raises(ValueError, match="NaN"):
        ConfidenceReliability(expert()).fit(np.full((4, 2), np.nan), [0, 0, 1, 1])
    with pytest.raises(ValueError, match="y must hold the class label"):
        ConfidenceReliability(expert()).fit(X, None)
    with pytest.raises(NotFittedError):
        ConfidenceReliability(expert()).reliability(X)
    frozen = FrozenEstimator(GaussianNB().fit(X, y))
    assert ConfidenceReliability(frozen).fit(X[:100], y[:100]).expert_.estimator is frozen.estimator
