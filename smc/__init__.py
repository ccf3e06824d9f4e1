"""Sensorimotor contingencies: what actions do to sensations, learned from an agent's own steps."""

from smc._action import Action
from smc._contingency_model import ContingencyModel
from smc._local_linear import LocalLinearContingency
from smc._segment_objects import ObjectSegmentation, segment_objects
from smc._sensorimotor_dimension import SensorimotorDimension, sensorimotor_dimension
from smc._transitions import Transitions

__all__ = [
    "Action",
    "ContingencyModel",
    "LocalLinearContingency",
    "ObjectSegmentation",
    "SensorimotorDimension",
    "Transitions",
    "segment_objects",
    "sensorimotor_dimension",
]
