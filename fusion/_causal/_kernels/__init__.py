"""Probabilities of what a causal observer of two senses says, with their exact derivatives.

The asked sense measures x = s + sigma z, the other one likewise. Given the measurement of the other sense, all that the
observer can say of the asked one changes at few points of x, which are roots of linear or quadratic equations (of one
scalar equation for averaging). The inner integral is then a difference of normal distribution functions; the outer one
is a trapezoid rule, between the points where its integrand has kinks.

Derivatives are complex steps of 1e-30 along one parameter: to double precision, complex numbers are then dual numbers.
"""

from fusion._causal._kernels.judgements import judgements
from fusion._causal._kernels.linear import CUMULATIVE, DENSITY
from fusion._causal._kernels.posterior import N_LOCAL
from fusion._causal._kernels.reports import estimates

__all__ = ["CUMULATIVE", "DENSITY", "N_LOCAL", "estimates", "judgements"]
