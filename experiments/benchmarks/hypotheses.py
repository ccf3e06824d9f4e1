"""A training step of 20 scored hypotheses beside one of a single linear output with a squared loss, on the same trunk.

Two outputs; Adam; one thread. Trunks: the encoder of images at its default size, and the perceptron of the quadrant toy
(1-256-256), whose last layer is so small that 20 hypotheses are a quarter more arithmetic. The limit is that arithmetic
alone: a linear layer as wide as hypotheses and scores together, trained on the sum of its squares. Timed in turns.
"""

import time

import torch
from torch import nn

from smc.encoders import ConvEncoder
from smc.encoders._runtime import seeded, torch_threads
from smc.hypotheses import MultiHypothesisHead

N_HYPOTHESES, N_OUTPUTS = 20, 2
N_REPETITIONS = 15  # the minimum of these; steps of all kinds in turns, since other processes slow both


def rows() -> list[dict]:
    with torch_threads(1), seeded(0):
        return [
            _row("images 32x32, batch of 128", ConvEncoder, torch.rand(128, 32, 32, 3), 128, 3),
            _row("perceptron 1-256-256, batch of 512", _perceptron, torch.rand(512, 1), 256, 20),
        ]


def _perceptron():
    return nn.Sequential(nn.Linear(1, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())


def _row(name, trunk, X, n_features, n_steps):
    y = torch.rand(len(X), N_OUTPUTS)
    steps = [make(trunk(), X, y, n_features) for make in (_hypotheses_step, _single_step, _arithmetic_step)]
    times = [[] for _ in steps]
    for _ in range(N_REPETITIONS + 1):
        for step, found in zip(steps, times):
            start = time.process_time()
            for _ in range(n_steps):
                step()
            found.append(1e6 * (time.process_time() - start) / (n_steps * len(X)))
    ours, single, arithmetic = (min(found[1:]) for found in times)
    return {
        "table": "hypotheses", "row": f"training step, 20 hypotheses, {name}", "unit": "CPU us/sample", "ours": ours,
        "peers": {"single output": single}, "limit": arithmetic, "better": "lower",
    }  # fmt: skip


def _hypotheses_step(trunk, X, y, n_features):
    head = MultiHypothesisHead(N_HYPOTHESES, "winner_take_all", n_features=n_features, n_outputs=N_OUTPUTS)
    return _step([*trunk.parameters(), *head.parameters()], lambda: head.loss(head(trunk(X)), y).total)


def _single_step(trunk, X, y, n_features):
    linear = nn.Linear(n_features, N_OUTPUTS)
    return _step([*trunk.parameters(), *linear.parameters()], lambda: (linear(trunk(X)) - y).square().sum(dim=1).mean())


def _arithmetic_step(trunk, X, y, n_features):
    linear = nn.Linear(n_features, N_HYPOTHESES * (N_OUTPUTS + 1))
    return _step([*trunk.parameters(), *linear.parameters()], lambda: linear(trunk(X)).square().sum())


def _step(parameters, loss_of):
    optimiser = torch.optim.Adam(parameters, fused=True)

    def step():
        optimiser.zero_grad()
        loss_of().backward()
        optimiser.step()

    return step
