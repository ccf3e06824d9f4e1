"""How noise grows with eccentricity: forms that are fitted to errors and compared."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

FORMS = ("constant", "linear", "plateau")


@dataclass(frozen=True)
class Growth:
    """Noise SD as a function of eccentricity s: foveal * sqrt(1 + (slope * r)**2).

    "constant": r = 0. "linear": r = s, so that the SD grows in proportion to s far from the fovea. "plateau":
    r**2 = scale**2 * (1 - exp(-(s / scale)**2)), which starts like the linear form and levels off.
    """

    form: str
    foveal: float
    slope: float
    scale: float
    bic: float

    def sigma(self, eccentricity):
        return _sigma(np.asarray(eccentricity), self.foveal, self.slope, self.scale)


def fit_growth(form, eccentricity, errors):
    """Maximum likelihood of Gaussian errors (n,) around 0 at eccentricities (n,)."""
    eccentricity, squared = np.abs(eccentricity), np.square(errors)
    widest, typical = eccentricity.max(), np.sqrt(squared.mean())

    def parameters(x):
        return np.exp(x[0]), np.exp(x[1]) if len(x) > 1 else 0.0, np.exp(x[2]) if len(x) > 2 else np.inf

    def loss(x):
        sigma = _sigma(eccentricity, *parameters(x))
        return np.mean(np.log(sigma) + squared / (2 * sigma**2)) + 0.5 * np.log(2 * np.pi)

    level, steep = np.log(typical), -np.log(widest)
    starts = {
        "constant": [[level]],
        "linear": [[level - f, steep + f] for f in (0.2, 1.0)],
        "plateau": [[level - 0.5, steep + f, np.log(widest) - f] for f in (0.5, 1.0, 2.0)],
    }[form]
    bounds = [(level - 5, level + 1), (steep - 7, steep + 7), (np.log(widest) - 4, np.log(widest) + 4)]
    ends = [minimize(loss, x, method="L-BFGS-B", bounds=bounds[: len(x)]) for x in starts]
    best = min(ends, key=lambda end: end.fun)
    bic = 2 * len(errors) * best.fun + len(best.x) * np.log(len(errors))
    return Growth(form, *map(float, parameters(best.x)), float(bic))


def _sigma(eccentricity, foveal, slope, scale):
    squared = eccentricity**2 if np.isinf(scale) else -(scale**2) * np.expm1(-((eccentricity / scale) ** 2))
    return foveal * np.sqrt(1 + slope**2 * squared)
