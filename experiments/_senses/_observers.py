"""Observers who see the same through the same senses and differ in how they come to know the precision of each."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import GammaRegressor, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from fusion import fuse_gaussians
from topology import CodebookDensity, GrowingNeuralGas

RULES = ("learned", "oracle", "constant", "density", "permuted")
LEAST_SLOPE = 0.2


class Observers:
    """Combine the estimates of an agent by precisions from different sources.

    "learned": what the agent says. "oracle": how much the agent's own estimates scatter about their mean, given the
    stimulus and the true conditions, by regression on many simulated trials. "constant": one precision per sense, from
    the mean squared error over the experience. "density": the map alone (`DensityVariance`), with the same overall
    variance. "permuted": learned, but of another trial under any
    of the test conditions. "exchanged": learned, but of another trial under the same. What the rules other than
    "learned" are told never reaches the agent.

    Parameters
    ----------
    agent : Agent
        Has learned the senses.
    sensors : dict of str to sensor
        The two senses to combine.
    y_range : float
        Stimuli of the experience were uniform over +-y_range.
    test_conditions : list of dict of str to dict
        Conditions of each sense under every test, for the permuted precisions.
    n_samples : int
        Simulated trials per sense.
    rng : numpy.random.Generator
    """

    def __init__(self, agent, sensors, y_range, test_conditions, n_samples, rng):
        self.agent, self.sensors = agent, sensors
        self.sources = {name: Sources(agent, name, sensor, y_range, n_samples, rng) for name, sensor in sensors.items()}
        self._pool = {name: [] for name in sensors}
        for conditions in test_conditions:
            for name, sensor in sensors.items():
                X = sensor.sense(rng.uniform(-y_range / 4, y_range / 4, 200), rng, **draw(conditions[name], 200, rng))
                self._pool[name].append(1 / agent.senses[name].precision(X))

    def combined(self, rule, conditions):
        """A batched agent for `fusion.two_interval_choice`: stimuli (n, 2), one y per sense -> estimates (n,)."""

        def estimate(stimuli, rng):
            drawn = {name: draw(conditions[name], len(stimuli), rng) for name in self.sensors}
            y = dict(zip(self.sensors, stimuli.T))
            samples = {name: sensor.sense(y[name], rng, **drawn[name]) for name, sensor in self.sensors.items()}
            estimates, variances = self.agent.perceive(samples)
            if rule == "permuted":
                variances = [rng.choice(np.concatenate(self._pool[name]), len(stimuli)) for name in self.sensors]
            elif rule == "exchanged":
                variances = [rng.permutation(row) for row in variances]
            elif rule != "learned":
                variances = [
                    getattr(self.sources[name], rule)(samples[name], y[name], drawn[name]) for name in self.sensors
                ]
            return fuse_gaussians(estimates, 1 / np.stack(variances))[0]

        return estimate

    def alone(self, name, conditions):
        """The same with one sense: stimuli (n,) -> estimates (n,)."""

        def estimate(stimuli, rng):
            X = self.sensors[name].sense(stimuli, rng, **draw(conditions[name], len(stimuli), rng))
            return self.agent.senses[name].predict(X)

        return estimate


class Sources:
    """Where the variance of one sense could come from, if not from learning; each (samples, y, conditions) -> (n,)."""

    def __init__(self, agent, name, sensor, y_range, n_samples, rng):
        y = rng.uniform(-y_range, y_range, n_samples)
        conditions = sensor.conditions(n_samples, rng)
        X = sensor.sense(y, rng, **conditions)
        estimates, table = agent.senses[name].predict(X), _table(y, conditions)
        self._mean = np.mean((estimates - y) ** 2)
        self._step = y_range / 50
        self._expected = _polynomial(LinearRegression()).fit(table, estimates)
        scatter = (estimates - self._expected.predict(table)) ** 2
        # The gamma deviance of squares is the likelihood of Gaussian scatter of that variance.
        self._scatter = _polynomial(GammaRegressor(alpha=1e-5, solver="newton-cholesky")).fit(
            table, np.maximum(scatter, 1e-12 * self._mean)
        )
        self._density = DensityVariance(agent.senses[name].estimator_.n_units_, self._mean).fit(X)

    def constant(self, X, y, conditions):
        return np.full(len(y), self._mean)

    def oracle(self, X, y, conditions):
        """Variance of an estimate that is drawn to the prior: its scatter is less by the slope against y."""
        up, down = (self._expected.predict(_table(y + step, conditions)) for step in (self._step, -self._step))
        slope = np.maximum((up - down) / (2 * self._step), LEAST_SLOPE)
        return self._scatter.predict(_table(y, conditions)) / slope

    def density(self, X, y, conditions):
        return self._density(X)


class DensityVariance:
    """Variance of a sense from its map alone: sigma proportional to the distance between units, density**(-1/d).

    Parameters
    ----------
    n_units : int
    mean : float
        Of the variance over the samples that the map is fitted to.
    """

    def __init__(self, n_units, mean):
        self._n_units, self._mean = n_units, mean

    def fit(self, X):
        units = GrowingNeuralGas(self._n_units, random_state=0)
        self._map = make_pipeline(PCA(min(12, X.shape[1]), random_state=0), CodebookDensity(units, kind="cell")).fit(X)
        self._scale = self._mean / self._squared_distance(X).mean()
        return self

    def __call__(self, X):
        return self._scale * self._squared_distance(X)

    def _squared_distance(self, X):
        """Squared distance between the units around each sample, up to a factor."""
        return np.exp(-2 * self._map.score_samples(X) / self._map[-1].intrinsic_dimension_)


def draw(conditions, n, rng):
    """Conditions of n presentations: numbers stay, ranges (low, high) are drawn log-uniformly."""
    return {
        key: np.exp(rng.uniform(*np.log(value), n)) if isinstance(value, tuple) else np.full(n, float(value))
        for key, value in conditions.items()
    }


def _polynomial(regressor):
    return make_pipeline(StandardScaler(), PolynomialFeatures(5), StandardScaler(), regressor)


def _table(y, conditions):
    return np.column_stack([y, *(np.log(values) for values in conditions.values())])
