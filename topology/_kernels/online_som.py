"""Online training of a self-organising map: the winner of one sample, then every unit moves, then the next sample."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.minima import smallest_of
from topology._kernels.pulls import new_tables, pull_from
from topology._kernels.search import COSINE, LANES, MANHATTAN, padded, scale_to_unit, squared_distance, squared_norm

SPREAD_MEMORY = 100.0  # samples won over which the mean squared distance of a stream forgets

# One map in training. weights (n_features, n_units) for `train`, (n_units, n_features) for `train_on_sphere` and
# `deferred.train_deferred`; counts, spreads (n_units,); clock (2,): samples seen, sum of the distances to the winners
OnlineMap = namedtuple("OnlineMap", "weights counts spreads clock")


@kernel()
def note(som, winner, square, metric):
    """The winner's books."""
    som.counts[winner] += 1
    som.spreads[winner] += (square - som.spreads[winner]) / min(som.counts[winner], SPREAD_MEMORY)
    som.clock[0] += 1
    som.clock[1] += square / 2 if metric == COSINE else np.sqrt(square)


@kernel()
def train(som, rule, X, order):
    """Present X[order], one sample after the other: winner, then every unit moves by rate * neighbourhood * difference.

    The move towards one sample and the search of the next one's winner go over the units together.
    """
    n_units = som.counts.shape[0]
    tables = new_tables(rule, som.weights)
    pulls = np.zeros(n_units, som.weights.dtype)
    scores = np.full(padded(n_units), np.inf, som.weights.dtype)
    low, halves = np.empty(LANES, som.weights.dtype), np.empty(LANES, som.weights.dtype)
    move_and_measure(som.weights, pulls, X, order[0], order[0], rule.metric, scores)
    for t in range(order.shape[0]):
        winner = smallest_of(scores, low, halves)
        square = scores[winner]
        pull_from(winner, som.clock[0], rule, tables, pulls)
        note(som, winner, square * square if rule.metric == MANHATTAN else square, rule.metric)
        following = order[min(t + 1, order.shape[0] - 1)]
        move_and_measure(som.weights, pulls, X, order[t], following, rule.metric, scores)


@kernel()
def move_and_measure(weights, pulls, X, row, following, metric, scores):
    """Move every unit by its pull towards X[row]; scores: its squared distance to X[following] then (L1: distance)."""
    if metric == COSINE:
        for i in range(weights.shape[0]):
            if pulls[i] > 0:
                move_on_sphere(weights, i, pulls[i], X, row)
            scores[i] = squared_distance(weights, i, X, following)
        return
    n_features = weights.shape[0]
    scores[: pulls.shape[0]] = 0
    whole = 0
    if metric != MANHATTAN:
        whole = n_features // 4 * 4
        for k in range(0, whole, 4):
            move_four_columns(weights[k : k + 4], pulls, X[row, k : k + 4], X[following, k : k + 4], scores)
    for k in range(whole, n_features):
        move_column(weights[k], pulls, X[row, k], X[following, k], metric == MANHATTAN, scores)


@kernel()
def move_four_columns(columns, pulls, target, following, scores):
    """Four features of all units at once: every score is read and written once for them."""
    w0, w1, w2, w3 = columns[0], columns[1], columns[2], columns[3]
    x0, x1, x2, x3 = target[0], target[1], target[2], target[3]
    y0, y1, y2, y3 = following[0], following[1], following[2], following[3]
    for i in range(np.uint64(pulls.shape[0])):
        p = pulls[i]
        v0, v1, v2, v3 = (
            w0[i] + p * (x0 - w0[i]),
            w1[i] + p * (x1 - w1[i]),
            w2[i] + p * (x2 - w2[i]),
            w3[i] + p * (x3 - w3[i]),
        )
        w0[i], w1[i], w2[i], w3[i] = v0, v1, v2, v3
        scores[i] += (v0 - y0) * (v0 - y0) + (v1 - y1) * (v1 - y1) + (v2 - y2) * (v2 - y2) + (v3 - y3) * (v3 - y3)


@kernel()
def move_column(w, pulls, target, following, absolute, scores):
    for i in range(np.uint64(pulls.shape[0])):
        v = w[i] + pulls[i] * (target - w[i])
        w[i] = v
        scores[i] += abs(v - following) if absolute else (v - following) * (v - following)


@kernel()
def move_on_sphere(weights, i, pull, X, row):
    for k in range(X.shape[1]):
        weights[i, k] += pull * (X[row, k] - weights[i, k])
    if squared_norm(weights, i) == 0:  # midway between opposite vectors there is no direction
        for k in range(X.shape[1]):
            weights[i, k] = X[row, k]
    scale_to_unit(weights, i, weights, i)
