"""The ways to fuse two senses that the experiment compares; all read the same experts."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SENSES = ("image", "points")
FLOOR = 1e-12


def logistic(C, columns=slice(0, None)):
    """Logistic regression on the given columns of a sense's embedding, standardised."""
    read = ColumnTransformer([("read", StandardScaler(), columns)])
    return make_pipeline(read, LogisticRegression(C=C, tol=1e-3, max_iter=500))


def folds(y, objects):
    """Splits that leave whole objects out; with one object per class, only views of it can be left out."""
    per_class = min(len(np.unique(objects[y == c])) for c in np.unique(y))
    if per_class > 1:
        return list(StratifiedGroupKFold(min(3, per_class)).split(y, y, objects))
    return list(StratifiedKFold(2).split(y, y))


def expert(y, objects, C, columns=slice(0, None)):
    """Logistic regression, temperature-calibrated on objects left out of its fit."""
    return CalibratedClassifierCV(logistic(C, columns), method="temperature", cv=folds(y, objects), ensemble=False)


def expert_accuracy(X, y, objects, C, columns):
    return cross_val_score(logistic(C, columns), X, y, cv=folds(y, objects)).mean()


def discounted(P, r):
    """Log-probabilities of experts P (n_senses, n, C), each believed only as far as r (n_senses, n) goes."""
    believed = r[..., None] * P + (1 - r[..., None]) / P.shape[-1]
    return np.log(np.maximum(believed, FLOOR)).sum(0)


def powered(P, w):
    return (w[..., None] * np.log(np.maximum(P, FLOOR))).sum(0)


def normalised_confidence(P):
    """1 - entropy / log C of calibrated experts: the share of the possible certainty that each row has."""
    return np.maximum(1 + (P * np.log(np.maximum(P, FLOOR))).sum(-1) / np.log(P.shape[-1]), 0)


def static_weights(accuracy, n_classes):
    """Log-odds of each sense's cross-validated accuracy against chance, scaled to a largest weight of 1."""
    a = np.clip(np.asarray(accuracy), 1 / n_classes + 1e-3, 1 - 1e-3)
    odds = np.log(a * (n_classes - 1) / (1 - a))
    return odds / odds.max()


class NeighbourDensity:
    """Distance to the k-th stored sample as a log density up to a constant; keeps every sample."""

    def __init__(self, n_neighbors=10):
        self.n_neighbors = n_neighbors

    def get_params(self, deep=True):
        return {"n_neighbors": self.n_neighbors}

    def set_params(self, **parameters):
        self.__dict__.update(parameters)
        return self

    def fit(self, X, y=None):
        self.neighbours_ = NearestNeighbors(n_neighbors=self.n_neighbors).fit(X)
        return self

    def score_samples(self, X):
        return -np.log(self.neighbours_.kneighbors(X)[0][:, -1] + FLOOR)


class TrainedFusion:
    """Networks that learn to fuse: features concatenated ("concat") or weighted by a gate ("gate").

    Trained with modality dropout on labelled views, plain and with self-made sensor noise (Neverova et al. 2016,
    ModDrop; the gate after Arevalo et al. 2017).
    """

    def __init__(self, kind, *, n_hidden=64, n_steps=150, dropout=0.25, seed=0):
        self.kind, self.n_hidden, self.n_steps, self.dropout, self.seed = kind, n_hidden, n_steps, dropout, seed

    def fit(self, X: list[np.ndarray], y):
        generator = torch.Generator().manual_seed(self.seed)
        self.scalers_ = [StandardScaler().fit(x) for x in X]
        inputs, targets = self._scaled(X), torch.as_tensor(y)
        widths, n_classes = [x.shape[1] for x in inputs], int(y.max()) + 1
        sizes = {
            "concat": [(sum(widths), self.n_hidden), (self.n_hidden, n_classes)],
            "gate": [(w, n_classes) for w in widths] + [(sum(widths), len(widths))],
        }[self.kind]
        self.layers_ = [
            (
                (torch.randn(i, o, generator=generator) / i**0.5).requires_grad_(),
                torch.zeros(o, requires_grad=True),
            )
            for i, o in sizes
        ]
        optimiser = torch.optim.AdamW([p for layer in self.layers_ for p in layer], lr=5e-3, weight_decay=1e-2)
        for _ in range(self.n_steps):
            rows = torch.randint(len(targets), (256,), generator=generator)
            # At most one sense is dropped from a row.
            which = torch.rand(len(rows), generator=generator)
            batch = [x[rows] * (torch.floor(which / self.dropout) != m)[:, None].float() for m, x in enumerate(inputs)]
            loss = torch.nn.functional.cross_entropy(self._logits(batch), targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return self

    def log_proba(self, X: list[np.ndarray]) -> np.ndarray:
        with torch.no_grad():
            return torch.log_softmax(self._logits(self._scaled(X)), -1).numpy()

    def _scaled(self, X):
        return [torch.as_tensor(s.transform(x), dtype=torch.float32) for s, x in zip(self.scalers_, X, strict=True)]

    def _logits(self, inputs):
        def linear(x, layer):
            return x @ layer[0] + layer[1]

        joined = torch.cat(inputs, 1)
        if self.kind == "concat":
            return linear(torch.relu(linear(joined, self.layers_[0])), self.layers_[1])
        gates = torch.softmax(linear(joined, self.layers_[-1]), -1)
        beliefs = [torch.log_softmax(linear(x, layer), -1) for x, layer in zip(inputs, self.layers_, strict=False)]
        return sum(gates[:, m : m + 1] * belief for m, belief in enumerate(beliefs))
