"""Maps of an input space, and the density on it."""

from topology._density import CodebookDensity
from topology._gng import GrowingNeuralGas
from topology._grow_when_required import GrowWhenRequired
from topology._history import History
from topology._moments import CellMoments
from topology._neural_gas import NeuralGas
from topology._protocols import Assignment, Density
from topology._som import SelfOrganizingMap

__all__ = [
    "Assignment",
    "CellMoments",
    "CodebookDensity",
    "Density",
    "GrowWhenRequired",
    "GrowingNeuralGas",
    "History",
    "NeuralGas",
    "SelfOrganizingMap",
]
