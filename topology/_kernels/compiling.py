"""One decorator for every numba kernel of the toolkit."""

from numba import njit


def kernel(**options):
    """Compile with `numba.njit`, cached on disk where the disk allows it.

    numba refuses to define a cached function when neither the package folder nor the user's cache folder can be
    written; a read-only installation must still import, so the cache is given up there and nothing else.
    """

    def compile_function(function):
        try:
            return njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options)(function)
        except RuntimeError:
            return njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options)(function)

    return compile_function
