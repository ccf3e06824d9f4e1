"""The settings of all methods that fuse, chosen on development objects with the same number of tries for each.

`experiments/data/manipulation_tuning.csv` holds what each value reached there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The best of the values in `TRIED`."""

    expert_C: float = 0.03  # inverse strength of the L2 penalty of the experts that all methods share
    concatenation_C: float = 0.01
    constant_discount: float = 0.7
    static_power: float = 1.0  # exponent of the static weights
    entropy_power: float = 0.25
    trained_concatenation: tuple[int, int] = (128, 150)  # hidden units, training steps
    trained_gate_steps: int = 150
    n_neighbours: int = 1
    n_gaussians: int = 40
    prior_degraded: float = 0.2  # of PrecisionFusion's reliability, lent to those of the neighbours and the Gaussians


# Field -> the method whose accuracy on development objects decided, and the values tried, the first guess first. While
# one was varied the others stayed at their first guess.
TRIED = {
    "expert_C": ("product of experts", (0.1, 0.01, 0.03, 0.3, 1.0)),
    "concatenation_C": ("concatenation", (0.1, 0.01, 0.03, 0.3, 1.0)),
    "constant_discount": ("constant discount", (0.5, 0.3, 0.7, 0.8, 0.9)),
    "static_power": ("static accuracy", (1.0, 0.25, 0.5, 2.0, 4.0)),
    "entropy_power": ("calibrated entropy", (1.0, 0.25, 0.5, 2.0, 4.0)),
    "trained_concatenation": ("trained concatenation", ((64, 150), (64, 50), (64, 400), (32, 150), (128, 150))),
    "trained_gate_steps": ("trained gate", (150, 50, 300, 600, 1200)),
    "n_neighbours": ("k-NN reliability", (10, 1, 3, 30, 100)),
    "n_gaussians": ("GMM reliability", (20, 5, 10, 40, 80)),
    "prior_degraded": ("PrecisionFusion", (0.2, 0.05, 0.1, 0.3, 0.5)),
}
SETTINGS = Settings()
