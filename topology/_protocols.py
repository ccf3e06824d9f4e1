"""What prototypes that compete for samples have in common, whoever owns them: a map, a network, a density."""

from typing import Any, Protocol, runtime_checkable

import numpy as np


class Assignment(Protocol):
    """Who answers for a sample: distances (B, K) -> weights (B, K), rows that sum to 1. See `topology.assignment`."""

    def __call__(self, distances: Any, /) -> Any:
        """Weights of the K units or hypotheses for each of the B samples."""
        ...


@runtime_checkable
class Density(Protocol):
    """A density that can be evaluated, climbed and sampled, and knows the share of the data in each cell."""

    mass_: np.ndarray

    def score_samples(self, X) -> np.ndarray:
        """Log density of each row, shape (n_samples,)."""
        ...

    def grad_log_density(self, X, sigma) -> np.ndarray:
        """Gradient of the log density smoothed by a Gaussian of standard deviation `sigma`, shape of X."""
        ...

    def sample(self, n_samples, random_state) -> np.ndarray:
        """New points, shape (n_samples, n_features)."""
        ...
