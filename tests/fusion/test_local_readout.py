import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion._error_variance import CellVariances, Recalibration
from fusion._local_readout import Cells, LocalReadout


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(300, 3))
    graph = nx.erdos_renyi_graph(12, 0.25, seed=1)
    graph.remove_edges_from(list(graph.edges(0)))
    return Z, Cells(Z[:12], np.array(graph.edges), Z, n_near=4), graph


def test_samples_are_shared_among_their_nearest_units(scene):
    Z, cells, _ = scene
    near, shares = cells.locate(Z)
    squared = ((Z[:, None] - cells.prototypes) ** 2).sum(axis=-1)
    assert (np.sort(near, axis=1) == np.sort(np.argsort(squared, axis=1)[:, :4], axis=1)).all()
    width = np.median(squared.min(axis=1)) / 3
    slow = np.exp(-(np.take_along_axis(squared, near, axis=1) - squared.min(axis=1, keepdims=True)) / (2 * width))
    np.testing.assert_allclose(shares, slow / slow.sum(axis=1, keepdims=True))
    total = cells.sums(near, shares, np.arange(300.0))
    np.testing.assert_allclose(total, [(shares * (near == k) * np.arange(300.0)[:, None]).sum() for k in range(12)])


def test_mean_over_neighbours(scene):
    _, cells, graph = scene
    values = np.arange(12.0)
    slow = [np.mean([values[j] for j in graph[k]]) if graph[k] else 0 for k in range(12)]
    np.testing.assert_allclose(cells.neighbour_mean @ values, slow)


def test_a_codebook_without_graph_gets_competitive_hebbian_links():
    rng = np.random.default_rng(1)
    Z = rng.uniform(size=(200, 2))
    cells = Cells(Z[:9], None, Z, n_near=5)
    two = np.argsort(((Z[:, None] - Z[:9]) ** 2).sum(axis=-1), axis=1)[:, :2]
    linked = {frozenset(pair) for pair in two.tolist()}
    found = np.argwhere(cells.neighbour_mean.toarray() > 0)
    assert {frozenset(pair) for pair in found.tolist()} == linked


def slow_coefficients(Z, y, weights, near, shares, graph, prototypes, ridge):
    """Global ridge, then per cell a ridge of the residual around the prototype, neighbours pooled: plain loops."""
    H = np.column_stack([np.ones(len(Z)), Z])
    free = ridge * np.diag([0.0, 1, 1, 1])
    overall = np.linalg.solve((weights[:, None] * H).T @ H + free, (weights[:, None] * H).T @ y)
    result = []
    for k in range(len(prototypes)):
        local = np.column_stack([np.ones(len(Z)), Z - prototypes[k]])
        w = np.zeros(len(Z))
        neighbours = list(graph[k])
        for cell, factor in [(k, 1.0)] + [(j, 1 / len(neighbours)) for j in neighbours]:
            w += factor * weights * (shares * (near == cell)).sum(axis=1)
        a = np.linalg.solve(
            (w[:, None] * local).T @ local + ridge * np.eye(4), (w[:, None] * local).T @ (y - H @ overall)
        )
        result.append(overall + np.r_[a[0] - prototypes[k] @ a[1:], a[1:]])
    return np.array(result)


def test_readout_matches_plain_regression(scene):
    Z, cells, graph = scene
    rng = np.random.default_rng(2)
    y, weights = np.sin(2 * Z[:, 0]) + Z[:, 1], rng.uniform(0.1, 3, 300)
    near, shares = cells.locate(Z)
    folds = np.arange(300) % 3
    readout = LocalReadout(cells, 3, ridge=1.0)
    for rows in (slice(0, 100), slice(100, 300)):  # sums are additive: two batches are as good as one
        readout.add(Z[rows], y[rows], weights[rows], near[rows], shares[rows], folds[rows])
    slow = slow_coefficients(Z, y, weights, near, shares, graph, cells.prototypes, 1.0)
    np.testing.assert_allclose(readout.solve(), slow, rtol=1e-8, atol=1e-8)
    kept = folds != 1
    slow = slow_coefficients(Z[kept], y[kept], weights[kept], near[kept], shares[kept], graph, cells.prototypes, 1.0)
    np.testing.assert_allclose(readout.solve(without_fold=1), slow, rtol=1e-8, atol=1e-8)
    H = np.column_stack([np.ones(300), Z])
    blended = (shares * np.einsum("ip,ijp->ij", H, slow[near])).sum(axis=1)
    np.testing.assert_allclose(readout.predict(Z, near, shares, slow), blended)


def test_cell_variances_match_the_definition(scene):
    Z, cells, graph = scene
    rng = np.random.default_rng(3)
    squared, noise = rng.chisquare(1, 300) + 0.5, rng.uniform(0, 0.4, 300)
    near, shares = cells.locate(Z)
    variances = CellVariances(cells, 2, prior_weight=10.0)
    folds = np.arange(300) % 2
    variances.add(squared, noise, near, shares, folds)
    overall = (squared - noise).mean()
    assert variances.overall() == pytest.approx(overall)
    member = np.array([(shares * (near == k)).sum(axis=1) for k in range(12)])
    excess, mass = member @ (squared - noise), member.sum(axis=1)
    for k in range(12):
        near_excess = np.mean([excess[j] for j in graph[k]]) if graph[k] else 0
        near_mass = np.mean([mass[j] for j in graph[k]]) if graph[k] else 0
        slow = (excess[k] + near_excess + 10 * overall) / (mass[k] + near_mass + 10)
        assert variances.solve()[0][k] == pytest.approx(slow)


@settings(max_examples=10)
@given(a=st.floats(-1, 1), b=st.floats(0.5, 2), noise=st.sampled_from([0.0, 1.0]), seed=st.integers(0, 100))
def test_recalibration_recovers_power_and_factor(a, b, noise, seed):
    rng = np.random.default_rng(seed)
    claimed = np.exp(rng.uniform(-2, 2, 40_000))
    overall = 1.7
    true = overall * np.exp(a) * (claimed / overall) ** b
    recalibration = Recalibration()
    squared = (true + noise) * rng.chisquare(1, len(true))
    for rows in (slice(0, 1000), slice(1000, None)):
        recalibration.add(claimed[rows], squared[rows], np.full(len(true), noise)[rows])
    recalibration.fit(overall)
    assert recalibration.a == pytest.approx(a, abs=0.08)
    assert recalibration.b == pytest.approx(b, abs=0.08)
    np.testing.assert_allclose(recalibration(claimed, overall), true, rtol=0.3)


def test_old_errors_fade():
    rng = np.random.default_rng(0)
    recalibration = Recalibration()
    recalibration.add(np.ones(2000), 100 * rng.chisquare(1, 2000), np.zeros(2000))
    recalibration.fade(1e-6)
    recalibration.add(np.ones(2000), rng.chisquare(1, 2000), np.zeros(2000))
    assert recalibration.fit(1.0)(np.ones(1), 1.0) == pytest.approx(1, rel=0.1)
