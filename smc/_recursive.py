"""What actions change, learned step by step by recursive least squares."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from smc._kernels.ratios import N_BINS
from smc._kernels.recursive import FACTOR_PENALTY, PRIOR_STEPS, Rules, learn_steps, predict_steps
from smc._ratios import isotonic_log_means

N_COMPONENTS = 8  # in the cells
CHUNK = 1024  # steps between two calls of a callback


class RecursiveRules:
    """A ridge regression of the change that all cells share, and in each cell one of what it misses.

    In the cells the inputs are 1, phi and the leading principal components of the observation. After each step all
    regressions are as exact as if fitted to all steps so far. The cells learn from the error that the shared one made
    before it knew a step, weighted by how far it could be trusted there. The variance of the error is that of Bayesian
    linear regression, the noise in the cell and what is not known of the maps, times a log-linear factor of both
    and of the inputs of the cell. Its level and how it divides between the outputs are corrected by isotonic
    regression of the errors found.

    Parameters
    ----------
    cells : Cells
    features : Features
        Of the shared regression.
    n_outputs : int
    n_actions : int
        Discrete actions, each with regressions of its own; 1 if the features tell all of the action.
    ridge : float
        Penalty, in steps.
    forgetting : float in [0, 1)
        Every step counts so much less after each further step in the same regression.

    References
    ----------
    Ljung, L. & Soderstrom, T. (1983). Theory and Practice of Recursive Identification. MIT Press.
    """

    def __init__(self, cells, features, n_outputs, n_actions, ridge, forgetting):
        self.cells, self.features, self.n_actions = cells, features, n_actions
        self.ridge = self.local_ridge = ridge
        self.forgetting = forgetting
        n_shared = 1 + features.n_features
        n_local = 1 + features.n_action_features + min(features.n_components, N_COMPONENTS)
        n_cells, n_factors = cells.n_units * n_actions, 2 + n_local
        self.rules = Rules(
            shared_covariance=np.tile(np.eye(n_shared) / ridge, (n_actions, 1, 1)),
            shared_maps=np.zeros((n_actions, n_shared, n_outputs)),
            covariance=np.tile(np.eye(n_local) / ridge, (n_cells, 1, 1)),
            maps=np.zeros((n_cells, n_local, n_outputs)),
            squares=np.zeros((n_cells, n_outputs)),
            mass=np.zeros(n_cells),
            totals=np.zeros(n_outputs + 1),
            factor_covariance=np.eye(n_factors) / FACTOR_PENALTY,
            factor_weights=np.zeros(n_factors),
            found=np.zeros((2, N_BINS, 2)),
        )

    @property
    def noise_variance(self):
        """Variance of a step's error (n_cells, n_outputs), drawn to the mean of all cells where few steps were met."""
        squares, mass, totals = self.rules.squares, self.rules.mass, self.rules.totals
        return (squares + PRIOR_STEPS * totals[:-1] / totals[-1]) / (mass + PRIOR_STEPS)[:, None]

    def update(self, X, phi, action, change, callback=None):
        """Learn from steps; `action` (n,) of int, 0 where `phi` tells all. After each portion `callback(n_steps)`."""
        steps = (*self._read(X, phi, action), change)
        with tqdm(total=len(X), unit=" steps", desc="contingencies", delay=2, disable=None, leave=False) as progress:
            for start in range(0, len(X), CHUNK):
                portion = tuple(part[start : start + CHUNK] for part in steps)
                learn_steps(self.rules, *portion, 1.0 - self.forgetting, self.ridge)
                progress.update(len(portion[0]))
                if callback is not None and callback(start + len(portion[0])):
                    break

    def predict(self, X, phi, action):
        """Change and variance (n, n_outputs)."""
        change, variance = np.empty((2, len(X), self.rules.maps.shape[2]))
        log_means = np.stack([isotonic_log_means(sums) for sums in self.rules.found])
        predict_steps(self.rules, log_means, *self._read(X, phi, action), change, variance)
        return change, variance

    def _read(self, X, phi, action):
        features, phi = self.features(X, phi)
        components = self.features.components(X)[:, :N_COMPONENTS]
        one = np.ones((len(X), 1))
        shares = self.cells.shares(X)
        near = shares.indices.reshape(len(X), -1).astype(np.int64) * self.n_actions + action[:, None]
        return (
            action,
            near,
            shares.data.reshape(near.shape),
            np.hstack([one, features]),
            np.hstack([one, phi, components]),
        )
