"""Where the frames of a training come from: recorded transitions, or pictures looked at in several ways.

A source is called with the number of a step and with `share`, which tells the slice of n objects whose frames are
wanted (`slice` itself: all); actions and groups are those of all objects.
"""

import hashlib
from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from smc.encoders._batches import ObjectBatches

SAMPLED_FRAMES = 64  # frames whose bytes stand for the data in a checkpoint's identity
SAMPLED_ACTIONS = 4096  # drawn to know the scale of actions that are made on the way


class Sample(NamedTuple):
    """Frames in a row of B objects, all first ones before all second ones, and what was done between them.

    In one of several processes the frames are those of its share of the objects, the rest is of all.

    Attributes
    ----------
    frames : dict of str to ndarray (n_frames * B, ...)
        By sense.
    actions : ndarray (n_frames - 1, B, action_dim) of float32
    group : ndarray (B,) of int
        Which of them show the same object.
    """

    frames: dict
    actions: np.ndarray
    group: np.ndarray


class RecordedSteps:
    """Batches of transitions, or of chains of them that follow each other.

    Parameters
    ----------
    transitions : smc.Transitions
    actions : ndarray (n, d) of float32
    senses : tuple of str
    batch_size, seed : int
    n_actions : int
        Length of the chains.
    shuffled : bool
        Whether each chain is told actions of others.
    """

    def __init__(self, transitions, actions, senses, batch_size, seed, n_actions, shuffled):
        self.actions = actions
        self._told = np.random.default_rng((seed, 1)).permutation(actions) if shuffled else actions
        self._transitions, self._senses = transitions, senses
        self._chains = _chains(transitions, senses, n_actions)
        group = transitions.group
        self._batches = ObjectBatches(
            None if group is None else group[self._chains[:, 0]], len(self._chains), batch_size, seed
        )

    def __call__(self, step, share=slice):
        """`Sample` of a step; it depends on the seed and the number of the step alone."""
        starts = self._batches(step)
        rows = self._chains[starts]
        own = rows[share(len(rows))]
        frames = {sense: self._frames(sense, own) for sense in self._senses}
        return Sample(frames, self._told[rows.T], self._batches.labels[starts])

    def arrays(self):
        """Arrays that tell one set of transitions from another without reading all of it."""
        rows = np.linspace(0, len(self.actions) - 1, min(len(self.actions), SAMPLED_FRAMES)).astype(int)
        sides = (self._transitions.observation, self._transitions.next_observation)
        return [self._told, self._batches.labels, *(side[s][rows] for s in self._senses for side in sides)]

    def _frames(self, sense, rows):
        before, after = self._transitions.observation[sense], self._transitions.next_observation[sense]
        return np.concatenate([before[rows[:, 0]], *(after[column] for column in rows.T)])


class LiveSteps:
    """Batches that someone senses and acts out while they are learned from.

    Parameters
    ----------
    source : callable
        Number of a step -> `Sample`.
    actions : ndarray (n, d) of float32
        Examples that tell the scale of actions.
    senses : tuple of str
        What each step must show.
    seed : int
    n_actions : int
        How many actions in a row it must show.
    shuffled : bool
        Whether each object is told the actions of another of the same step.
    """

    def __init__(self, source, actions, senses, seed, n_actions, shuffled):
        self.actions = actions
        self._source, self._senses, self._seed = source, senses, seed
        self._n_actions, self._shuffled = n_actions, shuffled

    def __call__(self, step, share=slice):
        """`Sample` of a step."""
        frames, actions, group = self._source(step)
        actions, group = np.asarray(actions, np.float32), np.asarray(group)
        n, d = len(group), self.actions.shape[1]
        missing = [sense for sense in self._senses if sense not in frames]
        if missing:
            raise ValueError(f"transitions must sense {', '.join(missing)} in step {step}, got {', '.join(frames)}")
        if actions.ndim != 3 or len(actions) < self._n_actions or actions.shape[1:] != (n, d):
            expected = f"(n_actions >= {self._n_actions}, {n}, {d})"
            raise ValueError(f"actions of step {step} of transitions must have shape {expected}, got {actions.shape}")
        for sense in self._senses:
            n_frames = (len(actions) + 1) * n
            if len(frames[sense]) != n_frames:
                raise ValueError(
                    f"{sense} of step {step} of transitions must hold {n_frames} frames, one more than actions for "
                    f"each of {n} objects; got {len(frames[sense])}"
                )
        if self._shuffled:
            actions = np.random.default_rng((self._seed, step, 2)).permutation(actions, axis=1)
        own = share(n)
        frames = {sense: _of_objects(own, frames[sense], len(actions) + 1) for sense in self._senses}
        return Sample(frames, actions, group)

    def arrays(self):
        """Arrays that tell one source from another."""
        return [self.actions]


