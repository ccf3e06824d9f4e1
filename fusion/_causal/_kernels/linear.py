"""Reports that are linear in the measurements: one cause for sure, or two."""

from fusion._causal._kernels.dual import cdf, pdf, root
from fusion._causal._kernels.posterior import MEAN, MOTOR, precisions
from topology._kernels.compiling import kernel

CUMULATIVE, DENSITY = range(2)


@kernel()
def linear(t, kind, s, s_other, c, common):
    """A response that is linear in both measurements, motor noise included: with or without the other sense."""
    a, o, p, d, da, _, _ = precisions(t)
    if common:
        mean, variance = (a * s + o * s_other + p * t[MEAN]) / d, (a + o) / (d * d)
    else:
        mean, variance = (a * s + p * t[MEAN]) / da, a / (da * da)
    sd = root(variance + t[MOTOR] * t[MOTOR])
    return cdf((c - mean) / sd) if kind == CUMULATIVE else pdf((c - mean) / sd) / sd
