"""How well does a map represent data, and what is the shape of both?"""

from topology.metrics._betti import betti_numbers
from topology.metrics._errors import quantization_error, topographic_error
from topology.metrics._intrinsic_dimension import intrinsic_dimension
from topology.metrics._neighborhoods import continuity, neighborhood_preservation, trustworthiness
from topology.metrics._topographic_product import topographic_product

__all__ = [
    "betti_numbers",
    "continuity",
    "intrinsic_dimension",
    "neighborhood_preservation",
    "quantization_error",
    "topographic_error",
    "topographic_product",
    "trustworthiness",
]
