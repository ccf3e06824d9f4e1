"""The estimator: conformance, what it learns, what it refuses, what it keeps."""

import numba
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from topology import History, SelfOrganizingMap
from topology._kernels.search import squared_distance
from topology._lattice import Lattice

ONLINE = {"training": "online", "n_epochs": 3}


def square(n_samples=3000, seed=0):
    return np.random.default_rng(seed).random((n_samples, 2))


def with_gaps(X, share, seed=0):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X[~np.isnan(X).all(axis=1)]


def expected_failures(estimator):
    if estimator.shape == (1, 3):
        return {}
    return {"check_clustering": "labels name units; 100 units cannot equal the 3 classes of 50 samples"}


@parametrize_with_checks(
    [
        SelfOrganizingMap(),
        SelfOrganizingMap(training="online"),
        SelfOrganizingMap((1, 3), radius=(0.5, 0.3)),
        SelfOrganizingMap((1, 3), radius=(0.5, 0.3), training="online"),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("options", [{}, ONLINE], ids=["batch", "online"])
@pytest.mark.parametrize("lattice", ["rectangular", "hexagonal"])
def test_uniform_square_is_quantized_well_and_in_order(options, lattice):
    som = SelfOrganizingMap((12, 10), lattice=lattice, random_state=0, **options).fit(square(20_000))
    # The best quantiser has error * sqrt(n) = 0.377 (hexagonal cells), squares 0.383; the map also keeps its order.
    assert 0.376 < np.sqrt(120) * som.quantization_error(square(20_000, seed=1)) < 0.41
    assert som.topographic_error(square(5000, seed=1)) < 0.01


def test_torus_keeps_its_order_on_a_periodic_lattice_only():
    angles = 2 * np.pi * square(5000)
    X = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    errors = [SelfOrganizingMap((10, 10), periodic=p, radius=(3, 0.5)).fit(X).topographic_error(X) for p in (True, False)]
    assert errors[0] < 0.05 < errors[1]


@pytest.mark.parametrize("radius, exponent", [(0.0, 1 / 3), (10.0, 2 / 3)])
def test_magnification_of_a_chain(radius, exponent):
    """Density of units ~ data density ** exponent in one dimension (Ritter and Schulten 1986)."""
    n_units, n_samples = 100, 400_000
    X = np.sqrt((np.arange(n_samples) + 0.5) / n_samples)[:, None]  # quantiles of p(x) = 2x
    # Without a neighbourhood the fixed point is reached slowly: start near it.
    start = np.linspace(0, 1, n_units + 2)[1:-1] ** (1 / (1 + exponent))
    som = SelfOrganizingMap((1, n_units), radius=(radius, radius), n_epochs=150, init=start[:, None]).fit(X)
    w = som.prototypes_[:, 0]
    middle = slice(n_units // 5, n_units - n_units // 5)
    gaps, centers = np.diff(w)[middle], ((w[1:] + w[:-1]) / 2)[middle]
    assert abs(np.polyfit(np.log(2 * centers), -np.log(gaps), 1)[0] - exponent) < 0.01
