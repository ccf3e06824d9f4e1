"""Second moments of residuals per cell, in a rotated basis."""

from topology._kernels.compiling import kernel


@kernel()
def add_squared_residuals(rotated, centers, winners, counts, sums):
    """Add every sample to the count of its cell and (rotated - center)**2 to the cell's sums (n_units, n_features)."""
    for i in range(rotated.shape[0]):
        b = winners[i]
        counts[b] += 1
        for j in range(rotated.shape[1]):
            residual = rotated[i, j] - centers[b, j]
            sums[b, j] += residual * residual


# A sum of squares of finite numbers: only its order is relaxed, so that it can be vectorised.
@kernel(fastmath={"reassoc", "contract", "nsz"})
def weighted_energy(rotated, centers, winners, precisions, log_volumes, energy):
    """energy_i = sum_j precisions[b, j] (rotated - center)_j**2 + log_volumes[b], b = winners[i]."""
    for i in range(rotated.shape[0]):
        b = winners[i]
        total = rotated.dtype.type(0)
        for j in range(rotated.shape[1]):
            residual = rotated[i, j] - centers[b, j]
            total += residual * residual * precisions[b, j]
        energy[i] = total + log_volumes[b]
