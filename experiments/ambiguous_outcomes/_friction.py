"""Finding out a hidden friction by pushing where the outcome is open: policies compared by what their pushes told."""

from __future__ import annotations

import numpy as np

from smc.hypotheses import MultiHypothesisRegressor
from smc.policies import AmbiguousOutcome, RandomPolicy, YokedReplay
from smc.worlds import PushedObjects

from ._tasks import UNIT

HEIGHTS = np.linspace(0.1, 1.0, 10)  # of a push, as shares of the object's height
NEVER = HEIGHTS[-1] + HEIGHTS[0]  # lowest height at which it tipped, before it ever did
POLICIES = ("random", "sweep", "hypotheses", "oracle")
MOST_PUSHES = 5


class Memory:
    """What n agents know of their objects: the highest push under which each slid, the lowest under which it tipped."""

    def __init__(self, n):
        self.slid, self.tipped = np.zeros(n), np.full(n, NEVER)

    def learn(self, height, tipped):
        self.slid = np.where(tipped, self.slid, np.maximum(self.slid, height))
        self.tipped = np.where(tipped, np.minimum(self.tipped, height), self.tipped)


def push(table, height):
    """Set all objects up again and push them to the right at shares of their height."""
    table.act(np.column_stack([2 * height - 1, np.ones_like(height), np.ones_like(height)]))


def features(table, memory, height):
    """What a prediction is made from, (n, 5): the box as it stands, what is known of it, and the height of the push."""
    return np.column_stack([table.box(standing=True) / UNIT, memory.slid, memory.tipped, height])


def practise(bank, n, seed):
    """A model of what a push leads to after up to MOST_PUSHES - 1 others, from n objects pushed at random heights."""
    rng = np.random.default_rng((seed, 5))
    table, memory = PushedObjects(n, bank, size=8), Memory(n)
    table.begin(rng)
    X, y = [], []
    for _ in range(MOST_PUSHES):
        height = rng.choice(HEIGHTS, n)
        X.append(features(table, memory, height))
        push(table, height)
        y.append(pose(table))
        memory.learn(height, table.tipped)
    model = MultiHypothesisRegressor(4, n_epochs=12, batch_size=256, learning_rate=5e-3, random_state=seed)
    return model.fit(np.concatenate(X), np.concatenate(y))


def pose(table):
    """Place and tilt after a push, (n, 3)."""
    roll = table.quarters * np.pi / 2
    return np.column_stack([table.place / UNIT, np.cos(roll), np.sin(roll)])


def find_out(name, model, bank, n, seed):
    """Information (MOST_PUSHES, n) in bits about the friction of n objects, after each push of one policy."""
    rng = np.random.default_rng((seed, 6))
    table, memory = PushedObjects(n, bank, size=8), Memory(n)
    table.begin(rng)  # the same objects and frictions for all policies
    half, tall = table.box(standing=True).T
    low, high = (np.full(n, end) for end in table.friction_range)
    prior = high - low
    policy = make_policy(name, model, table, memory, lambda: (low, high), rng)
    told = []
    for _ in range(MOST_PUSHES):
        height = HEIGHTS[policy(np.zeros((n, 1)), rng)]
        push(table, height)
        memory.learn(height, table.tipped)
        # It tips if friction exceeds this; friction is uniform between what all pushes so far leave.
        needed = np.clip(half / (height * tall), low, high)
        low, high = np.where(table.tipped, needed, low), np.where(table.tipped, high, needed)
        told.append(np.log2(prior / (high - low)))
    return np.array(told)


def make_policy(name, model, table, memory, interval, rng):
    n, n_heights = table.n, len(HEIGHTS)
    if name == "random":
        return RandomPolicy(n_heights)
    if name == "sweep":  # from below, each agent from a height of its own
        return YokedReplay((rng.integers(n_heights, size=n) + np.arange(MOST_PUSHES)[:, None]) % n_heights)
    if name == "oracle":
        return AmbiguousOutcome(lambda _: truth(table, *interval()), n_heights, resolution=0.1)

    def predict(_):
        rows = [features(table, memory, np.full(n, height)) for height in HEIGHTS]
        hypotheses, scores = model.predict_hypotheses(np.stack(rows, axis=1).reshape(n * n_heights, -1))
        return hypotheses.reshape(n, n_heights, *hypotheses.shape[1:]), scores.reshape(n, n_heights, -1)

    return AmbiguousOutcome(predict, n_heights, resolution=model.bandwidth_)


def truth(table, low, high):
    """Both outcomes of every push and their true probabilities for an agent that knows all but the friction."""
    half, tall = table.box(standing=True).T
    needed = (half / tall)[:, None] / HEIGHTS
    tips = np.clip((high[:, None] - needed) / (high - low)[:, None], 0, 1)
    return np.broadcast_to([[0.0], [1.0]], (*tips.shape, 2, 1)), np.stack([1 - tips, tips], axis=-1)
