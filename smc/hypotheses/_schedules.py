"""How the assignment of targets to hypotheses changes while they learn."""

import torch

from topology._validation import check_choice, check_real
from topology.assignment import boltzmann, neural_gas, relaxed, top_n, winner_take_all

DECAYS = ("exponential", "linear")


class Annealed:
    """A rule of `topology.assignment` whose parameter moves from `start` to `end` during training.

    Parameters
    ----------
    rule : callable (distances, value) -> weights
        `relaxed`, `top_n`, `boltzmann`, `neural_gas`, or one's own.
    start, end : float
        The value at the beginning and at the end: a share, a number of hypotheses (rounded), a temperature in the
        units of the distances, or a radius in ranks.
    decay : {"exponential", "linear"}, default="exponential"
        Exponential needs both values above 0.

    References
    ----------
    Perera et al. (2024), Annealed multiple choice learning, NeurIPS (boltzmann). Makansi et al. (2019), CVPR (top_n).
    Martinetz, Berkovich and Schulten (1993), IEEE Trans. Neural Networks 4:558 (neural_gas).
    """

    def __init__(self, rule, start, end, decay="exponential"):
        if not callable(rule):
            raise TypeError(f"rule must be callable, got {rule!r}")
        self.rule = rule
        self.decay = check_choice("decay", decay, DECAYS)
        self.start = check_real("start", start, 0, open_low=decay == "exponential")
        self.end = check_real("end", end, 0, open_low=decay == "exponential")

    def __repr__(self):
        name = getattr(self.rule, "__name__", repr(self.rule))
        return f"Annealed({name}, {self.start:g}, {self.end:g}, {self.decay!r})"

    def __call__(self, progress):
        """The assignment after a share of the training in [0, 1]."""
        progress = check_real("progress", progress, 0, 1)
        if self.decay == "linear":
            value = (1 - progress) * self.start + progress * self.end
        else:
            value = self.start ** (1 - progress) * self.end**progress
        if self.rule is top_n:
            value = max(1, round(value))
        return lambda distances: self.rule(distances, value)


def check_assignment(assignment, n_hypotheses):
    """Refuse what is no assignment, or needs more hypotheses than there are, before anything is trained."""
    if isinstance(assignment, str):
        default_schedule(assignment, n_hypotheses)
    elif isinstance(assignment, Annealed):
        for progress in (0.0, 1.0):
            try:
                assignment(progress)(torch.zeros((1, n_hypotheses)))
            except ValueError as error:
                raise ValueError(
                    f"assignment {assignment!r} does not suit {n_hypotheses} hypotheses: {error}"
                ) from error
    elif not callable(assignment):
        raise TypeError(f"assignment must be a name, an Annealed or a callable, got {assignment!r}")


def assignment_at(assignment, progress, n_hypotheses):
    """The assignment that a name, an `Annealed`, or an assignment that stays as it is means after some training."""
    if isinstance(assignment, str):
        assignment = default_schedule(assignment, n_hypotheses)
    return assignment(progress) if isinstance(assignment, Annealed) else assignment


def default_schedule(name, n_hypotheses):
    """What a name stands for; the temperature is meant for targets of about unit variance."""
    schedules = {
        "winner_take_all": winner_take_all,
        "relaxed": Annealed(relaxed, 0.05, 0.05),
        "top_n": Annealed(top_n, max(1, n_hypotheses // 4), 1, "linear"),
        "boltzmann": Annealed(boltzmann, 0.6, 1e-6, "linear"),
        "neural_gas": Annealed(neural_gas, max(0.5, n_hypotheses / 2), 0.01),
    }
    return schedules[check_choice("assignment", name, tuple(schedules))]
