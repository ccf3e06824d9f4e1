"""The parameters of a self-organising map, checked once, and the schedules that follow from them."""

from typing import NamedTuple

import numpy as np

from topology._kernels import pulls
from topology._lattice import Lattice, check_lattice
from topology._metric import CODES, METRICS
from topology._neighborhood import DECAYS, NEIGHBORHOODS
from topology._validation import check_choice, check_flag, check_integer, check_pair, check_real

SMALLEST_RADIUS = 1e-3  # unless 0
# Online, a pull below this share of the spacing of numbers at 1 is none. It could only change coordinates that are 64
# times smaller than their distance to the sample, as float32 by less than 1e-9 of that distance.
PULL_RESOLUTION = 1 / 128


class Settings(NamedTuple):
    """Of one map: its lattice, and (start, end) of radius and learning rate."""

    lattice: Lattice
    radii: tuple[float, float]
    rates: tuple[float, float]
    decay: str
    neighborhood: str
    metric: str

    def radius_at(self, progress):
        """Neighbourhood radius at `progress` in [0, 1]."""
        return pulls.scheduled(*self.radii, progress, DECAYS[self.decay])

    def online_rule(self, schedule_length, dtype):
        """What the kernels of online training are told."""
        return pulls.OnlineRule(
            *self.radii, *self.rates, schedule_length,
            DECAYS[self.decay], NEIGHBORHOODS[self.neighborhood], CODES[self.metric],
            self.lattice.row_gaps(), self.lattice.column_gaps(), self.lattice.squared_row_spacing,
            float(np.finfo(dtype).eps) * PULL_RESOLUTION,
        )  # fmt: skip


def check_settings(som):
    """Refuse bad parameters of an estimator before any work."""
    lattice = check_lattice(som.shape, som.lattice, som.periodic)
    check_choice("training", som.training, ("batch", "online"))
    check_integer("n_epochs", som.n_epochs, 1)
    check_choice("neighborhood", som.neighborhood, tuple(NEIGHBORHOODS))
    check_choice("decay", som.decay, tuple(DECAYS))
    check_choice("metric", som.metric, METRICS)
    if som.training == "batch" and som.metric == "manhattan":
        raise ValueError("metric='manhattan' needs training='online': a mean does not minimise absolute differences")
    check_flag("shuffle", som.shuffle)
    if som.schedule_length is not None:
        check_integer("schedule_length", som.schedule_length, 1)
    if isinstance(som.init, str):
        check_choice("init", som.init, ("pca", "sample"))
    radii = _check_radii(som.radius, som.decay, max(som.shape))
    return Settings(lattice, radii, _check_rates(som.learning_rate), som.decay, som.neighborhood, som.metric)


def _check_radii(radius, decay, longer_side):
    first, last = check_pair("radius", radius)
    radii = longer_side / 2 if first is None else check_real("radius", first, 0), check_real("radius", last, 0)
    for value in radii:
        if 0 < value < SMALLEST_RADIUS:
            raise ValueError(f"radius must be 0 or at least {SMALLEST_RADIUS}, got {value}")
    if 0 in radii and radii != (0, 0) and decay != "linear":
        raise ValueError(f"radius must not be 0 at one end when decay={decay!r}, got {radius!r}")
    return radii


def _check_rates(rate):
    pair = check_pair("learning_rate", rate) if hasattr(rate, "__len__") else (rate, rate)
    return tuple(check_real("learning_rate", value, 0, 1, open_low=True) for value in pair)
