"""The instruments of the experiments on maps read what is known, and their verdicts can fail."""

import numpy as np
import pytest
from scipy.stats import kstest

from experiments import density_estimation, magnification, nonstationary
from topology import GrowingNeuralGas


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("mu", [-0.5, 0.0, 1 / 3, 1.0])
def test_exponent_of_units_that_are_drawn_from_a_power_of_the_density(mu, dimension):
    rng = np.random.default_rng(0)
    rate = mu * magnification.STEEPNESS
    units = rng.random((40_000, dimension))
    if rate:
        units[:, 0] = -np.log1p(units[:, 0] * np.expm1(-rate)) / rate
    assert magnification.exponent(units) == pytest.approx(mu, abs=0.03)


def test_the_drawn_density_has_the_stated_steepness():
    X = magnification.draw(2000, 2, np.random.default_rng(0))
    b = magnification.STEEPNESS
    assert kstest(X[:, 0], lambda x: np.expm1(-b * x) / np.expm1(-b)).pvalue > 0.01
    assert kstest(X[:, 1], "uniform").pvalue > 0.01


def test_law_of_the_chain():
    assert magnification.chain_law(0) == pytest.approx(1 / 3)
    assert magnification.chain_law(30) == pytest.approx(2 / 3, abs=1e-3)
    # Whole steps -1, 0, 1 with weights h, 1, h: R = 2 h / (1 + 2 h).
    h = np.exp(-0.5 / 0.3**2)
    second = 2 * h / (1 + 2 * h)
    assert magnification.chain_law(0.3) == pytest.approx((1 + 12 * second) / (3 + 18 * second), abs=1e-6)


def exponents(n_seeds=3, **changes):
    noise = np.random.default_rng(0).normal(0, 0.005, (n_seeds, 2, 1, 2))
    law = np.array([1 / 3, 1 / 2])
    results = {
        "k-means": law + noise[:, :, 0, 0],
        "neural gas": law + noise[:, :, 0, 1],
        "gng": np.stack([law - 0.2, law], axis=-1)[:, None] + noise,
        "chain": magnification.chain_law(1.0) + noise[:, :1, 0, 0],
        "dimension": np.tile([1, 2], (n_seeds, 1)),
        "memory": np.tile([0.5, 50.0], (n_seeds, 1)),
        "interval": np.tile([1000], (n_seeds, 1)),
        "radius": np.tile([1.0], (n_seeds, 1)),
    }
    return results | {name: results[name] + change for name, change in changes.items()}


def test_verdict_on_magnification():
    assert magnification.verdict(exponents()).status == "PASS"
    assert magnification.verdict(exponents(**{"k-means": 0.1})).status == "FAIL"
    assert magnification.verdict(exponents(chain=-0.05)).status == "FAIL"
    assert magnification.verdict(exponents(gng=0.1)).status == "FAIL"
    assert magnification.verdict(exponents(gng=np.array([0.2, 0.0]))).status == "FAIL"  # no rise with memory


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_bent_density_is_the_one_that_is_sampled(dimension):
    density = density_estimation.BentMixture(dimension, 3, 0.3, np.random.default_rng(0))
    X = density.sample(4000, np.random.default_rng(1))
    # E[q / p] = 1 for any density q that is positive only where p is: here boxes inside the data.
    low, high = np.quantile(X, [0.3, 0.7], axis=0)
    inside = ((X > low) & (X < high)).all(axis=1)
    ratios = inside / np.prod(high - low) / np.exp(density.log_density(X))
    assert ratios.mean() == pytest.approx(1, abs=4 * ratios.std() / np.sqrt(len(X)))
    assert ratios.std() / np.sqrt(len(X)) < 0.1


def test_neighbours_and_kernels_find_a_uniform_density():
    X = np.random.default_rng(0).random((20_000, 2))
    inner = 0.3 + 0.4 * np.random.default_rng(1).random((500, 2))
    assert np.mean(density_estimation.nearest_neighbors(50)(X)(inner)) == pytest.approx(0, abs=0.05)
    assert np.mean(density_estimation.kernels(0.5)(X)(inner)) == pytest.approx(0, abs=0.05)


