from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB

from fusion import CrossModalAgreement, DensityReliability, PrecisionFusion
from fusion._cross_modal_agreement import posterior

SENSES = {"a": slice(0, 8), "b": slice(8, 16), "c": slice(16, 24)}


def sense_objects(n, seed):
    """Objects with a category and a style; each sense shows a mixture of both, with noise of its own."""
    mixing, rng = np.random.default_rng(7), np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    objects = np.column_stack([2 * np.eye(3)[y], rng.normal(size=(n, 3))])
    X = [objects @ mixing.normal(size=(6, 8)) + rng.normal(size=(n, 8)) for _ in SENSES]
    return np.hstack(X), y


def swapped(X, sense, seed=0):
    X = X.copy()
    X[:, SENSES[sense]] = np.random.default_rng(seed).permutation(X[:, SENSES[sense]])
    return X


def as_dict(X, senses="abc"):
    return {name: X[:, SENSES[name]] for name in senses}


def fusion(agreement=None, senses="abc", reliability=0.8):
    return PrecisionFusion(
        [(name, SENSES[name], LogisticRegression(), reliability) for name in senses], agreement=agreement
    )


@pytest.fixture(scope="module")
def data():
    return *sense_objects(600, 0), *sense_objects(500, 1)


@pytest.fixture(scope="module")
def fitted(data):
    return CrossModalAgreement(random_state=0).fit(as_dict(data[0]))


# --- the posterior ----------------------------------------------------------------------------------


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), n_senses=st.integers(1, 4))
def test_the_posterior_is_the_sum_over_all_causes(seed, n_senses):
    rng = np.random.default_rng(seed)
    prior, ratios = rng.uniform(0.05, 0.95, size=n_senses), rng.normal(0, 3, size=(n_senses, n_senses))
    total, shared = 0.0, np.zeros(n_senses)
    for z in product((0, 1), repeat=n_senses):
        p = np.prod([q if on else 1 - q for q, on in zip(prior, z)])
        p *= np.exp(sum(ratios[m, n] for m in range(n_senses) for n in range(m + 1, n_senses) if z[m] and z[n]))
        total += p
        shared += p * np.array(z)
    upper = np.triu(ratios, 1)[..., None]
    np.testing.assert_allclose(posterior(prior[:, None], upper)[:, 0], shared / total)


def test_without_evidence_the_posterior_is_the_prior():
    prior = np.array([[0.7, 0.0], [0.2, 1.0]])
    np.testing.assert_allclose(posterior(prior, np.zeros((2, 2, 2))), prior, atol=1e-9)


# --- behaviour --------------------------------------------------------------------------------------


@pytest.mark.parametrize("association", ["canonical", "hebbian"])
def test_the_odd_one_out_of_three_loses_its_weight(data, association):
    X, _, X_test, _ = data
    agreement = CrossModalAgreement(association, random_state=0).fit(as_dict(X))
    reliability = np.full((len(X_test), 3), 0.8)
    clean = agreement.common_cause_proba(as_dict(X_test), reliability).mean(axis=0)
    assert clean.min() > 0.8
    for i, sense in enumerate(SENSES):
        given = agreement.common_cause_proba(as_dict(swapped(X_test, sense)), reliability).mean(axis=0)
        others = np.delete(given, i)
        assert given[i] < 0.45 < 0.65 < others.min()


def test_two_senses_in_conflict_lose_trust_alike(data):
    X, _, X_test, _ = data
    agreement = CrossModalAgreement(random_state=0).fit(as_dict(X, "ab"))
    reliability = np.full((len(X_test), 2), 0.8)
    given = agreement.common_cause_proba(as_dict(swapped(X_test, "a"), "ab"), reliability)
    np.testing.assert_allclose(given[:, 0], given[:, 1])
    assert given.mean() < 0.65
    uneven = agreement.common_cause_proba(as_dict(swapped(X_test, "a"), "ab"), np.tile([0.5, 0.8], (len(X_test), 1)))
    assert uneven[:, 0].mean() < 0.45 < 0.55 < uneven[:, 1].mean()  # the more reliable one is believed


