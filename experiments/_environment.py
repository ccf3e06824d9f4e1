"""What a run depended on: versions, threads, revision."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("mesmrise", "numpy", "scipy", "numba", "scikit-learn", "torch", "gymnasium", "matplotlib")

# A result that mixed two of these could not be made again: bits depend on them.
MUST_MATCH = ("torch", "threads")


def environment(threads: int) -> dict:
    """Versions (None = not installed), threads per seed and git revision (None outside a checkout)."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": threads,
        "revision": _revision(),
        **{name: _version(name) for name in PACKAGES},
    }


@contextmanager
def limited_threads(threads: int):
    """Give numba, torch and the linear algebra `threads` threads each, and restore what they had."""
    from threadpoolctl import threadpool_limits

    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read by libraries that are loaded later
    restore = [_limit_numba(threads), _limit_torch(threads)]
    try:
        with threadpool_limits(threads):
            yield
    finally:
        for undo in restore:
            undo()
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _limit_numba(threads):
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    return lambda: numba.set_num_threads(before)


def _limit_torch(threads):
    torch = sys.modules.get("torch")
    if torch is None:
        return lambda: None
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    return lambda: torch.set_num_threads(before)


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision():
    """Commit of the checkout that this file lies in, with "+changes" if files differ from it."""
    git = ["git", "-C", str(Path(__file__).resolve().parents[1])]
    try:
        tracked = subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, text=True)
        commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
        changes = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True)
    except OSError:
        return None
    if tracked.returncode or commit.returncode:
        return None
    return commit.stdout.strip() + ("+changes" if changes.stdout.strip() else "")
