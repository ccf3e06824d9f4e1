"""Networks that learn to fuse: concatenation and gate trained with corruption, evidential and quality-aware fusion."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

BATCH = 128
NOISE = (1.0, 2.0, 5.0, 10.0)  # standard deviations of the noise that is trained with


class Network:
    """Perceptrons with one hidden layer on the views of a digit.

    Parameters
    ----------
    kind : {"concatenation", "gate", "evidence", "quality"}
        "concatenation" of the views, with modality dropout (Neverova et al. 2016); "gate": softmax weights from both
        views on the log-probabilities of one perceptron per view (Arevalo et al. 2017); "evidence": Dirichlet evidence
        per view, Dempster's rule (trusted multi-view classification, Han et al. 2021, ICLR); "quality": the logits of
        each view times its energy, which learns to rank samples as their past losses do (quality-aware multimodal
        fusion, Zhang et al. 2023, ICML).
    augmented : bool
        Half of the samples have one view with noise, or blank.
    """

    def __init__(self, kind, *, augmented, n_hidden=64, n_steps=400, seed=0):
        self.kind, self.augmented, self.n_hidden, self.n_steps, self.seed = kind, augmented, n_hidden, n_steps, seed

    def fit(self, views: list[np.ndarray], y):
        generator = torch.Generator().manual_seed(self.seed)
        inputs, targets = _tensors(views), torch.as_tensor(y)
        self.n_classes = int(targets.max()) + 1
        joined = sum(x.shape[1] for x in inputs)
        shapes = {
            "concatenation": [(joined, self.n_classes)],
            "gate": [(x.shape[1], self.n_classes) for x in inputs] + [(joined, len(inputs))],
            "evidence": [(x.shape[1], self.n_classes) for x in inputs],
            "quality": [(x.shape[1], self.n_classes) for x in inputs],
        }[self.kind]
        self._past = PastLosses(len(inputs), len(targets))
        self.layers = [_perceptron(n_in, self.n_hidden, n_out, generator) for n_in, n_out in shapes]
        optimiser = torch.optim.AdamW([p for layer in self.layers for p in layer], lr=3e-3, weight_decay=1e-2)
        for step in range(self.n_steps):
            rows = torch.randint(len(targets), (BATCH,), generator=generator)
            batch = [x[rows] for x in inputs]
            if self.augmented:
                batch = _corrupt_one(batch, generator)
            loss = self._loss(batch, targets[rows], rows, min(1.0, 2 * step / self.n_steps))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return self

    @torch.no_grad()
    def predict_proba(self, views: list[np.ndarray]) -> np.ndarray:
        inputs = _tensors(views)
        if self.kind == "evidence":
            alpha = _dempster(self._evidence(inputs))
            return (alpha / alpha.sum(1, keepdim=True)).numpy()
        return torch.softmax(self._logits(inputs), 1).numpy()

    def _loss(self, inputs, targets, rows, annealing):
        if self.kind == "quality":
            logits = self._by_view(inputs)
            losses = [functional.cross_entropy(view, targets, reduction="none") for view in logits]
            past = self._past.update(rows, torch.stack(losses).detach())
            ranks = sum(_ranking_loss(_energy(view), p) for view, p in zip(logits, past, strict=True))
            return functional.cross_entropy(_weighted(logits), targets) + sum(loss.mean() for loss in losses) + ranks
        if self.kind != "evidence":
            return functional.cross_entropy(self._logits(inputs), targets)
        alphas = self._evidence(inputs)
        wanted = functional.one_hot(targets, self.n_classes)
        return sum(_evidential_loss(a, wanted, annealing) for a in [*alphas, _dempster(alphas)])

    def _logits(self, inputs):
        joined = torch.cat(inputs, 1)
        if self.kind == "concatenation":
            return _run(joined, self.layers[0])
        if self.kind == "quality":
            return _weighted(self._by_view(inputs))
        gates = torch.softmax(_run(joined, self.layers[-1]), 1)
        beliefs = [torch.log_softmax(_run(x, layer), 1) for x, layer in zip(inputs, self.layers, strict=False)]
        return sum(gates[:, m : m + 1] * belief for m, belief in enumerate(beliefs))

    def _evidence(self, inputs):
        return [1 + functional.softplus(logits) for logits in self._by_view(inputs)]

    def _by_view(self, inputs):
        return [_run(x, layer) for x, layer in zip(inputs, self.layers, strict=True)]


class PastLosses:
    """Mean loss of every sample in every view so far."""

    def __init__(self, n_views, n_samples):
        self._sums, self._visits = torch.zeros(n_views, n_samples), torch.zeros(n_samples)

    def update(self, rows, losses):
        """Add losses (n_views, n_rows) of a batch; its means, from 0, the least of all in that view, to 1."""
        self._sums.index_add_(1, rows, losses)
        self._visits.index_add_(0, rows, torch.ones(len(rows)))
        means = self._sums / self._visits.clamp(min=1)
        met = means[:, self._visits > 0]
        low, high = met.min(1, keepdim=True).values, met.max(1, keepdim=True).values
        return (means[:, rows] - low) / (high - low).clamp(min=1e-12)


def _tensors(views):
    return [torch.as_tensor(x, dtype=torch.float32) for x in views]


def _perceptron(n_in, n_hidden, n_out, generator):
    def weights(rows, columns):
        return (torch.randn(rows, columns, generator=generator) / rows**0.5).requires_grad_()

    zeros = [torch.zeros(n, requires_grad=True) for n in (n_hidden, n_out)]
    return weights(n_in, n_hidden), zeros[0], weights(n_hidden, n_out), zeros[1]


def _run(x, layer):
    w1, b1, w2, b2 = layer
    return torch.relu(x @ w1 + b1) @ w2 + b2


def _corrupt_one(batch, generator):
    """In half of the rows one view is noisy or, one time in five, blank."""
    n = len(batch[0])
    hit = torch.rand(n, generator=generator) < 0.5
    which = torch.randint(len(batch), (n,), generator=generator)
    kind = torch.randint(len(NOISE) + 1, (n,), generator=generator)
    level = torch.tensor([*NOISE, 0.0])[kind][:, None]
    kept = (kind < len(NOISE)).float()[:, None]
    result = []
    for m, x in enumerate(batch):
        noisy = kept * x + level * torch.randn(x.shape, generator=generator)
        result.append(torch.where((hit & (which == m))[:, None], noisy, x))
    return result


def _energy(logits):
    return torch.logsumexp(logits, 1) / 10  # the scale of the paper's code: the ranking has a margin


def _weighted(logits):
    """Logits of the fusion; the energies learn from the ranking alone."""
    return sum(_energy(view).detach()[:, None] * view for view in logits)


def _ranking_loss(energy, past):
    """Hinge on neighbours of the batch: of two samples that with the lower past loss has the higher energy.

    The margin is the difference of their losses.
    """
    gap, apart = energy - energy.roll(-1), past - past.roll(-1)
    return torch.relu(torch.sign(apart) * gap + apart.abs()).mean()


def _dempster(alphas):
    """Dirichlet parameters of the combined opinion of two views."""
    (b1, u1), (b2, u2) = (_opinion(alpha) for alpha in alphas)
    conflict = b1.sum(1, keepdim=True) * b2.sum(1, keepdim=True) - (b1 * b2).sum(1, keepdim=True)
    belief = (b1 * b2 + b1 * u2 + b2 * u1) / (1 - conflict)
    strength = b1.shape[1] * (1 - conflict) / (u1 * u2)
    return belief * strength + 1


def _opinion(alpha):
    strength = alpha.sum(1, keepdim=True)
    return (alpha - 1) / strength, alpha.shape[1] / strength


def _evidential_loss(alpha, wanted, annealing):
    """Expected cross-entropy under the Dirichlet, and its divergence from no evidence for the wrong classes."""
    strength = alpha.sum(1, keepdim=True)
    fit = (wanted * (torch.digamma(strength) - torch.digamma(alpha))).sum(1)
    wrong = wanted + (1 - wanted) * alpha
    total = wrong.sum(1, keepdim=True)
    divergence = (
        torch.lgamma(total.squeeze(1))
        - torch.lgamma(torch.tensor(float(alpha.shape[1])))
        - torch.lgamma(wrong).sum(1)
        + ((wrong - 1) * (torch.digamma(wrong) - torch.digamma(total))).sum(1)
    )
    return (fit + annealing * divergence).mean()
