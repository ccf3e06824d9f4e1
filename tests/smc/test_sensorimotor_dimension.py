import numpy as np
import pytest

from smc import sensorimotor_dimension


def linear_world(p, e, shared, n_sensors=30, seed=0):
    """Sensors of which the body moves p dimensions and the environment e, `shared` of them in common."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((n_sensors, n_sensors)))[0]
    body, outside = directions[:, :p], directions[:, p - shared : p - shared + e]
    by_body, by_outside = rng.standard_normal((12, p)) @ body.T, rng.standard_normal((9, e)) @ outside.T
    return lambda motor, environment: np.sin(motor @ by_body + environment @ by_outside)


def at_rest():
    return np.full(12, 0.01), np.full(9, 0.02)


@pytest.mark.parametrize("estimator", ["jacobian", "covariance"])
@pytest.mark.parametrize("p, e, shared", [(5, 4, 3), (3, 3, 0), (4, 4, 4), (1, 6, 1)])
def test_common_dimensions_are_counted(estimator, p, e, shared):
    found = sensorimotor_dimension(linear_world(p, e, shared), *at_rest(), estimator=estimator, random_state=0)
    assert (found.body, found.environment, found.both) == (p, e, p + e - shared)
    assert found.dimension == shared and min(found.gaps) > 1e3


def test_full_ranks_and_senseless_agents():
    everything = sensorimotor_dimension(linear_world(12, 9, 2, n_sensors=40), *at_rest())
    assert everything[:3] == (12, 9, 19)
    blind = sensorimotor_dimension(lambda motor, environment: 0.0 * motor + 1.0, *at_rest())
    assert blind[:3] == (0, 0, 0) and blind.dimension == 0
    still = sensorimotor_dimension(lambda motor, environment: 0.0 * motor + 1.0, *at_rest(), estimator="covariance")
    assert still.dimension == 0


def test_complex_steps_are_exact_where_differences_are_not():
    """An eye that measures a small movement beside a large constant."""
    base = linear_world(5, 4, 3)

    def sensors(motor, environment):
        return 1e6 + base(motor, environment)

    assert sensorimotor_dimension(sensors, *at_rest()).dimension == 3
    assert sensorimotor_dimension(sensors, *at_rest(), estimator="covariance", random_state=0).dimension != 3


def test_curvature_adds_no_dimensions_beyond_the_commands():
    """The eye of the docstring; large steps bend what one command does into two dimensions."""

    def eye(motor, environment):
        distance = environment[:, :1] - motor + np.arange(5.0)
        return environment[:, 1:] / (1.0 + distance**2)

    for step in (1e-4, 1e-2):
        found = sensorimotor_dimension(eye, [0.3], [0.1, 2.0], estimator="covariance", step=step, random_state=0)
        assert (found.body, found.environment, found.both) <= (1, 2, 3) and found.body == 1


def test_the_seed_decides_the_movements():
    run = [
        sensorimotor_dimension(linear_world(5, 4, 3), *at_rest(), estimator="covariance", random_state=seed)
        for seed in (1, 1, 2)
    ]
    assert run[0] == run[1] != run[2]


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"sensors": 3}, TypeError, "sensors must be callable; got int"),
        ({"sensors": lambda m, e: np.abs(m)}, TypeError, "sensors must return complex values"),
        ({"sensors": lambda m, e: m[0]}, ValueError, r"sensors must return shape \(n, n_sensors\), here n = 12"),
        ({"sensors": lambda m, e: m / 0.0 * 0.0}, ValueError, "sensors must return finite values"),
        ({"motor": [np.nan]}, ValueError, "motor must be finite"),
        ({"environment": [[1.0]]}, ValueError, r"environment must have shape \(n,\), got \(1, 1\)"),
        ({"estimator": "rank"}, ValueError, "estimator must be one of 'jacobian', 'covariance'"),
        ({"step": 0.0}, ValueError, "step must be in"),
        ({"n_samples": 3}, ValueError, "n_samples must be at least 4"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_input_is_refused(change, error, message):
    motor, environment = at_rest()
    arguments = {"sensors": linear_world(2, 2, 1), "motor": motor, "environment": environment} | change
    with pytest.raises(error, match=message):
        sensorimotor_dimension(**arguments)