def test_a_sense_that_is_degraded_cannot_accuse_the_others(data, fitted):
    X_test = data[2]
    degraded = X_test + 0.0
    degraded[:, SENSES["a"]] += 10
    known, unknown = np.tile([0.02, 0.8, 0.8], (len(X_test), 1)), np.full((len(X_test), 3), 0.8)
    pair = {name: degraded[:, SENSES[name]] for name in "ab"}
    accused = fitted.common_cause_proba(pair, unknown)[:, 1].mean()
    assert fitted.common_cause_proba(pair, known)[:, 1].mean() > accused + 0.15
    assert fitted.common_cause_proba(as_dict(degraded), known)[:, 1:].mean() > 0.8


def test_missing_senses(data, fitted):
    X = data[2][:50].copy()
    reliability = np.full((50, 3), 0.8)
    two = fitted.common_cause_proba(as_dict(X, "ab"), reliability)
    X[:, SENSES["c"]] = np.nan
    np.testing.assert_array_equal(fitted.common_cause_proba(as_dict(X), reliability), two)
    assert (two[:, 2] == 0).all() and two[:, :2].mean() > 0.7
    alone = fitted.common_cause_proba(as_dict(X, "a"), reliability)
    np.testing.assert_allclose(alone, np.tile([0.8 * 0.9, 0, 0], (50, 1)))


def test_senses_that_were_never_met_together_give_no_evidence(data):
    X = data[0].copy()
    X[:300, SENSES["a"]] = np.nan
    X[300:, SENSES["b"]] = np.nan
    agreement = CrossModalAgreement(random_state=0).fit(as_dict(X))
    assert agreement.pairs_ == [("a", "c"), ("b", "c")]
    given = agreement.common_cause_proba(as_dict(data[2], "ab"), np.full((500, 3), 0.5))
    np.testing.assert_allclose(given, np.tile([0.45, 0.45, 0], (500, 1)))


def test_unrelated_senses_are_left_as_they_are():
    rng = np.random.default_rng(0)
    agreement = CrossModalAgreement(random_state=0).fit(
        {"a": rng.normal(size=(800, 3)), "b": rng.normal(size=(800, 3))}
    )
    new = {"a": rng.normal(size=(800, 3)), "b": rng.normal(size=(800, 3))}
    given = agreement.common_cause_proba(new, np.full((800, 2), 0.8))
    assert abs(given - 0.8 * 0.9).max() < 0.2


def test_no_unit_and_no_order(data, fitted):
    X, _, X_test, _ = data
    reliability = np.full((len(X_test), 3), 0.8)
    before = fitted.common_cause_proba(as_dict(X_test), reliability)
    units = np.repeat([1.0, 64.0, 1 / 8], 8)
    rescaled = CrossModalAgreement(random_state=0).fit(as_dict(units * X))
    np.testing.assert_allclose(rescaled.common_cause_proba(as_dict(units * X_test), reliability), before, rtol=1e-6)
    np.testing.assert_array_equal(fitted.common_cause_proba(as_dict(X_test[:7]), reliability[:7]), before[:7])


def test_groups_are_never_taken_for_different_objects():
    """Twenty views of each of few objects: views of one object belong together, whichever they are."""
    X, _ = sense_objects(40, 3)
    objects = np.repeat(np.arange(40), 20)
    views = X[objects] + 0.01 * np.random.default_rng(0).normal(size=(800, 24))
    agreement = CrossModalAgreement(random_state=0).fit(as_dict(views), groups=objects)
    assert agreement.common_cause_proba(as_dict(views), np.full((800, 3), 0.8)).mean() > 0.8
    with pytest.raises(ValueError, match="at least 2 different groups"):
        CrossModalAgreement().fit(as_dict(views), groups=np.zeros(800))


# --- in the fusion ----------------------------------------------------------------------------------


