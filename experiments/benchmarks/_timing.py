"""Least times of several repetitions; the first call compiles and is not counted."""

import time
from collections.abc import Callable

N_REPETITIONS = 7


def cpu_time(function: Callable, n_samples: int) -> float:
    """Process CPU time in microseconds per sample."""
    return _least(time.process_time, function, n_samples)


def wall_time(function: Callable, n_samples: int) -> float:
    """Time on the clock in microseconds per sample: what several threads are for."""
    return _least(time.perf_counter, function, n_samples)


def _least(clock, function, n_samples):
    function()
    times = []
    for _ in range(N_REPETITIONS):
        start = clock()
        function()
        times.append(clock() - start)
    return 1e6 * min(times) / n_samples
