"""One pass over the data for batch neural gas: sums over samples, weighted by the rank of every unit."""

import numpy as np

from topology._batch_statistics import BatchStatistics
from topology._kernels.neural_gas import add_shares, count_ranks, rank_rows, spread_shares
from topology._metric import CODES, blocks, check_rows, to_distances, to_rows
from topology._nearest import find_two
from topology._network import MAX_COLUMN_FEATURES
from topology._threads import team
from topology._validation import read_only

SMALLEST_SHARE = float(np.finfo(np.float64).eps)  # smaller ones are lost when they are added to whole ones
DENSE = 16  # with at least every 16th unit ranked, one matrix product adds faster than sums one by one


def collect_ranks(X, prototypes, reach, metric):
    """Statistics of X in which a unit of rank k has the share exp(-k / reach) of a row.

    Returns
    -------
    statistics : BatchStatistics, with masses (n_units, 1)
    """
    check_rows("X", X, prototypes.dtype, metric)
    n_units = len(prototypes)
    shares = np.exp(-np.arange(count_ranks(reach, n_units, SMALLEST_SHARE)) / reach)
    sums, masses = np.zeros(prototypes.shape), np.zeros((n_units, 1))
    counts, squares, distances = np.zeros((3, n_units))
    for block, ranked, winning in _rank(X, prototypes, len(shares), metric):
        if DENSE * len(shares) < n_units:
            add_shares(block, ranked, shares, sums, masses)
        else:
            table = np.zeros((len(block), n_units))
            spread_shares(ranked, shares, table)
            sums += table.T @ block
            masses[:, 0] += table.sum(axis=0)
        winners = ranked[:, 0]
        counts += np.bincount(winners, minlength=n_units)
        squares += np.bincount(winners, winning, minlength=n_units)
        distances += np.bincount(winners, to_distances(winning, metric), minlength=n_units)
    return BatchStatistics(sums, masses, counts, squares, distances)


def _rank(X, prototypes, n_ranked, metric):
    """Blocks of rows, their nearest units (n, n_ranked) and the squared distance of the first."""
    if n_ranked <= 2:
        for rows, winners, squares in find_two(X, prototypes, metric):
            block = to_rows(X[rows], prototypes.dtype, metric)
            yield block, np.ascontiguousarray(winners[:, :n_ranked]), squares[:, 0].astype(np.float64)
        return
    weights = read_only(prototypes)
    mirror = read_only(weights.T if weights.shape[1] <= MAX_COLUMN_FEATURES else weights[:0])
    with team() as run:
        for rows in blocks(X, len(weights)):
            block = to_rows(X[rows], prototypes.dtype, metric)
            ranked, winning = np.empty((len(block), n_ranked), np.int64), np.empty(len(block))

            def rank(part, n_parts, block=block, ranked=ranked, winning=winning):
                first, last = len(block) * part // n_parts, len(block) * (part + 1) // n_parts
                rank_rows(block, weights, mirror, first, last, CODES[metric], ranked, winning)

            run(rank, len(block))
            yield block, ranked, winning
