"""The laboratory of cue combination measures what is known, and its verdicts can fail."""

import numpy as np
import pytest

from experiments import ventriloquist, visual_haptic
from experiments._senses import Ears, Retina
from experiments._senses._cue_combination import Procedure, compare, is_optimal, measure_combination, predictions
from experiments._senses._life import (
    NUMBERS,
    calibrate,
    expected_squared_error,
    live,
    mean_calibration,
)
from experiments._senses._observers import RULES, Observers, draw
from experiments.ventriloquist._teachers import TEACHERS, TRACES, variance_by_third
from fusion import LocalPrecision

PROCEDURE = Procedure(standards=(-8.0, 0.0, 8.0), conflict=8.0, widest=37.0, n_trials=200)


def cue_agent(weight, sigmas):
    """Two noisy cues, averaged."""

    def agent(stimuli, rng):
        cues = rng.normal(stimuli, sigmas)
        return weight * cues[:, 0] + (1 - weight) * cues[:, 1]

    return agent


@pytest.mark.parametrize(("weight", "sigmas"), [(0.95, (1.0, 5.0)), (0.5, (5.0, 5.0)), (0.1, (18.0, 5.0))])
def test_the_procedure_finds_weights_and_thresholds(weight, sigmas):
    rng = np.random.default_rng(0)
    agent = cue_agent(weight, sigmas)
    shifted, threshold = PROCEDURE.measure(agent, rng, 2, 8.0)
    assert shifted == pytest.approx(8 * (weight - 0.5), abs=0.4)
    assert threshold == pytest.approx(np.sqrt(2) * np.hypot(weight * sigmas[0], (1 - weight) * sigmas[1]), rel=0.08)


def test_the_procedure_with_one_cue():
    pse, threshold = PROCEDURE.measure(lambda y, rng: rng.normal(0.7 * y, 10.5), np.random.default_rng(1))
    assert pse == pytest.approx(0, abs=1.5)
    assert threshold == pytest.approx(np.sqrt(2) * 15, rel=0.08)


def test_predictions_from_thresholds_alone():
    found = predictions(np.array([[3.0, 4.0], [4.0, 4.0]]))
    np.testing.assert_allclose(found["optimal_weight"], [16 / 25, 0.5])
    np.testing.assert_allclose(found["optimal_threshold"], [12 / 5, 4 / np.sqrt(2)])


class KnownObservers:
    """Two Gaussian senses that every rule combines with the same weight."""

    sensors = ("first", "second")

    def __init__(self, weight):
        self.weight = weight

    def combined(self, rule, conditions):
        return cue_agent(self.weight, (conditions["first"], conditions["second"]))

    def alone(self, name, conditions):
        return lambda y, rng: rng.normal(y, conditions[name])


def test_optimal_weights_are_found_optimal():
    levels = [{"first": 3.0, "second": 3.0}]
    procedure = Procedure((0.0,), 8.0, 30.0, 200)

    def measure(weight):
        found = [
            measure_combination(KnownObservers(weight), levels, procedure, np.random.default_rng(s)) for s in (0, 1)
        ]
        return {key: np.stack([one[key] for one in found]) for key in found[0]}

    assert is_optimal(*compare(measure(0.5))["learned"])
    assert not is_optimal(*compare(measure(0.8))["learned"])


@pytest.fixture(scope="module")
def observers():
    rng = np.random.default_rng(0)
    sensors = {"vision": Retina(), "audition": Ears()}
    agent = live(sensors, 45.0, 4000, 100, rng)
    tests = [{"vision": {"blur": blur, "photons": 50.0}, "audition": {"level": 20.0}} for blur in (4.0, 30.0)]
    return Observers(agent, sensors, 45.0, tests, 8000, rng), tests


def test_the_learned_rule_is_told_nothing(observers):
    observers, (conditions, _) = observers
    stimuli = np.random.default_rng(1).uniform(-10, 10, (500, 2))
    found = observers.combined("learned", conditions)(stimuli, np.random.default_rng(2))
    rng = np.random.default_rng(2)
    samples = {
        name: sensor.sense(y, rng, **conditions[name])
        for (name, sensor), y in zip(observers.sensors.items(), stimuli.T)
    }
    np.testing.assert_allclose(found, observers.agent.combine(samples)[0])


