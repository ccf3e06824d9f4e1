"""Maps of an input space beside those of other packages and the bare matrix product that any search contains.

float32, one thread unless said; the modules `_self_organizing_map` and `_growing_neural_gas` say what is timed. The
last rows are the first training in a new process: with nothing compiled, and from the cache of an earlier run.
"""

import os
import subprocess
import sys
import tempfile
import time

from experiments.benchmarks import _growing_neural_gas, _self_organizing_map

FIRST_TRAININGS = """
import numpy as np
from topology import GrowingNeuralGas, SelfOrganizingMap
X = np.random.default_rng(0).random((200, 20), dtype=np.float32)
SelfOrganizingMap((5, 5)).fit(X)
SelfOrganizingMap((5, 5), training="online", n_epochs=1).fit(X)
GrowingNeuralGas(5, n_epochs=1).fit(X)
"""


def rows() -> list[dict]:
    return _growing_neural_gas.rows() + _self_organizing_map.rows() + _compilation_rows()


def _compilation_rows():
    """Seconds until batch SOM, online SOM and growing neural gas were trained once, the imports included."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", FIRST_TRAININGS], env=environment, check=True)
            seconds.append(time.perf_counter() - start)
    names = "first trainings of a process, compiled", "first trainings of a process, from the cache"
    return [
        {"table": "topology", "row": name, "unit": "s", "ours": value, "peers": {}, "limit": None, "better": "lower"}
        for name, value in zip(names, seconds)
    ]
