"""numba compilation with a cache where one can be written."""

import numba


def jit(**options):
    """Decorator: `numba.njit` with a disk cache, without one where the installation and the home are read-only."""

    def compile_(function):
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba finds no folder to cache in
            return numba.njit(**options)(function)

    return compile_
