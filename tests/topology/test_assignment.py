"""Rules of assignment: the same weights from numpy and torch, and those of the formula."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import slow_assignment
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from topology import assignment

torch = pytest.importorskip("torch")

POSITIONS = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.5, 1.0], [1.5, 1.0], [2.5, 1.0]])
OPTIONS = {
    "winner_take_all": {},
    "relaxed": {"epsilon": 0.2},
    "top_n": {"n": 2},
    "boltzmann": {"temperature": 0.7},
    "neural_gas": {"radius": 1.3},
    "lattice": {"positions": POSITIONS, "radius": 0.8},
}
LIBRARIES = {"numpy": np.asarray, "torch": torch.from_numpy}
RULES = [partial(getattr(assignment, name), **options) for name, options in OPTIONS.items()]
rules = pytest.mark.parametrize("rule", RULES, ids=OPTIONS)
libraries = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
# Few different values, so that ties are common.
distances = arrays(
    np.float64, st.tuples(st.integers(1, 5), st.just(6)), elements=st.integers(-4, 12).map(lambda i: i / 4)
)


def slow(rule, rows):
    return np.array([getattr(slow_assignment, rule.func.__name__)(row, **rule.keywords) for row in rows.tolist()])


@libraries
@rules
@given(rows=distances)
def test_rules_follow_their_formulas(rule, library, rows):
    weights = rule(library(rows))
    assert type(weights) is type(library(rows)) and weights.dtype == library(rows).dtype
    weights = np.asarray(weights)
    assert np.allclose(weights, slow(rule, rows), rtol=1e-12, atol=1e-15)
    assert np.allclose(weights.sum(axis=1), 1, rtol=1e-12)


@rules
@given(rows=distances, order=st.permutations(range(5)))
def test_rows_do_not_see_each_other(rule, rows, order):
    order = [i for i in order if i < len(rows)]
    assert np.array_equal(rule(rows)[order], rule(rows[order]))


@libraries
@given(
    rows=distances,
    radius=st.floats(0.05, 20),
    period=st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)),
)
def test_periodic_lattice_takes_the_short_way_round(library, rows, radius, period):
    weights = np.asarray(assignment.lattice(library(rows), POSITIONS, radius, period=period))
    expected = [slow_assignment.lattice(row, POSITIONS.tolist(), radius, period) for row in rows.tolist()]
    assert np.allclose(weights, expected, rtol=1e-9, atol=1e-12)


@libraries
@pytest.mark.parametrize("name", ["boltzmann", "neural_gas", "lattice"])
@given(rows=distances)
def test_limits(name, library, rows):
    """A vanishing scale leaves the winners (tied ones together for Boltzmann), a huge one equal weights."""
    rule, options = getattr(assignment, name), OPTIONS[name]
    scale = "temperature" if name == "boltzmann" else "radius"
    cold = np.asarray(rule(library(rows), **(options | {scale: 1e-310})))
    tied = rows == rows.min(axis=1, keepdims=True)
    winner = tied & (tied.cumsum(axis=1) == 1)
    expected = tied / tied.sum(axis=1, keepdims=True) if name == "boltzmann" else winner
    assert np.allclose(cold, expected)
    assert np.allclose(np.asarray(rule(library(rows), **(options | {scale: 1e300}))), 1 / 6)


@rules
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_precision_and_shape_are_kept(rule, dtype):
    rows = np.random.default_rng(0).integers(0, 8, (7, 6)) / 4
    weights = rule(torch.from_numpy(rows).to(dtype))
    assert weights.dtype == dtype
    assert np.allclose(weights.double().numpy(), slow(rule, rows), atol=0.02)
    assert rule(rows[:0]).shape == (0, 6)


@rules
def test_one_unit_takes_all(rule):
    options = rule.keywords | {"n": 1} if "n" in rule.keywords else rule.keywords
    options = options | {"positions": POSITIONS[:1]} if "positions" in options else options
    assert rule.func([[3.0], [1.0]], **options).tolist() == [[1.0], [1.0]]


@libraries
@rules
def test_integers_and_lists_are_taken(rule, library):
    rows = np.array([[3, 1, 4, 1, 5, 9]])
    weights = rule(library(rows))
    assert np.asarray(weights).dtype.kind == "f"
    assert np.allclose(np.asarray(weights), slow(rule, rows), rtol=1e-6)
    assert np.array_equal(rule(rows.tolist()), rule(rows))


@rules
def test_losses_train_the_hypotheses_that_answer(rule):
    """The gradient of the weighted distance is the weight, and for Boltzmann what flows through the weights as well."""
    rows = torch.from_numpy(np.random.default_rng(0).random((4, 6))).requires_grad_()
    weights = rule(rows)
    (gradient,) = torch.autograd.grad((weights * rows).sum(), rows)
    expected = weights.detach()
    if rule.func is assignment.boltzmann:
        expected = weights * (1 - (rows - (weights * rows).sum(dim=1, keepdim=True)) / rule.keywords["temperature"])
    else:
        assert not weights.requires_grad
    assert torch.allclose(gradient, expected)


def test_boltzmann_passes_the_gradient_check():
    rows = torch.from_numpy(np.random.default_rng(0).random((3, 5))).requires_grad_()
    assert torch.autograd.gradcheck(lambda d: assignment.boltzmann(d, 0.3), (rows,))


@rules
@pytest.mark.parametrize(
    "bad, error, match",
    [
        (np.zeros(6), ValueError, "shape"),
        (np.zeros((2, 0)), ValueError, "shape"),
        (np.zeros((1, 6, 1)), ValueError, "shape"),
        (np.array([[0, 1, 2, 3, 4, np.nan]]), ValueError, "finite"),
        (torch.tensor([[0, 1, 2, 3, 4, torch.inf]]), ValueError, "finite"),
        (np.zeros((2, 6), complex), TypeError, "real numbers"),
        (np.full((2, 6), "a"), TypeError, "real numbers"),
        (np.zeros((2, 6), bool), TypeError, "real numbers"),
        (torch.zeros((2, 6), dtype=torch.complex64), TypeError, "real numbers"),
    ],
)
def test_bad_distances(rule, bad, error, match):
    with pytest.raises(error, match=f"distances must.*{match}"):
        rule(bad)


@pytest.mark.parametrize(
    "name, options, error",
    [
        ("relaxed", {"epsilon": 1.5}, ValueError),
        ("relaxed", {"epsilon": "a lot"}, TypeError),
        ("top_n", {"n": 0}, ValueError),
        ("top_n", {"n": 7}, ValueError),
        ("top_n", {"n": 2.0}, TypeError),
        ("boltzmann", {"temperature": 0.0}, ValueError),
        ("boltzmann", {"temperature": np.nan}, ValueError),
        ("neural_gas", {"radius": -1.0}, ValueError),
        ("lattice", {"radius": 0.0, "positions": POSITIONS}, ValueError),
        ("lattice", {"positions": POSITIONS[:5], "radius": 1.0}, ValueError),
        ("lattice", {"positions": POSITIONS[:, 0], "radius": 1.0}, ValueError),
        ("lattice", {"positions": np.full((6, 2), np.nan), "radius": 1.0}, ValueError),
        ("lattice", {"positions": np.full((6, 2), "a"), "radius": 1.0}, TypeError),
        ("lattice", {"period": (3.0,), "positions": POSITIONS, "radius": 1.0}, ValueError),
        ("lattice", {"period": (3.0, 0.0), "positions": POSITIONS, "radius": 1.0}, ValueError),
    ],
)
def test_bad_options(name, options, error):
    with pytest.raises(error, match=next(iter(options))):
        getattr(assignment, name)(np.zeros((2, 6)), **options)


def test_numpy_users_need_no_torch():
    code = (
        "import sys; from topology import assignment as a; a.winner_take_all([[1.0, 2.0]]); "
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
