"""Encoders whose representation is structured by action (extra ``deep``)."""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("smc.encoders needs torch: install the extra 'deep' (pip install 'mesmrise[deep]')") from error

from smc import Action
from smc.encoders import metrics, objectives
from smc.encoders._augmentation import AugmentedImages, ImageAugmentation
from smc.encoders._curves import LearningCurves
from smc.encoders._embedding import embed
from smc.encoders._equivariance import ActionPredictor, EquivarianceModule
from smc.encoders._figure import FigureNetwork, learn_figure
from smc.encoders._image_networks import ConvEncoder, ResNetEncoder
from smc.encoders._images import LabelledImages, load_images
from smc.encoders._planning import plan
from smc.encoders._point_network import PointEncoder
from smc.encoders._runtime import bf16_supported
from smc.encoders._sources import Sample
from smc.encoders._training import Pretrained, pretrain
from smc.encoders._transformer import EncoderTransformer

__all__ = [
    "Action",
    "ActionPredictor",
    "AugmentedImages",
    "ConvEncoder",
    "EncoderTransformer",
    "EquivarianceModule",
    "FigureNetwork",
    "ImageAugmentation",
    "LabelledImages",
    "LearningCurves",
    "PointEncoder",
    "Pretrained",
    "ResNetEncoder",
    "Sample",
    "bf16_supported",
    "embed",
    "learn_figure",
    "load_images",
    "metrics",
    "objectives",
    "plan",
    "pretrain",
]
