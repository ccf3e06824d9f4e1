"""Pieces of the kernels of fields on values that whole runs rarely reach."""

import numpy as np
import pytest
from scipy import sparse

from fusion._field_kernels import BLOCK, ROWS, SIGMOID, activate
from fusion._neural_field_kernel import TiledLinks, compact_order


def test_the_logistic_function_is_accurate_far_out():
    u = np.linspace(-100, 100, 125 * BLOCK, dtype=np.float32).reshape(-1, 1)
    f = np.empty_like(u)
    activate(u, f, SIGMOID, np.float32(3.0))
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-3.0 * u.astype(float)))
    reached = exact > 1e-36  # the smallest output is 2**-126
    np.testing.assert_allclose(f[reached], exact[reached], rtol=1e-5)
    assert f[~reached].max() < 1e-36 and f.min() >= 0 and f.max() == 1 and (np.diff(f[:, 0]) >= 0).all()


@pytest.mark.parametrize("n", [2, BLOCK, BLOCK + 1, 5 * BLOCK - 3, 1000])
def test_the_compact_order_holds_every_node_once_in_blocks_that_are_small(n):
    positions = np.random.default_rng(0).random((n, 2))
    order = compact_order(positions)
    assert np.array_equal(np.sort(order), np.arange(n))
    extent = [np.ptp(positions[order[k : k + BLOCK]], axis=0).max() for k in range(0, n - BLOCK + 1, BLOCK)]
    assert not extent or np.mean(extent) < 2.5 * np.sqrt(BLOCK / n)


def test_tiles_hold_the_links_and_nothing_else():
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((37, 37)) < 0.2, rng.random((37, 37)), 0).astype(np.float32)
    links = TiledLinks(sparse.csr_array(dense), rng.random((37, 3)))
    weights, sources, starts = links.arrays
    rebuilt = np.zeros((links.size, links.size), np.float32)
    for block in range(len(starts) - 1):
        for row in range(starts[block], starts[block + 1]):
            rebuilt[block * BLOCK : (block + 1) * BLOCK, sources[row]] += weights[row]
    assert (np.diff(starts) % ROWS == 0).all() and not rebuilt[37:].any() and not rebuilt[:, 37:].any()
    np.testing.assert_array_equal(rebuilt[:37, :37], dense[np.ix_(links.order, links.order)])
    values = rng.random((2, 37)).astype(np.float32)
    np.testing.assert_array_equal(links.collect(links.place(values)), values)
