import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, NearestNeighbors

from fusion import DensityReliability, Precision, Reliability
from topology import CellMoments, GrowingNeuralGas


def draw_ring(rng, n, n_features=6):
    """A closed curve in several dimensions, with a little noise."""
    angle = rng.uniform(0, 2 * np.pi, n)
    waves = [np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    X = np.column_stack([*waves, *np.zeros((n_features - 4, n))])
    return X + 0.05 * rng.normal(size=X.shape)


@pytest.fixture(scope="module")
def ring():
    rng = np.random.default_rng(0)
    return draw_ring(rng, 2000), draw_ring(rng, 1000)


@pytest.fixture(scope="module")
def fitted(ring):
    return DensityReliability(random_state=0).fit(ring[0])


def test_clean_p_values_are_uniform_and_degraded_ones_small(ring, fitted):
    p = fitted.p_values(ring[1])
    assert abs((p <= 0.05).mean() - 0.05) < 0.035
    assert abs(p.mean() - 0.5) < 0.05
    assert fitted.reliability(ring[1]).mean() > 0.7
    for degraded in (0 * ring[1], 1.5 * ring[1], ring[1] + 0.3 * np.random.default_rng(1).normal(size=ring[1].shape)):
        assert fitted.reliability(degraded).mean() < 0.25


def test_reliability_is_sellke_of_p(ring, fitted):
    p = fitted.p_values(ring[1])
    bound = np.where(p < 1 / np.e, -np.e * p * np.log(p), 1)
    np.testing.assert_allclose(fitted.reliability(ring[1]), 0.8 * bound / (0.8 * bound + 0.2))


def test_second_moment_is_the_energy_of_the_cells(ring):
    """The whole recipe for one layer, written out."""
    X, X_test = ring
    reliability = DensityReliability(KMeans(20, n_init=1, random_state=0), scaling=None, random_state=3).fit(X)
    apart = np.isin(np.arange(len(X)), np.random.RandomState(3).permutation(len(X))[: len(X) // 4])
    centers = KMeans(20, n_init=1, random_state=0).fit(X[~apart]).cluster_centers_
    moments = CellMoments(centers).fit(X[~apart])
    calibration, scores = moments.energy(X[apart]), moments.energy(X_test)
    slow = (1 + (calibration[None] >= scores[:, None]).sum(axis=1)) / (apart.sum() + 1)
    np.testing.assert_allclose(reliability.p_values(X_test), slow)


@pytest.mark.parametrize("scale", [0.25, 1024.0])
def test_no_unit(ring, fitted, scale):
    rescaled = DensityReliability(random_state=0).fit(scale * ring[0])
    np.testing.assert_allclose(rescaled.reliability(scale * ring[1]), fitted.reliability(ring[1]), rtol=1e-6)


def test_features_may_differ_in_unit(ring, fitted):
    units = np.array([1, 64, 1 / 64, 1, 8, 1 / 8])
    rescaled = DensityReliability(random_state=0).fit(units * ring[0])
    np.testing.assert_allclose(rescaled.reliability(units * ring[1]), fitted.reliability(ring[1]), rtol=1e-6)


def test_layers_are_scored_apart_and_combined(ring):
    X, X_test = ring
    both = DensityReliability(layers={"slow": slice(0, 2), "fast": [2, 3]}, random_state=0).fit(X)
    assert both.layer_names_ == ["slow", "fast"]
    degraded = X_test.copy()
    degraded[:, 2:4] *= 2
    p = both.layer_p_values(degraded)
    assert p.shape == (len(X_test), 2)
    assert p[:, 0].mean() > 0.4 and p[:, 1].mean() < 0.02
    assert both.p_values(degraded).mean() < 0.05
    assert abs((both.p_values(X_test) <= 0.05).mean() - 0.05) < 0.035
    unnamed = DensityReliability(layers=[slice(0, 2), np.array([2, 3])], random_state=0).fit(X)
    np.testing.assert_array_equal(unnamed.p_values(degraded), both.p_values(degraded))


def test_common_scaling_keeps_small_features_small(ring):
    units = np.array([1, 1, 1, 1, 1e-6, 1e-6])
    degraded = ring[1].copy()
    degraded[:, 4:] *= 20
    by_feature = DensityReliability(random_state=0).fit(units * ring[0]).reliability(units * degraded)
    common = DensityReliability(scaling="common", random_state=0).fit(units * ring[0]).reliability(units * degraded)
    assert by_feature.mean() < 0.2 < 0.7 < common.mean()
    named = DensityReliability(layers={"all": None}, scaling={"all": "common"}, random_state=0).fit(units * ring[0])
    np.testing.assert_array_equal(named.reliability(units * degraded), common)


def test_a_column_that_never_varied_reveals_a_change():
    rng = np.random.default_rng(0)
    X = np.column_stack([draw_ring(rng, 1000), np.full(1000, 0.1)])
    reliability = DensityReliability(random_state=0).fit(X)
    changed = X.copy()
    changed[:, -1] = 1.0
    assert reliability.reliability(changed).mean() < 0.25 < 0.7 < reliability.reliability(X).mean()


def test_calibration_keeps_groups_apart():
    """Noisy views of few objects: a split inside objects raises false alarms on new ones, a split between does not."""
    rng = np.random.default_rng(0)

    def view(n_objects, n_views=20):
        centers = rng.normal(size=(n_objects, 5))
        return np.repeat(centers, n_views, axis=0) + 0.02 * rng.normal(size=(n_objects * n_views, 5))

    X, X_new, objects = view(40), view(200), np.repeat(np.arange(40), 20)
    alarms = {}
    for name, groups in {"kept apart": objects, "ignored": None}.items():
        fitted = DensityReliability(KMeans(40, n_init=1, random_state=0), random_state=0).fit(X, groups=groups)
        alarms[name] = (fitted.p_values(X_new) < 0.1).mean()
    assert alarms["kept apart"] < 0.2 < 0.8 < alarms["ignored"]
    assert DensityReliability(random_state=0).fit(X, objects).n_calibration_ == 200


@pytest.mark.parametrize(
    "estimator",
    [None, GaussianMixture(8, random_state=0), KernelDensity(bandwidth=0.2), GrowingNeuralGas(50, random_state=0)],
)
def test_log_density_takes_any_density(ring, estimator):
    reliability = DensityReliability(estimator, score="log_density", random_state=0).fit(ring[0][:, :4])
    assert abs((reliability.p_values(ring[1][:, :4]) <= 0.05).mean() - 0.05) < 0.035
    assert reliability.reliability(0 * ring[1][:, :4]).mean() < 0.15


def test_distance_by_hand(ring):
    X, X_test = ring
    apart = np.isin(np.arange(len(X)), np.random.RandomState(3).permutation(len(X))[: len(X) // 4])
    neighbours = NearestNeighbors(n_neighbors=5).fit(X[~apart])

    def squared(Z):
        return np.sort(((Z[:, None] - X[~apart][None]) ** 2).sum(axis=2), axis=1)[:, 4]

    make = DensityReliability(NearestNeighbors(n_neighbors=5), score="distance", scaling=None, random_state=3)
    p = make.fit(X).p_values(X_test[:50])
    slow = (1 + (squared(X[apart])[None] >= squared(X_test[:50])[:, None]).sum(axis=1)) / (apart.sum() + 1)
    np.testing.assert_allclose(p, slow)
    graded = make.set_params(grading="distance").fit(X).reliability(X_test[:50])
    typical = np.quantile(neighbours.kneighbors(X[apart])[0][:, -1] ** 2, 0.95)
    np.testing.assert_allclose(graded, np.minimum(1, typical / squared(X_test[:50])))


@pytest.mark.parametrize(
    ("estimator", "score"),
    [
        (None, "second_moment"),
        (None, "distance"),
        (KMeans(40, n_init=1, random_state=0), "distance"),
        (GaussianMixture(8, random_state=0), "log_density"),
    ],
)
def test_distance_tells_how_badly_a_sample_is_degraded(ring, estimator, score):
    X, X_test = (Z + 0.2 * np.random.default_rng(3).normal(size=Z.shape) for Z in ring)
    graded = DensityReliability(estimator, score=score, grading="distance", random_state=0).fit(X)
    assert graded.reliability(X_test).mean() > 0.97
    noise = np.random.default_rng(2).normal(size=X_test.shape)
    mild, strong, gross = (graded.reliability(X_test + level * noise).mean() for level in (0.5, 2.0, 20.0))
    assert 0.9 > mild > 1.5 * strong > 15 * gross > 0
    p_values = DensityReliability(estimator, score=score, random_state=0).fit(X)
    assert p_values.reliability(X_test + 2 * noise).mean() < 2 * p_values.reliability(X_test + 20 * noise).mean()
    np.testing.assert_array_equal(graded.p_values(X_test), p_values.p_values(X_test))


def test_the_worst_layer_grades(ring):
    X, X_test = ring
    layers = {"slow": [0, 1], "fast": [2, 3]}
    graded = DensityReliability(layers=layers, grading="distance", random_state=0).fit(X)
    assert abs((graded.reliability(X_test) < 1).mean() - 0.05) < 0.035
    degraded = X_test.copy()
    degraded[:, 2:4] += 3
    assert graded.reliability(degraded).max() < 0.1


def test_a_frozen_map_is_not_learned_again(ring):
    gas = GrowingNeuralGas(60, random_state=0).fit(ring[0])
    before = gas.prototypes_.copy()
    reliability = DensityReliability(FrozenEstimator(gas), scaling=None, random_state=0).fit(ring[0][:500])
    np.testing.assert_array_equal(gas.prototypes_, before)
    assert reliability.estimators_["all"].estimator is gas
    assert reliability.reliability(ring[1]).mean() > 0.7


def test_same_seed_same_bits(ring, fitted):
    again = DensityReliability(random_state=0).fit(ring[0])
    np.testing.assert_array_equal(again.p_values(ring[1]), fitted.p_values(ring[1]))
    np.testing.assert_array_equal(fitted.p_values(ring[1][:7]), fitted.p_values(ring[1])[:7])
    other = DensityReliability(random_state=1).fit(ring[0])
    assert (other.p_values(ring[1]) != fitted.p_values(ring[1])).any()


def test_parameters_nest_and_clone():
    reliability = DensityReliability(GrowingNeuralGas(), layers=[slice(0, 2)])
    reliability.set_params(estimator__max_units=30, calibration_fraction=0.5)
    copy = clone(reliability)
    assert copy.estimator.max_units == 30 and copy.estimator is not reliability.estimator
    assert copy.layers == [slice(0, 2)] and copy.calibration_fraction == 0.5


def test_kind_of_trust(fitted):
    assert isinstance(fitted, Reliability) and not isinstance(fitted, Precision)


def test_column_names_of_a_data_frame(ring, fitted):
    pandas = pytest.importorskip("pandas")
    frame, frame_test = (pandas.DataFrame(X, columns=list("abcdef")) for X in ring)
    named = DensityReliability(layers={"first": ["a", "b"], "second": ["c", "d"]}, random_state=0).fit(frame)
    indexed = DensityReliability(layers=[[0, 1], [2, 3]], random_state=0).fit(ring[0])
    np.testing.assert_array_equal(named.p_values(frame_test), indexed.p_values(ring[1]))
    with pytest.raises(ValueError, match="unknown column 'z'"):
        DensityReliability(layers=[["z"]]).fit(frame)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"score": "density"}, ValueError, "score must be one of"),
        ({"grading": "rank"}, ValueError, "grading must be one of"),
        ({"estimator": KernelDensity(), "score": "distance"}, TypeError, "needs an estimator with prototypes_"),
        ({"layers": []}, ValueError, "layers must be"),
        ({"layers": slice(0, 2)}, ValueError, "layers must be"),
        ({"layers": [[7]]}, ValueError, r"layers\['layer0'\]: column 7 does not exist"),
        ({"layers": [[0, 0]]}, ValueError, "twice"),
        ({"layers": [slice(3, 3)]}, ValueError, "select nothing"),
        ({"layers": [["a"]]}, ValueError, "by name"),
        ({"layers": [[0.5]]}, TypeError, "columns must be"),
        ({"scaling": "z"}, ValueError, "scaling must be one of"),
        ({"scaling": {"mid": "common"}}, ValueError, "unknown layers"),
        ({"calibration_fraction": 1.0}, ValueError, "calibration_fraction must be"),
        ({"prior_degraded": 0}, ValueError, "prior_degraded must be"),
        ({"estimator": GaussianMixture(2)}, TypeError, "needs an estimator with prototypes_"),
    ],
)
def test_bad_parameters(ring, parameters, error, message):
    with pytest.raises(error, match=message):
        DensityReliability(**parameters).fit(ring[0][:100])


def test_bad_data(ring, fitted):
    X = ring[0][:50].copy()
    with pytest.raises(ValueError, match="one group per sample"):
        DensityReliability().fit(X, groups=[0, 1])
    with pytest.raises(ValueError, match="at least 2 different groups"):
        DensityReliability().fit(X, groups=np.zeros(50))
    with pytest.raises(ValueError, match="must vary"):
        DensityReliability().fit(np.ones((50, 3)))
    with pytest.raises(ValueError, match="at least 2 samples to map beside the 1 kept"):
        DensityReliability().fit(X[:2])
    with pytest.raises(ValueError, match="minimum of 2"):
        DensityReliability().fit(X[:1])
    with pytest.raises(ValueError, match="6 features"):
        fitted.reliability(X[:, :3])
    with pytest.raises(NotFittedError):
        DensityReliability().reliability(X)
    X[0, 0] = np.nan
    for call in (DensityReliability().fit, fitted.reliability):
        with pytest.raises(ValueError, match="NaN"):
            call(X)


class NanDensity(KernelDensity):
    def score_samples(self, X):
        return np.where(X[:, 0] > 1e3, np.nan, super().score_samples(X))


def test_a_score_that_is_nan_is_refused(ring):
    reliability = DensityReliability(NanDensity(), score="log_density", random_state=0).fit(ring[0])
    with pytest.raises(ValueError, match="1 samples NaN"):
        reliability.reliability(np.vstack([ring[1][:3], np.full((1, 6), 1e6)]))