def test_equal_memory():
    seen = {}

    def fit(X):
        seen["n"] = X.size
        return lambda X_test: X_test[:, 0]

    config = density_estimation.Config(n_units=12)
    for dimension in (1, 4):
        data = density_estimation.draw_data(config, dimension, np.random.default_rng(0))
        density_estimation.judge(fit, data, config, "KDE")
        assert seen["n"] <= 12 * (dimension + 2) < seen["n"] + dimension
        density_estimation.judge(fit, data, config, "GNG, kernel")
        assert seen["n"] == config.n_train * dimension


def errors_of_densities(n_seeds=3, **changes):
    dimensions = [2, 4, 16]
    results = {"dimension": np.tile(dimensions, (n_seeds, 1)), "constant": np.full((n_seeds, 3), 3.0)}
    for name in density_estimation.DRAWN:
        results[f"rmse_{name}"] = np.full((n_seeds, 3), 1.0 if name.endswith("kernel") else 2.8)
    return results | {f"rmse_{name}": np.full((n_seeds, 3), value) for name, value in changes.items()}


def test_verdict_on_densities():
    assert density_estimation.verdict(errors_of_densities()).status == "PASS"
    assert density_estimation.verdict(errors_of_densities(KDE=0.9)).status == "FAIL"
    assert density_estimation.verdict(errors_of_densities(**{"GNG, cell": 2.0})).status == "FAIL"


def test_the_ring_moves_as_it_should():
    rng = np.random.default_rng(0)
    time = np.arange(3000) / 3000
    jumps = nonstationary.path("jump", time)
    assert np.array_equal(np.unique(jumps, axis=0), np.unique(nonstationary.PLACES, axis=0))
    assert (np.abs(np.diff(jumps, axis=0)).sum(axis=1) > 0).sum() == 2
    assert np.allclose(np.linalg.norm(nonstationary.path("drift", time), axis=1), nonstationary.ORBIT)
    radius = np.linalg.norm(nonstationary.ring(jumps, rng) - jumps, axis=1)
    assert radius.min() >= 0.5 and radius.max() <= 1
    assert kstest(radius**2, "uniform", (0.25, 0.75)).pvalue > 0.01


def test_recovery_is_the_first_return_of_the_error():
    errors = np.array([[3, 1, 1, 1, 4, 3, 1.2, 1, 5, 4, 3, 2]], float)
    results = {"error_jump_GNG": 2 * errors, "floor": np.array([2.0]), "n_samples": 100 * np.arange(1, 13)[None]}
    assert nonstationary.recovery(results, "GNG").tolist() == [[300, np.inf]]


def streams(n_seeds=3, **changes):
    n_checks = 12
    after_jump = np.tile([3.0, 2.0, 1.1, 1.0], 3)
    results = {"floor": np.ones(n_seeds), "n_samples": np.tile(100 * np.arange(1, n_checks + 1), (n_seeds, 1))}
    for name in nonstationary.MAPS:
        follows = name in ("GNG-U", "GWR with room")
        results[f"error_jump_{name}"] = np.tile(after_jump if follows else 3.0 + 0 * after_jump, (n_seeds, 1))
        results[f"error_drift_{name}"] = np.full((n_seeds, n_checks), 1.0 if follows else 1.5)
    return results | {f"error_{name}": np.full((n_seeds, n_checks), value) for name, value in changes.items()}


def test_verdict_on_streams():
    assert nonstationary.verdict(streams()).status == "PASS"
    assert nonstationary.verdict(streams(**{"jump_GNG-U": 2.0})).status == "FAIL"
    assert nonstationary.verdict(streams(jump_GNG=1.2)).status == "FAIL"
    assert nonstationary.verdict(streams(drift_GNG=1.0)).status == "FAIL"
    assert nonstationary.verdict(streams(**{"jump_GWR with room": 2.0})).status == "FAIL"


def test_the_film_keeps_units_and_edges():
    X = nonstationary.ring(np.zeros((500, 2)), np.random.default_rng(0))
    gng = GrowingNeuralGas(12, random_state=0).fit(X)
    film = nonstationary.Film(3, 20)
    film.add(1, gng)
    assert np.array_equal(film.units[1, :12], gng.prototypes_) and np.isnan(film.units[1, 12:]).all()
    assert np.array_equal(np.argwhere(np.unpackbits(film.links[1], axis=1)), gng.edges_)
    assert not film.links[0].any()
