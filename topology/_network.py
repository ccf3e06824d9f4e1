"""The arrays of a growing network and their way through the kernel, chunk by chunk."""

import math
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from topology._kernels import lookup
from topology._kernels.graph import SPARE, enter_edges, list_edges
from topology._kernels.network import COUNT, DISTANCE, N_COLUMNS, PRESENTED, SIZE, WINS, Network
from topology._metric import BLOCK_ENTRIES, blocks, check_rows, is_ready, to_rows
from topology._nearest import one_blas_thread
from topology._validation import check_magnitude, read_only

CHUNK = 2**14  # presentations between two looks at the progress bar
FIRST_WIDTH = 16  # neighbours per unit before the first widening
MAX_COLUMN_FEATURES = 16  # up to here the distances are vectorised over units
MIN_BATCH_BYTES = 2**14  # of all prototypes: above this, matrix products beat reading every prototype per sample
MIN_BATCH_ROWS = 16


@dataclass(frozen=True)
class MapState:
    """What a callback sees of a map in training: views that cannot be written, valid until the callback returns."""

    _network: Network
    quantization_error: float = math.nan  # mean distance to the winner since the last callback, in the units of X

    @property
    def n_units(self):
        return int(self._network.clock[SIZE])

    @property
    def n_edges(self):
        return int(self._network.degree[: self.n_units].sum()) // 2

    @property
    def n_samples_seen(self):
        return int(self._network.clock[PRESENTED])

    @property
    def prototypes(self):
        """(n_units, n_features)"""
        return _locked(self._network.weights[: self.n_units])

    @property
    def counts(self):
        """Samples won by each unit (n_units,)"""
        return _locked(self._network.books[: self.n_units, COUNT])

    @property
    def edges(self):
        """(n_edges, 2), smaller unit first, sorted"""
        return _locked(self.edges_and_ages()[0])

    def edges_and_ages(self):
        """Sorted edges (n_edges, 2) and their ages (n_edges,)."""
        network, n = self._network, self.n_units
        edges, ages = np.empty((self.n_edges, 2), np.int64), np.empty(self.n_edges, np.int64)
        list_edges(network.neighbors, network.born, network.degree, network.books[:, WINS], n, edges, ages)
        order = np.lexsort((edges[:, 1], edges[:, 0]))
        return edges[order], ages[order]


def start(X, max_units, rng, metric):
    """A network of two units on two distinct rows."""
    check_rows("X", X, X.dtype, metric)
    first = rng.integers(len(X))
    first_row = to_rows(X[[first]], X.dtype, metric)
    differs = np.empty(len(X), bool)
    for rows in blocks(X):
        differs[rows] = (to_rows(X[rows], X.dtype, metric) != first_row).any(axis=1)
    others = np.flatnonzero(differs)
    if len(others) == 0:
        raise ValueError("X must have at least 2 distinct rows, all rows are equal")
    both = to_rows(X[[first, rng.choice(others)]], X.dtype, metric)
    return allocate(both, max_units, FIRST_WIDTH, metric)


def restore(prototypes, edges, ages, max_units, metric):
    """A network of units and edges that were learned before; its books are empty."""
    check_magnitude("prototypes", prototypes, prototypes.dtype)
    n = len(prototypes)
    degrees = np.bincount(edges.ravel(), minlength=n)
    network = allocate(prototypes, max(max_units, n), max(FIRST_WIDTH, int(degrees.max(initial=0)) + SPARE), metric)
    enter_edges(network.neighbors, network.born, network.degree, edges, ages)
    return network


def allocate(prototypes, capacity, width, metric="euclidean"):
    n, n_features = prototypes.shape
    weights = np.zeros((capacity, n_features), prototypes.dtype)
    weights[:n] = prototypes
    by_columns = n_features <= MAX_COLUMN_FEATURES or metric == "manhattan"
    return Network(
        weights=weights,
        mirror=np.ascontiguousarray(weights.T) if by_columns else np.empty((0, capacity), weights.dtype),
        books=np.zeros((capacity, N_COLUMNS)),
        neighbors=np.zeros((capacity, width), np.int32),
        born=np.zeros((capacity, width)),
        degree=np.zeros(capacity, np.int32),
        clock=np.array([n, 0.0, 1.0, 0.0, 0.0]),
    )


def widen(network):
    """Twice as many places for neighbours."""
    spare = ((0, 0), (0, network.neighbors.shape[1]))
    return network._replace(neighbors=np.pad(network.neighbors, spare), born=np.pad(network.born, spare))


def present(train, network, rule, X, orders, callback, total, winners, metric, title):
    """Run the kernel chunk by chunk; between chunks widen rows of neighbours, call back, show progress.

    Parameters
    ----------
    train : kernel(network, rule, X, order, search, winners), which returns how many samples it presented
    network : Network, changed in place
    rule : named tuple for the kernel; `rule.interval` samples lie between two callbacks
    X : (n_samples, n_features), read where it lies if nothing has to be converted
    orders : iterable of (n,) int, the rows to present, `total` in all
    callback : callable(state, step) or None
    winners : (total,) int, filled, or (0,) when they are not wanted
    title : str, what the progress bar says

    Returns
    -------
    network : Network
        The same, or a wider copy.
    """
    dtype = network.weights.dtype
    check_rows("X", X, dtype, metric)
    search = _choose_search(network, len(X))
    chunk = CHUNK if callback is None else rule.interval
    done = reported = 0
    progress = tqdm(total=total, unit="sample", desc=title, delay=2, disable=None, leave=False)
    with progress, one_blas_thread():
        for order in orders:
            begin = 0
            while begin < len(order):
                n = min(len(order) - begin, chunk - done % chunk)
                data, rows = _select(X, order[begin : begin + n], dtype, metric)
                presented = train(network, rule, data, rows, search, winners[done : done + len(rows)])
                begin, done = begin + presented, done + presented
                progress.update(presented)
                if (network.degree > network.neighbors.shape[1] - SPARE).any():
                    network = widen(network)
                if callback is not None and (done % chunk == 0 or done == total):
                    state = MapState(network, network.clock[DISTANCE] / (done - reported))
                    network.clock[DISTANCE], reported = 0, done
                    if callback(state, state.n_samples_seen):
                        return network
    return network


def plain_orders(n_samples, n_epochs):
    order = np.arange(n_samples)
    for _ in range(n_epochs):
        yield order


def shuffled_orders(n_samples, n_epochs, rng):
    """Every epoch a new permutation; many short epochs are drawn at once."""
    together = max(1, CHUNK // n_samples)
    for epoch in range(0, n_epochs, together):
        epochs = np.tile(np.arange(n_samples), (min(together, n_epochs - epoch), 1))
        yield rng.permuted(epochs, axis=1).ravel()


def _select(X, order, dtype, metric):
    """Data for the kernel and the rows of it to present: X itself, or as many converted rows as memory should hold."""
    if is_ready(X, dtype, metric):
        return read_only(X), order
    order = order[: max(1, BLOCK_ENTRIES // X.shape[1])]
    return to_rows(X[order], dtype, metric), np.arange(len(order))


def _choose_search(network, n_rows):
    """Rows and batches find the same winners to the bit; columns sum in another order, so n_features alone decides."""
    if len(network.mirror):
        return lookup.SCAN_COLUMNS
    large = network.weights.nbytes >= MIN_BATCH_BYTES and n_rows >= MIN_BATCH_ROWS
    return lookup.SCAN_BATCH if large else lookup.SCAN_ROWS


def _locked(array):
    view = array.view()
    view.flags.writeable = False
    return view
