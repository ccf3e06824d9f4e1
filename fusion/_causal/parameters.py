"""Parameters of a causal observer: their layout, their bounds, and what each trial uses of them."""

from dataclasses import dataclass

import numpy as np

from fusion._causal._kernels import N_LOCAL

STRATEGIES = (
    "averaging",
    "selection",
    "matching",
    "forced_fusion",
    "segregation",
    "fixed_criterion",
    "stochastic_fusion",
)
RESPONSES = ("localisation", "discrimination", "unity")
USES_POSTERIOR = ("averaging", "selection", "matching")
P_LIMITS = (1e-3, 1 - 1e-3)
UNUSED = 1.0  # stands where a strategy does not look


@dataclass(frozen=True)
class Parameter:
    """One number: its name, its value if held fixed (else NaN), its bounds, and the scale on which it is searched.

    softening : None to search it as it is, else it is searched as log(value**2 + softening**2) / 2: where only its
    square matters the slope does not vanish towards 0 then.
    """

    name: str
    fixed: float
    low: float
    high: float
    softening: float | None

    def to_search(self, value):
        return value if self.softening is None else 0.5 * np.log(value**2 + self.softening**2)

    def from_search(self, value):
        if self.softening is None:
            return value
        return np.sqrt(np.maximum(np.exp(2 * value) - self.softening**2, 0.0))

    def search_slope(self, value):
        """Derivative of the value by what is searched."""
        return 1.0 if self.softening is None else value + self.softening**2 / value


@dataclass(frozen=True)
class Layout:
    """Where each parameter stands in the vector; index arrays into it.

    sigma, eccentricity : (n_conditions, n_modalities); p_common : (n_conditions,)
    prior_mean, prior_sigma, criterion, motor, lapse, precision_scale : int; -1 where the model has none
    """

    parameters: tuple[Parameter, ...]
    sigma: np.ndarray
    eccentricity: np.ndarray
    p_common: np.ndarray
    prior_mean: int
    prior_sigma: int
    criterion: int
    motor: int
    lapse: int
    precision_scale: int

    @property
    def free(self):
        return np.flatnonzero([np.isnan(p.fixed) for p in self.parameters])

    def fixed_values(self):
        return np.array([p.fixed for p in self.parameters])


def noise_growth(stimuli, period):
    """How the noise variance grows with the stimulus, per unit of squared eccentricity coefficient: (n, n_modalities).

    On a line s**2; on a circle its periodic counterpart (Acerbi et al. 2018, equation S7), equal to s**2 near 0.
    """
    if period is None:
        return np.square(stimuli)
    return 2 * (period / (2 * np.pi)) ** 2 * (1 - np.cos(2 * np.pi * stimuli / period))


def noise_of(theta, layout, condition, stimuli, precision, period):
    """Noise SD of each trial and sense (n, n_modalities)."""
    if precision is not None:
        return 1 / np.sqrt(theta[layout.precision_scale] * precision)
    sigma = theta[layout.sigma[condition]]
    if layout.eccentricity.min() < 0:
        return sigma
    return sigma * np.sqrt(1 + theta[layout.eccentricity[condition]] ** 2 * noise_growth(stimuli, period))


def locals_of(theta, layout, condition, noise):
    """Parameters of each trial as the kernels take them, (n, N_LOCAL), senses in the order of the columns."""

    def one(index):
        return theta[index] if index >= 0 else UNUSED

    local = np.empty((len(condition), N_LOCAL))
    local[:, :2] = np.nan_to_num(noise, nan=UNUSED)
    local[:, 2] = one(layout.prior_mean)
    local[:, 3] = one(layout.prior_sigma)
    p = theta[layout.p_common[condition]] if layout.p_common.min() >= 0 else np.full(len(condition), 0.5)
    local[:, 4] = np.log(p) - np.log1p(-p)
    local[:, 5] = one(layout.criterion)
    local[:, 6] = theta[layout.motor] if layout.motor >= 0 else 0.0
    return local


def chain(theta, layout, condition, stimuli, precision, period, noise, by_local):
    """Gradient by the parameters (n_parameters,), from that by the columns of `locals_of` (n, N_LOCAL)."""
    gradient = np.zeros(len(theta))
    if precision is None:
        factor = noise / theta[layout.sigma[condition]]
        by_noise = np.where(np.isnan(noise), 0.0, by_local[:, :2])
        np.add.at(gradient, layout.sigma[condition], by_noise * np.nan_to_num(factor))
        if layout.eccentricity.min() >= 0:
            coefficient = theta[layout.eccentricity[condition]]
            slope = theta[layout.sigma[condition]] / factor * coefficient * noise_growth(stimuli, period)
            np.add.at(gradient, layout.eccentricity[condition], by_noise * np.nan_to_num(slope))
    else:
        scale = theta[layout.precision_scale]
        gradient[layout.precision_scale] -= np.nansum(noise * by_local[:, :2]) / (2 * scale)
    if layout.p_common.min() >= 0:
        p = theta[layout.p_common[condition]]
        np.add.at(gradient, layout.p_common[condition], by_local[:, 4] / (p * (1 - p)))
    for index, column in ((layout.prior_mean, 2), (layout.prior_sigma, 3), (layout.criterion, 5), (layout.motor, 6)):
        if index >= 0:
            gradient[index] += by_local[:, column].sum()
    return gradient
