"""Calibration as the experiments print and draw it, on senses whose trust is known to be right or wrong."""

import numpy as np
import pytest

from experiments import _reliability_calibration as reliability
from experiments._senses._life import NUMBERS, calibrate, calibration_rows
from experiments._senses._page import draw_calibration


class Sensor:
    """y with Gaussian noise, and the SD of the noise."""

    def conditions(self, n, rng):
        return {"noise": np.exp(rng.uniform(-1, 1, n))}

    def sense(self, y, rng, *, noise):
        return np.column_stack([y + noise * rng.standard_normal(len(y)), noise])

    def experience(self, y, rng):
        return self.sense(y, rng, **self.conditions(len(y), rng))


class Sense:
    """Says what it reads; claims a variance that is right at factor 1 and power 1."""

    def __init__(self, factor=1.0, power=1.0):
        self.factor, self.power = factor, power

    def predict(self, X):
        return X[:, 0]

    def precision(self, X):
        return 1 / (self.factor * X[:, 1] ** (2 * self.power))


def lives(**claims):
    """Results of two lives of one sense that claims so."""
    found = [calibrate({"s": Sense(**claims)}, {"s": Sensor()}, 3.0, 2000, np.random.default_rng(s)) for s in (0, 1)]
    return {key: np.stack([one[key] for one in found]) for key in found[0]}


def row_of(results):
    (row,) = calibration_rows(results, ["s"])
    assert row.keys() == {"sense", *NUMBERS.values()}
    return row


def test_numbers_of_right_precision():
    row = row_of(lives())
    # Half the log of 2 pi e times a variance whose logarithm is uniform in (-2, 2), and that of its mean.
    floor, ceiling = 0.5 * np.log(2 * np.pi * np.e), 0.5 * np.log(2 * np.pi * np.e * np.sinh(2) / 2)
    assert row["slope"] == pytest.approx(1, abs=0.1)
    assert row["rank correlation, stimulus known"] > 0.97
    assert 0.3 < row["rank correlation, squared error"] < 0.6
    assert row["NLL, learned"] == pytest.approx(floor, abs=0.04)
    assert row["NLL, stimulus known"] == pytest.approx(row["NLL, learned"] + 0.01, abs=0.01)
    assert row["NLL, constant"] == pytest.approx(ceiling, abs=0.05)
    assert row["NLL, nearest neighbours"] == pytest.approx(floor, abs=0.05)


def test_numbers_of_wrong_precision():
    right, large, flat = (row_of(lives(**claims)) for claims in ({}, {"factor": 4.0}, {"power": 0.5}))
    assert large["NLL, learned"] == pytest.approx(right["NLL, learned"] + 0.5 * (np.log(4) - 0.75), abs=0.02)
    assert large["slope"] == pytest.approx(right["slope"])
    assert flat["slope"] == pytest.approx(2 * right["slope"], rel=0.1)
    for name in ("NLL, stimulus known", "NLL, constant", "NLL, nearest neighbours"):
        assert large[name] == pytest.approx(right[name])


@pytest.fixture
def ax():
    matplotlib = pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    with matplotlib.rc_context({"backend": "Agg"}):
        yield plt.subplots()[1]
        plt.close("all")


def test_the_panel_has_what_is_claimed_along_x_and_the_errors_along_y(ax):
    results = lives(factor=4.0)
    draw_calibration(ax, results, 0, "calibration: s", "deg")
    x, y = ax.containers[0][0].get_data()
    assert len(x) == 10 and (np.diff(x) > 0).all()
    np.testing.assert_allclose(x / y, 4, rtol=0.5)
    assert ax.get_xlabel() == "predicted variance (deg²)" and ax.get_ylabel() == "mean squared error (deg²)"
    row, (text,) = row_of(results), ax.texts
    numbers = [float(line.split()[-1]) for line in text.get_text().splitlines()]
    names = ("slope", "rank correlation, stimulus known", "NLL, learned", "NLL, stimulus known")
    names += ("NLL, nearest neighbours", "NLL, constant")
    np.testing.assert_allclose(numbers, [row[name] for name in names], atol=0.006)


def test_bins_that_no_life_filled_are_not_drawn(ax):
    results = lives()
    results["calibration_bins"][..., 7:] = np.nan
    draw_calibration(ax, results, 0, "", "deg")
    assert len(ax.containers[0][0].get_data()[0]) == 7


# --- reliability ------------------------------------------------------------------------------------


