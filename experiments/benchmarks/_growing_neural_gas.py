"""Growing neural gas in a stream at full size, beside minigng.

1000 units, one thread: the map is grown first, then `partial_fit` presents samples one after the other. The limit is
one sgemm of 2048 samples with all prototypes. Both implementations get the same constants; minigng is grown by more
frequent insertions, which leaves it fewer edges to look through.
"""

from experiments.benchmarks._samples import draw
from experiments.benchmarks._timing import cpu_time
from topology import GrowingNeuralGas
from topology._nearest import one_blas_thread

N_UNITS = 1000
N_SAMPLES = {2: 200_000, 64: 60_000, 512: 10_000}
N_PEER_SAMPLES = 200
CONSTANTS = {"learning_rate": 0.05, "neighbor_learning_rate": 0.0006, "max_age": 100, "error_decay": 0.995}


def rows() -> list[dict]:
    return [
        {
            "table": "topology",
            "row": f"growing neural gas, {N_UNITS} units, {n_features} features",
            "unit": "CPU us/sample",
            "ours": _time_ours(X),
            "peers": {"minigng": _time_minigng(X)},
            "limit": _time_product(X),
            "better": "lower",
        }
        for n_features, n_samples in N_SAMPLES.items()
        for X in [draw(n_samples, n_features)]
    ]


def _time_ours(X):
    gng = GrowingNeuralGas(N_UNITS, random_state=0, **CONSTANTS).fit(X)
    if gng.n_units_ < 0.98 * N_UNITS:  # isolated units are removed and replaced all the time
        raise RuntimeError(f"the map stopped at {gng.n_units_} of {N_UNITS} units")
    return cpu_time(lambda: gng.partial_fit(X), len(X))


def _time_minigng(X):
    try:
        from minigng import MiniGNG
    except ImportError:
        return None
    gng = MiniGNG(max_units=N_UNITS, sigma=2, eps_b=0.05, eps_n=0.0006, max_edge_age=100, n_epochs=1)
    gng.fit(X[: 3 * N_UNITS])
    rest = X[-N_PEER_SAMPLES:]
    return cpu_time(lambda: gng.partial_fit(rest), N_PEER_SAMPLES)


def _time_product(X):
    block, prototypes = X[:2048], X[-N_UNITS:]
    with one_blas_thread():
        return cpu_time(lambda: block @ prototypes.T, len(block))
