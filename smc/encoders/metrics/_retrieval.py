"""Does a prediction single out the view that the action leads to, among the other views of the same object?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from smc.encoders._embedding import embed
from smc.encoders._equivariance import EquivarianceModule
from smc.encoders._runtime import evaluating
from smc.encoders.metrics._views import check_views, ordered_pairs


class Retrieval(NamedTuple):
    """How well the target is found, per object; of equally similar views each is as likely to be taken as another.

    Attributes
    ----------
    hit_at_1, reciprocal_rank : ndarray (n_objects,)
        Share of predictions to which the target is nearest; mean of 1 / rank of the target (its mean is the MRR).
    """

    hit_at_1: np.ndarray
    reciprocal_rank: np.ndarray


class Consequences(NamedTuple):
    """What a module's predictor knows of the consequences of actions, beside what needs no knowledge of them.

    Attributes
    ----------
    prediction, identity, shuffled : Retrieval
        With the prediction; with the view before the action in its place; with the actions of other pairs of views.
    chance : Retrieval
        Of a guess, each a number.
    gain, shuffled_gain : ndarray (n_objects,)
        `equivariance_gain` of the prediction, and with the actions of other pairs of views. Where an action changes
        nothing that is sensed the two are equal but for chance, whatever the predictor learned.
    """

    prediction: Retrieval
    identity: Retrieval
    shuffled: Retrieval
    chance: Retrieval
    gain: np.ndarray
    shuffled_gain: np.ndarray


def retrieval(predicted, views, source, target) -> Retrieval:
    """Rank the views of each object, the source left out, by their cosine with a prediction.

    Parameters
    ----------
    predicted : ndarray (n_objects, n_predictions, d)
        Unit vectors.
    views : ndarray (n_objects, n_views, d)
        Unit vectors.
    source, target : array of int (n_predictions,)
        Views from which and to which each prediction goes, never the same.

    Returns
    -------
    Retrieval
    """
    similarity = np.einsum("opd,ovd->opv", predicted, views)
    n_predictions, n_views = similarity.shape[1:]
    true = np.take_along_axis(similarity, np.asarray(target)[None, :, None], axis=2)
    rival = np.ones((n_predictions, n_views), bool)
    rival[np.arange(n_predictions), source] = rival[np.arange(n_predictions), target] = False
    better = ((similarity > true) & rival).sum(axis=2)
    equal = ((similarity == true) & rival).sum(axis=2)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n_views + 1))])
    hit = np.where(better == 0, 1 / (1 + equal), 0.0)
    reciprocal = (harmonic[better + equal + 1] - harmonic[better]) / (1 + equal)
    return Retrieval(hit.mean(axis=1), reciprocal.mean(axis=1))


def chance(n_views) -> Retrieval:
    """Hit at 1 and mean reciprocal rank of a guess among the other views of an object."""
    n_rivals = n_views - 1
    return Retrieval(np.array(1 / n_rivals), np.mean(1 / np.arange(1, n_rivals + 1)))


def equivariance_gain(predicted, target, source) -> np.ndarray:
    """cos(target, predicted) - cos(target, source): what a prediction gains over "nothing has changed".

    After Devillers & Lefort (2023). A representation that is invariant scores 0, however well it is predicted.

    Parameters
    ----------
    predicted, target, source : ndarray (..., d)
        Unit vectors: what was predicted, what was sensed after the action, what before it.

    Returns
    -------
    ndarray (...)
    """
    return (target * (predicted - source)).sum(axis=-1)


def consequences(module, X, action, *, random_state=0, embeddings=None) -> Consequences:
    """Retrieval and gain of a module's predictions between all views of objects, with their nulls.

    Parameters
    ----------
    module : EquivarianceModule
    X : ndarray (n_objects, n_views, ...)
        Images or clouds of at least 3 views of each object.
    action : ndarray (n_objects, n_views, n_views, action_dim)
        ``action[o, i, j]`` leads from view i of object o to view j; in the units of training. With poses p whose
        differences are the actions: ``p[:, None] - p[:, :, None]``.
    random_state : int, default=0
        Of the permutation of actions over all pairs.
    embeddings : ndarray (n_objects, n_views, dim), optional
        ``embed(module, X, "equivariance")`` where it is known already.

    Returns
    -------
    Consequences
    """
    if not isinstance(module, EquivarianceModule):
        raise TypeError(f"module must be an EquivarianceModule, got {type(module).__name__}")
    X, action = check_views(X, action, least_views=3)
    n_objects, n_views = X.shape[:2]
    if embeddings is None:
        embeddings = embed(module, X.reshape(-1, *X.shape[2:]), "equivariance")
    y = np.asarray(embeddings).reshape(n_objects, n_views, module.dim)
    i, j = ordered_pairs(n_views)
    told = action[:, i, j]
    rows = np.random.default_rng(random_state).permutation(told.shape[0] * told.shape[1])
    shuffled = told.reshape(-1, told.shape[2])[rows].reshape(told.shape)
    predicted, mistaken = (_predict(module, y[:, i], a) for a in (told, shuffled))
    return Consequences(
        *(retrieval(guess, y, i, j) for guess in (predicted, y[:, i], mistaken)),
        chance(n_views),
        *(equivariance_gain(guess, y[:, j], y[:, i]).mean(axis=1) for guess in (predicted, mistaken)),
    )


def _predict(module, y, action):
    """Predictions (n_objects, n_pairs, dim) from embeddings that are known already."""
    flat = [torch.from_numpy(np.ascontiguousarray(x.reshape(-1, x.shape[-1]), np.float32)) for x in (y, action)]
    with evaluating(module):
        return module.predictor(*flat).numpy().reshape(y.shape)
