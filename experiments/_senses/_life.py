"""An agent's experience of its senses, and how well its precision turns out to be calibrated."""

import numpy as np

from experiments._senses._agent import Agent
from fusion import PrecisionCalibration, precision_calibration
from topology import GrowingNeuralGas

N_BINS = 10
NUMBERS = (
    "slope",
    "rank correlation, true variance",
    "rank correlation, squared error",
    "NLL, predicted",
    "NLL, true variance",
    "NLL, nearest neighbours",
    "NLL, constant",
)
NUMBERS_WITHOUT_TRUTH = ("slope", "rank correlation, squared error", "NLL, predicted", "NLL, constant")


def live(sensors, y_range, n_samples, n_units, rng):
    """An agent that has learned each sense from n_samples events at y uniform over +-y_range, with exact y."""
    seed = int(rng.integers(2**31))
    agent = Agent(random_state=seed, estimator=GrowingNeuralGas(n_units, random_state=seed))
    for name, sensor in sensors.items():
        y = rng.uniform(-y_range, y_range, n_samples)
        agent.learn(name, sensor.experience(y, rng), y)
    return agent


def calibrate(observers, y_range, n_samples, rng):
    """Calibration of each sense on new experience, as arrays.

    Returns
    -------
    dict of arrays
        "calibration_bins" (n_senses, 3, 10): predicted variance, mean squared error, its standard error.
        "calibration_numbers" (n_senses, len(NUMBERS)).
    """
    bins, numbers = np.full((len(observers.sensors), 3, N_BINS), np.nan), []
    for i, (name, sensor) in enumerate(observers.sensors.items()):
        y = rng.uniform(-y_range, y_range, (2, n_samples))
        conditions = [sensor.conditions(n_samples, rng) for _ in y]
        X, X_more = (sensor.sense(places, rng, **drawn) for places, drawn in zip(y, conditions))
        found = precision_calibration(
            observers.agent.senses[name],
            X,
            y[0],
            n_bins=N_BINS,
            true_variance=observers.sources[name].squared_error(y[0], conditions[0]),
            held_out=(X_more, y[1]),
        )
        bins[i, :, : len(found.counts)] = found.predicted, found.measured, found.standard_errors
        numbers.append([found.summary()[number] for number in NUMBERS])
    return {"calibration_bins": bins, "calibration_numbers": np.array(numbers)}


def calibrate_without_truth(agent, sensors, y_range, n_samples, rng):
    """Calibration of each sense (n_senses, len(NUMBERS_WITHOUT_TRUTH)) on new experience."""
    y = rng.uniform(-y_range, y_range, n_samples)
    found = [
        precision_calibration(agent.senses[name], sensor.experience(y, rng), y).summary()
        for name, sensor in sensors.items()
    ]
    return np.array([[summary[number] for number in NUMBERS_WITHOUT_TRUTH] for summary in found])


def mean_calibration(results, sense):
    """Bins of one sense, averaged over seeds, as `fusion.plotting.plot_calibration` takes them."""
    bins = results["calibration_bins"][:, sense]
    predicted, measured = np.exp(np.nanmean(np.log(bins[:, :2]), axis=0))
    errors = np.sqrt(np.nansum(bins[:, 2] ** 2, axis=0)) / len(bins)
    slope = results["calibration_numbers"][:, sense, 0].mean()
    return PrecisionCalibration(predicted, measured, errors, np.full(len(predicted), len(bins)), slope)


def calibration_rows(results, names):
    """One row per sense: means over seeds of the numbers of its calibration."""
    means = results["calibration_numbers"].mean(axis=0)
    numbers = NUMBERS if means.shape[1] == len(NUMBERS) else NUMBERS_WITHOUT_TRUTH
    return [{"sense": name} | dict(zip(numbers, map(float, row))) for name, row in zip(names, means)]
