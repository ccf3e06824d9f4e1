"""A training step of 20 scored hypotheses beside one of a single linear output with a squared loss, on the same trunk.

Two outputs; Adam; one thread. The hypotheses learn by winner-take-all or by the default assignment, from single targets
or from sets of three. Trunks: the encoder of images at its default size, and the perceptron of the quadrant toy
(1-256-256), whose last layer is so small that 20 hypotheses are a quarter more arithmetic. The limit is that arithmetic
alone: a linear layer as wide as hypotheses and scores together, trained on the sum of its squares. Timed in turns.
"""

import time

import torch
from torch import nn

from smc.encoders import ConvEncoder
from smc.encoders._runtime import seeded, torch_threads
from smc.hypotheses import MultiHypothesisHead

N_HYPOTHESES, N_OUTPUTS, N_TARGETS = 20, 2, 3
KINDS = {  # assignment, and whether targets come in sets
    "winner-take-all": ("winner_take_all", False),
    "neural gas (default)": ("neural_gas", False),
    f"neural gas, sets of {N_TARGETS}": ("neural_gas", True),
}
PROGRESS = 0.5  # of the training
N_REPETITIONS = 15  # the minimum of these; steps of all kinds in turns, since other processes slow both


def rows() -> list[dict]:
    with torch_threads(1), seeded(0):
        images, points = torch.rand(128, 32, 32, 3), torch.rand(512, 1)
        return [
            *_rows("images 32x32, batch of 128", ConvEncoder, images, 128, 3),
            *_rows("perceptron 1-256-256, batch of 512", _perceptron, points, 256, 20),
        ]


def _perceptron():
    return nn.Sequential(nn.Linear(1, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())


def _rows(name, trunk, X, n_features, n_steps):
    y = torch.rand(len(X), N_TARGETS, N_OUTPUTS)
    steps = [_hypotheses_step(trunk(), X, y, n_features, *kind) for kind in KINDS.values()]
    steps += [make(trunk(), X, y[:, 0], n_features) for make in (_single_step, _arithmetic_step)]
    times = [[] for _ in steps]
    for _ in range(N_REPETITIONS + 1):
        for step, found in zip(steps, times):
            start = time.process_time()
            for _ in range(n_steps):
                step()
            found.append(1e6 * (time.process_time() - start) / (n_steps * len(X)))
    *ours, single, arithmetic = (min(found[1:]) for found in times)
    return [
        {
            "table": "hypotheses", "row": f"training step, 20 hypotheses, {kind}, {name}", "unit": "CPU us/sample",
            "ours": of_kind, "peers": {"single output": single}, "limit": arithmetic, "better": "lower",
        }
        for kind, of_kind in zip(KINDS, ours)
    ]  # fmt: skip


def _hypotheses_step(trunk, X, y, n_features, assignment, sets):
    head = MultiHypothesisHead(N_HYPOTHESES, assignment, n_features=n_features, n_outputs=N_OUTPUTS)
    targets = y if sets else y[:, 0]
    parameters = [*trunk.parameters(), *head.parameters()]
    return _step(parameters, lambda: head.loss(head(trunk(X)), targets, progress=PROGRESS).total)


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
