"""How many dimensions has the space that an agent's own movements can compensate?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from topology._validation import check_choice, check_generator, check_integer, check_matrix, check_real

COMPLEX_STEP = 1e-20  # nothing is subtracted, so it may be as small as one likes
SAMPLED_STEP = 1e-8  # of Philipona et al. 2003


class SensorimotorDimension(NamedTuple):
    """Dimensions of the changes of the senses that a body, its environment and both together cause.

    Attributes
    ----------
    body, environment, both : int
        p, e and b of Philipona et al. 2003.
    gaps : tuple of three float
        How many times the last value kept of each spectrum exceeds the first one left out: singular values, or
        eigenvalues with ``estimator="covariance"``. A small one is a rank in doubt.
    """

    body: int
    environment: int
    both: int
    gaps: tuple[float, float, float]

    @property
    def dimension(self) -> int:
        """d = p + e - b: the changes that both can cause, so that one can undo those of the other."""
        return self.body + self.environment - self.both


def sensorimotor_dimension(
    sensors: Callable,
    motor,
    environment,
    *,
    estimator: str = "jacobian",
    step: float | None = None,
    n_samples: int = 50,
    random_state=None,
) -> SensorimotorDimension:
    """Dimension of the rigid group of compensable movements, from sensations alone (Philipona et al. 2003).

    A ball that moves can be followed with the eyes: what it does to the senses can be undone by the body. The
    dimension of such changes, d = p + e - b, is that of the space the agent lives in (6 for rigid movements in three
    dimensions), whatever its senses are; the agent needs to know neither its body nor its sensors.

    Parameters
    ----------
    sensors : callable
        ``sensors(motor, environment) -> (n, n_sensors)`` of motor commands (n, n_motor) and states of the environment
        (n, n_environment). With ``estimator="jacobian"`` it must be made of analytic functions and take complex
        arrays: no absolute values, no norms that conjugate.
    motor : array (n_motor,)
        Motor command about which the changes are taken.
    environment : array (n_environment,)
        State of the environment there.
    estimator : {"jacobian", "covariance"}, default="jacobian"
        "jacobian": ranks of derivatives by complex steps (Squire & Trapp 1998), exact to rounding, at the largest gap
        between singular values. "covariance": the recipe of the paper, which an agent can carry out: small random
        movements of the body, of the environment and of all pairs of both, at the largest ratio of consecutive
        eigenvalues of the covariance of the sensations, among ranks that so many commands can cause. Differences of
        numbers that nearly agree cost it its precision; long steps show the curvature of the senses as further
        dimensions.
    step : float, optional
        Length of the complex step, or standard deviation of the movements; default 1e-20 and 1e-8.
    n_samples : int, default=50
        Movements of the body, and of the environment, with "covariance"; at least 4. They show at most n_samples - 2
        dimensions, so take more than there can be.
    random_state : int, Generator or None
        Draws the movements.

    Returns
    -------
    SensorimotorDimension

    Raises
    ------
    TypeError
        If `sensors` is not callable, or its values are not complex for a complex step.
    ValueError
        For values that are not finite, or of another shape.

    References
    ----------
    Philipona, D., O'Regan, J. K. & Nadal, J.-P. (2003). Is there something out there? Inferring space from sensorimotor
    dependencies. Neural Computation 15.
    Squire, W. & Trapp, G. (1998). Using complex variables to estimate derivatives of real functions. SIAM Review 40.

    Examples
    --------
    An eye on a line, and a light at a place and of a brightness:

    >>> def eye(motor, environment):
    ...     distance = environment[:, :1] - motor + np.arange(5.0)
    ...     return environment[:, 1:] / (1.0 + distance**2)
    >>> sensorimotor_dimension(eye, [0.3], [0.1, 2.0]).dimension
    1
    """
    if not callable(sensors):
        raise TypeError(f"sensors must be callable; got {type(sensors).__name__}")
    check_choice("estimator", estimator, ("jacobian", "covariance"))
    default = COMPLEX_STEP if estimator == "jacobian" else SAMPLED_STEP
    step = default if step is None else check_real("step", step, 0.0, open_low=True)
    check_integer("n_samples", n_samples, 4)  # of fewer the ratios leave no choice
    motor, environment = _as_point("motor", motor), _as_point("environment", environment)
    if estimator == "jacobian":
        by_body = _jacobian(sensors, motor, environment, step, 0)
        by_environment = _jacobian(sensors, motor, environment, step, 1)
        by_both = np.concatenate([by_body, by_environment])
        spectra = [_exact_spectrum(derivatives) for derivatives in (by_body, by_environment, by_both)]
    else:
        rng = check_generator(random_state)
        bodies = motor + step * rng.standard_normal((n_samples, motor.shape[1]))
        environments = environment + step * rng.standard_normal((n_samples, environment.shape[1]))
        pairs = np.repeat(bodies, n_samples, axis=0), np.tile(environments, (n_samples, 1))
        spectra = [
            _sampled_spectrum(_sense(sensors, *moved))
            for moved in ((bodies, environment), (motor, environments), pairs)
        ]
    most = motor.shape[1], environment.shape[1], motor.shape[1] + environment.shape[1]
    ranks, gaps = zip(*map(_largest_gap, spectra, most))
    return SensorimotorDimension(*ranks, gaps)


def _as_point(name, values):
    """One row (1, n) of float64."""
    if np.ndim(values) != 1:
        raise ValueError(f"{name} must have shape (n,), got {np.shape(values)}")
    return check_matrix(name, np.asarray(values)[None]).astype(float)


def _jacobian(sensors, motor, environment, step, varied):
    """Derivatives (n_commands, n_sensors) by the motor command (0) or the environment (1)."""
    point = [motor.astype(complex), environment.astype(complex)]
    point[varied] = point[varied] + 1j * step * np.eye(point[varied].shape[1])
    values = _sense(sensors, *point)
    if values.dtype.kind != "c":
        raise TypeError(
            "sensors must return complex values for complex arguments; use estimator='covariance' otherwise"
        )
    return values.imag / step


def _sense(sensors, motor, environment):
    n = max(len(motor), len(environment))
    values = np.asarray(sensors(*(np.broadcast_to(part, (n, part.shape[1])).copy() for part in (motor, environment))))
    if values.ndim != 2 or len(values) != n:
        raise ValueError(f"sensors must return shape (n, n_sensors), here n = {n}; got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("sensors must return finite values; got NaN or infinity")
    return values


def _exact_spectrum(derivatives):
    """Singular values down to rounding errors, which all count as the same, once more where none is left out."""
    values = np.linalg.svd(derivatives, compute_uv=False)
    floor = max(values[0] * np.finfo(float).eps, np.finfo(float).tiny)
    return np.append(np.maximum(values, floor), floor)


def _sampled_spectrum(sensations):
    """Eigenvalues of the covariance (as squares, which keeps their precision) but for the one lost to the mean."""
    values = np.linalg.svd(sensations - sensations.mean(axis=0), compute_uv=False)[: len(sensations) - 1]
    return np.maximum(values, np.finfo(float).tiny ** 0.5) ** 2


def _largest_gap(spectrum, most):
    """Values, at most so many, above the largest ratio of consecutive ones, and that ratio; 0 where all are equal."""
    ratios = (spectrum[:-1] / spectrum[1:])[:most]
    return (int(ratios.argmax()) + 1 if spectrum[0] > spectrum[-1] else 0), float(ratios.max(initial=1.0))
