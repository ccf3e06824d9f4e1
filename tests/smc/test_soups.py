"""Soups of torch and numpy states alike, fronts and volumes against slow sums, and refusals."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smc.soups import (
    dominated_share,
    hypervolume,
    linear_mode_gap,
    pareto_front,
    recompute_batch_norm,
    soup,
    sparsity,
    vector_returns,
)

rewards = arrays(np.float64, st.tuples(st.integers(1, 6), st.just(2)), elements=st.integers(0, 4).map(float))


def states():
    rng = np.random.default_rng(0)
    return [{"a.weight": rng.normal(size=(2, 3)).astype(np.float32), "b.weight": rng.normal(size=3)} for _ in range(3)]


def test_soup_is_the_weighted_average():
    mixed = soup(states(), [0.5, 0.2, 0.3])
    for name, array in mixed.items():
        expected = sum(w * state[name] for w, state in zip([0.5, 0.2, 0.3], states()))
        assert np.allclose(array, expected) and array.dtype == states()[0][name].dtype
    assert np.allclose(soup(states())["b.weight"], np.mean([s["b.weight"] for s in states()], axis=0))


def test_weights_by_layer():
    mixed = soup(states(), {"": [1, 0, 0], "b": [0, 0, 1]})
    assert np.array_equal(mixed["a.weight"], states()[0]["a.weight"])
    assert np.array_equal(mixed["b.weight"], states()[2]["b.weight"])


def test_an_end_is_a_copy_even_beside_infinity():
    first, second = states()[:2]
    second["b.weight"] = np.full(3, np.inf)
    mixed = soup([first, second], [1, 0])
    assert np.array_equal(mixed["b.weight"], first["b.weight"]) and mixed["b.weight"] is not first["b.weight"]


def test_torch_states_and_batch_norm():
    torch = pytest.importorskip("torch")
    from torch import nn

    networks = [nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)) for _ in range(2)]
    X = torch.from_numpy(np.random.default_rng(0).normal(2, 3, (600, 2)).astype(np.float32))
    for i, network in enumerate(networks):
        with torch.no_grad():
            network[0].weight.copy_(torch.arange(8.0).reshape(4, 2) * (i - 0.4))
            network[0].bias.zero_()
        recompute_batch_norm(network, X.split(100))
    mixed = soup([network.state_dict() for network in networks])
    assert torch.equal(mixed["0.weight"], (networks[0][0].weight + networks[1][0].weight).detach() / 2)
    assert mixed["1.num_batches_tracked"].dtype == torch.int64
    networks[0].load_state_dict(mixed)
    outputs = networks[0][0](X).detach()
    assert not torch.allclose(networks[0][1].running_var, outputs.var(dim=0), rtol=0.1)  # averaged: too large
    recompute_batch_norm(networks[0].train(), X.split(100))
    assert torch.allclose(networks[0][1].running_mean, outputs.mean(dim=0), atol=1e-4)
    assert torch.allclose(networks[0][1].running_var, outputs.var(dim=0), rtol=0.05)
    assert networks[0].training and networks[0][1].momentum == 0.1
    with pytest.raises(ValueError, match="at least one batch"):
        recompute_batch_norm(networks[0], [])


def test_soups_load_no_torch():
    code = "import sys, smc.soups; print(*{'torch', 'moocore', 'gymnasium'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


@given(rewards)
def test_front(points):
    def dominates(a, b):
        return all(a >= b) and any(a > b)

    assert pareto_front(points).tolist() == [not any(dominates(a, b) for a in points) for b in points]
    others = points[::2] + 1
    assert dominated_share(points, others) == np.mean([any(dominates(a, b) for a in others) for b in points])


@given(rewards)
def test_hypervolume_counts_unit_squares(points):
    pytest.importorskip("moocore")
    covered = np.zeros((4, 4), dtype=bool)
    for x, y in points.astype(int):
        covered[:x, :y] = True
    assert hypervolume(points, reference=[0, 0]) == pytest.approx(covered.sum())


@settings(max_examples=20)
@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.just(3)), elements=st.integers(0, 3).map(float)))
def test_hypervolume_of_three_objectives(points):
    pytest.importorskip("moocore")
    covered = np.zeros((3, 3, 3), dtype=bool)
    for x, y, z in points.astype(int):
        covered[:x, :y, :z] = True
    assert hypervolume(points - 5, reference=[-5, -5, -5]) == pytest.approx(covered.sum())


def test_points_worse_than_the_reference():
    pytest.importorskip("moocore")
    points = np.array([[1.0, 1.0], [3.0, -1.0], [0.5, 2.0]])
    for function in (hypervolume, pareto_front):
        with pytest.raises(ValueError, match="rows 1 do not"):
            function(points, reference=[0, 0])
    assert hypervolume(points, reference=[0, 0], worse="ignore") == pytest.approx(1.5)
    assert pareto_front(points, reference=[0, 0], worse="ignore").tolist() == [True, False, True]
    assert pareto_front(points).all()
    assert hypervolume(points[1:2], reference=[0, 0], worse="ignore") == 0
    assert hypervolume([[2.0], [3.0]], reference=[1.0]) == 2
    with pytest.raises(ValueError, match="reference must hold 2 finite numbers"):
        hypervolume(points, reference=[0, 0, 0])


def test_sparsity():
    front = np.array([[0.0, 3.0], [1.0, 2.0], [3.0, 0.0], [0.5, 0.5]])  # the last one is dominated
    assert sparsity(front) == pytest.approx((1 + 1 + 4 + 4) / 2)
    assert sparsity(front[:1]) == 0


def test_gap_of_a_bowl_and_of_a_ridge():
    ends = [{"w": np.array([-1.0])}, {"w": np.array([1.0])}]
    report = linear_mode_gap(ends, lambda state: (-(state["w"][0] ** 2), state["w"][0] ** 2))
    x = np.linspace(-1, 1, 11)
    assert np.allclose(report.gap, np.stack([1 - x**2, x**2 - 1], axis=1))
    assert np.allclose(report.rewards, np.stack([-(x**2), x**2], axis=1))
    three = linear_mode_gap([*ends, {"w": np.zeros(1)}], lambda s: s["w"][0], [[0.5, 0.25, 0.25]])
    assert three.gap == pytest.approx(0) and three.rewards.shape == (1, 1)


class Corridor:
    """Three steps; each pays its action in the first objective and its square as a cost in the second."""

    def reset(self, seed):
        self.place, self.step_number = seed, 0
        return self.place, {}

    def step(self, action):
        self.step_number += 1
        return self.place, np.array([action, -(action**2)]), self.step_number == 3, False, {}


def test_returns_of_vector_rewards():
    returns = vector_returns(Corridor(), lambda place: place, n_episodes=2, seed=1)
    assert returns == pytest.approx([3 * 1.5, -3 * 2.5])
    discounted = vector_returns(Corridor(), lambda place: 1, n_episodes=1, seed=0, discount=0.5)
    assert discounted == pytest.approx([1.75, -1.75])


def test_rewards_from_the_objectives_of_an_encoder():
    torch = pytest.importorskip("torch")
    from smc.encoders.objectives import multi_positive_nt_xent

    rng = np.random.default_rng(0)
    X, groups = torch.from_numpy(rng.normal(size=(12, 5))), torch.arange(4).repeat_interleave(3)
    ends = [{"w": torch.from_numpy(rng.normal(size=(5, 3)))} for _ in range(2)]

    def evaluate(state):
        z = torch.nn.functional.normalize(X @ state["w"], dim=1)
        return -multi_positive_nt_xent(z, groups).item(), -state["w"].square().sum().item()

    report = linear_mode_gap(ends, evaluate)
    assert report.rewards.shape == (11, 2) and report.gap[[0, -1]] == pytest.approx(0)
    assert (report.gap[1:-1, 1] > 0).all()  # a concave reward lies above its chord


@pytest.mark.parametrize(
    "weights, message",
    [
        ([0.5, 0.6, 0.1], "simplex"),
        ([1.5, -0.5, 0], "simplex"),
        ([np.nan, 0.5, 0.5], "simplex"),
        ([0.5, 0.5], "shape"),
        ({"a": [1, 0, 0]}, "none for 'b.weight'"),
        ({"": [1, 0, 0], "c": [1, 0, 0]}, "'c'"),
        ({"": [1, 0, 0], "b": [1, 1, 0]}, r"weights\['b'\]"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        soup(states(), weights)


def test_bad_states():
    first, second = states()[:2]
    with pytest.raises(ValueError, match=r"states\[1\] must have the keys of states\[0\], differs in 'b.weight', 'c'"):
        soup([first, {"a.weight": first["a.weight"], "c": first["b.weight"]}])
    with pytest.raises(ValueError, match="must have shape"):
        soup([first, second | {"b.weight": np.zeros(4)}])
    with pytest.raises(ValueError, match="at least one"):
        soup([])
    with pytest.raises(TypeError, match="sequence of dicts"):
        soup(first)
    with pytest.raises(TypeError, match=r"states\[1\]"):
        soup([first, SimpleNamespace()])
    with pytest.raises(ValueError, match="2 states only"):
        linear_mode_gap(states(), len)
    with pytest.raises(ValueError, match="finite numbers"):
        linear_mode_gap(states()[:2], lambda state: np.nan)
