"""Several scored hypotheses for plain arrays, as a scikit-learn estimator."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data
from torch import nn
from tqdm import tqdm

from smc.encoders._runtime import seeded, torch_threads
from smc.hypotheses._density import HypothesisDensity
from smc.hypotheses._head import MultiHypothesisHead
from smc.hypotheses._regressor_file import load_regressor, save_regressor
from topology._validation import check_integer, check_magnitude, check_matrix, check_real

BANDWIDTHS = (1e-3, 1.0)  # searched, in units of the spread of the targets


class TrainingState(NamedTuple):
    """What `fit` shows its callback after every epoch."""

    loss: float
    progress: float
    predict_hypotheses: Callable


class MultiHypothesisRegressor(RegressorMixin, BaseEstimator):
    """What may happen, in K scored hypotheses, from a small network with a `MultiHypothesisHead`.

    Everything runs on one thread, so that one seed gives the same bits on one machine.

    Parameters
    ----------
    n_hypotheses : int, default=10
    assignment : str, Annealed or callable, default="neural_gas"
        See `MultiHypothesisHead`. Targets are centred and divided by their common spread before they are learned; a
        temperature is in squares of that unit.
    hidden : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    n_epochs : int, default=100
    batch_size : int, default=128
    learning_rate : float, default=3e-3
        Of Adam, at the start; it falls to 0 along a cosine.
    score_weight, rejection, distance
        See `MultiHypothesisHead`.
    calibration_fraction : float in (0, 1), default=0.1
        Share of the samples that is not trained on: it calibrates the scores and chooses the bandwidth.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    trunk_, head_ : torch modules, in double precision, of scaled inputs and targets
    bandwidth_ : float
        Standard deviation of the kernels that gave the samples kept apart the highest likelihood.
    n_outputs_ : int
    n_features_in_ : int

    References
    ----------
    Letzelter et al. (2023), Resilient multiple choice learning, NeurIPS.
    """

    def __init__(
        self,
        n_hypotheses=10,
        assignment="neural_gas",
        *,
        hidden=(64, 64),
        n_epochs=100,
        batch_size=128,
        learning_rate=3e-3,
        score_weight=1.0,
        rejection="all",
        distance="squared",
        calibration_fraction=0.1,
        random_state=None,
    ):
        self.n_hypotheses = n_hypotheses
        self.assignment = assignment
        self.hidden = hidden
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.score_weight = score_weight
        self.rejection = rejection
        self.distance = distance
        self.calibration_fraction = calibration_fraction
        self.random_state = random_state

    def fit(self, X, y, *, callback=None):
        """Learn from single targets or from target sets.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
        y : array-like (n_samples,), (n_samples, n_outputs) or (n_samples, M, n_outputs)
            With three dimensions, sets of up to M targets; an entry that is NaN throughout is no target.
        callback : callable (state, step), optional
            Called after every epoch with the loss, the progress and `predict_hypotheses` as it is then; True stops.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Parameters out of range, fewer than 2 samples, a sample without target, NaN, infinity, or numbers whose
            squares could not be added up.
        """
        self._check_parameters()
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be None or callable, got {callback!r}")
        X, targets, mask = self._check_data(X, y)
        rng = check_random_state(self.random_state)
        order = rng.permutation(len(X))
        n_apart = min(max(1, round(self.calibration_fraction * len(X))), len(X) - 1)
        apart, train = order[:n_apart], order[n_apart:]
        self._measure_scales(X[train], targets[train][mask[train]])
        inputs = torch.from_numpy((X - self._x_mean) / self._x_scale)
        goals = torch.from_numpy(np.where(mask[..., None], (targets - self._y_mean) / self._y_scale, 0.0))
        mask = torch.from_numpy(mask)
        self._build(rng.randint(2**31))
        with torch_threads(1):
            self._train(inputs[train].float(), goals[train].float(), mask[train], rng, callback)
            self.trunk_.double().eval()
            self.head_.double()
            with torch.no_grad():
                features = self.trunk_(inputs[apart])
                self.head_.calibrate_scores(features, goals[apart], mask[apart])
                self.bandwidth_ = self._y_scale * best_bandwidth(self.head_(features), goals[apart], mask[apart])
        return self

    def predict(self, X):
        """Mean of the hypotheses by their scores: the conditional mean, (n_samples,) or (n_samples, n_outputs)."""
        hypotheses, scores = self.predict_hypotheses(X)
        weights = np.maximum(scores, np.finfo(scores.dtype).tiny)
        means = np.einsum("nk,nkd->nd", weights / weights.sum(axis=1, keepdims=True), hypotheses)
        return means[:, 0] if self._flat else means

    def predict_hypotheses(self, X):
        """Hypotheses and how probable each is.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        hypotheses : ndarray (n_samples, n_hypotheses, n_outputs)
        scores : ndarray (n_samples, n_hypotheses)
            Probability that the cell of a hypothesis is hit; rows need not sum to 1.
        """
        check_is_fitted(self, "bandwidth_")
        return self._ask(validate_data(self, X, reset=False, dtype=np.float64))

    def predict_density(self, x, *, kind="kernel", bandwidth=None):
        """`HypothesisDensity` of the outcome of one input.

        Parameters
        ----------
        x : array-like (n_features,)
        kind : {"kernel", "voronoi"}, default="kernel"
        bandwidth : float > 0, default=None
            None: `bandwidth_`.
        """
        check_is_fitted(self, "bandwidth_")
        if np.shape(x) not in ((self.n_features_in_,), (1, self.n_features_in_)):
            raise ValueError(f"x must be one input of shape ({self.n_features_in_},), got shape {np.shape(x)}")
        hypotheses, scores = self.predict_hypotheses(np.reshape(x, (1, -1)))
        bandwidth = self.bandwidth_ if bandwidth is None else bandwidth
        return HypothesisDensity(hypotheses[0], scores[0], kind=kind, bandwidth=bandwidth)

    def save(self, path):
        """Write the fitted regressor to a file that `load` reads; it then predicts the same bits on the same machine.

        A `random_state` that is not an int is not stored.

        Raises
        ------
        TypeError
            `assignment` is a function of one's own, alone or in an `Annealed`.
        """
        check_is_fitted(self, "bandwidth_")
        save_regressor(path, self)

    @classmethod
    def load(cls, path):
        """Read a regressor written by `save`.

        Raises
        ------
        FileNotFoundError
        topology.storage.CorruptFileError
            The file is damaged, of another kind, or its values cannot belong to a regressor.
        """
        return load_regressor(cls, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _ask(self, X):
        dtype = self.head_.linear.weight.dtype
        with torch_threads(1), torch.no_grad():
            prediction = self.head_(self.trunk_(torch.from_numpy((X - self._x_mean) / self._x_scale).to(dtype)))
            hypotheses, scores = prediction.hypotheses.double().numpy(), prediction.scores.double().numpy()
        return self._y_mean + self._y_scale * hypotheses, scores

    def _check_parameters(self):
        for name in ("n_hypotheses", "n_epochs", "batch_size"):
            check_integer(name, getattr(self, name), 1)
        if not isinstance(self.hidden, (tuple, list)):
            raise TypeError(f"hidden must be a tuple of widths, such as (64, 64), got {self.hidden!r}")
        for i, width in enumerate(self.hidden):
            check_integer(f"hidden[{i}]", width, 1)
        check_real("learning_rate", self.learning_rate, 0, open_low=True)
        check_real("calibration_fraction", self.calibration_fraction, 0, 1, open_low=True, open_high=True)

    def _check_data(self, X, y):
        """X (n, n_features), targets (n, M, d) with NaN where there is none, and the mask (n, M) of those there are."""
        if np.asarray(y).ndim == 3:
            X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            targets = check_array(
                y, dtype=np.float64, allow_nd=True, ensure_all_finite="allow-nan", ensure_min_samples=0, input_name="y"
            )
            check_consistent_length(X, targets)
            missing = np.isnan(targets)
            mask = ~missing.all(axis=2)
            if (missing.any(axis=2) & mask).any():
                raise ValueError("y must hold targets that are finite, or NaN throughout where there is none")
            if not mask.any(axis=1).all():
                raise ValueError("y must hold at least one target for every sample, got an empty set")
            self._flat = False
        else:
            X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2)
            self._flat = y.ndim == 1
            targets = y.reshape(len(y), 1, -1).astype(np.float64)
            mask = np.ones(targets.shape[:2], dtype=bool)
        check_magnitude("X", X, np.float64)
        check_magnitude("y", targets[mask], np.float64)
        self.n_outputs_ = targets.shape[2]
        return X, targets, mask

    def _measure_scales(self, X, targets):
        self._x_mean, deviations = X.mean(axis=0), X.std(axis=0)
        self._x_scale = np.where(deviations > 0, deviations, 1.0)
        self._y_mean = targets.mean(axis=0)
        # One unit for all outputs: cells are those of distances in the units of y.
        self._y_scale = float(np.sqrt(targets.var(axis=0).mean())) or 1.0

    def _build(self, seed):
        widths = (self.n_features_in_, *self.hidden)
        with seeded(seed):
            layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
        self.trunk_ = nn.Sequential(*layers)
        self.head_ = MultiHypothesisHead(
            self.n_hypotheses, self.assignment, n_features=widths[-1], n_outputs=self.n_outputs_,
            distance=self.distance, score_weight=self.score_weight, rejection=self.rejection, seed=seed + 1,
        )  # fmt: skip

    def _train(self, inputs, goals, mask, rng, callback):
        parameters = [*self.trunk_.parameters(), *self.head_.parameters()]
        optimiser = torch.optim.Adam(parameters, self.learning_rate, fused=True)
        n_batches = math.ceil(len(inputs) / self.batch_size)
        n_steps, step = self.n_epochs * n_batches, 0
        for _ in tqdm(range(self.n_epochs), desc="epochs", delay=2, disable=None, leave=False):
            for batch in np.array_split(rng.permutation(len(inputs)), n_batches):
                for group in optimiser.param_groups:
                    group["lr"] = self.learning_rate * (1 + math.cos(math.pi * step / n_steps)) / 2
                prediction = self.head_(self.trunk_(inputs[batch]))
                loss = self.head_.loss(prediction, goals[batch], mask[batch], progress=step / n_steps).total
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                step += 1
            if callback is not None and callback(TrainingState(loss.item(), step / n_steps, self._look), step):
                break

    def _look(self, X):
        return self._ask(check_matrix("X", X, n_columns=self.n_features_in_).astype(np.float64))


def best_bandwidth(prediction, goals, mask):
    """Width of equal Gaussians on the hypotheses under which the targets are most probable."""
    rows, places = mask.nonzero(as_tuple=True)
    squares = (prediction.hypotheses[rows] - goals[rows, places][:, None]).square().sum(dim=2).numpy()
    log_mass = torch.log_softmax(nn.functional.logsigmoid(prediction.logits[rows]), dim=1).numpy()
    n_outputs = goals.shape[2]

    def surprise(log_width):
        return n_outputs * log_width - logsumexp(log_mass - squares / (2 * math.exp(2 * log_width)), axis=1).mean()

    return math.exp(minimize_scalar(surprise, bounds=np.log(BANDWIDTHS), method="bounded").x)
