"""Several hypotheses and how probable each is, on any trunk: resilient multiple choice learning."""

import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from smc.encoders._runtime import seeded
from smc.hypotheses._calibration import fit_platt
from smc.hypotheses._density import HypothesisDensity
from smc.hypotheses._schedules import assignment_at, check_assignment
from topology._validation import check_choice, check_integer, check_real

DISTANCES = ("squared", "euclidean")
REJECTIONS = ("all", "one")
SOFTENING = 1e-3  # added to a squared distance, so that its root has a gradient at 0; that of the source


class Prediction(NamedTuple):
    """What a head says of a batch: `hypotheses` (B, K, d) and the `logits` (B, K) of their scores."""

    hypotheses: torch.Tensor
    logits: torch.Tensor

    @property
    def scores(self):
        """Probability of each cell to be hit, (B, K); independent of each other, so rows need not sum to 1."""
        return torch.sigmoid(self.logits)

    def density(self, row, **options):
        """`HypothesisDensity` of one row; options are its keyword arguments."""
        hypotheses, scores = self.hypotheses[row].detach(), self.scores[row].detach()
        return HypothesisDensity(hypotheses.double().cpu().numpy(), scores.double().cpu().numpy(), **options)


class Loss(NamedTuple):
    """Parts of the loss of a batch, each a Tensor (); train on `total`."""

    total: torch.Tensor
    hypothesis: torch.Tensor
    score: torch.Tensor


class MultiHypothesisHead(nn.Module):
    """K hypotheses with independent scores from the features of any trunk.

    The hypotheses compete for the targets: each moves to the mean of the cell that it wins, and its score becomes the
    probability that a target falls into this cell (for target sets: that at least one does).

    Parameters
    ----------
    n_hypotheses : int
    assignment : str, Annealed or callable, default="neural_gas"
        Who learns from a target: "winner_take_all", "relaxed", "top_n", "boltzmann" (annealed multiple choice
        learning) or "neural_gas", with their usual schedules; an `Annealed` of one's own; or a callable from distances
        (B, K) to weights (B, K) as in `topology.assignment`. No gradient passes through the weights.
    n_features : int
        Width of the trunk's output.
    n_outputs : int, default=1
        Dimension d of a target.
    distance : {"squared", "euclidean"}, default="squared"
        Loss of a hypothesis: squared Euclidean distance, or its root (softened by 1e-3).
    score_weight : float, default=1.0
        Weight of the score loss.
    rejection : {"all", "one"}, default="all"
        Which losing hypotheses lower their score: all of them (rMCL), or one at random (rMCL*), whose scores are too
        high until they are calibrated.
    seed : int, default=0
        Of the initial weights and of the losers drawn with rejection="one".

    References
    ----------
    Letzelter et al. (2023), Resilient multiple choice learning, NeurIPS. Perera et al. (2024), Annealed multiple
    choice learning, NeurIPS.
    """

    def __init__(
        self,
        n_hypotheses,
        assignment="neural_gas",
        *,
        n_features,
        n_outputs=1,
        distance="squared",
        score_weight=1.0,
        rejection="all",
        seed=0,
    ):
        super().__init__()
        self.n_hypotheses = check_integer("n_hypotheses", n_hypotheses, 1)
        self.n_features = check_integer("n_features", n_features, 1)
        self.n_outputs = check_integer("n_outputs", n_outputs, 1)
        check_assignment(assignment, self.n_hypotheses)
        self.assignment = assignment
        self.distance = check_choice("distance", distance, DISTANCES)
        self.score_weight = check_real("score_weight", score_weight, 0)
        self.rejection = check_choice("rejection", rejection, REJECTIONS)
        with seeded(seed):
            # One product for hypotheses and scores; the last K rows belong to the scores.
            self.linear = nn.Linear(self.n_features, self.n_hypotheses * (self.n_outputs + 1))
        self._generator = torch.Generator().manual_seed(seed)

    def forward(self, features):
        """Hypotheses and score logits of features (B, n_features), a `Prediction`."""
        n_coordinates = self.n_hypotheses * self.n_outputs
        coordinates, logits = self.linear(features).split([n_coordinates, self.n_hypotheses], dim=1)
        return Prediction(coordinates.unflatten(1, (self.n_hypotheses, self.n_outputs)), logits)

    def loss(self, prediction, targets, mask=None, *, progress=1.0):
        """Loss of a batch.

        Parameters
        ----------
        prediction : Prediction of B rows
        targets : Tensor (B, d), or (B, M, d) for sets of up to M targets
        mask : Tensor (B, M) of bool, optional
            Which entries of the sets are targets; every row has at least one.
        progress : float in [0, 1], default=1.0
            Share of the training that is over, for annealed assignments.

        Returns
        -------
        Loss
            `hypothesis`: mean over targets of the assigned distances; `score`: binary cross-entropy.

        Raises
        ------
        TypeError, ValueError
            Targets or mask that are no Tensor, shapes that do not fit, targets that are not finite, a row without any
            target.
        """
        distances, rows = self.distances(prediction, targets, mask)
        detached = distances.detach()
        weights = assignment_at(self.assignment, progress, self.n_hypotheses)(detached)
        hypothesis = (weights * distances).sum() / len(distances)
        score = self._score_loss(prediction.logits, _hits(detached, rows, len(prediction.logits)))
        return Loss(hypothesis + self.score_weight * score, hypothesis, score)

    def distances(self, prediction, targets, mask=None):
        """Distance of every target to every hypothesis, (n_targets, K), and the row of each, None for one per row."""
        hypotheses = prediction.hypotheses
        targets, rows = _check_targets(hypotheses, targets, mask)
        if rows is not None:
            hypotheses = hypotheses[rows]
        squares = (hypotheses - targets[:, None]).square().sum(dim=2)
        return (squares if self.distance == "squared" else (squares + SOFTENING).sqrt()), rows

    def hits(self, prediction, targets, mask=None):
        """Whether each hypothesis won at least one target of its row, (B, K) of bool: what the scores estimate."""
        distances, rows = self.distances(prediction, targets, mask)
        return _hits(distances.detach(), rows, len(prediction.logits)).bool()

    @torch.no_grad()
    def calibrate_scores(self, features, targets, mask=None):
        """Scale and shift the score logits to fit data that were not trained on (Platt 1999).

        The two numbers are folded into the weights.

        Parameters
        ----------
        features : Tensor (B, n_features)
        targets, mask : as in `loss`

        Returns
        -------
        self
        """
        prediction = self(features)
        hits = self.hits(prediction, targets, mask)
        slope, intercept = fit_platt(prediction.logits.double().cpu().numpy(), hits.cpu().numpy())
        of_scores = slice(self.n_hypotheses * self.n_outputs, None)
        self.linear.weight[of_scores] *= slope
        self.linear.bias[of_scores] = slope * self.linear.bias[of_scores] + intercept
        return self

    def _score_loss(self, logits, hits):
        if self.rejection == "all":
            return binary_cross_entropy_with_logits(logits, hits)
        ticket = torch.rand(hits.shape, generator=self._generator, dtype=hits.dtype).to(hits.device) - 2 * hits
        rejected = torch.zeros_like(hits).scatter_(1, ticket.argmax(dim=1, keepdim=True), 1.0)
        chosen = torch.maximum(hits, rejected)
        losses = binary_cross_entropy_with_logits(logits, hits, reduction="none")
        return (chosen * losses).sum() / chosen.sum()


