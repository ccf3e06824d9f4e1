"""Acting in gymnasium environments, single or vectorised, without ever joining two episodes in one step."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import islice

import numpy as np
from tqdm import tqdm

from topology._validation import check_integer


def collect(env, policy, n, seed, group):
    """Record `n` steps.

    Returns
    -------
    observation, next_observation : dict of str to ndarray (n, ...)
    action : ndarray (n,) of integers or (n, d)
    labels : ndarray (n,)
    """
    n, seed = check_integer("n", n, 1), check_integer("seed", seed, 0)
    if not (hasattr(env, "reset") and hasattr(env, "step")):
        raise TypeError(f"env must be a gymnasium Env or VectorEnv; got {type(env).__name__}")
    if policy is not None and not callable(policy):
        raise TypeError(f"policy must be None or callable(observation, rng); got {type(policy).__name__}")
    # An environment seeds its own generator with `seed`; the same stream must not drive the policy too.
    policy_seed = np.random.SeedSequence(seed).spawn(1)[0]
    act = _random_actions(env, policy_seed) if policy is None else _bind(policy, np.random.default_rng(policy_seed))
    learn = getattr(policy, "learn", None)
    steps = (_vector_steps if hasattr(env, "num_envs") else _single_steps)(env, act, learn, seed, group)
    columns = None
    for row, step in enumerate(tqdm(islice(steps, n), total=n, desc="acting", unit=" steps", delay=2, disable=None)):
        observation, action, following, label = step
        if columns is None:
            columns = _allocate(n, observation), _allocate(n, {"action": action}), _allocate(n, following), [None] * n
        _write(columns[0], row, observation, "observation")
        _write(columns[1], row, {"action": action}, "action")
        _write(columns[2], row, following, "observation")
        columns[3][row] = label
    return columns[0], columns[1]["action"], columns[2], np.asarray(columns[3])


def _single_steps(env, act, learn, seed, key):
    """Yield (observation, action, next observation, label) for ever."""
    episode = 0
    observation, info = env.reset(seed=seed)
    label = episode if key is None else _first_label(info, key)
    while True:
        # A copy, for an environment may write its next observation into the same buffer.
        before = _as_dict(observation, copied=True)
        action = act(observation)
        observation, _, terminated, truncated, info = env.step(action)
        after = _as_dict(observation)
        if learn is not None:
            learn(before, action, after)
        yield before, _as_row(action), after, label
        if terminated or truncated:
            episode += 1
            observation, info = env.reset()
            label = episode if key is None else _first_label(info, key)
        elif key is not None:
            label = info.get(key, label)


def _vector_steps(env, act, learn, seed, key):
    """Yield the same, environment by environment within a step, whatever way the environments restart."""
    mode = _autoreset_mode(env)
    observation, info = env.reset(seed=seed)
    labels = np.arange(env.num_envs, dtype=object)
    n_episodes = env.num_envs
    if key is not None:
        _first_label(info, key)
        _relabel(labels, info, key)
    restarting = np.zeros(env.num_envs, bool)
    while True:
        before = _as_dict(observation, copied=True)
        actions = act(observation)
        observation, _, terminated, truncated, info = env.step(actions)
        after, ended = _as_dict(observation, copied=True), np.logical_or(terminated, truncated)
        if mode == "SAME_STEP":
            for i in np.flatnonzero(ended):
                for name, last in _as_dict(info["final_obs"][i]).items():
                    after[name][i] = last
        took = np.flatnonzero(~restarting)
        if learn is not None and len(took):
            learn(_rows(before, took), np.asarray(actions)[took], _rows(after, took))
        for i in took:
            yield _rows(before, i), _as_row(actions[i]), _rows(after, i), labels[i]
        if mode == "DISABLED" and ended.any():
            observation, info = env.reset(options={"reset_mask": ended})
        began = restarting if mode == "NEXT_STEP" else ended
        if key is None:
            labels[began] = n_episodes + np.arange(began.sum())
            n_episodes += began.sum()
        else:
            _relabel(labels, info, key)
        restarting = ended if mode == "NEXT_STEP" else restarting


def _autoreset_mode(env):
    mode = (env.metadata or {}).get("autoreset_mode")
    name = "NEXT_STEP" if mode is None else getattr(mode, "name", mode)
    if name not in ("NEXT_STEP", "SAME_STEP", "DISABLED"):
        raise ValueError(f"env.metadata['autoreset_mode'] must be a gymnasium AutoresetMode; got {mode!r}")
    return name


def _first_label(info, key):
    if key not in info:
        raise ValueError(f"group must be a key of the environment's info, one of {sorted(info)}; got {key!r}")
    return info[key]


def _relabel(labels, info, key):
    """Take over the labels that this step's info gives; the others stay."""
    if key in info:
        given = np.broadcast_to(info.get(f"_{key}", True), labels.shape)
        labels[given] = np.asarray(info[key], dtype=object)[given]


def _random_actions(env, seed_sequence):
    space = copy.deepcopy(env.action_space)
    space.seed(int(seed_sequence.generate_state(1)[0]))
    return lambda observation: space.sample()


def _bind(policy, rng):
    return lambda observation: policy(observation, rng)


def _rows(senses, index):
    return {name: sense[index] for name, sense in senses.items()}


def _as_dict(observation, copied=False):
    senses = observation if isinstance(observation, Mapping) else {"observation": observation}
    senses = {name: np.array(sense) if copied else np.asarray(sense) for name, sense in senses.items()}
    for name, sense in senses.items():
        if sense.dtype.kind not in "biuf":
            raise TypeError(f"env must observe numeric arrays or a flat Dict of them; {name!r} is {sense.dtype}")
    return senses


def _as_row(action):
    row = np.asarray(action)
    if row.dtype.kind not in "iuf":
        raise TypeError(f"actions must be numbers or numeric arrays; got {type(action).__name__} of {row.dtype}")
    return row if row.ndim == 0 and row.dtype.kind != "f" else row.reshape(-1)


def _allocate(n, row):
    return {name: np.empty((n, *value.shape), value.dtype) for name, value in row.items()}


def _write(columns, row, values, what):
    for name, column in columns.items():
        if values[name].shape != column.shape[1:]:
            raise ValueError(
                f"{what} {name!r} changed its shape from {column.shape[1:]} to {values[name].shape} on the way"
            )
        if not np.can_cast(values[name].dtype, column.dtype, "same_kind"):
            raise TypeError(f"{what} {name!r} changed its type from {column.dtype} to {values[name].dtype} on the way")
        column[row] = values[name]
