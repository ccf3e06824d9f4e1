"""The parts of `audiovisual_merging` and `development` on cases whose answer is known."""

import numpy as np
import pytest

from experiments import audiovisual_merging, development
from fusion import LocalPrecision


def test_the_weight_is_what_the_percept_took_from_vision():
    rng = np.random.default_rng(0)
    config = audiovisual_merging.Config(eccentricities=(0.0, 20.0), n_trials=40)
    places = np.repeat([0.0, -20.0, 20.0], [40, 20, 20])
    estimates = places + rng.normal(size=(2, 80))
    share = np.where(places == 0, 0.8, 0.3)
    percept = share * estimates[0] + (1 - share) * estimates[1]
    percept[3] = np.nan  # the field stayed silent
    weight, error = audiovisual_merging.judge(percept, estimates, places, config)
    np.testing.assert_allclose(weight, [0.8, 0.3])
    np.testing.assert_allclose(
        error, [np.sqrt(np.nanmean((percept - places)[k] ** 2)) for k in (places == 0, share == 0.3)]
    )


def test_controls_change_the_gain_and_nothing_else():
    rng = np.random.default_rng(0)
    config = audiovisual_merging.Config(eccentricities=(0.0, 20.0))
    places = np.array([0.0, 0.0, 20.0, -20.0])
    variances = rng.uniform(1, 9, (2, 4))
    gains = audiovisual_merging.precisions(variances, np.array([[1.0, 4.0], [2.0, 5.0]]), places, config, rng)
    np.testing.assert_allclose(gains["oracle"], [[1, 1, 0.25, 0.25], [0.5, 0.5, 0.2, 0.2]])
    assert np.unique(gains["constant gain"]).tolist() == [1.0]
    np.testing.assert_allclose(np.sort(gains["permuted"]), np.sort(gains["learned"]))
    np.testing.assert_allclose(gains["learned"] * variances, 1)


@pytest.fixture(scope="module")
def joint_map():
    config = audiovisual_merging.Config(n_units=60)
    rng = np.random.default_rng(0)
    world = audiovisual_merging.World(config)
    y = rng.uniform(-world.extent, world.extent, 2000)
    return audiovisual_merging.JointMap(world.experience(y, rng), y, 2, config, rng)


def test_the_joint_map_merges_by_precision(joint_map):
    seen = np.tile(np.linspace(-30, 30, 13), 2)
    estimates = np.stack([seen + 4, seen - 4])
    precision = np.stack([np.repeat([9.0, 1.0], 13), np.ones(26)])
    offset = (joint_map.merge(estimates, precision) - seen).reshape(2, 13).mean(axis=1)
    np.testing.assert_allclose(offset, [3.2, 0.0], atol=1.0)


def merged(n_seeds=5):
    optimum = np.linspace(0.9, 0.5, 5)
    weight = {rule: optimum for rule in audiovisual_merging.RULES} | {
        "constant gain": np.full(5, 0.5),
        "permuted": np.full(5, 0.7),
        "width-coded": optimum[::-1],
    }
    rng = np.random.default_rng(0)
    return {
        "optimal_weight": np.tile(optimum, (n_seeds, 1)),
        "weight": np.stack([[weight[r] for r in audiovisual_merging.RULES]] * n_seeds)
        + rng.normal(0, 0.01, (n_seeds, 6, 5)),
        "rmse_field": np.tile([4.0, 4.1], (n_seeds, 1)),
        "rmse_nearest unit": np.tile([4.5, 7.0], (n_seeds, 1)),
        "n_irrelevant": np.tile([0, 8], (n_seeds, 1)),
    }


def test_verdict_on_merging():
    results = merged()
    assert audiovisual_merging.verdict(results).status == "PASS"
    for key, value in {"rmse_field": [4.0, 4.6], "rmse_nearest unit": [4.5, 4.6]}.items():
        assert audiovisual_merging.verdict(results | {key: np.tile(value, (5, 1))}).status == "FAIL"
    for rule, weight in {"learned": 0.7, "permuted": results["optimal_weight"]}.items():
        changed = results["weight"].copy()
        changed[:, audiovisual_merging.RULES.index(rule)] = weight
        assert audiovisual_merging.verdict(results | {"weight": changed}).status == "FAIL"


