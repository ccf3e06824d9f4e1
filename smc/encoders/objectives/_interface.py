"""What every objective is, what a step shows it, and how several make one."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from smc.encoders._checks import check_number
from smc.encoders._layers import mlp
from smc.encoders._runtime import seeded


class Loss(NamedTuple):
    """What a step is to lessen, and the losses before weighting that it is made of, by name."""

    total: torch.Tensor
    terms: dict


class Step:
    """What one training step shows of B objects: the embeddings of frames in a row, and the actions between them.

    Frames are stacked, all first ones before all second ones. What is derived is computed once, when first asked for.

    Attributes
    ----------
    z, y : dict of str to Tensor (n_frames * B, dim)
        Outputs of the invariance and the equivariance head by sense, before they are scaled to unit length.
    target_z : dict of str to Tensor (n_frames * B, dim)
        z of the slowly moving copies, without gradient; empty unless the objective has a `momentum`.
    actions : Tensor (n_frames - 1, B, action_dim)
    group : Tensor (B,) of int
        Which frames show the same object.
    predictors : dict of str to ActionPredictor
    key : tuple of int
        Seed and number of the step: what is drawn at random in it depends on them alone.
    """

    def __init__(self, z, y, target_z, actions, group, predictors, key):
        self.z, self.y, self.target_z = z, y, target_z
        self.actions, self.group, self.predictors, self.key = actions, group, predictors, key
        self.senses = tuple(z)
        self.n_objects = len(group)
        self.groups = group.repeat(len(actions) + 1)
        self.same_object = group[:, None] == self.groups
        self._known = {}

    def unit_z(self, sense):
        """z of unit length."""
        return self._once(("z", sense), lambda: F.normalize(self.z[sense], dim=1))

    def unit_y(self, sense):
        """y of unit length."""
        return self._once(("y", sense), lambda: F.normalize(self.y[sense], dim=1))

    def successive(self, stacked):
        """First and second frames (B, dim) out of stacked ones."""
        return stacked[: self.n_objects], stacked[self.n_objects : 2 * self.n_objects]

    def predicted(self, sense):
        """Unit y (B, dim) that the first action is expected to lead to from the first frame."""
        first = slice(self.n_objects)
        return self._once(("p", sense), lambda: self.predictors[sense](self.unit_y(sense)[first], self.actions[0]))

    def candidates(self, sense, t=1):
        """Unit y of all frames, frame t first: what a prediction of it is to be told from.

        The frames acted upon are among them: "nothing has changed" must lose against the true consequence.
        """
        return self._once(("c", sense, t), lambda: self._starting_with(t, self.unit_y(sense)))

    def generator(self):
        """Generator of what is drawn at random in this step."""
        seed, number = self.key
        return torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)

    def _starting_with(self, t, stacked):
        start = t * self.n_objects
        after = stacked[start : start + self.n_objects]
        others = [stacked[:start], stacked[start + self.n_objects :]]
        return torch.cat([after, *(part for part in others if len(part))])

    def _once(self, what, compute):
        if what not in self._known:
            self._known[what] = compute()
        return self._known[what]


class Objective(nn.Module):
    """Base of all objectives: names of losses, settings, and parameters of its own where it needs some.

    An objective sees embeddings only (`Step`), so any of them goes with any encoder and any set of senses.

    Attributes
    ----------
    label : str
        Part of the names of its losses.
    settings : dict
        Arguments that shape its losses; a checkpoint is refused by an objective with others.
    momentum : float or None
        Momentum of the slowly moving copies of the modules that it compares with; None: it needs none.
    n_actions : int
        Successive actions that it looks ahead.
    """

    momentum = None
    n_actions = 1

    def __init__(self, label, **settings):
        super().__init__()
        if not isinstance(label, str) or not label:
            raise ValueError(f"label must be a non-empty str, got {label!r}")
        self.label = label
        self.settings = settings

    def prepare(self, senses, dim, action_dim, hidden, seed):
        """Make the parameters of its own; called once, before the training, when the sizes are known."""

    def terms(self, step):
        """Losses of a step before weighting, dict of str to Tensor ()."""
        raise NotImplementedError

    def total(self, terms):
        """What is lessened, made of the losses by name."""
        return sum(terms.values())

    def forward(self, step):
        """`Loss` of a step."""
        terms = self.terms(step)
        return Loss(self.total(terms), terms)

    def describe(self):
        """Kind, label and settings, as JSON can hold them."""
        return {"kind": type(self).__name__, "label": self.label, **self.settings}


class WeightedSum(Objective):
    """Several objectives at once.

    Parameters
    ----------
    *parts : pair (Objective, float)
        Each with its weight, at least 0.

    Examples
    --------
    >>> from smc.encoders.objectives import CrossModal, TimeContrast, WeightedSum
    >>> cross_and_self = WeightedSum((TimeContrast(), 1.0), (CrossModal(), 1.0))
    """

    def __init__(self, *parts):
        super().__init__("sum")
        for part in parts:
            if not (isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], Objective)):
                raise TypeError(f"parts must be pairs (Objective, weight), got {part!r}")
            check_number("weight", part[1], zero_allowed=True)
        if not parts:
            raise ValueError("parts must hold at least one pair (Objective, weight), got none")
        self.parts = nn.ModuleList(objective for objective, _ in parts)
        self.weights = [float(weight) for _, weight in parts]
        momenta = {part.momentum for part in self.parts} - {None}
        if len(momenta) > 1:
            raise ValueError(f"parts must share one momentum, got {sorted(momenta)}")
        self.momentum = momenta.pop() if momenta else None
        self.n_actions = max(part.n_actions for part in self.parts)

    def prepare(self, senses, dim, action_dim, hidden, seed):
        for i, part in enumerate(self.parts):
            part.prepare(senses, dim, action_dim, hidden, seed + 1000 * i)

    def forward(self, step):
        losses = [part(step) for part in self.parts]
        terms = {}
        for loss in losses:
            twice = terms.keys() & loss.terms.keys()
            if twice:
                raise ValueError(f"two parts have losses called {sorted(twice)}; give them different labels")
            terms |= loss.terms
        return Loss(sum(weight * loss.total for weight, loss in zip(self.weights, losses)), terms)

    def describe(self):
        parts = [[part.describe(), weight] for part, weight in zip(self.parts, self.weights)]
        return {"kind": "WeightedSum", "parts": parts}


class HeadsBySense(nn.Module):
    """A two-layer network for each sense, whatever its name, with initial weights from the seed."""

    def __init__(self, senses, n_in, hidden, n_out, seed, normalisation="none"):
        super().__init__()
        self._senses = tuple(senses)
        with seeded(seed):
            self.heads = nn.ModuleList(mlp(n_in, hidden, n_out, normalisation) for _ in senses)

    def __getitem__(self, sense):
        return self.heads[self._senses.index(sense)]
