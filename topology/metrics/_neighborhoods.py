"""Are the neighbours of a sample the same in two spaces?"""

import numpy as np
from tqdm import tqdm

from topology._kernels.neighborhoods import find_neighbors, sum_excess_ranks
from topology._validation import check_integer, check_magnitude, check_matrix, read_only

BLOCK = 256  # rows between two looks at the progress bar


def trustworthiness(X, embedding, *, n_neighbors=5):
    """Are the neighbours in the embedding neighbours in X? 1 if all are; the farther off in X, the lower.

    1 - 2 / (n k (2n - 3k - 1)) times the sum over samples of rank - k, for those of the k nearest in the embedding
    whose rank in X exceeds k. Equally distant samples rank by index, which matters where an embedding puts many
    samples in one place, as the units of a map do. Memory: one row of distances.

    Parameters
    ----------
    X : array-like (n_samples, n_features)
    embedding : array-like (n_samples, n_dimensions)
        The same samples elsewhere.
    n_neighbors : int, default=5
        At least 1, below half the number of samples.

    Returns
    -------
    trustworthiness : float in [0, 1]

    References
    ----------
    Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods, ICANN.
    """
    X, embedding, k = _check(X, embedding, n_neighbors)
    n = len(X)
    excess = sum(sum_excess_ranks(X, first, neighbors) for first, neighbors in neighbor_blocks(embedding, k))
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * excess


def continuity(X, embedding, *, n_neighbors=5):
    """Are the neighbours in X neighbours in the embedding? `trustworthiness` with the two spaces swapped.

    Parameters, return value and reference as there.
    """
    X, embedding, k = _check(X, embedding, n_neighbors)
    return trustworthiness(embedding, X, n_neighbors=k)


def neighborhood_preservation(X, embedding, *, n_neighbors=5):
    """Share of the `n_neighbors` nearest samples that are the same in both spaces, averaged over samples.

    An embedding by chance keeps n_neighbors / (n_samples - 1). Equally distant samples rank by index.

    Parameters
    ----------
    X, embedding, n_neighbors : as for `trustworthiness`

    Returns
    -------
    share : float in [0, 1]

    References
    ----------
    Chen and Buja (2009), J. American Statistical Association 104:209 (local continuity, before its correction for
    chance).
    """
    X, embedding, k = _check(X, embedding, n_neighbors)
    kept = sum(
        (near_x[:, :, None] == near_e[:, None, :]).sum()
        for (_, near_x), (_, near_e) in zip(neighbor_blocks(X, k), neighbor_blocks(embedding, k))
    )
    return float(kept / (len(X) * k))


def neighbor_blocks(X, n_neighbors):
    """First row and neighbours (n_rows, n_neighbors) of every block of rows."""
    blocks = range(0, len(X), BLOCK)
    for first in tqdm(blocks, unit="block", desc="neighbours", delay=2, disable=None, leave=False):
        neighbors = np.empty((min(BLOCK, len(X) - first), n_neighbors), np.int64)
        find_neighbors(X, first, neighbors, np.empty(neighbors.shape, X.dtype))
        yield first, neighbors


def _check(X, embedding, n_neighbors):
    X, embedding = check_matrix("X", X, min_rows=3), check_matrix("embedding", embedding)
    if len(embedding) != len(X):
        raise ValueError(f"embedding must have as many rows as X, {len(X)}, got {len(embedding)}")
    check_magnitude("X", X, X.dtype)
    check_magnitude("embedding", embedding, embedding.dtype)
    n_neighbors = check_integer("n_neighbors", n_neighbors, 1)
    if 2 * n_neighbors >= len(X):
        raise ValueError(f"n_neighbors must be below half the number of samples, {len(X) / 2:g}, got {n_neighbors}")
    return read_only(X), read_only(embedding), n_neighbors
