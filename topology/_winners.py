"""One pass over the data: who wins each row, and the sums over the rows that each unit has won."""

import numba
import numpy as np

from topology._batch_statistics import BatchStatistics
from topology._kernels import som
from topology._metric import CODES, to_rows
from topology._threads import team
from topology._validation import read_only

CACHED_ENTRIES = 2**17  # numbers of X that are still in the cache when they are added to the sums
SHARED_ENTRIES = 2**21  # numbers of X that are worth waking several threads for
MAX_COLUMN_FEATURES = 8  # up to here all differences cost less than a matrix product


def collect(X, prototypes, metric, *, gaps=False, labels=None):
    """Statistics of checked rows.

    Parameters
    ----------
    X : (n_samples, n_features), read where it lies if nothing has to be converted
    prototypes : (n_units, n_features)
    metric : "euclidean" or "cosine"
    gaps : bool
        X may hold NaN: missing values.
    labels : (n_samples,) int, out, optional
        Winner of every row: exactly the nearest unit, the lower one of a tie, whatever rows stand beside it.

    Returns
    -------
    statistics : BatchStatistics
    """
    search = _Search(prototypes)
    sums = np.zeros(prototypes.shape)
    masses = np.zeros((len(prototypes), 1))
    tallies = np.zeros((len(prototypes), 3))
    with team() as run:
        for rows in _blocks(X):
            block = to_rows(X[rows], prototypes.dtype, metric)
            missing = np.isnan(block).any(axis=1) if gaps else np.zeros(1, bool)
            winners, squares = search(block, missing, run)
            if missing.any():
                observed = np.zeros(prototypes.shape)
                _add(run, som.add_observed_rows, block, winners, squares, CODES[metric], sums, tallies, observed)
                masses = masses + observed
            else:
                before = tallies[:, som.COUNT].copy()
                _add(run, som.add_rows, block, winners, squares, CODES[metric], sums, tallies)
                masses += (tallies[:, som.COUNT] - before)[:, None]
            if labels is not None:
                labels[rows] = winners
    return BatchStatistics(sums, masses, *tallies.T.copy())


class _Search:
    """The winners of blocks of rows among fixed prototypes."""

    def __init__(self, prototypes):
        self.weights = read_only(prototypes)
        if prototypes.shape[1] > MAX_COLUMN_FEATURES:
            self.units = _to_units(self.weights)

    def __call__(self, block, missing, run):
        winners, squares = np.empty(len(block), np.int32), np.empty(len(block), block.dtype)
        if not missing.any():
            self._find(block, winners, squares, run)
        else:  # the rows without gaps are searched as if they stood alone
            for search, rows in ((self._find, ~missing), (self._find_observed, missing)):
                some = winners[rows], squares[rows]
                search(read_only(block[rows]), *some, run)
                winners[rows], squares[rows] = some
        return winners, squares

    def _find(self, block, winners, squares, run):
        if block.shape[1] > MAX_COLUMN_FEATURES:
            _share(run, som.find_winners, block, self.units, winners, squares)
        else:
            _share(run, som.find_winners_by_columns, block, self.weights, winners, squares)

    def _find_observed(self, block, winners, squares, run):
        _share(run, som.find_observed_winners, block, self.weights, winners, squares)


def _to_units(weights):
    center = weights.mean(axis=0, dtype=np.float64).astype(weights.dtype)
    centred = weights - center
    squares = np.einsum("ij,ij->i", centred, centred, dtype=np.float64)
    bias = 0.5 * squares + centred.astype(np.float64) @ center.astype(np.float64)
    real = weights.dtype.type
    return som.Units(
        weights, read_only(centred), read_only(center[None]), bias.astype(weights.dtype),
        real(np.linalg.norm(center.astype(np.float64)) * 1.001), real(np.sqrt(squares.max()) * 1.001),
    )  # fmt: skip


def _blocks(X):
    """Slices over the rows of X; neither winners nor sums depend on where they are cut."""
    entries = CACHED_ENTRIES if numba.get_num_threads() == 1 else SHARED_ENTRIES
    step = max(som.PRODUCT_ROWS, entries // X.shape[1] // som.PRODUCT_ROWS * som.PRODUCT_ROWS)
    for start in range(0, len(X), step):
        yield slice(start, min(start + step, len(X)))


def _share(run, kernel, block, units, winners, squares):
    def find(part, n_parts):
        first, last = len(block) * part // n_parts, len(block) * (part + 1) // n_parts
        kernel(block, units, first, last, winners, squares)

    run(find, len(block))


def _add(run, kernel, block, winners, squares, metric, *books):
    run(lambda part, n_parts: kernel(block, winners, squares, metric, part, n_parts, *books), len(block))
