"""The field against full matrices and Fourier transforms, its symmetries, and how it weighs and separates cues."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph
from slow_field import fft_field, gaussian, slow_field

from fusion import LateralKernel, NeuralField
from topology import GrowingNeuralGas, History

LINE = np.arange(-60.0, 60.25, 0.5)
SIGMA_V = np.array([2.0, 4.0, 6.0, 9.0, 14.0])
SIGMA_A = 6.0
OPTIMAL = SIGMA_A**2 / (SIGMA_V**2 + SIGMA_A**2)
OUTPUTS = {"ramp": 2.0, "sigmoid": 8.0, "rectified": 0.2}


@pytest.fixture(scope="module")
def gas():
    """A map of an unevenly sampled square: few units at the right, many at the left."""
    X = np.random.default_rng(0).random((3000, 2))
    X[:, 0] **= 2
    return GrowingNeuralGas(150, n_epochs=8, random_state=0).fit(X)


def ring(n, **options):
    return NeuralField(np.arange(n), period=n, **options)


def random_stimulus(seed, shape):
    return np.random.default_rng(seed).uniform(-0.5, 1.5, shape)


def visual_weights(field, disparity, width, sigma_v=SIGMA_V):
    """Share of the seen position in the decoded one, cues at +-disparity/2."""
    cues = field.encode([[disparity / 2], [-disparity / 2]], width=width)
    cues = np.repeat(cues[:, None], len(sigma_v), axis=1)
    field.run(cues, 150, precision=[sigma_v**-2, np.full(len(sigma_v), SIGMA_A**-2)])
    return field.decode()[:, 0] / disparity + 0.5


@pytest.mark.parametrize("activation", OUTPUTS)
def test_equals_full_matrices(activation):
    slope = OUTPUTS[activation]
    output = {
        "ramp": lambda u: np.clip(slope * u, 0, 1),
        "sigmoid": lambda u: 1 / (1 + np.exp(-slope * u)),
        "rectified": lambda u: np.maximum(slope * u, 0),
    }[activation]
    x = np.sort(random_stimulus(1, 45)) * 20
    stimulus = random_stimulus(2, 45)
    links = gaussian(abs(x[:, None] - x), 3.0, 2.5)
    kernel = LateralKernel(3.0, excitation=3.0, inhibition=0.5, reach=2.5)
    field = NeuralField(x, kernel=kernel, activation=activation, slope=slope).run(stimulus, 30)
    expected = slow_field(links, stimulus, 30, excitation=3.0, inhibition=0.5, output=output)
    np.testing.assert_allclose(field.potential_, expected, atol=2e-4)
    np.testing.assert_allclose(field.activity_, output(field.potential_.astype(float)), atol=1e-6)


@pytest.mark.parametrize("shape", [(96,), (16, 12)])
def test_equals_circular_convolution_on_periodic_grids(shape):
    axes = [np.minimum(np.arange(n), n - np.arange(n)).astype(float) for n in shape]
    distances = np.sqrt(sum(d**2 for d in np.meshgrid(*axes, indexing="ij")))
    positions = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, len(shape))
    field = NeuralField(positions, period=shape, kernel=LateralKernel(1.5))
    stimulus = random_stimulus(0, shape)
    expected = fft_field(gaussian(distances, 1.5, 3.0), stimulus, 40)
    np.testing.assert_allclose(field.run(stimulus.ravel(), 40).potential_, expected.ravel(), atol=1e-4)


def test_links_from_silent_regions_are_skipped_without_a_trace():
    field = ring(640, kernel=LateralKernel(2.0))
    stimuli = field.encode([[100.0], [400.0]], width=3.0)
    distances = np.minimum(np.arange(640), 640 - np.arange(640)).astype(float)
    potentials = field.run(stimuli, 60).potential_
    for stimulus, potential in zip(stimuli, potentials):
        np.testing.assert_allclose(potential, fft_field(gaussian(distances, 2.0, 3.0), stimulus, 60), atol=1e-4)
    assert (field.activity_ == 0).mean() > 0.9


def test_distance_runs_along_edges(gas):
    field = NeuralField(gas, kernel=LateralKernel(0.15))
    lengths = np.linalg.norm(np.subtract(*gas.prototypes_[gas.edges_.T]), axis=1)
    graph = np.zeros((150, 150))
    graph[tuple(gas.edges_.T)] = lengths
    links = gaussian(csgraph.dijkstra(graph, directed=False), 0.15, 3.0)
    stimulus = field.encode([[0.3, 0.5]])[0]
    np.testing.assert_allclose(field.run(stimulus, 30).potential_, slow_field(links, stimulus, 30), atol=1e-4)
    from_networkx = NeuralField(gas.to_networkx(), kernel=LateralKernel(0.15)).run(stimulus, 30)
    np.testing.assert_array_equal(from_networkx.potential_, field.potential_)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), shift=st.integers(1, 47))
def test_a_ring_has_no_preferred_place_or_direction(seed, shift):
    field, stimulus = ring(48), random_stimulus(seed, 48)
    variants = np.stack([stimulus, np.roll(stimulus, shift), stimulus[::-1]])
    plain, rolled, mirrored = field.run(variants, 25).potential_
    np.testing.assert_allclose(rolled, np.roll(plain, shift), atol=2e-3)
    np.testing.assert_allclose(mirrored, plain[::-1], atol=2e-3)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_order_of_nodes_and_unit_of_length_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    positions, stimulus, order = rng.random((40, 2)), random_stimulus(seed, 40), rng.permutation(40)
    field = NeuralField(positions, kernel=LateralKernel(0.3)).run(stimulus, 20)
    other = NeuralField(scale * positions[order], kernel=LateralKernel(0.3 * scale)).run(stimulus[order], 20)
    np.testing.assert_allclose(other.potential_, field.potential_[order], atol=2e-3)
    np.testing.assert_allclose(other.volumes_, field.volumes_[order])


def test_bits_do_not_depend_on_the_batch():
    stimuli = random_stimulus(0, (5, 70))
    together = ring(70).run(stimuli, 60).potential_
    for alone, stimulus in zip(together, stimuli):
        np.testing.assert_array_equal(ring(70).run(stimulus, 60).potential_, alone)


@pytest.mark.parametrize("disparity", [2.0, 4.0, 8.0])
def test_cues_weigh_by_their_precision(disparity):
    field = NeuralField(LINE, kernel=LateralKernel(6.0))
    np.testing.assert_allclose(visual_weights(field, disparity, 8.0), OPTIMAL, atol=0.05)
    assert [len(bumps) for bumps in field.bumps()] == [1] * 5


def test_cues_weigh_by_their_precision_on_a_learned_map():
    X = np.random.default_rng(1).uniform([-60, -3], [60, 3], (4000, 2))
    gas = GrowingNeuralGas(250, n_epochs=15, random_state=0).fit(X)
    field = NeuralField(gas, kernel=LateralKernel(6.0))
    # Bumps drift by about a degree on uneven nodes, one way here and another there: weights are means over places.
    middle = np.repeat(np.linspace(-30, 30, 41), len(SIGMA_V))
    cues = np.stack([field.encode(np.c_[middle + side, 0 * middle], width=8.0) for side in (4, -4)])
    precision = np.stack([np.tile(SIGMA_V**-2, 41), np.full(len(middle), SIGMA_A**-2)])
    seen = (field.run(cues, 150, precision=precision).decode()[:, 0] - middle) / 8 + 0.5
    np.testing.assert_allclose(seen.reshape(41, -1).mean(axis=0), OPTIMAL, atol=0.05)


def switch(kernel_width, input_width):
    """Smallest disparity (degrees) at which two cues of equal precision are two percepts."""
    field = NeuralField(LINE, kernel=LateralKernel(kernel_width))
    for disparity in range(4, 60, 2):
        visual_weights(field, disparity, input_width, sigma_v=np.array([SIGMA_A]))
        if len(field.bumps()[0]) == 2:
            return disparity
    return np.inf


def test_far_cues_segregate_beyond_a_disparity_that_grows_with_the_kernel_and_with_the_input():
    by_kernel = [switch(width, 5.0) for width in (2.0, 4.0, 8.0)]
    by_input = [switch(4.0, width) for width in (4.0, 8.0)]
    assert 4 < by_kernel[0] < by_kernel[1] < by_kernel[2] < 60
    assert by_input[0] < by_input[1] < 60


def test_dense_regions_do_not_win_by_number():
    # Four times as many nodes right of 0 as left of it, two equal cues 3 to either side.
    x = np.r_[np.arange(-40.0, 0.0, 0.8), np.arange(0.0, 40.0, 0.2)]
    percepts = {}
    for name, volumes in {"cells": None, "numbers": np.ones(len(x))}.items():
        field = NeuralField(x, kernel=LateralKernel(4.0), volumes=volumes)
        cues = field.encode([[-3.0], [3.0]], width=5.0)
        percepts[name] = field.run(cues, 100, precision=[1.0, 1.0]).decode()[0]
    assert abs(percepts["cells"]) < 0.5 < 1.5 < percepts["numbers"]


def test_volumes_match_the_cells_of_a_line():
    x = 30 * np.linspace(-1, 1, 150) ** 3
    cells = np.gradient(x)
    inner = abs(x) < 20
    ratio = NeuralField(x, kernel=LateralKernel(2.0)).volumes_ * 2.0 * np.sqrt(2 * np.pi) / cells
    np.testing.assert_allclose(ratio[inner & (cells > 0.2)], 1.0, atol=0.3)


def test_precision_is_a_share():
    field = ring(60)
    cues = np.stack([field.encode([[10.0], [30.0]], width=3.0), field.encode([[14.0], [33.0]], width=3.0)])
    precision = np.array([[3.0, 0.0], [1.0, 2.0]])
    expected = np.stack([0.75 * cues[0, 0] + 0.25 * cues[1, 0], cues[1, 1]])
    by_precision = field.run(cues, 20, precision=precision).potential_
    np.testing.assert_allclose(field.run(expected, 20).potential_, by_precision, atol=1e-5)
    np.testing.assert_array_equal(field.run(cues, 20, precision=1024 * precision).potential_, by_precision)


def test_decoding_around_a_ring_and_on_an_arc():
    field = ring(180, kernel=LateralKernel(5.0))
    decoded = field.run(field.encode([[178.5], [1.0], [90.25]]), 60).decode()[:, 0]
    np.testing.assert_allclose(decoded, [178.5, 1.0, 90.25], atol=0.3)

    angle = np.linspace(0, 1.5 * np.pi, 80)
    arc = nx.path_graph(80)
    nx.set_node_attributes(arc, dict(enumerate(np.c_[np.cos(angle), np.sin(angle)])), "position")
    field = NeuralField(arc, kernel=LateralKernel(0.5))
    field.run(np.exp(-((np.arange(80) - 40) ** 2) / 200), 60)
    assert abs(field.decode(kind="node") - 40) <= 1
    assert np.linalg.norm(field.decode()) < 0.97  # the barycentre leaves the arc


def test_bumps_are_measured_and_sorted():
    field = ring(120, kernel=LateralKernel(3.0))
    strong, weak = field.encode([[30.0], [90.0]])
    field.run(np.stack([strong + 0.97 * weak, 0 * strong]), 100)
    both, nothing = field.bumps()
    assert [round(float(bump.position[0])) for bump in both] in ([30, 90], [30])
    for bump in both:
        np.testing.assert_allclose(bump.mass, (field.activity_[0] * field.volumes_)[bump.nodes].sum(), rtol=1e-5)
        assert bump.peak == field.activity_[0][bump.nodes].max()
    assert nothing == [] and np.isnan(field.decode()[1]).all() and field.decode(kind="node")[1] == -1


def test_trajectories_are_recorded_and_can_be_stopped():
    field, history = ring(40), History(every=5, store=("activity_", "n_steps_"))
    stimulus = field.encode([[7.0], [20.0]])
    field.run(stimulus, 31, callback=history)
    records = history.to_dict()
    assert records["step"].tolist() == [1, 6, 11, 16, 21, 26, 31] and records["activity_"].shape == (7, 2, 40)
    np.testing.assert_array_equal(records["activity_"][-1], ring(40).run(stimulus, 31).activity_)
    assert field.run(stimulus, 31, callback=lambda state, step: step == 4).n_steps_ == 4


def test_a_run_goes_on_where_it_ended_and_remembers():
    field = ring(100, kernel=LateralKernel(4.0))
    stimulus = field.encode([[33.0]])[0]
    whole = ring(100, kernel=LateralKernel(4.0)).run(stimulus, 40).potential_
    np.testing.assert_array_equal(field.run(stimulus, 15).run(stimulus, 25, resume=True).potential_, whole)
    remembered = field.run(np.zeros(100), 200, resume=True).decode()
    assert field.n_steps_ == 240 and abs(remembered[0] - 33) < 0.5
    with pytest.raises(ValueError, match="as many trials"):
        field.run(np.zeros((2, 100)), 5, resume=True)


def test_an_exploding_field_says_so():
    field = ring(30, activation="rectified", kernel=LateralKernel(excitation=20.0, inhibition=0.0))
    with pytest.raises(FloatingPointError, match=r"exploded at step \d+"):
        field.run(np.ones(30), 500)
    with pytest.raises(ValueError, match="has not run yet"):
        field.decode()


def test_parts_that_are_not_connected_are_refused():
    with pytest.raises(ValueError, match="the graph must be connected, got 2 parts"):
        graph = nx.disjoint_union(nx.path_graph(4), nx.path_graph(3))
        nx.set_node_attributes(graph, {k: [float(k)] for k in graph}, "position")
        NeuralField(graph)
    with pytest.raises(ValueError, match="under a kernel that reaches 3 must be connected"):
        NeuralField([0.0, 1.0, 2.0, 50.0, 51.0], kernel=LateralKernel(1.0))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"kernel": 3.0}, TypeError, "kernel must be a LateralKernel"),
        ({"activation": "step"}, ValueError, "activation must be one of"),
        ({"slope": 0.0}, ValueError, "slope"),
        ({"resting_level": np.nan}, ValueError, "resting_level"),
        ({"time_step": 2.0}, ValueError, "time_step"),
        ({"period": -1.0}, ValueError, "period must be positive"),
        ({"volumes": np.zeros(10)}, ValueError, "volumes must be 10 positive numbers"),
    ],
)
def test_bad_parameters(options, error, words):
    with pytest.raises(error, match=words):
        NeuralField(np.arange(10.0), **options)


def test_bad_graphs():
    ragged = nx.path_graph(2)
    nx.set_node_attributes(ragged, {0: [0.0], 1: [0.0, 1.0]}, "position")
    for positions, words in (
        ([[0.0, np.nan], [1.0, 1.0]], "finite"),
        ([1.0], "at least 2 row"),
        (np.ones(8), "no extent"),
        (nx.path_graph(3), "carry a 'position'"),
        (ragged, "must hold as many numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            NeuralField(positions)
    for width in (0.0, np.inf):
        with pytest.raises(ValueError, match="width"):
            LateralKernel(width)


def test_bad_runs():
    field = NeuralField(np.arange(10.0))
    for stimulus, precision, words in (
        (np.zeros(9), None, "stimulus must have shape"),
        (np.full(10, np.nan), None, "stimulus must be finite"),
        (np.zeros((2, 10)), [1.0], "stimulus and precision must have shapes"),
        (np.zeros((2, 10)), [1.0, -1.0], "precision must be finite and not negative"),
        (np.zeros((2, 10)), [1.0, np.nan], "precision must be finite and not negative"),
        (np.zeros((2, 3, 10)), [[1, 0, 1], [1, 0, 1]], "precision must be positive for at least one cue"),
    ):
        with pytest.raises(ValueError, match=words):
            field.run(stimulus, 5, precision=precision)
    with pytest.raises(ValueError, match="n_steps"):
        field.run(np.zeros(10), 0)
    with pytest.raises(ValueError, match="resume=True"):
        field.run(np.zeros(10), 5, resume=True)
    with pytest.raises(ValueError, match="points must have 1 columns"):
        field.encode([[1.0, 2.0]])
