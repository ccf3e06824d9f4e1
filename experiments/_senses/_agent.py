"""An agent that comes to know the precision of its senses by learning, and combines them accordingly."""

import numpy as np
from sklearn.utils import check_random_state

from fusion import LocalPrecision, fuse_gaussians

LEAST_EVIDENCE = 0.1  # smallest precision of a sample without the prior, in units of the precision of the prior


class Agent:
    """One `fusion.LocalPrecision` per sense, each learned on the topology of that sense.

    Nothing but samples X and the values y that came with them is ever given: no noise level, no model of the sensor.

    Parameters
    ----------
    random_state : int, RandomState or None
    **options
        Of `LocalPrecision`, for all senses.

    Attributes
    ----------
    senses : dict of str to LocalPrecision
        In the order in which they were learned first.
    priors : dict of str to tuple (mean, variance)
        Of y over what each sense was taught first.
    """

    def __init__(self, *, random_state=None, **options):
        self._rng = check_random_state(random_state)
        self._options = options
        self.senses = {}
        self.priors = {}

    def learn(self, sense, X, y, *, target_variance=None):
        """Learn a sense from pairs (X, y); later calls go on learning on the same map.

        Parameters
        ----------
        sense : str
        X : array of shape (n_samples, n_channels)
        y : array of shape (n_samples,)
        target_variance : float or array of shape (n_samples,), optional
            Variance of the noise of the teacher.
        """
        if sense not in self.senses:
            self.senses[sense] = LocalPrecision(random_state=self._rng.randint(2**31), **self._options)
            variance = np.var(y) - np.mean(0.0 if target_variance is None else target_variance)
            self.priors[sense] = np.mean(y), variance
        self.senses[sense].partial_fit(X, y, target_variance=target_variance)
        return self

    def perceive(self, samples, *, without_prior=False):
        """What each sense says of y, and how uncertain it is.

        Parameters
        ----------
        samples : dict of str to array of shape (n_samples, n_channels)
        without_prior : bool
            Estimates are posterior means under the y of the experience. Divide that prior out, as a Gaussian: for
            reports of absolute position, and where a prior is multiplied in afterwards, as causal inference does.

        Returns
        -------
        estimates, variances : ndarray of shape (n_senses, n_samples)
            In the order of `samples`.
        """
        unknown = samples.keys() - self.senses.keys()
        if unknown:
            raise ValueError(f"samples holds senses that were not learned: {sorted(unknown)}")
        perceived = [self.senses[name].predict(X, return_std=True) for name, X in samples.items()]
        estimates, deviations = np.stack(perceived, axis=1)
        precisions = deviations**-2
        if without_prior:
            means, variances = np.array([self.priors[name] for name in samples]).T[..., None]
            evidence = np.maximum(precisions - 1 / variances, LEAST_EVIDENCE / variances)
            estimates = means + (estimates - means) * precisions / evidence
            precisions = evidence
        return estimates, 1 / precisions

    def combine(self, samples):
        """Estimate and variance (n_samples,) of y from all senses in `samples` together."""
        estimates, variances = self.perceive(samples)
        mean, precision = fuse_gaussians(estimates, 1 / variances)
        return mean, 1 / precision
