"""Cell moments against the formula written out, and their invariances."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, special_ortho_group
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.frozen import FrozenEstimator

from topology import CellMoments, GrowingNeuralGas, NeuralGas, SelfOrganizingMap

N_UNITS, N_FEATURES = 12, 6


def data(seed=0, n_samples=900, dtype=np.float64):
    rng = np.random.default_rng(seed)
    prototypes = 2 * rng.normal(size=(N_UNITS, N_FEATURES))
    spread = rng.normal(size=(N_FEATURES, N_FEATURES))
    X = prototypes[rng.integers(0, N_UNITS - 2, n_samples)] + rng.normal(size=(n_samples, N_FEATURES)) @ spread / 4
    return X.astype(dtype), prototypes.astype(dtype)


def slow(X, prototypes, more=None, prior_weight=20.0, shrinkage=0.1):
    """Energies of X after fitting on X (and adding `more` to the cells)."""

    def winners_and_residuals(rows):
        winners = np.linalg.norm(rows[:, None] - prototypes, axis=2).argmin(axis=1)
        return winners, rows - prototypes[winners]

    winners, residuals = winners_and_residuals(X)
    S = residuals.T @ residuals / len(X)
    C = (1 - shrinkage) * S + shrinkage * np.trace(S) / N_FEATURES * np.eye(N_FEATURES)
    e, U = np.linalg.eigh(C)
    rows = X if more is None else np.concatenate([X, more])
    cells, cell_residuals = winners_and_residuals(rows)
    energies = []
    for b, r in zip(winners, residuals):
        members = cell_residuals[cells == b] @ U
        v = ((members**2).sum(axis=0) + prior_weight * e) / (len(members) + prior_weight)
        energies.append(((U.T @ r) ** 2 / v + np.log(v)).sum())
    return np.array(energies)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 1e-3)])
@pytest.mark.parametrize("options", [{}, {"prior_weight": 3.0, "shrinkage": 0.5}])
def test_energy_follows_the_formula(dtype, tolerance, options):
    X, prototypes = data(dtype=dtype)
    moments = CellMoments(prototypes, **options).fit(X)
    energy = moments.energy(X)
    assert energy.dtype == dtype and energy.shape == (len(X),)
    expected = slow(X.astype(np.float64), prototypes.astype(np.float64), **options)
    assert np.allclose(energy, expected, rtol=tolerance, atol=20 * tolerance)


def test_partial_fit_adds_to_the_cells_and_keeps_the_basis():
    X, prototypes = data()
    more, _ = data(seed=1)
    moments = CellMoments(prototypes).fit(X)
    basis, pooled = moments.basis_.copy(), moments.pooled_variance_.copy()
    for part in np.array_split(more, 7):
        moments.partial_fit(part)
    assert np.array_equal(moments.basis_, basis) and np.array_equal(moments.pooled_variance_, pooled)
    assert moments.counts_.sum() == len(X) + len(more)
    assert np.allclose(moments.energy(X), slow(X, prototypes, more=more), rtol=1e-9)
    assert np.allclose(CellMoments(prototypes).partial_fit(X).energy(X), slow(X, prototypes), rtol=1e-9)


@pytest.mark.parametrize(
    "estimator",
    [
        GrowingNeuralGas(8, random_state=0),
        SelfOrganizingMap((3, 3), random_state=0),
        NeuralGas(8, random_state=0),
        KMeans(8, n_init=1, random_state=0),
        FrozenEstimator(MiniBatchKMeans(8, n_init=1, random_state=0).fit(data()[0])),
    ],
)
def test_any_fitted_map_gives_its_prototypes(estimator):
    X, _ = data()
    fitted = estimator.fit(X, None)  # FrozenEstimator demands a y
    prototypes = getattr(fitted, "prototypes_" if hasattr(fitted, "prototypes_") else "cluster_centers_")
    moments = CellMoments(fitted).fit(X)
    assert np.array_equal(moments.counts_, np.bincount(fitted.predict(X), minlength=len(prototypes)))
    assert np.array_equal(moments.energy(X), CellMoments(prototypes).fit(X).energy(X))


def test_estimators_without_euclidean_prototypes_are_refused():
    X, _ = data()
    with pytest.raises(ValueError, match="metric='euclidean', got 'cosine'"):
        CellMoments(GrowingNeuralGas(8, metric="cosine").fit(X)).fit(X)
    with pytest.raises(TypeError, match="after fit, got KMeans"):
        CellMoments(KMeans(3)).fit(X)


def test_empty_cells_have_the_pooled_variance():
    X, prototypes = data()
    moments = CellMoments(prototypes).fit(X)
    empty = moments.counts_ == 0
    assert empty.any()
    assert np.allclose(moments.variance_[empty], moments.pooled_variance_)


def test_energy_is_the_log_density_of_the_cells_gaussian():
    X, prototypes = data()
    moments = CellMoments(prototypes).fit(X)
    x = X[:1]
    b = np.linalg.norm(x - prototypes, axis=1).argmin()
    covariance = moments.basis_ @ np.diag(moments.variance_[b]) @ moments.basis_.T
    expected = -2 * multivariate_normal(prototypes[b], covariance).logpdf(x) - N_FEATURES * np.log(2 * np.pi)
    assert np.isclose(moments.energy(x)[0], expected)


def test_rotation_leaves_energies_alone_and_scale_adds_a_constant():
    X, prototypes = data()
    energy = CellMoments(prototypes).fit(X).energy(X)
    Q = special_ortho_group(N_FEATURES, seed=0).rvs()
    assert np.allclose(CellMoments(prototypes @ Q).fit(X @ Q).energy(X @ Q), energy)
    scaled = CellMoments(10 * prototypes).fit(10 * X).energy(10 * X)
    assert np.allclose(scaled - energy, 2 * N_FEATURES * np.log(10))


def test_far_rows_are_less_typical():
    X, prototypes = data()
    moments = CellMoments(prototypes).fit(X)
    noise = np.random.default_rng(1).normal(size=X.shape)
    medians = [np.median(moments.energy(X + level * noise)) for level in (0, 0.5, 1, 2)]
    assert (np.diff(medians) > 0).all()


def test_flat_data_without_shrinkage_stay_finite():
    X, prototypes = data()
    X[:, 3] = prototypes[:, 3] = 0
    assert np.isfinite(CellMoments(prototypes, shrinkage=0.0).fit(X).energy(X)).all()


@pytest.mark.parametrize(
    "change, match",
    [
        ({"prior_weight": -1.0}, "prior_weight"),
        ({"shrinkage": 1.5}, "shrinkage"),
        ({"prototypes": np.zeros(3)}, "prototypes"),
        ({"prototypes": np.full((3, N_FEATURES), np.nan)}, "prototypes"),
        ({"prototypes": np.full((3, N_FEATURES), 1e200)}, "prototypes must not exceed"),
        ({"prototypes": np.zeros((3, 2))}, "X must have 2 columns"),
        ({"prior_weight": 0.0}, "prior_weight must be above 0"),
    ],
)
def test_bad_parameters(change, match):
    X, prototypes = data()
    with pytest.raises(ValueError, match=match):
        CellMoments(**{"prototypes": prototypes, **change}).fit(X)


def test_bad_data():
    X, prototypes = data()
    with pytest.raises(ValueError, match="all residuals are 0"):
        CellMoments(prototypes).fit(prototypes)
    moments = CellMoments(prototypes).fit(X)
    for call in (moments.fit, moments.partial_fit, moments.energy):
        with pytest.raises(ValueError, match="finite"):
            call(np.full((2, N_FEATURES), np.inf))
        with pytest.raises(ValueError, match="columns"):
            call(np.zeros((2, 3)))
        with pytest.raises(ValueError, match="at least 1 row"):
            call(np.zeros((0, N_FEATURES)))
        with pytest.raises(TypeError, match="real numbers"):
            call(np.full((2, N_FEATURES), "a"))
