"""An arm of two joints, and gradient training of policies that move it."""

import math

import numpy as np
import torch
from torch import nn

from smc.encoders._runtime import seeded

LINKS = (0.5, 0.5)  # metres
TIME_STEP = 0.1  # seconds
REACH = (0.2, 0.95)  # metres, of the targets


class Arm:
    """Two joints whose velocities a policy chooses; differentiable, so that policies follow the gradient of rewards."""

    def __init__(self, config, seed):
        self.config, self.rng = config, np.random.default_rng(seed)
        self.test = self.draw(config.n_test)

    def draw(self, n):
        """Postures (n, 2) in radians and targets (n, 2) in metres."""
        postures = np.column_stack([self.rng.uniform(-np.pi, np.pi, n), self.rng.uniform(-2.5, 2.5, n)])
        angle, radius = self.rng.uniform(-np.pi, np.pi, n), np.sqrt(self.rng.uniform(*np.square(REACH), n))
        targets = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        return [torch.from_numpy(a.astype(np.float32)) for a in (postures, targets)]

    def rewards(self, policy, postures, targets):
        """Precision: -10 x mean distance in metres; ease: minus mean squared speed; bend: mean sine of the elbow."""
        distance, effort, bend = 0.0, 0.0, 0.0
        for _ in range(self.config.horizon):
            hands = self.hands(postures)
            speed = policy(torch.cat([postures.sin(), postures.cos(), hands, targets, targets - hands], dim=1))
            postures = postures + TIME_STEP * speed
            distance = distance + ((self.hands(postures) - targets).square().sum(dim=1) + 1e-6).sqrt().mean()
            effort = effort + speed.square().sum(dim=1).mean()
            bend = bend + postures[:, 1].sin().mean()
        return torch.stack([-10 * distance, -effort, bend]) / self.config.horizon

    @staticmethod
    def hands(postures):
        first, second = postures[:, 0], postures.sum(dim=1)
        x = LINKS[0] * first.cos() + LINKS[1] * second.cos()
        return torch.stack([x, LINKS[0] * first.sin() + LINKS[1] * second.sin()], dim=1)


class Learner:
    """Trains and evaluates policies as state dicts."""

    def __init__(self, config, seed):
        self.config, self.arm = config, Arm(config, (seed, 0))
        width = config.width
        self.policy = nn.Sequential(
            nn.Linear(10, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)
        )

    def initial(self, seed):
        with seeded(seed):
            for layer in self.policy:
                if hasattr(layer, "reset_parameters"):
                    layer.reset_parameters()
        return self.state()

    def state(self):
        return {name: tensor.clone() for name, tensor in self.policy.state_dict().items()}

    def train(self, state, preference, n_steps, rate):
        """Follow the gradient of the weighted rewards; returns the new state."""
        self.policy.load_state_dict(state)
        optimiser = torch.optim.Adam(self.policy.parameters(), rate, fused=True)
        weights = torch.tensor(preference, dtype=torch.float32)
        for step in range(n_steps):
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 + math.cos(math.pi * step / n_steps)) / 2
            loss = -(weights * self.arm.rewards(self.policy, *self.arm.draw(self.config.batch_size))).sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
            optimiser.step()
        return self.state()

    def evaluate(self, state):
        """Rewards (3,) on the test episodes, always the same ones."""
        self.policy.load_state_dict(state)
        with torch.no_grad():
            return self.arm.rewards(self.policy, *self.arm.test).double().numpy()
