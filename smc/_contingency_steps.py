"""Steps as arrays of whole numbers, and the steps before them."""

from __future__ import annotations

import numpy as np

LARGEST = np.iinfo(np.int64).max


def as_actions(action):
    """Actions (n, d) of int64, and whether one step was meant."""
    action = as_integers("action", action)
    if action.ndim > 2:
        raise ValueError(f"action must be an integer or have shape (n,) or (n, d); got {action.shape}")
    single = action.ndim == 0
    return action.reshape(1 if single else len(action), -1), single


def as_observations(name, observation, n, single):
    """Observations (n, ...) of int64."""
    observation = as_integers(name, observation)
    if single:
        return observation[None]
    if observation.ndim == 0 or len(observation) != n:
        raise ValueError(f"{name} must have {n} steps, one per action; got shape {observation.shape}")
    return observation


def as_history(history, shape, n_digits, n, single):
    """Observations (n, h, width) and actions (n, h, d) of earlier steps, the oldest first.

    Parameters
    ----------
    shape : tuple, of an observation
    n_digits : int, integers per action
    """
    if history is None:
        return np.empty((n, 0, int(np.prod(shape))), np.int64), np.empty((n, 0, n_digits), np.int64)
    if not isinstance(history, (tuple, list)) or len(history) != 2:
        raise TypeError("history must be a pair (observations, actions) of the steps before, the oldest first")
    observations, actions = (as_array(f"history[{i}]", part) for i, part in enumerate(history))
    if single:
        observations, actions = observations[None], actions[None]
    n_steps = actions.shape[1] if actions.ndim > 1 else -1
    digits = actions.shape[2:] or (1,)
    if observations.shape != (n, n_steps, *shape) or len(actions) != n or digits != (n_digits,):
        raise ValueError(
            f"history must hold observations of shape {('n', 'h', *shape)} and actions of shape (n, h, {n_digits}), "
            f"or (n, h) for one integer per action, with n = {n} steps that have h steps before them each (and "
            f"without n for a single step); got {np.shape(history[0])} and {np.shape(history[1])}"
        )
    if n_steps == 0:
        return as_history(None, shape, n_digits, n, single)
    observations, actions = as_integers("history[0]", observations), as_integers("history[1]", actions)
    return observations.reshape(n, n_steps, -1), actions.reshape(n, n_steps, n_digits)


def as_integers(name, values, *, cast=True):
    """Whole numbers as an array of int64, or without `cast` as they are."""
    values = as_array(name, values)
    if values.size == 0:
        raise ValueError(f"{name} must not be empty; got shape {values.shape}")
    if values.dtype.kind not in "biu":
        raise TypeError(f"{name} must hold whole numbers; got {values.dtype} (turn real values into symbols first)")
    if values.dtype == np.uint64 and values.max() > LARGEST:
        raise ValueError(f"{name} must be at most {LARGEST}; got {values.max()}")
    return values.astype(np.int64, copy=False) if cast else values


def as_array(name, values):
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must have as many values in every row; got a ragged list") from error


def previous_steps(transitions, modality):
    """Row (n,) of the step before each step of the same group, -1 for the first of a group.

    Raises
    ------
    ValueError
        If there are no groups, or a step does not begin with what the step before it ended with.
    """
    if transitions.group is None:
        raise ValueError("transitions must have a group, the episode of each step, for contexts of several steps")
    order = np.argsort(transitions.group, kind="stable")
    same = transitions.group[order][1:] == transitions.group[order][:-1]
    before, after = order[:-1][same], order[1:][same]
    ended, begun = transitions.next_observation[modality][before], transitions.observation[modality][after]
    torn = (ended != begun).any(axis=tuple(range(1, ended.ndim)))
    if torn.any():
        a, b = before[torn][0], after[torn][0]
        raise ValueError(
            f"transitions: steps {a} and {b} follow each other in group {transitions.group[a]}, but the next "
            f"observation of the first is not the observation of the second; steps of an episode must be complete and "
            f"in order"
        )
    previous = np.full(len(order), -1)
    previous[after] = before
    return previous
