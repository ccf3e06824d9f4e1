import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from fusion import ConfidenceReliability, DensityReliability, LocalPrecision, PrecisionFusion, Reliability
from fusion._combination import RULES

LEFT = np.flatnonzero(np.arange(64) % 8 < 4)
RIGHT = np.flatnonzero(np.arange(64) % 8 >= 4)


def digit_halves(**parameters):
    expert = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
    reliability = DensityReliability(scaling="common", random_state=0)
    return PrecisionFusion([("left", LEFT, expert, reliability), ("right", RIGHT, expert, reliability)], **parameters)


def simple(reliability=None, other=None, **parameters):
    modalities = [("a", slice(0, 2), GaussianNB(), reliability), ("b", slice(2, 4), GaussianNB(), other)]
    return PrecisionFusion(modalities, **parameters)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:1000], y[:1000], X[1000:], y[1000:]


@pytest.fixture(scope="module")
def fused(digits):
    return digit_halves().fit(digits[0], digits[1])


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=150)
    return np.column_stack([y, -y, y, y]) + rng.normal(size=(150, 4)), np.array(["cup", "jug", "pan"])[y]


class Fixed(BaseEstimator):
    """A reliability that reads its value from a column."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, groups=None):
        self.groups_ = groups
        return self

    def reliability(self, X):
        return np.clip(abs(X[:, self.column]), 0, 1)


# --- rules ------------------------------------------------------------------------------------------


def combine_slowly(combine, probabilities, weights):
    """Straight from the formulas, one sample at a time."""
    n_modalities, n_samples, n_classes = probabilities.shape
    result = np.ones((n_samples, n_classes))
    for i in range(n_samples):
        if combine == "mean":
            total = sum(weights[m, i] for m in range(n_modalities))
            result[i] = sum(weights[m, i] * probabilities[m, i] for m in range(n_modalities)) if total else 1
        for m in range(n_modalities):
            if combine == "discount":
                result[i] *= weights[m, i] * probabilities[m, i] + (1 - weights[m, i]) / n_classes
            if combine == "product":
                result[i] *= probabilities[m, i] ** weights[m, i]
    return result / result.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("combine", ["discount", "product", "mean"])
@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_rules_match_the_formulas(combine, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(4), size=(3, 5))
    weights = rng.uniform(size=(3, 5)) * rng.integers(2, size=(3, 5))
    fused = RULES[combine](probabilities, weights)
    np.testing.assert_allclose(fused, combine_slowly(combine, probabilities, weights), rtol=1e-9)
    np.testing.assert_allclose(fused.sum(axis=1), 1)
    np.testing.assert_allclose(RULES[combine](probabilities[::-1], weights[::-1]), fused)


@pytest.mark.parametrize("combine", ["discount", "product", "mean"])
def test_a_sense_without_weight_says_nothing(combine):
    probabilities = np.array([[[0.7, 0.2, 0.1]], [[0.0, 0.0, 1.0]]])
    np.testing.assert_allclose(RULES[combine](probabilities, np.array([[1.0], [0.0]])), [[0.7, 0.2, 0.1]])
    np.testing.assert_allclose(RULES[combine](probabilities, np.zeros((2, 1))), [[1 / 3] * 3])


@pytest.mark.parametrize("combine", ["discount", "product", "mean"])
def test_experts_that_exclude_each_other_leave_a_distribution(combine):
    fused = RULES[combine](np.array([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]]), np.ones((2, 1)))
    np.testing.assert_allclose(fused, [[0.5, 0.5, 0.0]], atol=1e-6)


# --- behaviour --------------------------------------------------------------------------------------


def test_a_degraded_half_loses_its_weight_and_little_is_lost(digits, fused):
    X, y = digits[2:]
    product = (
        clone(fused).set_params(left__reliability=None, right__reliability=None, combine="product").fit(*digits[:2])
    )
    assert fused.score(X, y) > product.score(X, y) - 0.005
    degraded = X.copy()
    degraded[:, LEFT] += 8 * np.random.default_rng(0).normal(size=degraded[:, LEFT].shape)
    clean_weights, weights = fused.weights(X), fused.weights(degraded)
    assert weights.shape == (len(X), 2)
    assert weights[:, 0].mean() < 0.3 < 0.6 < clean_weights[:, 0].mean()
    np.testing.assert_array_equal(weights[:, 1], clean_weights[:, 1])
    assert fused.score(degraded, y) > product.score(degraded, y) + 0.1


def test_predict_proba_is_the_rule_over_the_parts(digits, fused):
    X = digits[2][:20]
    probabilities = [
        fused.experts_[name].predict_proba(X[:, columns]) for name, columns in (("left", LEFT), ("right", RIGHT))
    ]
    weights = [
        fused.reliabilities_["left"].reliability(X[:, LEFT]),
        fused.reliabilities_["right"].reliability(X[:, RIGHT]),
    ]
    np.testing.assert_allclose(fused.weights(X), np.transpose(weights))
    expected = combine_slowly("discount", np.array(probabilities), np.array(weights))
    np.testing.assert_allclose(fused.predict_proba(X), expected, rtol=1e-9)
    np.testing.assert_array_equal(fused.predict(X), fused.classes_[expected.argmax(axis=1)])


def test_constants(blobs):
    X, y = blobs
    fusion = simple(0.5, 0).fit(X, y)
    np.testing.assert_array_equal(fusion.weights(X[:3]), [[0.5, 0]] * 3)
    alone = GaussianNB().fit(X[:, :2], y).predict_proba(X[:, :2])
    np.testing.assert_allclose(fusion.predict_proba(X), 0.5 * alone + 0.5 / 3)
    np.testing.assert_allclose(simple(None, 0.0).fit(X, y).predict_proba(X), alone)


def test_missing_senses(blobs):
    X, y = blobs
    X = X.copy()
    fusion = simple(Fixed(), 0.5).fit(X, y)
    X[0, :2] = np.nan
    X[1, 2:] = np.nan
    X[2] = np.nan
    weights = fusion.weights(X[:4])
    assert weights[0, 0] == weights[1, 1] == weights[2, 0] == weights[2, 1] == 0 < weights[3].min()
    proba = fusion.predict_proba(X[:4])
    expert = fusion.experts_["b"].predict_proba(X[:1, 2:])
    np.testing.assert_allclose(proba[:1], 0.5 * expert + 0.5 / 3)
    np.testing.assert_allclose(proba[2], 1 / 3)
    X[4, 0] = np.nan
    with pytest.raises(ValueError, match="a: Input X contains NaN"):
        fusion.predict(X)


def test_rows_without_a_sense_do_not_train_it(blobs):
    X, y = blobs
    X = X.copy()
    X[y == "cup", :2] = np.nan
    fusion = simple(Fixed(), None).fit(X, y, groups=np.arange(len(y)))
    assert list(fusion.experts_["a"].classes_) == ["jug", "pan"]
    np.testing.assert_array_equal(fusion.reliabilities_["a"].groups_, np.flatnonzero(y != "cup"))
    assert np.isfinite(fusion.predict_proba(X)).all()
    assert fusion.score(X, y) > 0.5
    X[:, :2] = np.nan
    with pytest.raises(ValueError, match="a is missing in every row"):
        simple().fit(X, y)


def test_groups_go_to_the_reliabilities_alone(blobs):
    X, y = blobs
    groups = np.repeat(np.arange(30), 5)
    assert (simple(Fixed()).fit(X, y, groups=groups).reliabilities_["a"].groups_ == groups).all()
    assert simple(Fixed()).fit(X, y).reliabilities_["a"].groups_ is None
    density = simple(DensityReliability(random_state=0)).fit(X, y, groups=groups).reliabilities_["a"]
    assert density.n_calibration_ == 5 * round(0.25 * 30)
    with pytest.raises(ValueError, match="one group per sample"):
        simple(Fixed()).fit(X, y, groups=groups[:3])


def test_one_label_per_class_with_reliabilities_learned_before(digits):
    X, y, X_test, y_test = digits
    frozen = [FrozenEstimator(DensityReliability(random_state=0).fit(X[:, columns])) for columns in (LEFT, RIGHT)]
    fusion = digit_halves().set_params(left__reliability=frozen[0], right__reliability=frozen[1])
    first = [np.flatnonzero(y == digit)[0] for digit in range(10)]
    fusion.fit(X[first], y[first])
    assert fusion.reliabilities_["left"] is frozen[0]
    assert fusion.score(X_test, y_test) > 0.4
    np.testing.assert_array_equal(fusion.weights(X_test)[:, 0], frozen[0].estimator.reliability(X_test[:, LEFT]))


def test_an_unfitted_frozen_reliability_is_refused(blobs):
    with pytest.raises(NotFittedError):
        simple(FrozenEstimator(DensityReliability())).fit(*blobs)


def test_a_frozen_expert_is_used_as_it_is(blobs):
    X, y = blobs
    expert = FrozenEstimator(GaussianNB().fit(X[:, :2], y))
    fusion = PrecisionFusion([("a", slice(0, 2), expert, None), ("b", [2, 3], GaussianNB(), None)]).fit(X[50:], y[50:])
    assert fusion.experts_["a"] is expert
    before = expert.predict_proba(X[:, :2])
    PrecisionFusion([("a", slice(0, 2), expert, None)]).partial_fit(X[:5], y[:5], classes=np.unique(y))
    np.testing.assert_array_equal(expert.predict_proba(X[:, :2]), before)
    with pytest.raises(ValueError, match="expert knows the classes"):
        fusion.fit(X[y != "cup"], y[y != "cup"])


def test_partial_fit(blobs):
    X, y = blobs
    fusion = simple(Fixed())
    for start in range(0, 150, 50):
        fusion.partial_fit(X[start : start + 50], y[start : start + 50], classes=np.unique(y) if start == 0 else None)
    np.testing.assert_allclose(fusion.predict_proba(X), simple(Fixed()).fit(X, y).predict_proba(X), rtol=1e-6)
    reliability = fusion.reliabilities_["a"]
    X = X.copy()
    X[:, 2:] = np.nan
    fusion.partial_fit(X[:10], y[:10])  # b is missing in the whole batch
    assert fusion.reliabilities_["a"] is reliability
    assert fusion.experts_["a"].class_count_.sum() == 160 and fusion.experts_["b"].class_count_.sum() == 150


def test_partial_fit_refuses(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="classes must be passed"):
        simple().partial_fit(X, y)
    fusion = simple().partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="differ from those of the first call"):
        fusion.partial_fit(X, y, classes=["cup", "jug"])
    with pytest.raises(ValueError, match="not among classes"):
        fusion.partial_fit(X[:1], ["fork"])
    assert not hasattr(simple().set_params(a__expert=LinearSVC()), "partial_fit")


def test_layers_of_a_sense_are_judged_apart(digits):
    """The lower rows of the left half are mirrored: their layer sees it, and the expert of all rows is distrusted."""
    X, y, X_test, _ = digits
    layers = {"upper": slice(0, 16), "lower": slice(16, 32)}
    reliability = DensityReliability(layers=layers, scaling={"upper": "common", "lower": "common"}, random_state=0)
    fusion = digit_halves().set_params(left__reliability=reliability).fit(X, y)
    turned = X_test.copy()
    turned[:, LEFT[16:]] = turned[:, LEFT[16:]][:, ::-1]
    p = fusion.reliabilities_["left"].layer_p_values(turned[:, LEFT])
    assert p[:, 1].mean() < 0.2 < 0.35 < p[:, 0].mean()
    assert fusion.weights(turned)[:, 0].mean() < 0.7 * fusion.weights(X_test)[:, 0].mean()
    fusion.set_params(left__reliability__layers=None, left__reliability__scaling="common")
    assert fusion.fit(X, y).reliabilities_["left"].layer_names_ == ["all"]


def test_the_labels_go_to_a_reliability_that_asks_for_them(blobs):
    class Labelled(Fixed):
        def fit(self, X, y, groups=None):
            self.seen_ = y
            return self

    X, y = blobs
    np.testing.assert_array_equal(simple(Labelled()).fit(X, y).reliabilities_["a"].seen_, y)
    missing = X.copy()
    missing[y == "cup", :2] = np.nan
    fusion = simple(Labelled()).partial_fit(missing, y, classes=np.unique(y))
    np.testing.assert_array_equal(fusion.reliabilities_["a"].seen_, y[y != "cup"])


# --- input ------------------------------------------------------------------------------------------


def test_dict_input(blobs):
    X, y = blobs
    as_dict = {"a": X[:, :2], "b": X[:, 2:]}
    fusion, reference = simple(Fixed()).fit(as_dict, y), simple(Fixed()).fit(X, y)
    np.testing.assert_array_equal(fusion.predict_proba(as_dict), reference.predict_proba(X))
    np.testing.assert_array_equal(reference.predict_proba(as_dict), reference.predict_proba(X))
    half = X.copy()
    half[:, 2:] = np.nan
    np.testing.assert_array_equal(fusion.predict_proba({"a": X[:, :2]}), reference.predict_proba(half))
    for bad, message in [
        ({"a": X[:, :2], "c": X}, "unknown modality 'c'"),
        ({}, "lacks the modality"),
        ({"a": X[:, :2], "b": X[:3, 2:]}, "same samples"),
        ({"a": X[:, :1]}, "a has 1 columns"),
        (X, "must be a dict"),
    ]:
        with pytest.raises(ValueError, match=message):
            fusion.predict(bad)
    with pytest.raises(ValueError, match="lacks the modality 'b'"):
        simple().fit({"a": X[:, :2]}, y)


def test_a_refit_forgets_the_columns_of_the_first(blobs):
    X, y = blobs
    fusion = simple().fit(X, y)
    assert fusion.n_features_in_ == 4
    assert not hasattr(fusion.fit({"a": X[:, :2], "b": X[:, 2:]}, y), "n_features_in_")


def test_data_frame(blobs):
    pandas = pytest.importorskip("pandas")
    X, y = blobs
    frame = pandas.DataFrame(X, columns=["u", "v", "w", "x"])
    fusion = simple().set_params(a__columns=["u", "v"], b__columns=["x", "w"]).fit(frame, y)
    reference = simple().set_params(b__columns=[3, 2]).fit(X, y)
    np.testing.assert_allclose(fusion.predict_proba(frame), reference.predict_proba(X))
    assert list(fusion.feature_names_in_) == ["u", "v", "w", "x"]
    with pytest.raises(ValueError, match="feature names"):
        fusion.predict(frame[["x", "w", "v", "u"]])


@pytest.mark.parametrize(
    "columns", [slice(2, 4), [2, 3], np.array([2, 3]), [-2, -1], np.array([False, False, True, True])]
)
def test_columns(blobs, columns):
    X, y = blobs
    fusion = simple().set_params(b__columns=columns).fit(X, y)
    np.testing.assert_array_equal(fusion.predict_proba(X), simple().fit(X, y).predict_proba(X))


# --- scikit-learn -----------------------------------------------------------------------------------


def test_nested_parameters():
    fusion = simple(DensityReliability(), 0.5)
    params = fusion.get_params()
    assert params["a__expert__var_smoothing"] == 1e-9
    assert params["a__reliability__score"] == "second_moment"
    assert params["b__reliability"] == 0.5 and params["a__columns"] == slice(0, 2)
    original = fusion.modalities
    fusion.set_params(a__expert__var_smoothing=1e-3, b__reliability=0.25, b__columns=[3], combine="mean")
    assert fusion.modalities[0][2].var_smoothing == 1e-3 and fusion.modalities[1][1:4:2] == ([3], 0.25)
    assert original[1][3] == 0.5 and fusion.combine == "mean"
    copy = clone(fusion)
    assert copy.modalities[0][2] is not fusion.modalities[0][2]
    assert copy.get_params()["a__expert__var_smoothing"] == 1e-3
    for wrong in ("c__expert", "a__weight", "a", "b__reliability__score"):
        with pytest.raises(ValueError, match=r"invalid parameter|no parameters to set"):
            fusion.set_params(**{wrong: 1})


def test_cross_validation_and_grid_search(digits):
    X, y = digits[0][:300], digits[1][:300]
    fusion = digit_halves()
    assert cross_val_score(fusion, X, y, cv=3).mean() > 0.8
    grouped = cross_val_score(fusion, X, y, cv=3, params={"groups": np.arange(300) // 2})
    assert grouped.mean() > 0.8
    search = GridSearchCV(fusion, {"left__expert__logisticregression__C": [1e-4, 0.1], "combine": ["discount"]}, cv=2)
    assert search.fit(X, y).best_params_["left__expert__logisticregression__C"] == 0.1


@pytest.mark.parametrize(
    ("expert", "reliability"),
    [
        (LogisticRegression(), None),
        (GaussianNB(), DensityReliability(random_state=0)),
        (GaussianNB(), ConfidenceReliability(GaussianNB(), cv=2)),
    ],
)
def test_scikit_learn_contract(expert, reliability):
    check_estimator(PrecisionFusion([("all", None, expert, reliability)]), on_skip=None)


def test_same_seed_same_bits(digits, fused):
    again = digit_halves().fit(digits[0], digits[1])
    np.testing.assert_array_equal(again.predict_proba(digits[2]), fused.predict_proba(digits[2]))


# --- bad input --------------------------------------------------------------------------------------


class Boastful(Fixed):
    def reliability(self, X):
        return np.full(len(X), 1.5)


class NoProbabilities(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        return self


@pytest.mark.parametrize(
    ("modalities", "error", "message"),
    [
        ([], ValueError, "at least one"),
        (None, ValueError, "at least one"),
        ([("a", None, GaussianNB())], ValueError, "must be a tuple"),
        ([("a", None, GaussianNB(), None)] * 2, ValueError, "names of modalities must differ"),
        ([("a__b", None, GaussianNB(), None)], ValueError, "without '__'"),
        ([("combine", None, GaussianNB(), None)], ValueError, "none of"),
        ([(3, None, GaussianNB(), None)], ValueError, "must be a string"),
        ([("a", None, NoProbabilities(), None)], TypeError, "predict_proba"),
        ([("a", None, GaussianNB, None)], TypeError, "predict_proba"),
        ([("a", None, GaussianNB(), 1.1)], ValueError, r"\[0, 1\]"),
        ([("a", None, GaussianNB(), float("nan"))], ValueError, r"\[0, 1\]"),
        ([("a", None, GaussianNB(), True)], TypeError, "reliability must be None"),
        ([("a", None, GaussianNB(), "high")], TypeError, "reliability must be None"),
        ([("a", None, GaussianNB(), DensityReliability)], TypeError, "reliability must be None"),
        ([("a", None, GaussianNB(), LocalPrecision())], ValueError, "not mixed|are not"),
        ([("a", [9], GaussianNB(), None)], ValueError, "a: column 9 does not exist"),
        ([("a", [], GaussianNB(), None)], ValueError, r"a: columns \[\] select nothing"),
    ],
)
def test_bad_modalities(blobs, modalities, error, message):
    with pytest.raises(error, match=message):
        PrecisionFusion(modalities).fit(*blobs)


def test_trust_of_the_wrong_kind_even_if_frozen(blobs):
    X, y = blobs
    frozen = FrozenEstimator(LocalPrecision(random_state=0).fit(X, X[:, 0]))
    with pytest.raises(ValueError, match="the two are not mixed"):
        simple(frozen).fit(X, y)


def test_bad_parameters_and_data(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="combine must be one of"):
        simple(combine="vote").fit(X, y)
    with pytest.raises(TypeError, match="agreement must be None"):
        simple(agreement="context").fit(X, y)
    with pytest.raises(ValueError, match="requires y"):
        simple().fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        simple().fit(X, y[:5])
    with pytest.raises(ValueError, match="infinity"):
        simple().fit(np.where(X > 2, np.inf, X), y)
    with pytest.raises(ValueError, match="one number in"):
        simple(Boastful()).fit(X, y).predict(X)
    with pytest.raises(NotFittedError):
        simple().weights(X)


def test_a_reliability_needs_no_base_class(blobs):
    class Plain:
        def reliability(self, X):
            return np.full(len(X), 0.25)

    assert isinstance(Plain(), Reliability)
    assert (simple(Plain()).fit(*blobs).weights(blobs[0])[:, 0] == 0.25).all()


def test_a_linear_expert_learns_on():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), np.arange(40) % 2
    fusion = simple().set_params(a__expert=SGDClassifier(loss="log_loss", random_state=0))
    assert fusion.partial_fit(X, y, classes=[0, 1]).predict(X).shape == (40,)


def test_a_modality_that_was_never_met_has_no_weight(blobs):
    X, y = blobs
    without = np.column_stack([X[:, :2], np.full((len(X), 2), np.nan)])
    fusion = simple().partial_fit(without, y, classes=np.unique(y))
    assert (fusion.weights(X) == [1, 0]).all()
    np.testing.assert_array_equal(fusion.predict_proba(X), fusion.predict_proba(without))
    assert (fusion.partial_fit(X, y).weights(X) == 1).all()


def test_a_batch_that_is_too_small_leaves_nothing_behind(blobs):
    X, y = blobs
    fusion = simple(DensityReliability(random_state=0))
    with pytest.raises(ValueError):
        fusion.partial_fit(X[:1], y[:1], classes=np.unique(y))
    with pytest.raises(NotFittedError):
        fusion.predict(X)
    fresh = simple(DensityReliability(random_state=0)).partial_fit(X, y, classes=np.unique(y))
    fusion.partial_fit(X, y, classes=np.unique(y))
    np.testing.assert_array_equal(fusion.predict_proba(X), fresh.predict_proba(X))