def test_sources_of_precision(observers):
    observers, tests = observers
    rng = np.random.default_rng(3)
    y = rng.uniform(-20, 20, 4000)
    for name, rtol in (("vision", 0.3), ("audition", 0.15)):
        sensor, source, model = observers.sensors[name], observers.sources[name], observers.agent.senses[name]
        for conditions in tests:
            drawn = draw(conditions[name], len(y), rng)
            X = sensor.sense(y, rng, **drawn)
            estimates = model.predict(X)
            slope, middle = np.polyfit(y, estimates, 1)
            scatter = np.mean((estimates - slope * y - middle) ** 2)
            assert np.mean(source.oracle(X, y, drawn)) == pytest.approx(scatter / slope, rel=rtol)
        places = rng.uniform(-45, 45, 4000)
        lived = sensor.experience(places, rng)
        squared_error = np.mean((places - model.predict(lived)) ** 2)
        assert source.constant(lived, places, {})[0] == pytest.approx(squared_error, rel=0.1)
        assert source.density(lived, places, {}).mean() == pytest.approx(squared_error, rel=0.2)


def test_permuted_precision_is_not_that_of_the_trial(observers):
    """With blurred light, precision from other levels trusts vision too much; exchanged within a level it does not."""
    observers, (_, blurred) = observers
    rng = np.random.default_rng(4)
    y = rng.uniform(-10, 10, 4000)
    stimuli = np.column_stack([y + 8, y - 8])

    def pull(rule):
        return np.mean(observers.combined(rule, blurred)(stimuli, rng) - y)

    assert pull("permuted") > pull("learned") + 2
    assert pull("exchanged") == pytest.approx(pull("learned"), abs=1.0)


def test_calibration_as_arrays(observers):
    observers, _ = observers
    found = calibrate(observers.agent.senses, observers.sensors, 45.0, 2000, np.random.default_rng(5))
    assert found["calibration_bins"].shape == (2, 3, 10) and found["calibration_numbers"].shape == (2, len(NUMBERS))
    numbers = dict(zip(NUMBERS.values(), found["calibration_numbers"][0]))
    assert 0.6 < numbers["slope"] < 1.5 and numbers["rank correlation, stimulus known"] > 0.7
    assert numbers["NLL, stimulus known"] < numbers["NLL, learned"] < numbers["NLL, constant"] - 0.3
    twice = {key: np.stack([values, 4 * values]) for key, values in found.items()}
    np.testing.assert_allclose(mean_calibration(twice, 0).measured, 2 * found["calibration_bins"][0, 1])


def test_what_to_expect_of_who_knows_the_stimulus(observers):
    """As many more glances as one likes agree with those that it is made of."""
    observers, (_, blurred) = observers
    rng = np.random.default_rng(7)
    y = np.linspace(-20, 20, 9)
    for name, sensor in observers.sensors.items():
        model = observers.agent.senses[name]
        drawn = draw(blurred[name], len(y), rng)
        expected = np.mean([expected_squared_error(model, sensor, y, drawn, rng) for _ in range(20)], axis=0)
        places = np.tile(y, 1000)
        X = sensor.sense(places, rng, **draw(blurred[name], len(places), rng))
        lived = ((model.predict(X) - places) ** 2).reshape(-1, len(y)).mean(axis=0)
        np.testing.assert_allclose(expected, lived, rtol=0.3)


def test_draw():
    rng = np.random.default_rng(0)
    drawn = draw({"blur": 4.0, "photons": (20.0, 120.0)}, 1000, rng)
    assert (drawn["blur"] == 4).all()
    assert np.median(drawn["photons"]) == pytest.approx(np.sqrt(20 * 120), rel=0.1)


