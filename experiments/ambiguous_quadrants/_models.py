"""What is compared: scored hypotheses, an ensemble of single ones, a mixture density network, a joint codebook."""

import math
from itertools import pairwise

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn

from smc.encoders._runtime import seeded
from smc.hypotheses import MultiHypothesisHead

from ._toy import draw_sets, draw_targets

SOFTENING = 1e-3  # of the root of a squared distance, as in the "euclidean" distance of the hypotheses
LEAST_LOG_DEVIATION = -5.0  # of a component of the mixture; narrower ones chase single samples


def trunk_of(width, seed):
    with seeded(seed):
        return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())


def train(parameters, loss_of, config, rng, n_steps, watch=None):
    """Adam on fresh batches, its rate falling to 0 along a cosine."""
    optimiser = torch.optim.Adam(parameters, config.learning_rate, fused=True)
    for step in range(n_steps):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * (1 + math.cos(math.pi * step / n_steps)) / 2
        if watch is not None:
            watch(step)
        loss = loss_of(*map(torch.from_numpy, draw_sets(config.batch_size, rng)), step / n_steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


class Hypotheses:
    """A trunk of two hidden layers with a `MultiHypothesisHead`, trained at once."""

    def __init__(self, config, seed, width, n_steps, *, far=0.0, watch=None, **options):
        rng = np.random.default_rng((seed, 1))
        self.trunk = trunk_of(width, seed)
        self.head = MultiHypothesisHead(config.n_hypotheses, n_features=width, n_outputs=2, seed=seed + 1, **options)
        if far:
            self._send_away(far, rng)
        parameters = [*self.trunk.parameters(), *self.head.parameters()]
        look = None if watch is None else lambda step: watch(step, self)
        train(parameters, self._loss, config, rng, n_steps, look)

    def predict(self, t):
        """Hypotheses and scores for inputs t (n,), as a `Prediction`."""
        with torch.no_grad():
            return self.head(self.trunk(torch.as_tensor(t, dtype=torch.float32).reshape(-1, 1)))

    def points(self, t):
        """Hypotheses (K, 2) and scores (K,) at one t."""
        prediction = self.predict(t)
        return prediction.hypotheses[0].numpy(), prediction.scores[0].numpy()

    def _loss(self, t, targets, present, progress):
        return self.head.loss(self.head(self.trunk(t)), targets, present, progress=progress).total

    @torch.no_grad()
    def _send_away(self, far, rng):
        """All hypotheses but the first start around a circle outside the square."""
        angle = rng.uniform(0, 2 * np.pi, self.head.n_hypotheses - 1)
        places = far * np.column_stack([np.cos(angle), np.sin(angle)])
        self.head.linear.bias[2 : 2 * self.head.n_hypotheses] += torch.from_numpy(places.ravel()).float()


class Ensemble:
    """As many networks of one hypothesis, each with its own weights and samples; side by side in one product.

    Each input comes with one target; with `nearest` with a set of them, of which the network learns the nearest one.
    """

    def __init__(self, config, seed, *, nearest=False):
        n, width, rng = config.n_hypotheses, config.small_width, np.random.default_rng((seed, 2))
        sizes = (1, width, width, 2)
        self.layers = []
        for n_in, n_out in pairwise(sizes):
            bound = 1 / math.sqrt(n_in)
            weight, bias = (rng.uniform(-bound, bound, shape) for shape in ((n, n_in, n_out), (n, 1, n_out)))
            self.layers.append([torch.from_numpy(a.astype(np.float32)).requires_grad_() for a in (weight, bias)])

        def draw():
            if nearest:
                sets = draw_sets(n * config.batch_size, rng)
                return (torch.from_numpy(a).unflatten(0, (n, config.batch_size)) for a in sets)
            t = rng.random((n, config.batch_size, 1)).astype(np.float32)
            y = draw_targets(t[..., 0], rng).astype(np.float32)[:, :, None]
            return torch.from_numpy(t), torch.from_numpy(y), torch.ones(y.shape[:3], dtype=torch.bool)

        def loss_of(*_):
            t, y, present = draw()
            squares = (self._outputs(t)[:, :, None] - y).square().sum(dim=3)
            squares = squares.masked_fill(~present, math.inf).min(dim=2).values
            # A sum over networks, so that each has the gradient of its own mean.
            return (squares + SOFTENING).sqrt().sum(dim=0).mean()

        train([p for layer in self.layers for p in layer], loss_of, config, rng, config.small_steps)

    def points(self, t):
        with torch.no_grad():
            outputs = self._outputs(torch.full((len(self.layers[0][0]), 1, 1), float(t)))
        return outputs[:, 0].numpy(), np.ones(len(outputs))

    def _outputs(self, x):
        for i, (weight, bias) in enumerate(self.layers):
            x = torch.baddbmm(bias, x, weight)
            x = x.relu() if i < len(self.layers) - 1 else x
        return x


class MixtureDensityNetwork:
    """Bishop (1994): as many Gaussians with diagonal covariance, on the same trunk."""

    def __init__(self, config, seed):
        self.n, rng = config.n_hypotheses, np.random.default_rng((seed, 3))
        self.trunk = trunk_of(config.width, seed)
        with seeded(seed + 1):
            self.linear = nn.Linear(config.width, 5 * self.n)
        parameters = [*self.trunk.parameters(), *self.linear.parameters()]
        train(parameters, self._loss, config, rng, config.n_steps)

    def points(self, t):
        """Means (K, 2) and weights (K,): as many atoms as the hypotheses are."""
        means, _, log_mass = self._parameters_at(t)
        return means, np.exp(log_mass)

    def draw(self, t, n_samples, rng):
        means, deviations, log_mass = self._parameters_at(t)
        mass = np.exp(log_mass.astype(float))
        chosen = rng.choice(self.n, n_samples, p=mass / mass.sum())
        return means[chosen] + deviations[chosen] * rng.standard_normal((n_samples, 2))

    def _parameters_at(self, t):
        with torch.no_grad():
            means, log_deviations, log_mass = self._parts(torch.tensor([[t]], dtype=torch.float32))
        return means[0].numpy(), log_deviations[0].exp().numpy(), log_mass[0].numpy()

    def _parts(self, t):
        means, log_deviations, logits = self.linear(self.trunk(t)).split([2 * self.n, 2 * self.n, self.n], dim=1)
        log_deviations = log_deviations.clamp(min=LEAST_LOG_DEVIATION)
        return means.unflatten(1, (self.n, 2)), log_deviations.unflatten(1, (self.n, 2)), logits.log_softmax(dim=1)

    def _loss(self, t, targets, present, progress):
        means, log_deviations, log_mass = (part[:, None] for part in self._parts(t))
        scaled = (targets[:, :, None] - means) * (-log_deviations).exp()
        log_density = log_mass - (0.5 * scaled.square() + log_deviations).sum(dim=3)
        return -log_density.logsumexp(dim=2)[present].mean()


class JointCodebook:
    """Prototypes of (t, y) without any network; at t they count by a kernel on their own t."""

    def __init__(self, config, seed):
        rng = np.random.default_rng((seed, 4))
        t, targets, present = draw_sets(config.n_codebook_samples, rng)
        rows, places = np.nonzero(present)
        joint = np.column_stack([t[rows, 0], targets[rows, places]]).astype(float)
        kmeans = KMeans(config.n_units, n_init=1, max_iter=30, random_state=seed).fit(joint)
        self.prototypes, self.counts = kmeans.cluster_centers_, np.bincount(kmeans.labels_, minlength=config.n_units)
        self.width = config.kernel_width

    def points(self, t):
        kernel = np.exp(-0.5 * ((self.prototypes[:, 0] - t) / self.width) ** 2)
        return self.prototypes[:, 1:], self.counts * kernel
