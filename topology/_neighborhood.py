"""How strongly a winner pulls the units around it on the lattice, and how that pull shrinks during training."""

import numpy as np

from topology._kernels import som

NEIGHBORHOODS = {"gaussian": som.GAUSSIAN, "bubble": som.BUBBLE, "cut_gaussian": som.CUT_GAUSSIAN}
DECAYS = {"exponential": som.EXPONENTIAL, "linear": som.LINEAR, "inverse": som.INVERSE}


def weigh(squared_distances, neighborhood, radius):
    """Weights at squared lattice distances; radius 0 leaves the winner alone."""
    if radius == 0:
        return (squared_distances == 0).astype(np.float64)
    within = 1.0 if neighborhood == "gaussian" else squared_distances <= radius**2
    gaussian = 1.0 if neighborhood == "bubble" else np.exp(-0.5 * squared_distances / radius**2)
    return np.asarray(within * gaussian, dtype=np.float64)


def smooth(values, lattice, neighborhood, radius):
    """Sums (n_units, n) of values (n_units, n) over all units, weighted by the neighbourhood.

    A Gaussian is a product over the two axes, so rows and columns are summed one after the other; other
    neighbourhoods take the weights of one row of the lattice at a time.
    """
    if neighborhood == "gaussian":
        return _smooth_by_axes(values, lattice, radius)
    smoothed = np.empty_like(values)
    for row in range(lattice.n_rows):
        weights = weigh(lattice.squared_distances(row), neighborhood, radius)
        smoothed[row * lattice.n_columns : (row + 1) * lattice.n_columns] = weights @ values
    return smoothed


def _smooth_by_axes(values, lattice, radius):
    grid = values.reshape(lattice.n_rows, lattice.n_columns, -1)
    rows = weigh(lattice.squared_row_gaps(), "gaussian", radius)
    columns = weigh(lattice.squared_column_gaps(), "gaussian", radius)
    smoothed = np.zeros_like(grid)
    step = lattice.n_parities
    for target in range(step):
        for source in range(step):
            along_rows = columns[target, source] @ grid[source::step]
            smoothed[target::step] += np.tensordot(rows[target::step, source::step], along_rows, axes=1)
    return smoothed.reshape(values.shape)
