"""Lattices against brute force over all copies of a torus."""

import numpy as np
import pytest
import slow_som
from hypothesis import given, settings
from hypothesis import strategies as st

from topology._lattice import KINDS, Lattice, check_lattice
from topology._neighborhood import smooth

SIZES = st.integers(1, 7)


def any_lattice(draw, n_rows, n_columns):
    kind, periodic = draw(st.sampled_from(KINDS)), draw(st.booleans())
    if periodic and kind == "hexagonal":
        n_rows += n_rows % 2
    return Lattice(n_rows, n_columns, kind, periodic)


@settings(max_examples=200)
@given(st.data(), SIZES, SIZES)
def test_distances_and_edges(data, n_rows, n_columns):
    lattice = any_lattice(data.draw, n_rows, n_columns)
    expected = slow_som.distances(lattice.n_rows, n_columns, lattice.kind, lattice.periodic)
    squared = np.concatenate([lattice.squared_distances(row) for row in range(lattice.n_rows)])
    assert np.allclose(lattice.positions(), slow_som.positions(lattice.n_rows, n_columns, lattice.kind))
    assert np.allclose(np.sqrt(squared), expected)
    assert np.array_equal(4 * squared, np.round(4 * squared))  # exact: no neighbour is missed by rounding
    for diagonal in (False, True):
        reach = 1.5 if diagonal and lattice.kind == "rectangular" else 1.1
        pairs = np.argwhere(np.triu(expected < reach, k=1))
        assert np.array_equal(lattice.edges(diagonal=diagonal), pairs)


@settings(max_examples=200)
@given(
    st.data(), SIZES, SIZES, st.sampled_from(["gaussian", "bubble", "cut_gaussian"]),
    st.sampled_from([0.0, 0.3, 1.0, 1.7, 20.0]),
)  # fmt: skip
def test_smoothing_is_a_sum_over_all_units(data, n_rows, n_columns, kind, radius):
    lattice = any_lattice(data.draw, n_rows, n_columns)
    gaps = slow_som.distances(lattice.n_rows, n_columns, lattice.kind, lattice.periodic)
    weights = np.vectorize(lambda gap: slow_som.neighborhood(gap, kind, radius))(gaps)
    values = np.random.default_rng(n_rows).normal(size=(lattice.n_units, 3))
    assert np.allclose(smooth(values, lattice, kind, radius), weights @ values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "kind, diagonal, degree", [("rectangular", False, 4), ("rectangular", True, 8), ("hexagonal", False, 6)]
)
def test_units_of_a_torus_have_equally_many_neighbours(kind, diagonal, degree):
    edges = Lattice(6, 5, kind, periodic=True).edges(diagonal=diagonal)
    assert (np.bincount(edges.ravel()) == degree).all()


@pytest.mark.parametrize(
    "shape, kind, periodic, error, message",
    [
        (10, "rectangular", False, ValueError, "shape must be a pair"),
        ((10,), "rectangular", False, ValueError, "shape must be a pair"),
        ("ab", "rectangular", False, ValueError, "shape must be a pair"),
        ((3, 0), "rectangular", False, ValueError, "shape must be at least 1"),
        ((3, 2.5), "rectangular", False, TypeError, "shape must be an integer"),
        ((3, 3), "triangular", False, ValueError, "lattice must be one of"),
        ((3, 3), "rectangular", 1, TypeError, "periodic must be True or False"),
        ((3, 4), "hexagonal", True, ValueError, "even number of rows"),
    ],
)
def test_bad_lattices_are_named(shape, kind, periodic, error, message):
    with pytest.raises(error, match=message):
        check_lattice(shape, kind, periodic)
