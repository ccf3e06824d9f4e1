"""The quadrature against dense grids, and its derivatives against differences."""

import numpy as np
import pytest
import slow_causal as slow
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion._causal import _kernels as kernels
from fusion._causal.likelihood import LEGENDRE
from fusion._causal_inference import STRATEGIES

OBSERVERS = st.tuples(
    st.tuples(st.floats(-12, 12), st.floats(-12, 12)),
    st.tuples(st.floats(0.7, 8), st.floats(0.7, 8)),
    st.floats(-3, 3),
    st.floats(3, 30),
    st.floats(0.05, 0.95),
    st.floats(1, 15),
)


def estimates(strategy, kind, observer, asked, thresholds, motor=0.0, change=(0, 0.0)):
    stimuli, sigma, mean, spread, p_common, criterion = observer
    n = len(thresholds)
    local = np.tile(
        [sigma[asked], sigma[1 - asked], mean, spread, np.log(p_common / (1 - p_common)), criterion, motor], (n, 1)
    )
    local[:, change[0]] += change[1]
    value, gradient = np.zeros(n), np.zeros((n, kernels.N_LOCAL))
    kernels.estimates(
        STRATEGIES.index(strategy), kind, np.full(n, float(stimuli[asked])), np.full(n, float(stimuli[1 - asked])),
        np.asarray(thresholds, dtype=float), local, np.arange(7 if motor else 6), LEGENDRE, value, gradient,
    )  # fmt: skip
    return value, gradient


def judgement(strategy, observer, change=(0, 0.0)):
    stimuli, sigma, mean, spread, p_common, criterion = observer
    local = np.array([[*sigma, mean, spread, np.log(p_common / (1 - p_common)), criterion, 0.0]])
    local[:, change[0]] += change[1]
    value, gradient = np.zeros(1), np.zeros((1, kernels.N_LOCAL))
    first, second = np.array(stimuli, dtype=float)[:, None]
    kernels.judgements(STRATEGIES.index(strategy), first, second, local, np.arange(6), value, gradient)
    return value, gradient


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=3, deadline=None, derandomize=True)
@given(observer=OBSERVERS, asked=st.integers(0, 1), motor=st.sampled_from([0.0, 0.4, 3.0]))
def test_reports_equal_those_on_a_dense_grid(strategy, observer, asked, motor):
    stimuli, sigma, mean, spread, p_common, criterion = observer
    thresholds = stimuli[asked] + sigma[asked] * np.array([-1.3, 0.2])
    value, _ = estimates(strategy, kernels.CUMULATIVE, observer, asked, thresholds, motor)
    expected = slow.cumulative(strategy, stimuli, sigma, asked, thresholds, mean, spread, p_common, criterion, motor)
    np.testing.assert_allclose(value, expected, atol=0.01)  # the grid counts whole cells


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(observer=OBSERVERS, asked=st.integers(0, 1))
def test_density_is_the_slope_of_the_distribution(strategy, observer, asked):
    stimuli, sigma = observer[:2]
    thresholds = stimuli[asked] + sigma[asked] * np.array([-1.1, 0.4])
    density, _ = estimates(strategy, kernels.DENSITY, observer, asked, thresholds)
    width = 1e-3 * sigma[asked]
    low, high = (estimates(strategy, kernels.CUMULATIVE, observer, asked, thresholds + e)[0] for e in (-width, width))
    np.testing.assert_allclose(density * sigma[asked], (high - low) / (2e-3), atol=4e-3)


@pytest.mark.parametrize("kind", [kernels.CUMULATIVE, kernels.DENSITY])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_derivatives_are_exact(strategy, kind):
    observer, step = ((4.0, -3.0), (2.0, 3.5), 0.5, 9.0, 0.4, 6.0), 1e-5
    _, gradient = estimates(strategy, kind, observer, 0, [1.0, 3.3], 0.8)
    for column in range(kernels.N_LOCAL):
        low, high = (
            estimates(strategy, kind, observer, 0, [1.0, 3.3], 0.8, (column, change))[0] for change in (-step, step)
        )
        np.testing.assert_allclose(gradient[:, column], (high - low) / (2 * step), atol=2e-6)


JUDGING = [s for s in STRATEGIES if s not in ("forced_fusion", "segregation")]


@pytest.mark.parametrize("strategy", JUDGING)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(observer=OBSERVERS)
def test_judgements_equal_those_on_a_dense_grid(strategy, observer):
    value, _ = judgement(strategy, observer)
    np.testing.assert_allclose(value, slow.same(strategy, *observer), atol=0.01)


@pytest.mark.parametrize("p_common", [0.1, 0.6])
@pytest.mark.parametrize("strategy", JUDGING)
def test_derivatives_of_judgements_are_exact(strategy, p_common):
    observer, step = ((4.0, -3.0), (2.0, 3.5), 0.5, 9.0, p_common, 6.0), 1e-5
    _, gradient = judgement(strategy, observer)
    for column in range(6):
        low, high = (judgement(strategy, observer, (column, change))[0] for change in (-step, step))
        np.testing.assert_allclose(gradient[:, column], (high - low) / (2 * step), atol=2e-6)
