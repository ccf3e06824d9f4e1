"""Encoders whose representation is structured by action (extra ``deep``)."""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("smc.encoders needs torch: install the extra 'deep' (pip install 'mesmrise[deep]')") from error

from smc.encoders._embedding import embed
from smc.encoders._equivariance import ActionPredictor, EquivarianceModule
from smc.encoders._networks import ConvEncoder, PointEncoder
from smc.encoders._runtime import bf16_supported
from smc.encoders._training import Pretrained, pretrain

__all__ = [
    "ActionPredictor",
    "ConvEncoder",
    "EquivarianceModule",
    "PointEncoder",
    "Pretrained",
    "bf16_supported",
    "embed",
    "pretrain",
]
