"""An agent's experience of its senses, and how well its precision turns out to be calibrated."""

import numpy as np

from experiments._senses._agent import Agent
from fusion import PrecisionCalibration, precision_calibration
from topology import GrowingNeuralGas

N_BINS, N_TESTED, N_REPEATS = 10, 2000, 50
NUMBERS = {  # of `PrecisionCalibration.summary`, and what the experiments call them
    "slope": "slope",
    "rank correlation, true variance": "rank correlation, stimulus known",
    "rank correlation, squared error": "rank correlation, squared error",
    "NLL, predicted": "NLL, learned",
    "NLL, true variance": "NLL, stimulus known",
    "NLL, nearest neighbours": "NLL, nearest neighbours",
    "NLL, constant": "NLL, constant",
}


def live(sensors, y_range, n_samples, n_units, rng):
    """An agent that has learned each sense from n_samples events at y uniform over +-y_range, with exact y."""
    seed = int(rng.integers(2**31))
    agent = Agent(random_state=seed, estimator=GrowingNeuralGas(n_units, random_state=seed))
    for name, sensor in sensors.items():
        y = rng.uniform(-y_range, y_range, n_samples)
        agent.learn(name, sensor.experience(y, rng), y)
    return agent


def calibrate(senses, sensors, y_range, n_samples, rng):
    """Calibration of each sense on new experience, as arrays.

    Parameters
    ----------
    senses : dict of str to LocalPrecision
    sensors : dict of str to sensor
        Under the same names; those that are to be tested.
    y_range : float
        Events are uniform over +-y_range.
    n_samples : int
        Events for the nearest neighbours; the test takes at most 2000.
    rng : numpy.random.Generator

    Returns
    -------
    dict of arrays
        "calibration_bins" (n_senses, 3, 10): predicted variance, mean squared error, its standard error.
        "calibration_numbers" (n_senses, len(NUMBERS)).
    """
    bins, numbers = np.full((len(sensors), 3, N_BINS), np.nan), []
    for i, (name, sensor) in enumerate(sensors.items()):
        y, y_more = (rng.uniform(-y_range, y_range, n) for n in (min(n_samples, N_TESTED), n_samples))
        conditions = sensor.conditions(len(y), rng)
        found = precision_calibration(
            senses[name],
            sensor.sense(y, rng, **conditions),
            y,
            n_bins=N_BINS,
            true_variance=expected_squared_error(senses[name], sensor, y, conditions, rng),
            held_out=(sensor.experience(y_more, rng), y_more),
        )
        bins[i, :, : len(found.counts)] = found.predicted, found.measured, found.standard_errors
        numbers.append([found.summary()[number] for number in NUMBERS])
    return {"calibration_bins": bins, "calibration_numbers": np.array(numbers)}


def expected_squared_error(sense, sensor, y, conditions, rng):
    """Squared error (n_samples,) to expect of who knows stimulus and conditions: the mean of 50 more glances at each.

    No ceiling: a glance may tell more, such as how many photons arrived. The scatter of the mean costs about 0.01 nats.
    """
    places = np.repeat(y, N_REPEATS)
    again = {name: np.repeat(values, N_REPEATS) for name, values in conditions.items()}
    errors = sense.predict(sensor.sense(places, rng, **again)) - places
    return np.mean(errors.reshape(len(y), N_REPEATS) ** 2, axis=1)


def mean_calibration(results, sense):
    """Bins of one sense, averaged over seeds, as `fusion.plotting.plot_calibration` takes them."""
    bins = results["calibration_bins"][:, sense]
    bins = bins[..., np.isfinite(bins).any(axis=(0, 1))]  # equal precisions share a bin
    predicted, measured = np.exp(np.nanmean(np.log(bins[:, :2]), axis=0))
    errors = np.sqrt(np.nansum(bins[:, 2] ** 2, axis=0)) / len(bins)
    slope = results["calibration_numbers"][:, sense, 0].mean()
    return PrecisionCalibration(predicted, measured, errors, np.full(len(predicted), len(bins)), slope)


def calibration_rows(results, names):
    """One row per sense: means over seeds of the numbers of its calibration."""
    means = results["calibration_numbers"].mean(axis=0)
    return [{"sense": name} | dict(zip(NUMBERS.values(), map(float, row))) for name, row in zip(names, means)]
