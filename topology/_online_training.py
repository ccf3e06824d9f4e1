"""Training of a self-organising map one sample at a time: the kernel's chunks, progress and callbacks between them."""

import numpy as np
from tqdm import tqdm

from topology._kernels import som
from topology._metric import BLOCK_ENTRIES, is_ready, to_rows
from topology._validation import read_only

CHUNK = 2**14  # presentations between two looks at the progress bar
CALLBACK_INTERVAL = 1000  # presentations between two callbacks


def present(prototypes, counts, spreads, n_seen, rule, X, orders, total, metric, callback):
    """Present the rows of X in the given orders.

    Parameters
    ----------
    prototypes : (n_units, n_features), left as they are
    counts, spreads : (n_units,), changed in place
    n_seen : int, samples presented before
    rule : som.OnlineRule
    X : (n_samples, n_features) checked rows, read where they lie if nothing has to be converted
    orders : iterable of (n,) int, the rows to present, `total` in all
    callback : callable(prototypes, n_seen, mean distance to the winner since the last call) or None

    Returns
    -------
    prototypes : (n_units, n_features)
    n_seen : int
    """
    by_columns = metric != "cosine"
    weights = np.array(prototypes.T if by_columns else prototypes, order="C")
    clock = np.array([n_seen, 0.0])
    network = som.OnlineMap(weights, counts, spreads, clock)
    ready = is_ready(X, weights.dtype, metric)
    chunk = CHUNK if callback is None else CALLBACK_INTERVAL
    most = chunk if ready else max(1, min(chunk, BLOCK_ENTRIES // X.shape[1]))
    done = reported = 0
    with tqdm(total=total, unit="sample", desc="self-organising map", delay=2, disable=None, leave=False) as progress:
        for order in orders:
            begin = 0
            while begin < len(order):
                rows = order[begin : begin + min(most, chunk - done % chunk)]
                if ready:
                    som.train(network, rule, read_only(X), rows)
                else:
                    som.train(network, rule, to_rows(X[rows], weights.dtype, metric), np.arange(len(rows)))
                begin, done = begin + len(rows), done + len(rows)
                progress.update(len(rows))
                if callback is not None and (done % chunk == 0 or done == total):
                    stop = callback(_as_rows(weights, by_columns), int(clock[0]), clock[1] / (done - reported))
                    clock[1], reported = 0, done
                    if stop:
                        return _as_rows(weights, by_columns), int(clock[0])
    return _as_rows(weights, by_columns), int(clock[0])


def _as_rows(weights, by_columns):
    return np.ascontiguousarray(weights.T) if by_columns else weights
