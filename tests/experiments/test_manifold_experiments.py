"""The instruments of the experiments on learned manifolds read what is known, and their verdicts can fail."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import kstest

pytest.importorskip("torch")

from experiments import density_on_manifolds, manifold_topology
from experiments._smooth_pictures import smooth_pictures
from experiments.density_on_manifolds import _measures, _world
from experiments.density_on_manifolds._learning import CELLS
from experiments.manifold_topology import _shape, _supervised
from experiments.manifold_topology import _world as _turning
from smc.encoders import ConvEncoder
from smc.worlds import Camera, Mesh, ObjectBank, pose_matrix, render


def turntable(n_objects=4, **changes):
    config = density_on_manifolds.Config(n_objects=n_objects, **changes)
    return _world.Turntable(config, np.random.default_rng(0))


def cumulative(world, number):
    """Distribution function of one object's yaw from its frequent side on, on a fine grid of a full turn."""
    grid = np.linspace(0, 2 * np.pi, 4001)
    density = np.exp(world.log_density(np.full(len(grid), number), world.frequent[number] + grid))
    total = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
    return lambda yaw: np.interp((yaw - world.frequent[number]) % (2 * np.pi), grid, total)


def test_yaw_is_drawn_from_the_stated_density():
    world = turntable()
    yaw = world.draw(3000, np.random.default_rng(1))
    for number in range(world.n_objects):
        distribution = cumulative(world, number)
        assert distribution(world.frequent[number] - 1e-9) == pytest.approx(1, abs=1e-3)
        assert kstest(distribution(yaw[number]), "uniform").pvalue > 0.01


def test_noise_does_not_go_with_frequency():
    world = turntable()
    objects, yaw = np.repeat(np.arange(4), 360), np.tile(np.linspace(0, 2 * np.pi, 360, endpoint=False), 4)
    noise = world.noise(objects, yaw)
    assert noise.min() == pytest.approx(0.005, rel=1e-3) and noise.max() == pytest.approx(0.05, rel=1e-3)
    assert np.corrcoef(np.log(noise), world.log_density(objects, yaw))[0, 1] == pytest.approx(0, abs=1e-9)


def test_smooth_pictures_change_in_proportion_to_the_turn():
    meshes, yaw, first = (
        ObjectBank.procedural(1, ("fish",), checker=0.0).packed,
        np.linspace(-1, 1, 40),
        np.zeros(40, int),
    )
    poses = [pose_matrix(yaw + turn, 0.4) for turn in (0, 0.02, 0.08)]

    def growth(pictures):
        small, large = (np.linalg.norm((x - pictures[0]).reshape(40, -1), axis=1).mean() for x in pictures[1:])
        return large / small

    assert growth([smooth_pictures(meshes, first, p, 32) for p in poses]) == pytest.approx(4, abs=0.6)
    # With hard edges the number of pixels that jump grows so, and the distance like its root.
    hard = [render(meshes, first, p, Camera(32)).image.astype(float) for p in poses]
    assert growth(hard) == pytest.approx(2, abs=0.3)


def rings(warp, n_objects=3, noise=0.0):
    """What an agent has seen of objects whose embedding is a ring, run through at a speed that `warp` decides."""
    rng = np.random.default_rng(0)
    config = density_on_manifolds.Config(n_objects=n_objects, n_views=1500, n_glances=2)
    world = turntable(n_objects)
    yaw = world.draw(config.n_views, rng)
    grid = np.linspace(-np.pi, np.pi, config.n_grid, endpoint=False)
    experience = SimpleNamespace(
        yaw=yaw.ravel(),
        test_yaw=np.tile(grid, n_objects),
        log_density=np.stack([world.log_density(np.full(len(grid), i), grid) for i in range(n_objects)]),
    )

    def embed(yaws, scale=0.0):
        angle = np.stack([warp(world, i)(y) for i, y in enumerate(yaws)])
        points = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1).reshape(-1, 3)
        return (points + scale * rng.normal(size=points.shape)).astype(np.float32)

    even = np.tile(grid, (n_objects, 1))
    # The noise grows from one side to the other.
    scales = noise * np.exp(np.cos(even)).reshape(-1, 1)
    embedded = {
        "image": embed(yaw, noise * np.exp(np.cos(yaw)).reshape(-1, 1)),
        "clean": embed(yaw),
        "test_clean": embed(even),
        "test_image": np.concatenate([embed(even, scales) for _ in range(config.n_glances)]),
        "ahead": embed(even + _world.SMALL_TURN),
        "behind": embed(even - _world.SMALL_TURN),
    }
    return _measures.measure(embedded, experience, config, seed=0)[0]