def _check_targets(hypotheses, targets, mask):
    """Targets (n_targets, d), and the row of each unless there is exactly one per row."""
    n_rows, _, n_outputs = hypotheses.shape
    for name, values in (("targets", targets), ("mask", mask)):
        if values is not None and not isinstance(values, torch.Tensor):
            raise TypeError(f"{name} must be a Tensor, got {type(values).__name__}")
    if targets.ndim not in (2, 3) or len(targets) != n_rows or targets.shape[-1] != n_outputs or n_rows == 0:
        expected = f"({n_rows}, {n_outputs}) or ({n_rows}, M, {n_outputs}) with at least one row"
        raise ValueError(f"targets must have shape {expected}, got {tuple(targets.shape)}")
    if mask is not None and (targets.ndim == 2 or mask.shape != targets.shape[:2] or mask.dtype != torch.bool):
        raise ValueError(
            f"mask must be bool of shape (B, M) beside targets (B, M, d), got {mask.dtype} of {tuple(mask.shape)} "
            f"beside {tuple(targets.shape)}"
        )
    rows = None
    if targets.ndim == 3:
        mask = torch.ones(targets.shape[:2], dtype=torch.bool, device=targets.device) if mask is None else mask
        if not (targets.shape[1] and mask.any(dim=1).all()):
            raise ValueError("targets must hold at least one target in every row, got an empty set")
        rows, places = mask.nonzero(as_tuple=True)
        targets = targets[rows, places]
    if not math.isfinite(float(targets.sum())) and not bool(targets.isfinite().all()):
        raise ValueError("targets must be finite, got NaN or infinity")
    return targets.to(hypotheses.dtype), rows


def _hits(distances, rows, n_rows):
    """1 where a hypothesis won at least one target of its row, else 0, in the precision of the distances."""
    winners = distances.argmin(dim=1)
    hits = distances.new_zeros(n_rows, distances.shape[1])
    hits[torch.arange(n_rows, device=hits.device) if rows is None else rows, winners] = 1.0
    return hits
