"""Action decoder: which action leads from one frame to the next is read from their embeddings."""

import torch
from torch.nn.functional import mse_loss

from smc.encoders._arrays import as_tensor
from smc.encoders._runtime import evaluating
from smc.encoders.objectives._interface import HeadsBySense, Objective


class ActionDecoder(Objective):
    """Mean squared error of the action, each component over its standard deviation, read from two equivariance heads.

    Trained alone it is the supervised ceiling of what an encoder can know of its actions.

    Parameters
    ----------
    label : str, default="action_decoder"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, *, label="action_decoder"):
        super().__init__(label)

    def prepare(self, senses, dim, action_dim, hidden, seed):
        self.read = HeadsBySense(senses, 2 * dim, hidden, action_dim, seed)

    def terms(self, step):
        terms = {}
        for sense in step.senses:
            predictor = step.predictors[sense]
            truth = (step.actions[0] - predictor.action_mean) * predictor.action_gain
            terms[f"{sense}_{self.label}"] = mse_loss(self._standardised(sense, *step.successive(step.y[sense])), truth)
        return terms

    def decode(self, sense, module, X, next_X):
        """Actions read from frames before and after.

        Parameters
        ----------
        sense : str
        module : EquivarianceModule
            The module of that sense from the same training.
        X, next_X : ndarray (n, ...)
            Images or clouds, as the module's encoder takes them.

        Returns
        -------
        ndarray (n, action_dim) of float32
            In the units of training; components that never varied in it have their mean.
        """
        X, next_X = module.encoder.check_input(X), module.encoder.check_input(next_X, "next_X")
        if len(X) != len(next_X):
            raise ValueError(f"next_X must have as many frames as X, {len(X)}; got {len(next_X)}")
        gain, mean = module.predictor.action_gain, module.predictor.action_mean
        scale = torch.where(gain > 0, 1 / gain, 0)
        with evaluating(module), evaluating(self):
            before, after = (module.raw_heads(module.encoder.maps(as_tensor(x))[1])[1] for x in (X, next_X))
            return (self._standardised(sense, before, after) * scale + mean).numpy()

    def _standardised(self, sense, before, after):
        return self.read[sense](torch.cat([before, after], dim=1))