def test_an_even_ring_keeps_the_density():
    values = rings(lambda world, number: lambda yaw: yaw)
    for name in ("slope", "slope_clean", "slope_corrected", "slope_knn"):
        assert values[name] == pytest.approx(1, abs=0.15), name
    assert values["stretch"] == pytest.approx(1, abs=1e-3)
    assert values["error"] < 0.05


def test_a_ring_stretched_by_the_density_hides_it_and_its_speed_gives_it_back():
    values = rings(lambda world, number: lambda yaw: 2 * np.pi * cumulative(world, number)(yaw))
    assert values["slope"] == pytest.approx(0, abs=0.15)
    assert values["stretch"] == pytest.approx(0, abs=0.05)
    assert values["slope_corrected"] == pytest.approx(1, abs=0.15)


def test_precision_is_found_where_noise_differs():
    values = rings(lambda world, number: lambda yaw: yaw, noise=0.05)
    assert values["rank_precision"] > 0.6


def test_rank_correlation():
    found, truth = np.array([[1.0, 2, 3], [3, 2, 1], [1, 1, 1]]), np.array([[1.0, 10, 100]] * 3)
    assert _measures.rank_correlations(found, truth) == pytest.approx([1, -1, 0])


def densities(n_seeds=3, **changes):
    """Results in which contrast erases density at the invariance head, all of it by stretch."""
    jitter = np.random.default_rng(0).normal(0, 0.01, (n_seeds, len(CELLS)))
    erased = np.array([m.startswith("NT-Xent") and h == "invariance" for m, h in CELLS])
    results = {
        "slope": np.where(erased, 0.3, 0.7),
        "slope_clean": np.where(erased, 0.3, 0.9),
        "slope_corrected": np.full(len(CELLS), 0.9),
        "rank_precision": np.full(len(CELLS), 0.8),
        "rank_density": np.full(len(CELLS), 0.5),
    }
    return {name: changes.get(name, values) + jitter for name, values in results.items()}


def test_verdict_on_densities():
    outcome = density_on_manifolds.verdict(densities())
    assert outcome.status == "PASS"
    assert 'ahead of the default "backbone"' in outcome.measured or "the default of embed" in outcome.measured
    assert density_on_manifolds.verdict(densities(slope=0.7)).status == "FAIL"
    assert density_on_manifolds.verdict(densities(slope_corrected=0.4)).status == "FAIL"
    assert density_on_manifolds.verdict(densities(rank_precision=0.55)).status == "FAIL"
    assert density_on_manifolds.verdict(densities(rank_density=0.85)).status == "FAIL"


def torus(n, rng):
    u, v = rng.uniform(-np.pi, np.pi, (2, n))
    return np.column_stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)]).astype(np.float32)


def test_the_map_of_a_ring_and_of_a_torus_has_their_holes():
    rng = np.random.default_rng(0)
    config = manifold_topology.Config()

    def holes(X, n_axes):
        return _shape.holes(*_shape.grow(X, n_axes, config, seed=0))

    X = torus(4000, rng)
    ring = X[:2000] * (1, 1, 0, 0) @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    assert holes(ring.astype(np.float32), 1) == (1, 1, 0)
    assert holes(X, 2) == (1, 2, 1)
    mixed = _shape.scattered(X, rng)
    assert np.array_equal(np.sort(mixed, axis=0), np.sort(X, axis=0))
    assert holes(mixed, 2) != (1, 2, 1)
    assert holes(np.ones((10, 3), np.float32), 2) == (1, 0, 0)


