import numpy as np
import pytest

from experiments._noise_growth import FORMS, Growth, fit_growth
from experiments.eccentricity import RULES, Config, deviations, retinae, verdict


@pytest.mark.parametrize(
    ("form", "slope", "scale"), [("constant", 0.0, 1.0), ("linear", 0.1, np.inf), ("plateau", 0.2, 12.0)]
)
def test_the_form_that_made_the_errors_is_found(form, slope, scale):
    rng = np.random.default_rng(0)
    place = rng.uniform(-45, 45, 4000)
    truth = Growth(form, 1.5, slope, scale, np.nan)
    errors = truth.sigma(place) * rng.standard_normal(len(place))
    found = {name: fit_growth(name, place, errors) for name in FORMS}
    assert min(found, key=lambda name: found[name].bic) == form
    grid = np.array([0.0, 10.0, 40.0])
    np.testing.assert_allclose(found[form].sigma(grid), truth.sigma(grid), rtol=0.1)


def test_both_retinae_have_as_many_receptors():
    foveated, uniform = (retina.receptors for retina in retinae(Config()))
    assert abs(len(foveated) - len(uniform)) <= 2
    steps = np.diff(foveated)
    assert steps.min() == pytest.approx(1.0) and steps.max() > 10 and np.ptp(np.diff(uniform)) < 1e-9


def test_deviations_leave_out_what_is_common_to_a_place():
    place = np.repeat([-10.0, 10.0], 2)
    estimates = np.array([[-9.0, -12.0], [-7.0, -8.0], [11.0, 12.0], [13.0, 16.0]])
    np.testing.assert_allclose(deviations(estimates, place), [1.0, 2.0])


def test_verdict_asks_for_every_part():
    def results(constant_gap=0.1, linear=5.0, uniform=-5.0):
        bic = np.tile([[20.0, linear, 0.0], [uniform, -3.0, 0.0]], (5, 1, 1))
        weight = np.full((5, 2, len(RULES), 3), 0.5)
        weight[:, :, RULES.index("constant")] += constant_gap
        flat = np.full((5, 2, 3), 0.5)
        return {"bic": bic, "weight": weight, "optimum": flat, "bias": np.full_like(weight, 0.5), "ideal": flat}

    assert verdict(results()).status == "PASS"
    assert verdict(results(constant_gap=0.0)).status == "FAIL"
    assert verdict(results(linear=-1.0)).status == "FAIL"
    assert verdict(results(uniform=4.0)).status == "FAIL"
