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
    module_rewards,
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


def test_layers_are_named_up_to_a_dot():
    names = ("layer1.weight", "layer10.weight", "layer1.1.bias", "layer1")
    first, second = ({name: np.full(2, value) for name in names} for value in (0.0, 1.0))
    for key in ("layer1", "layer1."):
        mixed = soup([first, second], {"": [1, 0], key: [0, 1]})
        assert [mixed[name][0] for name in names[:3]] == [1, 0, 1]
    with pytest.raises(ValueError, match="'lay'"):
        soup([first, second], {"": [1, 0], "lay": [0, 1]})


def test_arrays_of_other_types_are_refused():
    first, second = {"w": np.zeros(2)}, {"w": np.ones(2, dtype=int)}
    for pair in ([first, second], [second, first]):
        with pytest.raises(TypeError, match=r"states\[1\]\['w'\] must be numpy"):
            soup(pair)
    with pytest.raises(TypeError, match="must be an array, got list"):
        soup([{"w": [0.0, 1.0]}, first])
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"must be numpy float64 as in states\[0\], got torch torch.float64"):
        soup([first, {"w": torch.zeros(2, dtype=torch.float64)}])


def test_arrays_without_dimensions_stay_arrays():
    mixed = soup([{"scale": np.array(1.0)}, {"scale": np.array(2.0)}])
    assert isinstance(mixed["scale"], np.ndarray) and mixed["scale"] == 1.5


def test_parameters_give_a_soup_without_gradient():
    torch = pytest.importorskip("torch")
    layers = [dict(torch.nn.Linear(2, 2).named_parameters()) for _ in range(2)]
    for weights in ([0.5, 0.5], [1, 0]):
        mixed = soup(layers, weights)
        assert not any(tensor.requires_grad for tensor in mixed.values())
    mixed["weight"].zero_()
    assert layers[0]["weight"].any()


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


def test_refused_batches_leave_the_statistics():
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4))
    network(torch.randn(50, 2, generator=torch.Generator().manual_seed(0)))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match="at least one batch, got none"):
        recompute_batch_norm(network, [])
    with pytest.raises(RuntimeError):
        recompute_batch_norm(network, [torch.zeros(5, 2), torch.zeros(5, 3)])
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert network.training and network[1].momentum == 0.1


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
    with pytest.raises(ValueError, match="worse must be one of"):
        pareto_front(points, worse="drop")
    with pytest.raises(ValueError, match="reference must hold 2 finite numbers"):
        hypervolume(points, reference=[0, 0, 0])


def test_sparsity():
    front = np.array([[0.0, 3.0], [1.0, 2.0], [3.0, 0.0], [0.5, 0.5]])  # the last one is dominated
    assert sparsity(front) == pytest.approx((1 + 1 + 4 + 4) / 2)
    assert sparsity(np.concatenate([front, front[:2]])) == sparsity(front)  # copies count once
    assert sparsity(front[:1]) == 0


def test_gap_of_a_bowl_and_of_a_ridge():
    ends = [{"w": np.array([-1.0])}, {"w": np.array([1.0])}]
    report = linear_mode_gap(ends, lambda state: (-(state["w"][0] ** 2), state["w"][0] ** 2))
    x = np.linspace(-1, 1, 11)
    assert np.allclose(report.gap, np.stack([1 - x**2, x**2 - 1], axis=1))
    assert np.allclose(report.rewards, np.stack([-(x**2), x**2], axis=1))
    three = linear_mode_gap([*ends, {"w": np.zeros(1)}], lambda s: s["w"][0], [[0.5, 0.25, 0.25]])
    assert three.gap == pytest.approx(0) and three.rewards.shape == (1, 1)


@pytest.fixture
def corridor():
    """A made environment of three steps: each pays its action in the first objective, its square costs in the second.

    The place is the seed of the episode; the action 0 never ends it.
    """
    gymnasium = pytest.importorskip("gymnasium")

    class Corridor(gymnasium.Env):
        observation_space = gymnasium.spaces.Discrete(100)
        action_space = gymnasium.spaces.Box(-10, 10)
        reward_space = gymnasium.spaces.Box(-100, 100, (2,))

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.place, self.step_number = np.int64(seed), 0
            return self.place, {}

        def step(self, action):
            self.step_number += int(action != 0)
            return self.place, np.array([action, -(action**2)]), self.step_number == 3, False, {}

    gymnasium.register("tests/Corridor-v0", entry_point=Corridor)
    yield gymnasium.make("tests/Corridor-v0", disable_env_checker=True)
    del gymnasium.registry["tests/Corridor-v0"]


def test_returns_of_vector_rewards(corridor):
    returns = vector_returns(corridor, lambda place: place, n_episodes=2, seed=1)
    assert returns == pytest.approx([3 * 1.5, -3 * 2.5])
    discounted = vector_returns(corridor, lambda place: 1, n_episodes=1, seed=0, discount=0.5)
    assert discounted == pytest.approx([1.75, -1.75])


def test_environments_that_give_no_returns(corridor):
    import gymnasium

    with pytest.raises(ValueError, match="within max_steps=50"):
        vector_returns(corridor, lambda place: 0, n_episodes=1, seed=0, max_steps=50)
    with pytest.raises(ValueError, match="finite numbers"):
        vector_returns(corridor, lambda place: np.nan, n_episodes=1, seed=0)
    together = gymnasium.make_vec("tests/Corridor-v0", 2, vectorization_mode="sync")
    with pytest.raises(TypeError, match="not a vector environment; got SyncVectorEnv"):
        vector_returns(together, lambda place: place, n_episodes=1, seed=0)


def test_rewards_from_the_objectives_of_an_encoder():
    torch = pytest.importorskip("torch")
    from smc.encoders import ConvEncoder
    from smc.encoders.objectives import multi_positive_nt_xent

    X = torch.rand(12, 8, 8, 3, generator=torch.Generator().manual_seed(0))
    groups = torch.arange(4).repeat_interleave(3)
    encoders = [ConvEncoder(4, 8, 5, seed=seed) for seed in range(2)]

    def agreement(encoder):
        return multi_positive_nt_xent(torch.nn.functional.normalize(encoder(X), dim=1), groups)

    def size(encoder):
        return sum(parameter.square().sum() for parameter in encoder.parameters())

    report = linear_mode_gap([e.state_dict() for e in encoders], module_rewards(encoders[0], [agreement, size]))
    with torch.no_grad():
        expected = [[-agreement(encoder.eval()).item(), -size(encoder).item()] for encoder in encoders]
    assert report.rewards[[0, -1]] == pytest.approx(np.array(expected), rel=1e-5)
    assert report.gap[[0, -1]] == pytest.approx(0)
    assert (report.gap[1:-1, 1] > 0).all()  # a concave reward lies above its chord
    with pytest.raises(TypeError, match="losses must be one or more callables"):
        module_rewards(encoders[0], [])


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
    lengths = iter([2, 3])
    with pytest.raises(ValueError, match="as many rewards for every state, got 2 and 3"):
        linear_mode_gap(states()[:2], lambda state: np.zeros(next(lengths)))
    with pytest.raises(TypeError, match="weights must hold real numbers"):
        linear_mode_gap(states()[:2], len, {"": [[1, 0]]})