def test_vision_matures():
    config = development.Config(growth=100, immature=0.1)
    np.testing.assert_allclose(development.mature(np.array([0, 50, 100, 1000]), config), [0.1, 0.55, 1, 1])
    rng = np.random.default_rng(0)
    light = [development.experience(np.zeros(300), np.full(300, m), rng).sum(axis=1).mean() for m in (0.1, 1.0)]
    assert light[0] < light[1]


def sense(rng, n, noise):
    """Samples of a place in 3 channels, noisier right of 0."""
    y = rng.uniform(-1, 1, n)
    return y[:, None] * [1.0, 0.5, -1.0] + noise * rng.standard_normal((n, 3)) * (1 + 4 * (y[:, None] > 0)), y


def test_errors_are_those_made_before_learning():
    rng = np.random.default_rng(0)
    (X, y), (X_new, y_new) = sense(rng, 200, 0.05), sense(rng, 90, 0.05)
    errors = development.lived_errors(LocalPrecision(random_state=0).fit(X, y), X_new, y_new, 30)
    vision = LocalPrecision(random_state=0).fit(X, y)
    np.testing.assert_allclose(errors[:30], (vision.predict(X_new[:30]) - y_new[:30]) ** 2)
    vision.partial_fit(X_new[:30], y_new[:30])
    np.testing.assert_allclose(errors[30:60], (vision.predict(X_new[30:60]) - y_new[30:60]) ** 2)


def test_remembered_variance_is_that_of_the_errors_given():
    rng = np.random.default_rng(0)
    X, y = sense(rng, 1000, 0.05)
    vision = LocalPrecision(random_state=0).fit(X, y)
    _, *near = vision._locate(X)
    np.testing.assert_allclose(development.remembered(vision, X, np.full(1000, 7.0), near), 7.0, rtol=1e-3)
    errors = np.where(y > 0, 9.0, 1.0) * rng.chisquare(1, 1000)
    variances = development.remembered(vision, X, errors, near)
    assert variances[y < -0.3].mean() < 2 and variances[y > 0.3].mean() > 6


def lives(n_seeds=5, **weights):
    """Results in which every bookkeeping is optimal but those named: weights at the three checkpoints."""
    optimal = np.array([[0.4, 0.8, 0.85], [0.85, 0.85, 0.85]])
    weight = np.repeat(optimal[:, None], len(development.BOOKKEEPING), axis=1)
    for name, values in weights.items():
        life, rule = name.split(" ", 1)
        weight[development.LIVES.index(life), development.BOOKKEEPING.index(rule)] = values
    error = 2.0 + 2.0 * abs(weight - optimal[:, None])
    stacked = {"weight": weight, "error": error, "optimal_weight": optimal, "optimal_error": np.full((2, 3), 2.0)}
    stacked |= {"checkpoint": np.array([1000, 4000, 8000]), "early": np.array(4000)}
    return {key: np.stack([value] * n_seeds) for key, value in stacked.items()}


def test_verdict_on_development():
    phase = {"improving never forgets": [0.2, 0.5, 0.8]}
    assert development.verdict(lives(**phase)).status == "PASS"
    assert development.verdict(lives()).status == "FAIL"
    assert development.verdict(lives(**{"improving never forgets": [0.2, 0.5, 0.6]})).status == "FAIL"
    for control in ("improving cross-fitted", "improving oracle", "mature never forgets"):
        assert development.verdict(lives(**phase, **{control: [0.2, 0.5, 0.8]})).status == "FAIL"


def test_the_worse_sense_is_believed_more():
    found = development.misplaced(lives(**{"improving constant": [0.1, 0.2, 0.6]}))
    assert found["constant"].tolist() == [False, True, False] and not found["oracle"].any()
