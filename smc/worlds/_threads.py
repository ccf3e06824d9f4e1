"""Running a kernel over frames by one thread or by several; the bits are the same."""

from __future__ import annotations

import threading

import numba

# One of numba's threading layers aborts when two Python threads enter parallel code at once.
_PARALLEL = threading.Lock()


def run_frames(serial, parallel, *arguments, n_frames: int) -> None:
    """Call `serial(*arguments)`, or `parallel(*arguments, n_blocks)` where there are threads and frames to share.

    A single frame never enters parallel code, so a process that only steps one environment may be forked.
    """
    if n_frames == 1 or numba.get_num_threads() == 1:
        serial(*arguments)
        return
    with _PARALLEL:
        parallel(*arguments, min(n_frames, 64))
