"""Ambiguous outcomes: several scored hypotheses instead of one mean (extra ``deep``)."""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("smc.hypotheses needs torch: install the extra 'deep' (pip install 'mesmrise[deep]')") from error

from smc.hypotheses._calibration import calibration_error
from smc.hypotheses._contingency import AmbiguousContingency
from smc.hypotheses._density import HypothesisDensity
from smc.hypotheses._fusion import CauseAssignment, FusedHypotheses, assign_cause, fuse_hypotheses
from smc.hypotheses._head import Loss, MultiHypothesisHead, Prediction
from smc.hypotheses._regressor import MultiHypothesisRegressor
from smc.hypotheses._schedules import Annealed

__all__ = [
    "AmbiguousContingency",
    "Annealed",
    "CauseAssignment",
    "FusedHypotheses",
    "HypothesisDensity",
    "Loss",
    "MultiHypothesisHead",
    "MultiHypothesisRegressor",
    "Prediction",
    "assign_cause",
    "calibration_error",
    "fuse_hypotheses",
]
