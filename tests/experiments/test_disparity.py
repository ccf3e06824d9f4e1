import numpy as np

from experiments import disparity
from experiments.disparity import RULES, Config, expected_bias, observer_of, shares, verdict

CONFIG = Config(p_common=0.4)
PAIRS = np.array([(v, a) for v in CONFIG.places for a in CONFIG.places])


def test_expected_curve_equals_that_of_simulated_measurements():
    sigma, distances = np.array([2.0, 5.0]), np.array([5.0, 20.0])
    stimuli = np.repeat(PAIRS, 4000, axis=0)
    x = stimuli + sigma * np.random.default_rng(0).standard_normal(stimuli.shape)
    precision = np.broadcast_to(sigma**-2, stimuli.shape)
    simulated, belief = shares(observer_of("averaging", 0.4, 12.0), x, precision, stimuli, distances)
    np.testing.assert_allclose(expected_bias(CONFIG, sigma, PAIRS, distances), simulated, atol=0.01)
    assert belief[0] > belief[1]


def test_forced_fusion_and_segregation_frame_the_bias():
    x = PAIRS.astype(float)
    precision = np.broadcast_to([0.25, 0.04], x.shape)
    biases = [shares(observer_of(strategy, 0.4, 12.0), x, precision, x, np.array([10.0]))[0][0]
              for strategy in ("segregation", "averaging", "forced_fusion")]  # fmt: skip
    assert 0 == biases[0] < biases[1] < biases[2] < 1


def test_dividing_out_the_prior_leaves_the_evidence():
    class Taught:
        priors = {"vision": (0.0, 600.0), "hearing": (1.0, 600.0)}

    evidence = np.array([[0.25], [0.04]])
    measured = np.array([[3.0, -8.0], [5.0, 20.0]])
    prior = 1 / 600
    means = np.array([[0.0], [1.0]])
    posterior = (evidence * measured + prior * means) / (evidence + prior)
    x, precision = disparity.divide_prior(Taught, posterior, 1 / (evidence + prior))
    np.testing.assert_allclose(x, measured.T)
    np.testing.assert_allclose(precision, np.tile(evidence.T, (2, 1)))


def test_variances_above_that_of_the_prior_still_leave_some_evidence():
    class Taught:
        priors = {"vision": (0.0, 600.0), "hearing": (0.0, 600.0)}

    _, precision = disparity.divide_prior(Taught, np.ones((2, 3)), np.array([[900.0, 600.0, 10.0]] * 2))
    np.testing.assert_allclose(precision[:, 0], [0.1 / 600, 0.1 / 600, 1 / 10 - 1 / 600])


def test_verdict_fails_if_constant_precision_does_as_well():
    expected = np.tile([0.3, 0.2, 0.1, 0.05], (5, 1, 1))
    bias = np.repeat(expected[:, None], len(RULES), axis=1)
    results = {"bias": bias, "expected": expected, "blur": np.full((5, 1), 4.0), "fall": np.full((5, 5, 1), 0.25)}
    assert verdict(results).status == "FAIL"
    bias[:, RULES.index("constant")] += 0.1
    assert verdict(results).status == "PASS"
    bias[:, RULES.index("learned")] += 0.1
    assert verdict(results).status == "FAIL"
