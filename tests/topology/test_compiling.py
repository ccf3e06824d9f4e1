import numba
import pytest

from topology._kernels import compiling


@pytest.mark.parametrize("disk", ["writable", "read-only"])
def test_kernels_compile_where_nothing_can_be_cached(disk, monkeypatch):
    asked = []

    def njit(cache=False, **options):
        asked.append(cache)
        if cache and disk == "read-only":
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(**options)

    monkeypatch.setattr(compiling, "njit", njit)

    @compiling.kernel()
    def double(x):
        return 2 * x

    assert double(21) == 42
    assert asked == ([True] if disk == "writable" else [True, False])
