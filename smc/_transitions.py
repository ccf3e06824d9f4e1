"""Single steps of an agent, as arrays: what it sensed, what it did, what it sensed next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from smc._episode_files import EpisodeRows, read_episodes
from smc._rollout import collect


@dataclass(frozen=True, eq=False)
class Transitions:
    """Steps (observation, action, next observation) of one or many episodes, in any order.

    The data type that contingency models and encoders learn from. Arrays are kept as they are given, without a copy.

    Parameters
    ----------
    observation : dict of str to array (n, ...)
        What each modality sensed before the action: real, integer or boolean arrays, finite.
    action : array (n, d), or (n,) of integers
        What was done: vectors, or the numbers of discrete actions.
    next_observation : dict of str to array (n, ...)
        What the same modalities sensed after the action, in the same shapes.
    group : array (n,) of integers or str, optional
        A label per step, such as the episode or the object: steps that share it are not independent.

    Raises
    ------
    TypeError
        If `observation` or `next_observation` is no dict, or an array is not numeric.
    ValueError
        If an array is empty, not finite, or differs from the others in length, modalities or shape.

    Examples
    --------
    >>> import numpy as np
    >>> steps = Transitions({"touch": np.zeros((3, 2))}, np.array([0, 1, 1]), {"touch": np.ones((3, 2))})
    >>> len(steps[1:])
    2
    """

    observation: dict
    action: np.ndarray
    next_observation: dict
    group: np.ndarray | None = None

    def __post_init__(self):
        observation = _as_senses("observation", self.observation)
        next_observation = _as_senses("next_observation", self.next_observation)
        if observation.keys() != next_observation.keys():
            raise ValueError(
                "next_observation must have the modalities of observation, "
                f"{sorted(observation)}; got {sorted(next_observation)}"
            )
        action = _as_action(self.action)
        for side, senses in (("observation", observation), ("next_observation", next_observation)):
            for name, array in senses.items():
                if len(array) != len(action):
                    raise ValueError(f"{side}[{name!r}] has {len(array)} steps, action has {len(action)}: must agree")
        for name, array in observation.items():
            if next_observation[name].shape != array.shape:
                raise ValueError(
                    f"next_observation[{name!r}] has shape {next_observation[name].shape}, "
                    f"observation[{name!r}] has {array.shape}: must agree"
                )
        group = None if self.group is None else _as_group(self.group, len(action))
        checked = {"observation": observation, "action": action, "next_observation": next_observation, "group": group}
        for field, value in checked.items():
            object.__setattr__(self, field, value)

    def __len__(self):
        return len(self.action)

    def __getitem__(self, index):
        """Return the steps of a slice, a boolean mask (n,) or an array of row numbers, as `Transitions`."""
        if not isinstance(index, slice):
            index = _as_index(index, len(self))
        return Transitions(
            {name: array[index] for name, array in self.observation.items()},
            self.action[index],
            {name: array[index] for name, array in self.next_observation.items()},
            None if self.group is None else self.group[index],
        )

    def __repr__(self):
        senses = ", ".join(f"{name} {array.shape[1:]}" for name, array in self.observation.items())
        return f"Transitions(n={len(self)}, observation: {senses}; action {self.action.shape[1:]})"

    @staticmethod
    def concatenate(parts: Iterable[Transitions]) -> Transitions:
        """Join several `Transitions` with the same modalities, in the given order.

        Group labels are kept as they are, so make them unique beforehand; either all parts have them or none.
        """
        parts = list(parts)
        if not parts:
            raise ValueError("parts must hold at least one Transitions; got none")
        for part in parts:
            if not isinstance(part, Transitions):
                raise TypeError(f"parts must hold Transitions; got {type(part).__name__}")
            if part.observation.keys() != parts[0].observation.keys():
                raise ValueError(
                    f"parts must share their modalities; got {sorted(parts[0].observation)} "
                    f"and {sorted(part.observation)}"
                )
        with_group = [part.group is not None for part in parts]
        if any(with_group) and not all(with_group):
            raise ValueError("parts must all have a group, or none of them")
        names = parts[0].observation
        return Transitions(
            {name: np.concatenate([part.observation[name] for part in parts]) for name in names},
            np.concatenate([part.action for part in parts]),
            {name: np.concatenate([part.next_observation[name] for part in parts]) for name in names},
            np.concatenate([part.group for part in parts]) if all(with_group) else None,
        )

    @classmethod
    def from_env(cls, env, policy, n: int, seed: int, *, group: str | None = None) -> Transitions:
        """Let a policy act in a gymnasium environment and record `n` steps.

        Ends of episodes are never crossed: a step to a final observation is recorded, the jump to the next
        episode's first observation is not.

        Parameters
        ----------
        env : gymnasium.Env or gymnasium.vector.VectorEnv
            Observations are a Dict, one modality per key, or one array, recorded as the modality ``"observation"``.
        policy : callable or None
            ``policy(observation, rng) -> action``, with batches of both for a vector environment, as those of
            `smc.policies`; if it has ``learn(observation, action, next_observation)``, that is called after every
            step. None draws from the action space.
        n : int
            Number of steps, at least 1.
        seed : int
            Seeds the environment and, apart from it, the policy: the same seed gives the same steps.
        group : str, optional
            Key of the environment's info whose value labels each step; without it the number of the episode.

        Returns
        -------
        Transitions
            Multi-dimensional actions are flattened to ``(n, d)``.
        """
        return cls(*collect(env, policy, n, seed, group))

    @classmethod
    def from_folder(cls, path) -> Transitions:
        """Read recorded episodes from a folder of ``.npz`` files, one file per episode.

        Each file holds ``action`` (T - 1, d), or (T - 1,) of integers, and per modality an array (T, ...): what was
        sensed before the first action, and after each. `numpy.savez` writes such files.

        Observations stay on disk: they are checked once, file by file, and read when steps are taken out, as
        ``steps[rows]`` or ``steps.observation[name][rows]``. `numpy.asarray` reads all of one modality.

        Parameters
        ----------
        path : str or path-like
            Only its ``.npz`` files are read, in the order of their names.

        Returns
        -------
        Transitions
            The name of the file, without its suffix, is the group of a step.

        Raises
        ------
        NotADirectoryError
            There is no such folder.
        topology.storage.CorruptFileError
            A file is damaged.
        ValueError, TypeError
            No files, or an episode that is compressed, ragged, not numeric, not finite, or unlike the first one; the
            file is named.
        """
        return cls(*read_episodes(path))


def _as_senses(side, senses):
    if not isinstance(senses, Mapping):
        raise TypeError(
            f"{side} must be a dict of modality name to array; got {type(senses).__name__} "
            "(name a single sense, as in {'image': array})"
        )
    if not senses:
        raise ValueError(f"{side} must hold at least one modality; got an empty dict")
    return {name: _as_numeric(f"{side}[{name!r}]", array) for name, array in senses.items()}


def _as_numeric(what, array):
    if isinstance(array, EpisodeRows) and len(array):
        return array  # checked when it was read
    try:
        array = np.asanyarray(array)
    except ValueError as error:
        raise ValueError(f"{what} must have as many values in every row; got a ragged list") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what} must be a real, integer or boolean array; got dtype {array.dtype}")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{what} must have shape (n, ...) with at least one value; got {array.shape}")
    # The extremes carry every NaN and infinity, and cost no copy of a large array.
    if array.dtype.kind == "f" and not (np.isfinite(array.min()) and np.isfinite(array.max())):
        raise ValueError(f"{what} must be finite; it holds NaN or infinity")
    return array


def _as_action(action):
    action = _as_numeric("action", action)
    if action.dtype.kind == "b":
        raise TypeError("action must be real vectors or integer numbers of discrete actions; got booleans")
    if action.ndim > 2 or (action.ndim == 1 and action.dtype.kind == "f"):
        raise ValueError(
            "action must have shape (n, d), or (n,) with integers for discrete actions; "
            f"got shape {action.shape} of {action.dtype}"
        )
    return action


def _as_group(group, n):
    group = np.asanyarray(group)
    if group.dtype.kind not in "iuU":
        raise TypeError(f"group must hold integers or str; got dtype {group.dtype}")
    if group.shape != (n,):
        raise ValueError(f"group must have shape ({n},), one label per step; got {group.shape}")
    return group


def _as_index(index, n):
    index = np.asarray(index)
    if index.ndim != 1 or index.dtype.kind not in "biu":
        raise TypeError("an index of Transitions must be a slice, a boolean mask or a 1-D array of row numbers")
    if index.dtype.kind == "b" and len(index) != n:
        raise IndexError(f"the mask has {len(index)} entries for {n} steps")
    return index


def pick_modality(transitions, modality):
    """Name of the sense to learn from: the named one, or the only one."""
    if not isinstance(transitions, Transitions):
        raise TypeError(f"transitions must be smc.Transitions; got {type(transitions).__name__}")
    names = sorted(transitions.observation)
    if modality is None and len(names) == 1:
        return names[0]
    if modality not in names:
        raise ValueError(f"modality must be one of {names}; got {modality!r}")
    return modality