class Looks:
    """Batches of pictures, each looked at in two ways.

    Parameters
    ----------
    pictures : AugmentedImages
    batch_size, seed : int
    shuffled : bool
        Whether each picture is told the action of another.
    """

    def __init__(self, pictures, batch_size, seed, shuffled):
        self._pictures, self._seed, self._shuffled = pictures, seed, shuffled
        self._batches = ObjectBatches(pictures.group, len(pictures), batch_size, seed)
        rng = np.random.default_rng((seed, 3))
        draw = pictures.augmentation.draw
        self.actions = pictures.action_between(draw(SAMPLED_ACTIONS, rng), draw(SAMPLED_ACTIONS, rng))

    def __call__(self, step, share=slice):
        """`Sample` of a step; it depends on the seed and the number of the step alone."""
        rows = self._batches(step)
        rng = np.random.default_rng((self._seed, step, 2))
        frames, action = self._pictures.look(rows, rng, share(len(rows)))
        if self._shuffled:
            action = rng.permutation(action)
        return Sample({self._pictures.sense: frames}, action[None], self._batches.labels[rows])

    def arrays(self):
        """Arrays that tell one set of pictures and looks from another."""
        images = self._pictures.images
        rows = np.linspace(0, len(images) - 1, min(len(images), SAMPLED_FRAMES)).astype(int)
        return [self.actions, self._batches.labels, images[rows]]


def _of_objects(own, stacked, n_frames):
    """Frames of some objects, out of those of all: first ones, then second ones, and so on."""
    stacked = np.asarray(stacked)
    n_objects = len(stacked) // n_frames
    return stacked.reshape(n_frames, n_objects, *stacked.shape[1:])[:, own].reshape(-1, *stacked.shape[1:])


def _chains(transitions, senses, n_actions):
    """Rows (n_chains, n_actions) of transitions each of which begins where the one before it ended."""
    chains = np.arange(len(transitions))[:, None]
    if n_actions == 1:
        return chains
    following = _following(transitions, senses)
    for _ in range(n_actions - 1):
        after = following[chains[:, -1]]
        chains = np.column_stack([chains, after])[after >= 0]
    if not len(chains):
        raise ValueError(
            f"transitions hold no {n_actions} steps of one group in a row, each beginning with the frame that ended "
            "the one before; shorten n_actions of the objective, or record longer episodes"
        )
    return chains


def _following(transitions, senses):
    """Number of the step that begins with the frame that ends a step (n,), -1 where there is none.

    Frames are compared by a hash of all senses. Of several candidates the first one after the step is taken, or else
    the first one; a step is never its own successor.
    """
    group = np.zeros(len(transitions), int) if transitions.group is None else transitions.group
    begun = {}
    for row in range(len(transitions)):
        begun.setdefault(_fingerprint(transitions.observation, senses, group, row), []).append(row)
    following = np.full(len(transitions), -1)
    for row in range(len(transitions)):
        candidates = begun.get(_fingerprint(transitions.next_observation, senses, group, row), ())
        later = bisect_right(candidates, row)
        if later < len(candidates):
            following[row] = candidates[later]
        elif candidates and candidates[0] != row:
            following[row] = candidates[0]
    return following


def _fingerprint(side, senses, group, row):
    digest = hashlib.blake2b(digest_size=16)
    for sense in senses:
        digest.update(np.ascontiguousarray(side[sense][row]).tobytes())
    return group[row].item(), digest.digest()
