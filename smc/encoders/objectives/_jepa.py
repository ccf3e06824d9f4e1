"""Joint-embedding prediction: the next embedding itself is predicted, and a Gaussian cloud of embeddings kept."""

import torch
from torch.nn.functional import mse_loss

from smc.encoders._checks import check_number, check_positive_integer
from smc.encoders.objectives._interface import Objective
from topology._validation import check_flag

LARGEST_FREQUENCY = 3.0
N_KNOTS = 17


def sigreg(embeddings, directions):
    """Sketched test of an isotropic standard normal distribution (Balestriero & LeCun 2025, LeJEPA).

    Mean over directions of the Epps-Pulley statistic: n times the squared distance of the characteristic function of
    the projections from that of a standard normal, integrated over [-3, 3] under a normal window.

    Parameters
    ----------
    embeddings : Tensor (n, d)
    directions : Tensor (d, n_directions)
        Of unit length.

    Returns
    -------
    Tensor ()
    """
    frequency = torch.linspace(0, LARGEST_FREQUENCY, N_KNOTS)
    normal = torch.exp(-frequency.square() / 2)
    # The integrand is even: the trapezoidal rule over both halves is twice that over one.
    weight = torch.full((N_KNOTS,), 2 * LARGEST_FREQUENCY / (N_KNOTS - 1))
    weight[0] = weight[-1] = weight[0] / 2
    phase = (embeddings @ directions)[..., None] * frequency
    distance = (phase.cos().mean(0) - normal).square() + phase.sin().mean(0).square()
    return len(embeddings) * (distance @ (weight * normal)).mean()


class JEPA(Objective):
    """Mean squared error of the predicted next embedding, plus `sigreg` of all (LeWorldModel 2026, arXiv 2603.19312).

    Parameters
    ----------
    sigreg_weight : float, default=0.1
    n_directions : int, default=64
        Directions drawn in each step.
    stop_gradient : bool, default=False
        Whether the next embedding is a fixed target. The paper needs no stop-gradient; lightly 1.6.0 always stops it.
    label : str, default="jepa"
        Its losses are called ``<modality>_<label>_prediction`` and ``<modality>_<label>_sigreg``.
    """

    def __init__(self, sigreg_weight=0.1, n_directions=64, *, stop_gradient=False, label="jepa"):
        check_number("sigreg_weight", sigreg_weight, zero_allowed=True)
        check_positive_integer("n_directions", n_directions)
        check_flag("stop_gradient", stop_gradient)
        super().__init__(
            label,
            sigreg_weight=float(sigreg_weight),
            n_directions=int(n_directions),
            stop_gradient=bool(stop_gradient),
        )

    def terms(self, step):
        generator = step.generator()
        terms = {}
        for sense in step.senses:
            y = step.y[sense]
            before, after = step.successive(y)
            if self.settings["stop_gradient"]:
                after = after.detach()
            directions = torch.randn(y.shape[1], self.settings["n_directions"], generator=generator)
            predicted = step.predictors[sense].advance(before, step.actions[0])
            terms[f"{sense}_{self.label}_prediction"] = mse_loss(predicted, after)
            terms[f"{sense}_{self.label}_sigreg"] = sigreg(y, directions / directions.norm(dim=0))
        return terms

    def total(self, terms):
        return sum(
            loss * self.settings["sigreg_weight"] if name.endswith("_sigreg") else loss for name, loss in terms.items()
        )
