"""Which transitions meet in which step: a few of many objects, the same for every variant of a training."""

import numpy as np


class ObjectBatches:
    """Batches of ``batch_size`` transitions: half as many objects, two transitions of each.

    Objects with several transitions are drawn without repetition; with too few objects for the batch each gives more.
    The batch of a step depends on the seed and the number of the step alone, so a resumed training needs no generator
    state, and variants that differ elsewhere see the same batches.

    Parameters
    ----------
    group : array (n,) or None
        Object of each transition; None makes every transition its own object.
    n : int
        Number of transitions.
    batch_size : int
    seed : int
    """

    def __init__(self, group, n, batch_size, seed):
        labels = np.arange(n) if group is None else np.unique(group, return_inverse=True)[1]
        self.labels = labels
        self._order = np.argsort(labels, kind="stable")
        self._counts = np.bincount(labels)
        self._starts = np.cumsum(self._counts) - self._counts
        self._batch_size = batch_size
        self._per_object = 1 if group is None else 2
        self._seed = seed

    def __call__(self, step):
        """Rows (batch_size,) of the transitions of a step."""
        rng = np.random.default_rng((self._seed, step))
        n_objects = min(len(self._counts), max(1, self._batch_size // self._per_object))
        objects = rng.permutation(len(self._counts))[:n_objects]
        # With a batch that the objects do not divide, the first ones give one transition more.
        shares = np.bincount(np.arange(self._batch_size) % n_objects, minlength=n_objects)
        rows = [
            self._starts[k] + rng.choice(self._counts[k], size=m, replace=bool(self._counts[k] < m))
            for k, m in zip(objects, shares)
        ]
        return self._order[np.concatenate(rows)]
