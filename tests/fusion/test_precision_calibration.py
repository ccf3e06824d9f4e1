import numpy as np
import pytest
from scipy.stats import spearmanr

from fusion import PrecisionCalibration, plotting, precision_calibration


class Model:
    """Says 0, with variance `power` in the first feature, which is the true variance."""

    def __init__(self, power):
        self.power = power

    def predict(self, X):
        return np.zeros(len(X))

    def precision(self, X):
        return X[:, 0] ** -self.power


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    variance = np.exp(rng.uniform(-2, 2, 40_000))
    return np.column_stack([variance, rng.normal(size=40_000)]), np.sqrt(variance) * rng.standard_normal(40_000)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_slope_and_likelihood(scene, power):
    X, y = scene
    found = precision_calibration(Model(power), X, y, true_variance=X[:, 0])
    assert found.slope == pytest.approx(1 / power, rel=0.06)
    assert found.rank_correlation["true variance"] == pytest.approx(1)
    assert found.rank_correlation["squared error"] == pytest.approx(spearmanr(X[:, 0], y**2).statistic)
    likelihood = found.negative_log_likelihood
    assert likelihood["constant"] == pytest.approx(0.5 * np.log(2 * np.pi * np.mean(y**2)) + 0.5)
    assert likelihood["true variance"] == pytest.approx(
        -np.mean(np.log(np.exp(-(y**2) / 2 / X[:, 0]) / np.sqrt(2 * np.pi * X[:, 0])))
    )
    assert (power == 1) == (likelihood["predicted"] < likelihood["true variance"] + 1e-9)
    assert found.counts.sum() == len(y) and len(found.counts) == 10
    np.testing.assert_allclose(found.counts @ found.measured, (y**2).sum())
    assert (np.diff(found.predicted) > 0).all()
    if power == 1:
        assert (abs(found.measured - found.predicted) < 4 * found.standard_errors).all()


def test_neighbours_find_the_variance_that_the_model_does_not(scene):
    X, y = scene
    held_out = X[:8000], y[:8000]
    found = precision_calibration(Model(0.0), X[8000:12_000], y[8000:12_000], held_out=held_out)
    likelihood = found.negative_log_likelihood
    assert likelihood["nearest neighbours"] < likelihood["predicted"] - 0.1
    assert np.isnan(found.slope) and np.isnan(found.rank_correlation["squared error"])
    assert set(found.summary()) == {
        "slope",
        "rank correlation, squared error",
        "NLL, predicted",
        "NLL, constant",
        "NLL, nearest neighbours",
    }


def test_a_stored_calibration_can_be_drawn(scene):
    matplotlib = pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    found = precision_calibration(Model(1.0), *scene, n_bins=5)
    with matplotlib.rc_context({"backend": "Agg"}):
        x, measured = plotting.plot_calibration(found).containers[0][0].get_data()
        again = plotting.plot_calibration(Model(1.0), *scene, n_bins=5).containers[0][0].get_data()
        plt.close("all")
    assert isinstance(found, PrecisionCalibration)
    np.testing.assert_array_equal((x, measured), (found.predicted, found.measured))
    np.testing.assert_array_equal(again, (x, measured))


def test_refusals(scene):
    X, y = scene[0][:100], scene[1][:100]
    for bad in (np.ones(3), np.zeros(100), np.full(100, np.nan)):
        with pytest.raises(ValueError, match="true_variance must hold 100 positive"):
            precision_calibration(Model(1.0), X, y, true_variance=bad)
    for bad in (y[:1], y[:10], np.full(100, np.nan)):
        with pytest.raises(ValueError, match="y must hold 100 finite numbers"):
            precision_calibration(Model(1.0), X, bad)
    with pytest.raises(ValueError, match="y of held_out must hold 100 finite numbers"):
        precision_calibration(Model(1.0), X, y, held_out=(X, y[:10]))
    with pytest.raises(ValueError, match="n_bins"):
        precision_calibration(Model(1.0), X, y, n_bins=0)
