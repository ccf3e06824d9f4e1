import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from fusion import DensityReliability, LocalPrecision, PrecisionFusion, plotting

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def headless():
    import matplotlib.pyplot as plt

    with matplotlib.rc_context({"backend": "Agg"}):
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def scene():
    """Two senses of a class; the noise of the first grows along the test samples."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=1200)
    X = 3 * y[:, None] + 0.5 * rng.normal(size=(1200, 4))
    fusion = PrecisionFusion(
        [
            ("eye", [0, 1], GaussianNB(), DensityReliability(random_state=0)),
            ("ear", [2, 3], GaussianNB(), DensityReliability(random_state=0)),
        ]
    ).fit(X[:600], y[:600])
    noise = np.repeat([0.0, 1.0, 4.0], 200)
    noisy = X[600:].copy()
    noisy[:, :2] += noise[:, None] * rng.normal(size=(600, 2))
    return fusion, noisy, y[600:], noise


def test_weights_along_a_degradation(scene):
    fusion, X, _, noise = scene
    ax = plotting.plot_weights(fusion, X, along=noise, label="noise")
    weights = fusion.weights(X)
    for line, weight in zip(ax.get_lines(), weights.T):
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 4])
        np.testing.assert_allclose(line.get_ydata(), weight.reshape(3, 200).mean(axis=1))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["eye", "ear"]
    assert ax.get_xlabel() == "noise"


def test_many_values_are_binned(scene):
    fusion, X, _, _ = scene
    line = plotting.plot_weights(fusion, X, along=np.linspace(0, 1, 600)).get_lines()[0]
    assert len(line.get_xdata()) == 12


def test_weights_of_each_sample_sorted_by_preference(scene):
    import matplotlib.pyplot as plt

    fusion, X, _, _ = scene
    given = plt.figure().add_subplot()
    ax = plotting.plot_weights(fusion, X, given)
    assert ax is given
    eye, ear = (points.get_offsets()[:, 1] for points in ax.collections)
    assert (np.diff(eye - ear) >= 0).all()
    np.testing.assert_array_equal(np.sort(eye), np.sort(fusion.weights(X)[:, 0]))


def test_calibration_of_reliability(scene):
    fusion, X, y, _ = scene
    ax = plotting.plot_calibration(fusion, X, y, n_bins=4)
    eye = ax.containers[0][0]
    assert eye.get_ydata()[-1] > eye.get_ydata()[0]
    low = fusion.weights(X)[:, 0] <= eye.get_xdata()[0] + 1e-9
    right = fusion.experts_["eye"].predict(X[low, :2]) == y[low]
    assert eye.get_ydata()[0] == pytest.approx(right.mean())


def test_calibration_of_precision():
    rng = np.random.default_rng(0)
    noise = rng.uniform(0.1, 2, 4000)
    y = rng.normal(size=4000)
    X = np.column_stack([y + noise * rng.normal(size=4000), 3 * noise])
    model = LocalPrecision(random_state=0).fit(X[:2000], y[:2000])
    ax = plotting.plot_calibration(model, X[2000:], y[2000:])
    line = ax.containers[0][0]
    variance, squared = 1 / model.precision(X[2000:]), (y[2000:] - model.predict(X[2000:])) ** 2
    order = np.argsort(variance)
    np.testing.assert_allclose(line.get_xdata(), variance[order].reshape(10, -1).mean(axis=1))
    np.testing.assert_allclose(line.get_ydata(), squared[order].reshape(10, -1).mean(axis=1))


def test_refusals(scene):
    fusion, X, y, noise = scene
    for bad in (noise[:5], np.full(600, np.nan)):
        with pytest.raises(ValueError, match="one finite number per sample"):
            plotting.plot_weights(fusion, X, along=bad)
    with pytest.raises(ValueError, match="n_bins must be"):
        plotting.plot_calibration(fusion, X, y, n_bins=0)
    with pytest.raises(ValueError, match="one label per sample"):
        plotting.plot_calibration(fusion, X, y[:5])
    with pytest.raises(TypeError, match="trust must have"):
        plotting.plot_calibration(GaussianNB(), X, y)