def test_agreement_recovers_what_a_swapped_sense_costs(data):
    X, y, X_test, y_test = data
    off, on = fusion().fit(X, y), fusion(CrossModalAgreement(random_state=0)).fit(X, y)
    gains = [on.score(swapped(X_test, s), y_test) - off.score(swapped(X_test, s), y_test) for s in SENSES]
    assert np.mean(gains) > 0.01
    assert on.score(X_test, y_test) > off.score(X_test, y_test) - 0.01
    assert on.weights(X_test).shape == (500, 3)
    np.testing.assert_allclose(
        on.weights(X_test), on.agreement_.common_cause_proba(as_dict(X_test), np.full((500, 3), 0.8))
    )
    halves = X_test.copy()
    halves[:250, :8], halves[250:, 8:] = np.nan, np.nan
    weights = on.weights(halves)
    assert (weights[:250, 0] == 0).all() and (weights[250:, 1:] == 0).all() and weights[250:, 0].mean() > 0.7
    np.testing.assert_allclose(on.predict_proba(np.full((1, 24), np.nan)), 1 / 3)


def test_frozen_and_online(data):
    X, y, X_test, _ = data
    agreement = FrozenEstimator(CrossModalAgreement(random_state=0).fit(as_dict(X)))
    once = fusion(agreement).fit(X[:60], y[:60])
    assert once.agreement_ is agreement
    online = PrecisionFusion([(n, c, GaussianNB(), 0.8) for n, c in SENSES.items()], agreement=CrossModalAgreement())
    online.partial_fit(X[:300], y[:300], classes=[0, 1, 2])
    learned = online.agreement_
    online.partial_fit(X[300:], y[300:])
    assert online.agreement_ is learned
    assert online.predict(X_test).shape == (500,)
    with pytest.raises(NotFittedError):
        fusion(FrozenEstimator(CrossModalAgreement())).fit(X, y)
    with pytest.raises(ValueError, match="in this order"):
        fusion(agreement, senses="bac").fit(X, y)


def test_nested_parameters_and_search(data):
    X, y = data[:2]
    model = fusion(CrossModalAgreement(random_state=0), reliability=DensityReliability(random_state=0))
    assert model.get_params()["agreement__prior_foreign"] == 0.1
    copy = clone(model).set_params(agreement__prior_foreign=0.3)
    assert copy.agreement.prior_foreign == 0.3 and model.agreement.prior_foreign == 0.1
    grouped = cross_val_score(model, X, y, cv=3, params={"groups": np.arange(600) // 2})
    assert grouped.mean() > 0.8
    search = GridSearchCV(fusion(model.agreement), {"agreement__prior_foreign": [0.1, 0.3]}, cv=2).fit(X, y)
    assert search.best_params_["agreement__prior_foreign"] in (0.1, 0.3)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"association": "linear"}, ValueError, "association must be one of"),
        ({"prior_foreign": 1.0}, ValueError, "prior_foreign must be"),
        ({"shrinkage": 0.0}, ValueError, "shrinkage must be"),
        ({"cv": 1}, ValueError, "cv must be"),
    ],
)
def test_bad_parameters(data, parameters, error, message):
    with pytest.raises(error, match=message):
        CrossModalAgreement(**parameters).fit(as_dict(data[0]))


def test_bad_data(data, fitted):
    X, y = data[:2]
    with pytest.raises(ValueError, match="2 to 10 modalities"):
        CrossModalAgreement().fit(as_dict(X, "a"))
    with pytest.raises(ValueError, match="2 to 10 modalities"):
        CrossModalAgreement().fit(X)
    with pytest.raises(ValueError, match="at least 20 rows"):
        CrossModalAgreement().fit(as_dict(X[:10]))
    with pytest.raises(ValueError, match="unknown modality 'd'"):
        fitted.common_cause_proba({"d": X}, np.full((600, 3), 0.8))
    with pytest.raises(ValueError, match="reliability must have shape"):
        fitted.common_cause_proba(as_dict(X), np.full((600, 2), 0.8))
    with pytest.raises(ValueError, match="lie in"):
        fitted.common_cause_proba(as_dict(X), np.full((600, 3), 1.8))
    with pytest.raises(TypeError, match="agreement must be None or"):
        fusion("vote").fit(X, y)
    with pytest.raises(ValueError, match="at least two modalities"):
        fusion(CrossModalAgreement(), senses="a").fit(X, y)
