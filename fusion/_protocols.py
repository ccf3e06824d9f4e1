"""The two kinds of trust. They answer different questions and are never mixed."""

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Reliability(Protocol):
    """How typical a sample is of its sense: in [0, 1], without unit.

    Calibrated on clean data of the same sense that was kept apart, hence comparable between senses; it may weight
    log-probabilities (`PrecisionFusion`), never an estimate of a physical quantity.
    """

    def reliability(self, X) -> np.ndarray:
        """Reliability of each sample, shape (n_samples,)."""
        ...


@runtime_checkable
class Precision(Protocol):
    """Inverse variance of an estimate of a task variable y, in units of y**-2.

    Learned from pairs (X, y); the kind of trust that `fuse_gaussians` takes.
    """

    def precision(self, X) -> np.ndarray:
        """Precision of the estimate made from each sample, shape (n_samples,)."""
        ...
