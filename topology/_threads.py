"""Kernels on several threads.

Threads of Python, not of numba, one of whose layers aborts when two callers meet and another when a process was forked.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numba

from topology._nearest import one_blas_thread

MIN_ROWS = 1024  # fewer rows per thread end before the second thread has started


@contextmanager
def team():
    """Context with a function run(task, n_rows) that calls task(part, n_parts) for all parts, each on its own thread.

    There are `numba.get_num_threads()` parts, but one where rows are few. BLAS runs on the calling thread inside.
    """
    n_threads = numba.get_num_threads()
    with ThreadPoolExecutor(n_threads) as pool, one_blas_thread():

        def run(task, n_rows):
            n_parts = max(1, min(n_threads, n_rows // MIN_ROWS))
            if n_parts == 1:
                task(0, 1)
            else:
                for done in [pool.submit(task, part, n_parts) for part in range(n_parts)]:
                    done.result()

        yield run
