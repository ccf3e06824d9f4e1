"""Time contrast: what is seen while one object is handled is one thing."""

from smc.encoders._checks import check_number
from smc.encoders.objectives._interface import Objective
from smc.encoders.objectives._nt_xent import multi_positive_nt_xent


class TimeContrast(Objective):
    """All frames of an object in the batch agree, of all its transitions (after Aubret et al. 2023, Time to Augment).

    Parameters
    ----------
    temperature : float, default=0.2
    label : str, default="time_contrast"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, temperature=0.2, *, label="time_contrast"):
        check_number("temperature", temperature)
        super().__init__(label, temperature=float(temperature))

    def terms(self, step):
        temperature = self.settings["temperature"]
        return {
            f"{sense}_{self.label}": multi_positive_nt_xent(step.unit_z(sense), step.groups, temperature)
            for sense in step.senses
        }
