"""Models of outcomes with two branches on one kind of trunk, their training, and how well they keep both branches."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from torch import nn

from smc.encoders._runtime import seeded
from smc.hypotheses import MultiHypothesisHead
from smc.hypotheses._regressor import best_bandwidth

LEAST_LOG_DEVIATION = -4.0  # of MDN components; the outcomes carry no noise, so they would shrink without end


def build(kind, n_inputs, n_outputs, width, n_hypotheses, seed, *, skip=False):
    """Two hidden layers and an output layer: K Gaussians ("MDN"), one prediction by squared error ("MSE"), or K
    hypotheses (the name of their assignment). With `skip` the output layer sees the input as well.
    """
    with seeded(seed):
        trunk = nn.Sequential(nn.Linear(n_inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
    if skip:
        trunk, width = Beside(trunk), width + n_inputs
    if kind == "MDN":
        return MixtureDensityNetwork(trunk, n_hypotheses, width, n_outputs, seed)
    single = kind == "MSE"
    rule = "winner_take_all" if single else kind
    return Hypotheses(trunk, 1 if single else n_hypotheses, rule, width, n_outputs, seed)


def train(model, draw, n_steps, learning_rate):
    """Adam on what `draw()` gives, inputs and outcomes as float32 arrays; its rate falls to 0 along a cosine."""
    optimiser = torch.optim.Adam(list(model.parameters()), learning_rate, fused=True)
    for step in range(n_steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * (1 + math.cos(math.pi * step / n_steps)) / 2
        x, y = draw()
        loss = model.loss(torch.from_numpy(x), torch.from_numpy(y), step / n_steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


class Beside(nn.Module):
    """What a network makes of its input, beside the input."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return torch.cat([self.network(x), x], dim=1)


class Hypotheses(nn.Module):
    """A trunk with scored hypotheses."""

    def __init__(self, trunk, n, rule, width, n_outputs, seed):
        super().__init__()
        self.trunk = trunk
        self.head = MultiHypothesisHead(n, rule, n_features=width, n_outputs=n_outputs, seed=seed)

    def loss(self, x, y, progress):
        return self.head.loss(self.head(self.trunk(x)), y, progress=progress).total

    @torch.no_grad()
    def predict(self, x):
        """Hypotheses (n, K, d) and scores (n, K)."""
        prediction = self.head(self.trunk(torch.from_numpy(x)))
        return prediction.hypotheses.numpy(), prediction.scores.numpy()

    @torch.no_grad()
    def widths(self, x, apart):
        """Deviation about the hypotheses, one for all, that suits inputs and outcomes `apart` from training best."""
        inputs, outcomes = map(torch.from_numpy, apart)
        mask = torch.ones((len(outcomes), 1), dtype=torch.bool)
        return best_bandwidth(self.head(self.trunk(inputs)), outcomes[:, None], mask)


class MixtureDensityNetwork(nn.Module):
    """Bishop (1994): a trunk with Gaussians of one width each."""

    def __init__(self, trunk, n, width, n_outputs, seed):
        super().__init__()
        self.trunk, self.n, self.n_outputs = trunk, n, n_outputs
        with seeded(seed):
            self.linear = nn.Linear(width, n * (n_outputs + 2))

    def parts(self, x):
        sizes = [self.n * self.n_outputs, self.n, self.n]
        means, log_deviations, logits = self.linear(self.trunk(x)).split(sizes, dim=1)
        log_deviations = log_deviations.clamp(min=LEAST_LOG_DEVIATION)
        return means.unflatten(1, (self.n, self.n_outputs)), log_deviations, logits.log_softmax(dim=1)

    def loss(self, x, y, progress):
        means, log_deviations, log_mass = self.parts(x)
        squares = (y[:, None] - means).square().sum(dim=2)
        log_density = log_mass - self.n_outputs * log_deviations - 0.5 * squares * (-2 * log_deviations).exp()
        return -log_density.logsumexp(dim=1).mean()

    @torch.no_grad()
    def predict(self, x):
        """Means (n, K, d) and masses (n, K)."""
        means, _, log_mass = self.parts(torch.from_numpy(x))
        return means.numpy(), log_mass.exp().numpy()

    @torch.no_grad()
    def widths(self, x, apart):
        """Its own deviations, (n, K)."""
        return self.parts(torch.from_numpy(x))[1].exp().numpy()


def judge(places, mass, branches, plus, apart, possible=slice(None)):
    """How well predictions of n outcomes keep both branches and their probabilities.

    Parameters
    ----------
    places : (n, K, d) ; mass : (n, K)
    branches : (n, 2, d)
    plus : float or (n,)
        Probability of the first branch.
    apart : (n,) of bool
        Where the branches differ enough for a probability to be read.
    possible : index of rows, optional
        Where both branches happen.

    Returns
    -------
    dict of float
        `branch`: mean squared distance of the worse branch to its nearest hypothesis; `plus`: mean probability of the
        first branch; `error`: mean absolute error of that.
    """
    squares = ((branches[:, :, None] - places[:, None]) ** 2).sum(axis=3)
    found = (mass * (squares[:, 0] <= squares[:, 1])).sum(axis=1) / mass.sum(axis=1)
    return {
        "branch": squares.min(axis=2)[possible].mean(axis=0).max(),
        "plus": found[apart].mean(),
        "error": np.abs(found - plus)[apart].mean(),
    }


def surprise(places, mass, deviations, y):
    """Mean negative log density, in nats, of outcomes y (n, d) under Gaussians of deviations that fit (n, K)."""
    squares = ((y[:, None] - places) ** 2).sum(axis=2)
    with np.errstate(divide="ignore"):
        log_mass = np.log(mass / mass.sum(axis=1, keepdims=True))
    constant = y.shape[1] * (np.log(deviations) + 0.5 * np.log(2 * np.pi))
    return -logsumexp(log_mass - constant - squares / (2 * np.square(deviations)), axis=1).mean()
