"""Trust each sense as much as it deserves: reliability, precision, and the fusion of senses."""

from fusion._align_maps import align_maps
from fusion._causal_inference import CausalInference
from fusion._confidence_reliability import ConfidenceReliability
from fusion._cross_modal_agreement import CrossModalAgreement
from fusion._density_reliability import DensityReliability
from fusion._gaussians import fuse_gaussians
from fusion._hebbian_association import HebbianAssociation
from fusion._local_precision import LocalPrecision
from fusion._neural_field import NeuralField
from fusion._neural_field_audiovisual import AudiovisualNetwork
from fusion._neural_field_kernel import LateralKernel
from fusion._precision_calibration import PrecisionCalibration, precision_calibration
from fusion._precision_fusion import PrecisionFusion
from fusion._procedures import localise, two_interval_choice
from fusion._protocols import Precision, Reliability
from fusion._psychometric import Psychometric

__all__ = [
    "AudiovisualNetwork",
    "CausalInference",
    "ConfidenceReliability",
    "CrossModalAgreement",
    "DensityReliability",
    "HebbianAssociation",
    "LateralKernel",
    "LocalPrecision",
    "NeuralField",
    "Precision",
    "PrecisionCalibration",
    "PrecisionFusion",
    "Psychometric",
    "Reliability",
    "align_maps",
    "fuse_gaussians",
    "localise",
    "precision_calibration",
    "two_interval_choice",
]
