"""Contingencies as a graph of observations that actions lead from one to the other."""

from __future__ import annotations

import networkx as nx
import numpy as np

from smc._context_symbols import action_of
from smc._kernels.contexts import END


def as_graph(model):
    """Graph of a fitted `ContingencyModel`; see its `to_networkx`."""
    if model._parameters["order"] == 0:
        raise ValueError("order must be 1 to draw a graph of observations; with order=0 only actions are kept")
    contexts, cells, counts, depths = model._tree.to_rows()
    parents, symbols = np.repeat(contexts, contexts[:, -1], axis=0).T[:2]
    drawn = np.repeat(depths == 1, contexts[:, -1])
    acts = contexts[parents[drawn] - 1, 1]
    steps = np.stack([acts, symbols[drawn]], axis=1)
    table = np.full((len(steps), model._parameters["order"] + 1), END)
    table[:, :2] = steps
    probabilities = model._tree.probabilities(table, cells[drawn])
    actions = model._symbols.actions.rows[action_of(acts)]
    before, outcomes = model._symbols.observations.rows[symbols[drawn]], model._outcomes.rows[cells[drawn]]
    after = before + outcomes if model._parameters["target"] == "change" else outcomes
    graph = nx.MultiDiGraph(observation_shape=model._shape)
    for i in np.lexsort(np.hstack([actions, before, outcomes]).T[::-1]).tolist():
        act = int(actions[i, 0]) if model._n_digits == 1 else tuple(actions[i].tolist())
        count = float(counts[drawn][i]) if model._parameters["forgetting"] else round(counts[drawn][i])
        ends = (_node(row[i], model._shape) for row in (before, after))
        graph.add_edge(*ends, key=act, action=act, count=count, probability=float(probabilities[i]))
    return graph


def _node(row, shape):
    return int(row[0]) if shape == () else tuple(row.tolist())