def test_every_unit_of_a_map_is_nearest_to_some_view():
    angle = np.random.default_rng(0).uniform(-np.pi, np.pi, (2000, 1))
    ring, config = _turning.circles(angle), manifold_topology.Config()
    for seed in range(10):
        prototypes, edges = _shape.grow(ring, 1, config, seed)
        nearest = np.linalg.norm(ring[:, None] - prototypes, axis=2).argmin(axis=1)
        assert np.array_equal(np.unique(nearest), np.arange(len(prototypes)))
        assert _shape.holes(prototypes, edges) == (1, 1, 0)


def test_an_object_is_turned_about_one_axis_at_a_time():
    config = manifold_topology.Config(1)
    steps, before = _turning.Turning(config, np.random.default_rng(0)).steps(0, 40, episode=10)
    after = before + np.arctan2(steps.action[:, 2:], steps.action[:, :2])
    for number in range(4):
        seen = np.concatenate([before[steps.group == number], after[steps.group == number]])
        turned, held = number % 2, 1 - number % 2
        assert np.ptp(_turning.circles(seen), axis=0)[[held, held + 2]] == pytest.approx(0, abs=1e-5)
        assert np.ptp(seen[:, turned]) > 1


def test_faces_are_painted_by_the_direction_they_look_in():
    corners = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 2, 1], [0, 0, 1]], np.int32), np.zeros((3, 3), np.float32))
    assert _turning.painted(mesh).face_colors == pytest.approx(
        np.array([[0.95, 0.5, 0.5], [0.05, 0.5, 0.5], [0.5, 0.5, 0.5]])
    )


def test_only_the_vase_looks_the_same_from_every_side():
    world = _turning.Turning(manifold_topology.Config(noise=0.0), np.random.default_rng(0))
    poses = np.column_stack([np.linspace(-np.pi, np.pi, 13)[:-1], np.zeros(12)])
    for number in range(len(world.families)):
        views = world.look(np.full(12, number), poses).reshape(12, -1)
        apart = np.linalg.norm(views[:, None] - views, axis=-1)[~np.eye(12, dtype=bool)]
        assert apart.min() > 0.5 if world.seen_to_turn(number)[0] else apart.max() < 0.1


def test_the_supervised_ceiling_learns_what_it_is_told():
    rng = np.random.default_rng(0)
    grey = rng.random((64, 1)).astype(np.float32)
    images = np.broadcast_to(grey[:, None, None], (64, 16, 16, 3)).copy()
    config = manifold_topology.Config(n_steps=60, batch_size=32)
    told = _supervised.supervised(ConvEncoder(4, 16, seed=0), images, grey, config, seed=0)(images)
    assert np.mean((told - grey) ** 2) < 0.2 * grey.var()


def test_the_principal_view_keeps_the_distances_of_what_has_three_dimensions():
    X = (
        np.random.default_rng(0).normal(size=(40, 3))
        @ np.linalg.qr(np.random.default_rng(1).normal(size=(7, 7)))[0][:3]
    )
    shown = manifold_topology.principal_view(X)(X)
    assert np.linalg.norm(shown[0] - shown[1:], axis=1) == pytest.approx(np.linalg.norm(X[0] - X[1:], axis=1))


def shapes(told="asymmetrical", others="symmetrical", n_seeds=3):
    """Betti numbers of maps that are right with the action only; permuted features have no shape."""
    betti = np.empty((n_seeds, len(manifold_topology.METHODS), 3, 2, 3), int)
    betti[:] = _shape.TRUTH[others]
    betti[:, manifold_topology.METHODS.index(manifold_topology.TOLD)] = _shape.TRUTH[told]
    betti[:, :, -1] = _shape.TRUTH["symmetrical"]
    return {"betti": betti, "permuted": np.full_like(betti[:, 0], 9)}


def test_verdict_on_shapes():
    assert manifold_topology.verdict(shapes()).status == "PASS"
    assert manifold_topology.verdict(shapes(told="symmetrical")).status == "FAIL"
    assert manifold_topology.verdict(shapes(others="asymmetrical")).status == "FAIL"
    permuted = shapes()
    told = manifold_topology.of(permuted, manifold_topology.TOLD)
    assert manifold_topology.verdict(permuted | {"permuted": told}).status == "FAIL"
    right = manifold_topology.right(told, symmetrical=True)
    assert np.array_equal(right, np.ones((3, 2)))