def sense_in_two_conditions(rng, n=4000, n_classes=4):
    """A sense that sees the class, and after the first condition only with the probability `seen`.

    Its expert is sure of itself in both, so the weight that loses least is the share of samples that it sees.
    """
    y = rng.integers(n_classes, size=n)
    seen = np.stack([np.ones(n), rng.uniform(0, 1, n)])
    guess = np.where(rng.random((2, n)) < seen, y, rng.integers(n_classes, size=(2, n)))
    return seen, np.eye(n_classes)[guess], y


def test_numbers_of_right_reliability():
    seen, P, y = sense_in_two_conditions(np.random.default_rng(0))
    found = reliability.calibrate([(0.99 * seen, np.full_like(seen, 0.75), P)], y)
    (row,) = reliability.calibration_rows({key: values[None] for key, values in found.items()}, ["s"])
    assert row.keys() == {"sense", *reliability.NUMBERS}
    assert row["slope"] == pytest.approx(1, abs=0.05)
    assert row["accuracy, clean"] == 1 and row["chance"] == 0.25
    assert 0.3 < row["rank correlation, right"] < 0.7

    def cost(weights):
        return -np.mean(np.log(weights * (P.argmax(axis=-1) == y) + (1 - weights) / 4))

    assert row["NLL, reliability"] == pytest.approx(cost(0.99 * seen))
    assert row["NLL, nearest neighbours"] == pytest.approx(cost(0.75))
    assert row["NLL, constant"] == pytest.approx(min(cost(r) for r in np.linspace(0, 0.95, 20)))
    assert row["NLL, reliability"] < row["NLL, condition known"] < row["NLL, constant"]


def test_reliability_that_says_nothing_or_the_opposite():
    rng = np.random.default_rng(0)
    seen, P, y = sense_in_two_conditions(rng)
    constant, opposite = np.full_like(seen, 0.5), 1 - 0.99 * seen
    found = reliability.calibrate([(constant, constant, P), (opposite, constant, P)], y)["reliability_numbers"]
    nothing, wrong = (dict(zip(reliability.NUMBERS, numbers)) for numbers in found)
    assert np.isnan(nothing["slope"]) and np.isnan(nothing["rank correlation, right"])
    assert wrong["slope"] == pytest.approx(-1, abs=0.05) and wrong["rank correlation, right"] < -0.3
    assert wrong["NLL, reliability"] > nothing["NLL, reliability"] + 0.3


def test_powers_of_probabilities():
    P = np.array([[[0.8, 0.2], [0.3, 0.7]]])
    weights = np.array([[0.5, 0.0]])
    found = reliability.calibrate([(weights, weights, P)], np.array([0, 0]), "product")["reliability_numbers"][0]
    cost = dict(zip(reliability.NUMBERS, found))["NLL, reliability"]
    assert cost == pytest.approx(-(np.log(np.sqrt(0.8) / (np.sqrt(0.8) + np.sqrt(0.2))) + np.log(0.5)) / 2)


def test_the_panel_of_reliability(ax):
    seen, P, y = sense_in_two_conditions(np.random.default_rng(0))
    found = reliability.calibrate([(0.999 * seen, seen, P)], y)
    reliability.draw_calibration(ax, {key: np.stack([values] * 2) for key, values in found.items()}, ["s"])
    x, accuracy = ax.lines[0].get_data()
    np.testing.assert_allclose(x[:-1], np.arange(0.05, 0.9, 0.1), atol=0.01)
    np.testing.assert_allclose(accuracy, 25 + 75 * x, atol=7)
    np.testing.assert_allclose(ax.lines[1].get_data(), [[0, 1], [25, 100]])
    assert ax.get_xlabel() == "reliability of the sense" and ax.get_ylabel() == "its expert is right (%)"
    text = ax.get_legend().get_texts()[0].get_text()
    numbers = dict(zip(reliability.NUMBERS, found["reliability_numbers"][0]))
    assert f"slope {numbers['slope']:.2f}" in text and f"NLL {numbers['NLL, reliability']:.2f}" in text
    assert f"constant {numbers['NLL, constant']:.2f}" in text


def test_rare_reliabilities_are_not_drawn(ax):
    seen, P, y = sense_in_two_conditions(np.random.default_rng(0))
    weights = np.full_like(seen, 0.95)
    weights[1, : reliability.LEAST_COUNT - 1] = 0.15
    found = reliability.calibrate([(weights, weights, P)], y)
    reliability.draw_calibration(ax, {key: values[None] for key, values in found.items()}, ["s"])
    assert ax.lines[0].get_xdata() == pytest.approx([0.95])
