"""A tree of contexts that grows as steps are counted, up to a limit, at which the oldest contexts are dropped."""

from __future__ import annotations

import numpy as np

from smc._kernels import contexts as kernels

START = 256  # contexts and cells for which there is room at first
DROPPED = 8  # one of so many contexts is dropped when the tree is full
MOST_CONTEXTS = 1 << (62 - kernels.SYMBOL_BITS)  # a key has no more bits for the parent


class ContextTree:
    """Outcomes counted in contexts of growing length.

    Parameters
    ----------
    order : int
        Symbols of the longest context beyond the first.
    alpha, forgetting, min_parent, max_contexts
        As in `ContingencyModel`.
    """

    def __init__(self, order, alpha, forgetting, min_parent, max_contexts):
        self.order = order
        self.alpha = float(alpha)
        self.min_parent = min_parent
        self.max_contexts = MOST_CONTEXTS if max_contexts is None else max_contexts
        self._growth = 1.0 / (1.0 - forgetting)
        self._store = empty_store(min(START, self.max_contexts), START)
        self._paths, self._found = np.empty((kernels.AHEAD, order + 2), np.int64), np.empty(order + 1, np.int64)

    @property
    def arrays(self):
        """What the kernels see; the views are made anew lest a copy of the tree shares them."""
        slots, contexts, cells, weight, sizes = self._store
        return kernels.Tree(slots, contexts, contexts.view(float), cells, cells.view(float), weight, sizes)

    @property
    def n_contexts(self):
        return int(self.arrays.sizes[kernels.N_CONTEXTS]) - 1

    @property
    def n_steps(self):
        return int(self.arrays.sizes[kernels.CLOCK])

    @property
    def n_outcomes(self):
        return int(self.arrays.sizes[kernels.N_OUTCOMES])

    @property
    def n_longest(self):
        """Contexts of the greatest depth."""
        return int((self._depths() == self.order).sum())

    def count(self, symbols, outcomes, place=None):
        """Count steps in their order.

        Parameters
        ----------
        symbols : ndarray (n, order + 1) of int64
        outcomes : ndarray (n,) of int64
        place : ndarray (n_outcomes,) of int64, optional
            If given, each step is predicted before it is counted.

        Returns
        -------
        surprise, right : ndarray (n,) of float and bool; (0,) without `place`
        """
        asked = 0 if place is None else len(outcomes)
        chance, right = np.empty(asked), np.empty(asked, bool)
        place = np.empty(0, np.int64) if place is None else place
        done = 0
        while done < len(outcomes):
            rule = self.alpha, self._growth, self.min_parent
            done = kernels.count_steps(
                self.arrays, symbols, outcomes, done, *rule, place, chance, right, self._paths, self._found
            )
            self._make_room()
        return -np.log(chance), right

    def pseudo_counts(self, symbols, place):
        out = np.empty((len(symbols), len(place)))
        kernels.pseudo_counts(self.arrays, symbols, self.alpha, place, out, self._paths)
        return out

    def best_outcomes(self, symbols, place):
        best = np.empty(len(symbols), np.int64)
        kernels.predict_rows(self.arrays, symbols, self.alpha, place, best, self._paths)
        return best

    def probabilities(self, symbols, outcomes):
        out = np.empty(len(symbols))
        kernels.probability_rows(self.arrays, symbols, outcomes, self.alpha, out, self._paths)
        return out

    def to_rows(self):
        """Contexts and cells as plain tables, parents before their children; counts in units of the last step.

        Returns
        -------
        contexts : ndarray (n_contexts, 5) of int64
            Parent (0: none), symbol, steps, clock of the last step, outcomes.
        cells : ndarray (n_cells,) of int64
            Outcomes, context by context, most counted first.
        counts : ndarray (n_cells,)
        depths : ndarray (n_contexts,)
        """
        tree = self.arrays
        rows = tree.contexts[1 : self.n_contexts + 1]
        sizes = rows[:, kernels.SIZE]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        cells = np.repeat(rows[:, kernels.START], sizes) + within
        parents, symbols = rows[:, kernels.KEY] >> kernels.SYMBOL_BITS, rows[:, kernels.KEY] & SYMBOL_MASK
        table = np.stack([parents, symbols, rows[:, kernels.VISITS], rows[:, kernels.LAST], sizes], axis=1)
        counts = tree.counts[cells, kernels.COUNT] / tree.weight[0]
        return table, tree.cells[cells, kernels.OUTCOME], counts, self._depths()

    def restore(self, contexts, cells, counts, n_steps, n_outcomes):
        """Take over what `to_rows` gave.

        Raises
        ------
        ValueError
            If the tables do not describe a tree within the limits.
        """
        parents, symbols, visits, last, sizes = contexts.T
        ids = np.arange(1, len(contexts) + 1)
        if len(contexts) > self.max_contexts:
            raise ValueError(f"{len(contexts)} contexts exceed max_contexts={self.max_contexts}")
        sound = (
            (0 <= parents).all()
            and (parents < ids).all()
            and ((0 <= symbols) & (symbols <= SYMBOL_MASK)).all()
            and ((0 < sizes) & (sizes <= n_outcomes)).all()
            and ((0 < visits) & (0 < last) & (last <= n_steps)).all()
            and sizes.sum() == len(cells) == len(counts)
            and ((0 <= cells) & (cells < n_outcomes)).all()
            and (counts >= 0).all()
        )
        if not sound or len(np.unique(contexts[:, :2], axis=0)) < len(contexts):
            raise ValueError("the contexts do not form a tree")
        self._store = empty_store(len(contexts), len(cells))
        source = self.arrays
        starts = np.cumsum(sizes) - sizes
        keys = (parents << kernels.SYMBOL_BITS) | symbols
        totals = np.bincount(np.repeat(ids - 1, sizes), counts, minlength=len(contexts))
        source.contexts[1:, : kernels.TOTAL] = np.stack([keys, starts, sizes, visits, last], axis=1)
        source.totals[1:, kernels.TOTAL] = totals
        source.cells[:, kernels.OUTCOME], source.counts[:, kernels.COUNT] = cells, counts
        source.sizes[kernels.N_CONTEXTS] = len(contexts) + 1
        source.sizes[kernels.CLOCK], source.sizes[kernels.N_OUTCOMES] = n_steps, n_outcomes
        if self._depths().max(initial=0) > self.order:
            raise ValueError(f"a context is longer than order={self.order} allows")
        self._move(np.ones(len(contexts) + 1, bool), min(max(2 * len(contexts), START), self.max_contexts))
        self._make_room()

    def _depths(self):
        depths = np.empty(self.n_contexts + 1, np.int64)
        kernels.find_depths(self.arrays, depths)
        return depths[1:]

    def _make_room(self):
        """Have room for one more step: a larger tree, or at the limit fewer contexts, those met longest ago."""
        tree = self.arrays
        if kernels.has_room(tree.contexts, tree.cells, tree.sizes, self.order + 1):
            return
        kept = np.ones(self.n_contexts + 1, bool)
        capacity = len(tree.contexts) - 1
        if self.n_contexts + self.order + 1 > capacity:
            if capacity < self.max_contexts:
                capacity = min(2 * capacity, self.max_contexts)
            else:
                n_dropped = self.n_contexts - capacity + max(capacity // DROPPED, self.order + 1)
                # A step meets a context and all shorter ones, and parents have lower numbers than their children.
                oldest = np.lexsort((-np.arange(1, len(kept)), tree.contexts[1 : len(kept), kernels.LAST]))
                kept[1 + oldest[:n_dropped]] = False
        self._move(kept, capacity)

    def _move(self, kept, capacity):
        tree = self.arrays
        sizes = tree.contexts[1 : len(kept), kernels.SIZE][kept[1:]]
        rooms = (2 ** np.ceil(np.log2(np.maximum(sizes, 1)))).sum()
        spare = 2 * (self.order + 1) * (max(sizes.max(initial=0), tree.sizes[kernels.WIDEST]) + 1)
        self._store = empty_store(capacity, int(2 * rooms + spare + START))
        new = self.arrays
        kernels.move(tree, kept, new, np.empty(len(kept), np.int64))
        new.weight[0] = tree.weight[0]
        for entry in (kernels.CLOCK, kernels.N_OUTCOMES):
            new.sizes[entry] = tree.sizes[entry]


SYMBOL_MASK = (1 << kernels.SYMBOL_BITS) - 1


def empty_store(n_contexts, n_cells):
    """Arrays with room for so many contexts, beside the root, and cells: slots, contexts, cells, weight, sizes."""
    sizes = np.zeros(kernels.N_SIZES, np.int64)
    sizes[kernels.N_CONTEXTS] = 1
    slots = np.full(1 << int(2 * n_contexts + 1).bit_length(), kernels.ROOT, np.int32)
    contexts, cells = np.zeros((n_contexts + 1, kernels.N_FIELDS), np.int64), np.zeros((n_cells, 2), np.int64)
    return slots, contexts, cells, np.ones(1), sizes
