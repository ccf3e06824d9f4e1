"""All encoders by name, as files name them."""

from smc.encoders._image_networks import ConvEncoder, ResNetEncoder
from smc.encoders._point_network import PointEncoder

ENCODERS = {kind.__name__: kind for kind in (ConvEncoder, ResNetEncoder, PointEncoder)}
