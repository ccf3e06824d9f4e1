"""An encoder with two heads: one that stays when the view changes, one whose change an action predicts."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from smc.encoders._arrays import as_tensor, from_arrays, to_arrays
from smc.encoders._checks import check_action, check_heads, check_positive_integer
from smc.encoders._layers import mlp
from smc.encoders._networks import ENCODERS
from smc.encoders._runtime import evaluating, seeded
from topology import storage

HEADS = ("mid", "backbone", "invariance", "equivariance")
BRANCHES = ("own", "shared")
PREDICTORS = ("mlp", "linear")
KIND = "EquivarianceModule"
PREDICTION_BATCH = 512


class ActionPredictor(nn.Module):
    """Predicts the equivariance embedding after an action (after Devillers & Lefort 2023).

    The action is encoded by a small network; a second one computes from embedding and code what is *added* to the
    embedding, so that "nothing changes" need not be learned.

    Parameters
    ----------
    dim : int, default=64
        Size of the embedding.
    action_dim : int, default=2
        Size of an action.
    hidden : int, default=256
        Hidden units of the predictor, and twice those of the action encoder.
    kind : {"mlp", "linear"}, default="mlp"
        Whether the change is computed by a network with a hidden layer, or linearly as in EquiMod.
    seed : int, default=0
        Seed of the initial weights.
    """

    def __init__(self, dim=64, action_dim=2, *, hidden=256, kind="mlp", seed=0):
        super().__init__()
        for name, value in (("dim", dim), ("action_dim", action_dim), ("hidden", hidden)):
            check_positive_integer(name, value)
        if kind not in PREDICTORS:
            raise ValueError(f"kind of predictor must be one of {PREDICTORS}, got {kind!r}")
        with seeded(seed):
            self.encode_action = mlp(action_dim, hidden // 2, dim)
            self.change = mlp(2 * dim, hidden, dim) if kind == "mlp" else nn.Linear(2 * dim, dim)
        self.register_buffer("action_mean", torch.zeros(action_dim))
        self.register_buffer("action_gain", torch.ones(action_dim))

    def forward(self, y, action):
        """Unit vectors (B, dim) predicted from embeddings y (B, dim) and actions (B, action_dim) in their own units."""
        return F.normalize(self.advance(y, action), dim=1)

    def advance(self, y, action):
        """As `forward`, but not scaled to unit length."""
        code = self.encode_action((action - self.action_mean) * self.action_gain)
        return y + self.change(torch.cat([y, code], dim=1))

    def scale_actions(self, mean, gain):
        """Encode (action - mean) * gain, arrays (action_dim,); gain 0 makes the predictor blind to a component."""
        self.action_mean.copy_(torch.as_tensor(mean))
        self.action_gain.copy_(torch.as_tensor(gain))


class EquivarianceModule(nn.Module):
    """A trunk with an invariance head, an equivariance branch and a predictor of what an action changes.

    Invariance and equivariance pull in opposite directions, so by default they share no embedding: the invariance head
    reads the backbone, the equivariance head reads its own linear map of the trunk's last map.

    Parameters
    ----------
    encoder : ConvEncoder or PointEncoder
        The trunk; used as it is, not copied.
    action_dim : int
        Size of an action.
    dim : int, default=64
        Size of the invariance embedding z and of the equivariance embedding y.
    hidden : int, default=256
        Hidden units of the heads and of the predictor.
    branch : {"own", "shared"}, default="own"
        Whether the equivariance head reads a linear map of its own or the backbone.
    predictor : {"mlp", "linear"}, default="mlp"
        See `ActionPredictor`.
    normalisation : {"none", "batch"}, default="none"
        Whether the hidden layers of both heads are normalised over the batch, as SimCLR, BYOL and VICReg publish them.
    seed : int, default=0
        Seed of the initial weights of heads and predictor.
    """

    def __init__(
        self, encoder, action_dim, *, dim=64, hidden=256, branch="own", predictor="mlp", normalisation="none", seed=0
    ):
        super().__init__()
        if not isinstance(encoder, tuple(ENCODERS.values())):
            raise TypeError(f"encoder must be one of {', '.join(ENCODERS)}, got {type(encoder).__name__}")
        for name, value in (("action_dim", action_dim), ("dim", dim), ("hidden", hidden)):
            check_positive_integer(name, value)
        if branch not in BRANCHES:
            raise ValueError(f"branch must be one of {BRANCHES}, got {branch!r}")
        self.settings = {"action_dim": action_dim, "dim": dim, "hidden": hidden}
        self.settings |= {"branch": branch, "predictor": predictor, "normalisation": normalisation}
        self.encoder = encoder
        self.dim, self.action_dim = dim, action_dim
        with seeded(seed):
            self.invariance = mlp(encoder.dim, hidden, dim, normalisation)
            self.branch = nn.Linear(encoder.n_features, encoder.dim) if branch == "own" else None
            self.equivariance = mlp(encoder.dim, hidden, dim, normalisation)
        self.predictor = ActionPredictor(dim, action_dim, hidden=hidden, kind=predictor, seed=seed)

    def forward(self, x):
        """Invariance embedding z (B, dim) and equivariance embedding y (B, dim) of a batch, both of unit length."""
        return self.heads(self.encoder.maps(x)[1])

    def heads(self, last_map):
        """z and y, each (B, dim) of unit length, from the trunk's last map (B, n_features)."""
        z, y = self.raw_heads(last_map)
        return F.normalize(z, dim=1), F.normalize(y, dim=1)

    def raw_heads(self, last_map):
        """z and y before they are scaled to unit length."""
        backbone = self.encoder.project(last_map)
        turned = backbone if self.branch is None else self.branch(last_map)
        return self.invariance(backbone), self.equivariance(turned)

    def layers(self, x):
        """All embeddings of a batch by name: "mid", "backbone", "invariance" (z) and "equivariance" (y)."""
        early, last = self.encoder.maps(x)
        z, y = self.heads(last)
        return {**self.encoder.summarise(early, last), "invariance": z, "equivariance": y}

    def columns(self, heads):
        """Where each head lies in ``embed(module, X, heads)``.

        Parameters
        ----------
        heads : str or tuple of str
            Among "mid", "backbone", "invariance" and "equivariance".

        Returns
        -------
        dict of str to slice
        """
        sizes = dict(zip(HEADS, (self.encoder.mid_dim, self.encoder.dim, self.dim, self.dim)))
        columns, start = {}, 0
        for head in check_heads(heads, HEADS):
            columns[head] = slice(start, start + sizes[head])
            start += sizes[head]
        return columns

    def predict(self, X, action):
        """Equivariance embedding expected after an action.

        Parameters
        ----------
        X : ndarray (n, ...)
            Images or clouds, as the encoder takes them.
        action : array_like (n, action_dim)
            In the units of training.

        Returns
        -------
        ndarray (n, dim) of float32
            Unit vectors, to be compared with ``embed(module, X, "equivariance")``.
        """
        X = self.encoder.check_input(X)
        action = check_action(action, len(X), self.action_dim)
        return self._rollout(X, action[:, None])[:, 0]

    def rollout(self, X, actions):
        """Equivariance embeddings expected after each of several actions in a row, none of the frames between seen.

        Parameters
        ----------
        X : ndarray (n, ...)
            Images or clouds, as the encoder takes them.
        actions : array_like (n, n_actions, action_dim)
            In the units of training.

        Returns
        -------
        ndarray (n, n_actions, dim) of float32
            Unit vectors; the first is what `predict` gives.
        """
        X = self.encoder.check_input(X)
        actions = np.asarray(actions)
        if actions.ndim != 3 or actions.shape[1] == 0:
            raise ValueError(f"actions must have shape (n, n_actions >= 1, action_dim), got {actions.shape}")
        steps = [check_action(actions[:, k], len(X), self.action_dim, "actions") for k in range(actions.shape[1])]
        return self._rollout(X, np.stack(steps, axis=1))

    def _rollout(self, X, actions):
        out = np.empty((*actions.shape[:2], self.dim), dtype=np.float32)
        with evaluating(self):
            for start in range(0, len(X), PREDICTION_BATCH):
                rows = slice(start, start + PREDICTION_BATCH)
                y = self(as_tensor(X[rows]))[1]
                for k in range(actions.shape[1]):
                    y = self.predictor(y, torch.from_numpy(actions[rows, k].copy()))
                    out[rows, k] = y.numpy()
        return out

    def save(self, path):
        """Write weights and settings to one file, whole or not at all."""
        storage.save(path, to_arrays(self), kind=KIND, metadata=self.describe())

    def describe(self):
        """Kind and settings of encoder and heads, as JSON can hold them."""
        encoder = {"kind": type(self.encoder).__name__, **self.encoder.settings}
        if "widths" in encoder:
            encoder["widths"] = list(encoder["widths"])
        return {"encoder": encoder, "module": self.settings}

    @classmethod
    def load(cls, path):
        """Read a module written by `save`, in evaluation mode.

        Raises
        ------
        topology.storage.CorruptFileError
            If the file is damaged or holds something else.
        """
        arrays, metadata = storage.load(path, kind=KIND)
        try:
            settings = dict(metadata["encoder"])
            encoder = ENCODERS[settings.pop("kind")](**settings)
            module = cls(encoder, **metadata["module"])
        except (KeyError, TypeError, ValueError) as error:
            raise storage.CorruptFileError(f"{path}: settings that fit no module ({error})") from error
        from_arrays(module, arrays, path)
        return module.eval()
