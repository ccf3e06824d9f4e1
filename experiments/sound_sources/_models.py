"""What is compared: scored hypotheses, an ensemble, a mixture density network, a histogram; one trunk for all."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from smc.encoders._runtime import seeded
from smc.hypotheses import MultiHypothesisHead

from ._recordings import symmetries

MOST_LOG_CONCENTRATION = 7.0  # of a von Mises component: a standard deviation of 1.7 degrees


def build(name, n_features, config, seed):
    """A model of one name; all but the ensemble have the same trunk with the same initial weights."""
    if name == "ensemble":
        return Ensemble(n_features, config, seed)
    with seeded(seed):
        sizes = pairwise((n_features, config.width, config.width))
        trunk = nn.Sequential(*(part for size in sizes for part in (nn.Linear(*size), nn.ReLU())))
    makers = {"MDN": VonMisesMixture, "histogram": Histogram}
    if name in makers:
        return makers[name](trunk, config, seed)
    options = {
        "rMCL": {},
        "rMCL*": {"rejection": "one"},
        "rMCL, winner-take-all": {"assignment": "winner_take_all"},
        "sMCL": {"score_weight": 0.0},
        "one direction": {"n_hypotheses": 1},
        "shuffled targets": {},
    }
    return Hypotheses(trunk, config, seed, **options[name])


def train(model, recordings, config, rng):
    """Adam, its rate falling to 0 along a cosine; every batch is turned and mirrored at random."""
    x = torch.from_numpy(recordings.features)
    y, present = torch.from_numpy(recordings.directions), torch.from_numpy(recordings.present)
    turns = [_turn(*symmetry) for symmetry in symmetries()]
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    n_sets = model.n_networks
    for step in range(config.n_steps):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * (1 + math.cos(math.pi * step / config.n_steps)) / 2
        rows = torch.from_numpy(rng.integers(len(x), size=n_sets * config.batch_size))
        columns, turn = turns[rng.integers(len(turns))]
        loss = model.loss(x[rows][:, columns], y[rows] @ turn, present[rows], step / config.n_steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


def _turn(columns, sign, offset):
    """Columns of the features, and the matrix that unit vectors (rows) are multiplied by."""
    cos, sin = math.cos(offset), math.sin(offset)
    return torch.from_numpy(columns.copy()), torch.tensor([[cos, sin], [-sign * sin, sign * cos]], dtype=torch.float32)


class Hypotheses(nn.Module):
    """K hypotheses in the plane, whose directions count, with scores; without score loss their masses are equal."""

    n_networks = 1

    def __init__(self, trunk, config, seed, **options):
        super().__init__()
        options = {"n_hypotheses": config.n_hypotheses, "assignment": "neural_gas", **options}
        self.trunk = trunk
        self.head = MultiHypothesisHead(
            n_features=config.width, n_outputs=2, distance="euclidean", seed=seed + 1, **options
        )

    def loss(self, x, y, present, progress):
        return self.head.loss(self.head(self.trunk(x)), y, present, progress=progress).total

    @torch.no_grad()
    def predict(self, x):
        """Directions (n, K) in radians and masses (n, K)."""
        prediction = self.head(self.trunk(torch.from_numpy(x)))
        scores = prediction.scores if self.head.score_weight else torch.ones_like(prediction.scores)
        return _angles(prediction.hypotheses), scores.numpy()


class Ensemble(nn.Module):
    """K networks of one hypothesis, narrower so that together they are as large; each has its own batches."""

    def __init__(self, n_features, config, seed):
        super().__init__()
        n = self.n_networks = config.n_hypotheses
        width = max(1, int(config.width / math.sqrt(n)))
        rng = np.random.default_rng(seed)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for n_in, n_out in pairwise((n_features, width, width, 2)):
            bound = 1 / math.sqrt(n_in)
            for parts, shape in ((self.weights, (n, n_in, n_out)), (self.biases, (n, 1, n_out))):
                parts.append(nn.Parameter(torch.from_numpy(rng.uniform(-bound, bound, shape).astype(np.float32))))

    def forward(self, x):
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = torch.baddbmm(bias, x, weight)
            x = x.relu() if i < len(self.weights) - 1 else x
        return x

    def loss(self, x, y, present, progress):
        out = self(x.unflatten(0, (self.n_networks, -1))).flatten(0, 1)
        distance = ((out[:, None] - y).square().sum(dim=2) + 1e-3).sqrt()
        # A sum over networks, so that each has the gradient of its own mean.
        return self.n_networks * distance[present].mean()

    @torch.no_grad()
    def predict(self, x):
        out = self(torch.from_numpy(x).expand(self.n_networks, -1, -1))
        return _angles(out).T, np.ones((len(x), self.n_networks), dtype=np.float32)


class VonMisesMixture(nn.Module):
    """Mixture density network (Bishop 1994) on the circle: K von Mises components."""

    n_networks = 1

    def __init__(self, trunk, config, seed):
        super().__init__()
        self.trunk = trunk
        with seeded(seed + 1):
            self.linear = nn.Linear(config.width, 4 * config.n_hypotheses)

    def parts(self, x):
        """Unit vectors (n, K, 2), concentrations (n, K), log masses (n, K)."""
        means, log_concentration, logits = self.linear(self.trunk(x)).unflatten(1, (-1, 4)).split([2, 1, 1], dim=2)
        concentration = log_concentration[..., 0].clamp(max=MOST_LOG_CONCENTRATION).exp()
        return nn.functional.normalize(means, dim=2), concentration, logits[..., 0].log_softmax(dim=1)

    def loss(self, x, y, present, progress):
        means, concentration, log_mass = self.parts(x)
        # log I0(k) = log(exp(-k) I0(k)) + k, so that large concentrations do not overflow.
        constant = log_mass - math.log(2 * math.pi) - torch.special.i0e(concentration).log()
        log_density = constant[:, None] + concentration[:, None] * (y @ means.transpose(1, 2) - 1)
        return -log_density.logsumexp(dim=2)[present].mean()

    @torch.no_grad()
    def predict(self, x):
        """Means and masses of the components."""
        means, _, log_mass = self.parts(torch.from_numpy(x))
        return _angles(means), log_mass.exp().numpy()


class Histogram(nn.Module):
    """Masses of bins around the circle, by cross-entropy to the bins of the sources."""

    n_networks = 1

    def __init__(self, trunk, config, seed):
        super().__init__()
        self.trunk, self.n_bins = trunk, config.n_bins
        with seeded(seed + 1):
            self.linear = nn.Linear(config.width, config.n_bins)

    def loss(self, x, y, present, progress):
        log_mass = self.linear(self.trunk(x)).log_softmax(dim=1)
        bins = (torch.atan2(y[..., 1], y[..., 0]) * (self.n_bins / (2 * math.pi))).floor().long() % self.n_bins
        return -log_mass.gather(1, bins)[present].mean()

    @torch.no_grad()
    def predict(self, x):
        mass = self.linear(self.trunk(torch.from_numpy(x))).softmax(dim=1).numpy()
        centers = (np.arange(self.n_bins) + 0.5) * (2 * np.pi / self.n_bins)
        return np.broadcast_to(centers, mass.shape), mass


def _angles(vectors):
    return torch.atan2(vectors[..., 1], vectors[..., 0]).numpy()
