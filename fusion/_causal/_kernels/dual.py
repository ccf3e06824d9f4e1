"""Functions of dual numbers: the value is the real part, the derivative times a tiny step the imaginary one."""

import math

import numpy as np

from topology._kernels.compiling import kernel


@kernel()
def cdf(x):
    density = math.exp(-0.5 * x.real * x.real) * 0.3989422804014327
    return complex(0.5 * math.erfc(-x.real * 0.7071067811865476), density * x.imag)


@kernel()
def pdf(x):
    density = math.exp(-0.5 * x.real * x.real) * 0.3989422804014327
    return complex(density, -x.real * density * x.imag)


@kernel()
def between(low, high):
    """Normal mass between two points, without cancellation in the upper tail."""
    if low.real > 0:
        return cdf(-low) - cdf(-high)
    return cdf(high) - cdf(low)


@kernel()
def logistic(x):
    if x.real < -700:
        return 0j
    p = 1.0 / (1.0 + math.exp(-x.real))
    return complex(p, p * (1.0 - p) * x.imag)


@kernel()
def root(x):
    r = math.sqrt(x.real)
    return complex(r, 0.5 * x.imag / r)


@kernel()
def log(x):
    return complex(math.log(x.real), x.imag / x.real)


@kernel()
def inverse(x):
    r = 1.0 / x.real
    return complex(r, -x.imag * r * r)


@kernel()
def smaller(x, y):
    return x if x.real < y.real else y


@kernel()
def roots_of(a, b, c):
    """The two points, in order, between which a x^2 + b x + c with a < 0 is positive; NaN if there are none."""
    inside = b * b - 4 * a * c
    if not inside.real > 0:
        return complex(np.nan, 0.0), complex(np.nan, 0.0)
    # The larger of -b +- sqrt first: the other root follows from the product without cancellation.
    q = -0.5 * (b + root(inside)) if b.real > 0 else -0.5 * (b - root(inside))
    first, second = q * inverse(a), c * inverse(q)
    if first.real < second.real:
        return first, second
    return second, first
