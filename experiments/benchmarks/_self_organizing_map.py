"""Self-organising maps beside fastersom and dbgsom (batch), MiniSom and susi (online).

Both sides start from the same rows and run the same schedule, so their quantization errors should agree: they are
printed. All times are those of 10 epochs of `fit`, its checks of the data and its last count of the cells included, per
sample and epoch. The limit of batch training is one sgemm of 2048 samples with all prototypes. That of online training
is a pass of `numpy.add` over prototypes too many for the first cache: it binds whoever moves all of them every time.
"""

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from experiments.benchmarks._samples import draw
from experiments.benchmarks._timing import cpu_time, wall_time
from topology import SelfOrganizingMap
from topology._nearest import one_blas_thread
from topology.metrics import quantization_error

SIDES = (10, 30)
N_SAMPLES = {2: 100_000, 64: 50_000, 512: 20_000}
N_EPOCHS = 10
LAST_RADIUS = 0.5
N_ONLINE = {2: 4_000, 64: 2_000, 512: 1_000}
FIRST_CACHE = 2**15  # bytes
N_PEER_SAMPLES = 300  # MiniSom and susi take milliseconds for one
N_GROWN = 2_000


def rows() -> list[dict]:
    """All rows; BLAS, numba and torch work on one thread unless the row says otherwise."""
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with threadpool_limits(1):
            cases = [(draw(n_samples, d), d, side) for d, n_samples in N_SAMPLES.items() for side in SIDES]
            batch = [row for case in cases for row in _batch_rows(*case)]
            online = [row for X, d, side in cases for row in _online_rows(X[: N_ONLINE[d]], d, side)]
            grown = [row for d in N_SAMPLES for row in _grown_rows(draw(N_GROWN, d), d)]
            return batch + grown + online + [_threads_row(*case) for case in cases if case[2] == max(SIDES)]
    finally:
        numba.set_num_threads(n_threads)


def _batch_rows(X, n_features, side):
    name, start = f"batch SOM {side}x{side}, {n_features} features", _some_rows(X, side)
    ours, theirs = _batch_map(start, side), _fastersom(start, side)
    n = len(X) * N_EPOCHS
    times = cpu_time(lambda: ours.fit(X), n), theirs and cpu_time(lambda: theirs.fit(X), n)
    errors = ours.quantization_error(X), theirs and quantization_error(X, theirs.weights_.reshape(side**2, -1))
    return [
        _row(name, "CPU us/sample", times[0], {"fastersom": times[1]}, _time_product(X, start)),
        _row(f"{name}, mean distance to the winner", "", errors[0], {"fastersom": errors[1]}),
    ]


def _grown_rows(X, n_features):
    theirs = _dbgsom()
    if theirs is None:
        return []
    n_epochs = theirs.fit(X).n_iter_
    n_units = len(theirs.weights_)
    ours = SelfOrganizingMap((n_units // 2, 2), n_epochs=n_epochs, random_state=0)
    name, n = f"batch SOM of the size dbgsom grows ({n_units}), {n_features} features", len(X) * n_epochs
    times = cpu_time(lambda: ours.fit(X), n), cpu_time(lambda: theirs.fit(X), n)
    errors = ours.quantization_error(X), quantization_error(X, theirs.weights_.astype(X.dtype))
    return [
        _row(name, "CPU us/sample", times[0], {"dbgsom": times[1]}),
        _row(f"{name}, mean distance to the winner", "", errors[0], {"dbgsom": errors[1]}),
    ]


def _online_rows(X, n_features, side):
    name, start = f"online SOM {side}x{side}, {n_features} features", _some_rows(X, side)
    radius, rate = (side / 4, side / 12), (0.5, 0.5 / 3)  # MiniSom's decay ends at a third
    ours = SelfOrganizingMap(
        (side, side), training="online", n_epochs=N_EPOCHS, radius=radius, learning_rate=rate, decay="inverse",
        init=start, shuffle=False,
    )  # fmt: skip
    few = X[:N_PEER_SAMPLES]
    theirs, susi = _minisom(start, side, radius[0], rate[0]), _susi(side)
    times = (
        cpu_time(lambda: ours.fit(X), len(X) * N_EPOCHS),
        theirs and cpu_time(lambda: theirs.train(few, len(few)), len(few)),
        susi and cpu_time(lambda: susi.fit(few), len(few)),
    )
    if theirs is not None:  # as long as ours, from the same start
        theirs = _minisom(start, side, radius[0], rate[0])
        theirs.train(few, len(few))
    limit = _time_pass(start) if start.nbytes > FIRST_CACHE else None
    errors = ours.set_params(n_epochs=1).fit(few).quantization_error(few), theirs and theirs.quantization_error(few)
    return [
        _row(name, "CPU us/sample", times[0], {"MiniSom": times[1], "susi": times[2]}, limit),
        _row(f"{name}, mean distance to the winner", "", errors[0], {"MiniSom": errors[1]}),
    ]


def _threads_row(X, n_features, side):
    start = _some_rows(X, side)
    ours, theirs = _batch_map(start, side), _fastersom(start, side)
    n = len(X) * N_EPOCHS
    alone = wall_time(lambda: ours.fit(X), n)
    numba.set_num_threads(2)
    _set_torch_threads(2)
    try:
        times = wall_time(lambda: ours.fit(X), n), theirs and wall_time(lambda: theirs.fit(X), n)
    finally:
        numba.set_num_threads(1)
        _set_torch_threads(1)
    name = f"batch SOM {side}x{side}, {n_features} features, 2 threads"
    return _row(name, "us/sample", times[0], {"1 thread": alone, "fastersom": times[1]})


def _row(name, unit, ours, peers, limit=None):
    return {"table": "topology", "row": name, "unit": unit, "ours": ours, "peers": peers, "limit": limit} | {
        "better": "lower"
    }


def _some_rows(X, side):
    return X[np.random.default_rng(0).choice(len(X), side**2, replace=False)]


def _batch_map(start, side):
    return SelfOrganizingMap((side, side), n_epochs=N_EPOCHS, radius=(side / 2, LAST_RADIUS), init=start)


def _fastersom(start, side):
    try:
        from fastersom import SOM
    except ImportError:
        return None
    _set_torch_threads(1)
    # Its schedule would reach sigma_final one epoch after the last.
    last = side / 2 * (LAST_RADIUS / (side / 2)) ** (N_EPOCHS / (N_EPOCHS - 1))
    return SOM(side, side, n_epochs=N_EPOCHS, sigma_initial=side / 2, sigma_final=last, init=start, device="cpu")


def _set_torch_threads(n_threads):
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(n_threads)


def _minisom(start, side, radius, rate):
    try:
        from minisom import MiniSom
    except ImportError:
        return None
    som = MiniSom(side, side, start.shape[1], sigma=radius, learning_rate=rate)
    som._weights = start.astype(float).reshape(side, side, -1)
    return som


def _susi(side):
    try:
        from susi import SOMClustering
    except ImportError:
        return None
    return SOMClustering(side, side, n_iter_unsupervised=N_PEER_SAMPLES, random_state=0)


def _dbgsom():
    try:
        from dbgsom.SomVQ import SomVQ
    except ImportError:
        return None
    return SomVQ(random_state=0)


def _time_product(X, prototypes):
    block = X[:2048]
    with one_blas_thread():
        return cpu_time(lambda: block @ prototypes.T, len(block))


def _time_pass(prototypes):
    moved = prototypes.copy()
    return cpu_time(lambda: [np.add(moved, 1, out=moved) for _ in range(100)], 100)
