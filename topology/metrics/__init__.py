"""How well does a map represent data, and what is the shape of both?"""

from topology.metrics._betti import betti_numbers
from topology.metrics._errors import intrinsic_dimension, quantization_error, topographic_error

__all__ = ["betti_numbers", "intrinsic_dimension", "quantization_error", "topographic_error"]
