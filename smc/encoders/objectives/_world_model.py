"""Predictive world model: where several actions in a row lead, each prediction made from the one before."""

from smc.encoders._checks import check_number, check_positive_integer
from smc.encoders.objectives._equimod import consequence
from smc.encoders.objectives._interface import Objective


class WorldModel(Objective):
    """Rollouts of the predictor single out the frames that truly followed; with one action it is `EquiMod`.

    Trains on steps that follow each other in the data: the next observation of one is the observation of the other.

    Parameters
    ----------
    n_actions : int, default=3
        Actions in a row.
    temperature : float, default=0.1
    label : str, default="world_model"
        Its losses are called ``<modality>_<label>_<k>``, k = 1 .. n_actions; their mean over k is minimised.
    """

    def __init__(self, n_actions=3, temperature=0.1, *, label="world_model"):
        check_positive_integer("n_actions", n_actions)
        check_number("temperature", temperature)
        super().__init__(label, n_actions=int(n_actions), temperature=float(temperature))
        self.n_actions = int(n_actions)

    def terms(self, step):
        terms = {}
        for sense in step.senses:
            foreseen = step.unit_y(sense)[: step.n_objects]
            for k in range(1, self.n_actions + 1):
                foreseen = step.predictors[sense](foreseen, step.actions[k - 1])
                terms[f"{sense}_{self.label}_{k}"] = consequence(
                    foreseen, step.candidates(sense, k), step.same_object, self.settings["temperature"]
                )
        return terms

    def total(self, terms):
        return sum(terms.values()) / self.n_actions