def test_a_third_sense_tells_the_variance_of_a_teacher():
    rng = np.random.default_rng(6)
    n = 20_000
    y, loud = rng.uniform(-45, 45, n), rng.random(n) < 0.5
    X = np.column_stack([y + np.where(loud, 2.0, 6.0) * rng.standard_normal(n), 300.0 * loud])
    model = LocalPrecision(random_state=0).fit(X[:2000], y[:2000])
    teacher, pupil, third = model.predict(X), y + 9 * rng.standard_normal(n), y + 5 * rng.standard_normal(n)
    found = variance_by_third(teacher, pupil, third, 1 / model.precision(X))
    for rows in (loud, ~loud):
        assert np.median(found[rows]) == pytest.approx(np.mean((teacher - y)[rows] ** 2), rel=0.25)


def results(n_seeds=5, n_levels=5, **changes):
    """Weights and thresholds as predicted, with constant precision that gives every sense half the weight."""
    noise = np.random.default_rng(0).normal(0, 0.005, (n_seeds, len(RULES), n_levels))
    optimum = np.linspace(0.95, 0.08, n_levels)
    weight = optimum + noise
    weight[:, RULES.index("constant")] = 0.5
    alone = np.tile(np.stack([np.linspace(1, 20, n_levels), np.full(n_levels, 7.0)], axis=1), (n_seeds, 1, 1))
    best = np.tile(np.sqrt((alone[0] ** 2).prod(axis=1) / (alone[0] ** 2).sum(axis=1)), (n_seeds, 1))
    roving = np.tile(np.array([0.95, 0.93, 1.0])[:, None], (n_seeds, 1, n_levels)) + noise[:, :3]
    made = {
        "alone": alone,
        "weight": weight,
        "optimal_weight": np.tile(optimum, (n_seeds, 1)),
        "threshold": best[:, None] * (1 + noise),
        "optimal_threshold": best,
        "roving_threshold": best[:, None] * roving,
        "roving_optimal_threshold": best,
        "blurs": np.tile(np.arange(1.0, n_levels + 1), (n_seeds, 1)),
        "teacher_weight": np.zeros((n_seeds, len(TEACHERS), n_levels)),
        "teacher_nll": np.zeros((n_seeds, len(TEACHERS), 2)),
        "hidden_nll": np.zeros((n_seeds, len(TRACES), 3)),
        "hidden_rank": np.zeros((n_seeds, len(TRACES))),
    }
    for key, (place, change) in changes.items():
        made[key] = made[key].copy()
        made[key][(slice(None), *place)] += change
    return made


@pytest.mark.parametrize("experiment", [visual_haptic, ventriloquist])
def test_verdicts_can_fail(experiment):
    learned, constant = RULES.index("learned"), RULES.index("constant")
    assert experiment.verdict(results()).status == "PASS"
    assert experiment.verdict(results(weight=((learned, 2), 0.09))).status == "FAIL"
    assert experiment.verdict(results(threshold=((learned, 2), 1.0))).status == "FAIL"
    right = results()["optimal_weight"] - results()["weight"][:, constant]
    assert experiment.verdict(results(weight=((constant,), right))).status == "FAIL"  # the control must fail
    assert set(experiment.verdict(results()).measured.split()) >= set(RULES)


def test_verdict_of_roving_contrast():
    verdict = ventriloquist.verdict
    learned, exchanged = ventriloquist.ROVING.index("learned"), ventriloquist.ROVING.index("exchanged")
    assert verdict(results(roving_threshold=((learned, 3), 1.0))).status == "FAIL"
    assert verdict(results(roving_threshold=((learned, 0), 1.0))).status == "PASS"  # not a middle level
    assert verdict(results(roving_threshold=((exchanged,), -1.0))).status == "FAIL"  # the control must not gain


def test_verdict_of_shape():
    assert visual_haptic.verdict(results(weight=((RULES.index("learned"), 1), 0.05), n_levels=20)).status == "FAIL"
    assert ventriloquist.verdict(results(weight=((RULES.index("learned"), 0), -0.2))).status == "FAIL"
