"""Counts of outcomes in a tree of contexts: each context is its parent and one more (action, observation).

A context's key, the number of its parent beside the symbols that it adds, is exact: the search compares whole keys, so
two contexts never share counts, wherever their hashes fall.
"""

from collections import namedtuple

import numpy as np

from smc._kernels.symbols import ODD, first_slot
from topology._kernels.compiling import kernel

ROOT = 0  # parent of the shortest contexts; also marks an empty slot
KEY, START, SIZE, VISITS, LAST, N_FIELDS = 0, 1, 2, 3, 4, 5  # columns of `contexts`
N_CONTEXTS, N_CELLS, WIDEST, CLOCK, N_OUTCOMES, N_SIZES = 0, 1, 2, 3, 4, 5  # entries of `sizes`
SYMBOL_BITS = 36  # of a key, for the symbols; the others number the parent
END, UNKNOWN = -1, -2  # in place of a symbol: the history is not longer; never met
LARGEST_WEIGHT = 1e100

# The arrays of one tree; the first sizes[N_CONTEXTS] contexts (number 0 is the root) and sizes[N_CELLS] cells are used.
#   slots (a power of two >= 2 * capacity,) int32: number of a context, or ROOT where empty
#   contexts (capacity, N_FIELDS) int64: key; first cell; outcomes; steps; clock of the last step there
#   totals (capacity,): sum of the context's counts
#   outcomes, counts (n,): the cells; those of a context lie together, in room for a power of two, most counted first
#   weight (1,): what the last step counted, for counts fade by growing that of later steps
#   sizes (N_SIZES,) int64: contexts and cells in use, most outcomes of a context, steps counted, outcomes met
Tree = namedtuple("Tree", "slots contexts totals outcomes counts weight sizes")


@kernel(inline="always")
def key_of(parent, symbol):
    return (np.int64(parent) << SYMBOL_BITS) | symbol


@kernel()
def find_context(tree, key):
    """Number of the context, or ROOT, and the slot where the search ended."""
    slots, contexts = tree.slots, tree.contexts
    mixed = np.uint64(key) ^ (np.uint64(key) >> np.uint64(32))
    slot = first_slot(mixed * ODD, len(slots))
    while slots[slot] != ROOT:
        if contexts[slots[slot], KEY] == key:
            return np.int64(slots[slot]), slot
        slot = (slot + 1) & (len(slots) - 1)
    return ROOT, slot


@kernel()
def walk(tree, symbols, row, path):
    """Find the known contexts of a row from the shortest on; returns how many there are."""
    parent = ROOT
    for depth in range(symbols.shape[1]):
        if symbols[row, depth] < 0:
            return depth
        parent, _ = find_context(tree, key_of(parent, symbols[row, depth]))
        if parent == ROOT:
            return depth
        path[depth] = parent
    return symbols.shape[1]


@kernel()
def count_of(tree, context, outcome):
    start = tree.contexts[context, START]
    for cell in range(start, start + tree.contexts[context, SIZE]):
        if tree.outcomes[cell] == outcome:
            return tree.counts[cell]
    return 0.0


@kernel()
def probability(tree, path, depth, outcome, prior, base):
    """p(outcome) in the first `depth` contexts of a path; `prior` in the unit of the counts."""
    p = base
    for d in range(depth):
        p = (count_of(tree, path[d], outcome) + prior * p) / (tree.totals[path[d]] + prior)
    return p


@kernel()
def best_outcome(tree, path, depth, prior, base, place):
    """The most probable outcome in the last of `depth` contexts; of equals the one whose `place` comes first.

    The cells of a context are in order of their counts, and the shorter contexts add at most `prior` to any, so most
    outcomes need not be looked at.
    """
    top = depth - 1  # above the context whose largest count reaches the prior, no outcome can win that is missing there
    while top > 0 and tree.counts[tree.contexts[path[top], START]] < prior:
        top -= 1
    best, best_value = -1, -1.0
    if top <= 0 and (depth == 0 or tree.counts[tree.contexts[path[0], START]] < prior):
        for outcome in range(tree.sizes[N_OUTCOMES]):
            if best < 0 or place[outcome] < place[best]:
                best = outcome
    for d in range(max(top, 0), depth):
        start, size = tree.contexts[path[d], START], tree.contexts[path[d], SIZE]
        if best < 0 and (size == 1 or tree.counts[start] - tree.counts[start + 1] >= prior):
            best = tree.outcomes[start]
            continue
        if best >= 0:
            inherited = prior * probability(tree, path, d, best, prior, base)
            best_value = count_of(tree, path[d], best) + inherited
        for cell in range(start, start + size):
            if best >= 0 and tree.counts[cell] + prior < best_value:
                break
            outcome = tree.outcomes[cell]
            value = tree.counts[cell] + prior * probability(tree, path, d, outcome, prior, base)
            if best < 0 or value > best_value or (value == best_value and place[outcome] < place[best]):
                best, best_value = np.int64(outcome), value
    return best


@kernel()
def open_context(tree, key):
    """A new context without outcomes, for which there must be room."""
    _, slot = find_context(tree, key)
    context = tree.sizes[N_CONTEXTS]
    tree.slots[slot] = context
    tree.contexts[context, KEY] = key
    tree.contexts[context, START] = tree.sizes[N_CELLS]
    tree.contexts[context, SIZE] = 0
    tree.contexts[context, VISITS] = 0
    tree.totals[context] = 0.0
    tree.sizes[N_CONTEXTS] += 1
    tree.sizes[N_CELLS] += 1
    return context


@kernel()
def add_count(tree, context, outcome, amount):
    """Count an outcome and keep the cells in order; a context whose room is full moves to room for twice as many."""
    outcomes, counts, sizes = tree.outcomes, tree.counts, tree.sizes
    start, size = tree.contexts[context, START], tree.contexts[context, SIZE]
    cell = start
    while cell < start + size and outcomes[cell] != outcome:
        cell += 1
    if cell == start + size:
        if size & (size - 1) == 0 and size > 0:
            moved = sizes[N_CELLS]
            outcomes[moved : moved + size] = outcomes[start : start + size]
            counts[moved : moved + size] = counts[start : start + size]
            sizes[N_CELLS] += 2 * size
            tree.contexts[context, START] = moved
            start, cell = moved, moved + size
        outcomes[cell] = outcome
        counts[cell] = 0.0
        tree.contexts[context, SIZE] = size + 1
        sizes[WIDEST] = max(sizes[WIDEST], size + 1)
    count = counts[cell] + amount
    while cell > start and counts[cell - 1] < count:
        outcomes[cell] = outcomes[cell - 1]
        counts[cell] = counts[cell - 1]
        cell -= 1
    outcomes[cell] = outcome
    counts[cell] = count
    tree.totals[context] += amount


@kernel()
def rescale(tree):
    """Divide all counts by the weight of the last step."""
    tree.counts[: tree.sizes[N_CELLS]] /= tree.weight[0]
    tree.totals[: tree.sizes[N_CONTEXTS]] /= tree.weight[0]
    tree.weight[0] = 1.0


@kernel()
def has_room(tree, depth):
    """Whether one more step fits, whatever contexts and outcomes it brings."""
    sizes = tree.sizes
    fits = sizes[N_CONTEXTS] + depth <= len(tree.contexts)
    return fits and sizes[N_CELLS] + 2 * depth * (sizes[WIDEST] + 1) <= len(tree.counts)


@kernel()
def count_steps(tree, symbols, outcomes, first, alpha, growth, min_parent, place, surprise, right):
    """Count rows first, first + 1, ... and return the first row for which there was no room.

    Parameters
    ----------
    tree : Tree, changed in place
    symbols : (n, order + 1) int64
        What each longer context adds, below 2**SYMBOL_BITS; END from where the history is not longer.
    outcomes : (n,) int64, numbered in the order of their first appearance
    growth : float
        Each step counts so many times the step before it.
    min_parent : int
        Steps in a context before a longer one is opened.
    place : (n_outcomes,) int64
        Of equally probable outcomes the one whose place comes first is predicted.
    surprise, right : (n,) float and bool, out, or (0,) when nobody asks
        -log p(outcome), and whether it was the most probable one, each before the step is counted.
    """
    order = symbols.shape[1]
    path = np.empty(order, np.int64)
    sizes, weight = tree.sizes, tree.weight
    for row in range(first, len(outcomes)):
        if not has_room(tree, order):
            return row
        outcome = outcomes[row]
        depth = walk(tree, symbols, row, path)
        if len(surprise) > 0:
            prior, known = alpha * weight[0], sizes[N_OUTCOMES]
            base = 1.0 / (known + (outcome >= known))
            surprise[row] = -np.log(probability(tree, path, depth, outcome, prior, base))
            right[row] = known > 0 and best_outcome(tree, path, depth, prior, base, place) == outcome
        sizes[N_OUTCOMES] = max(sizes[N_OUTCOMES], outcome + 1)
        sizes[CLOCK] += 1
        weight[0] *= growth
        parent, met = ROOT, np.int64(min_parent)
        for d in range(order):
            if d >= depth:
                if symbols[row, d] < 0 or met < min_parent:
                    break
                path[d] = open_context(tree, key_of(parent, symbols[row, d]))
            parent, met = path[d], tree.contexts[path[d], VISITS]
            add_count(tree, parent, outcome, weight[0])
            tree.contexts[parent, VISITS] += 1
            tree.contexts[parent, LAST] = sizes[CLOCK]
        if weight[0] > LARGEST_WEIGHT:
            rescale(tree)
    return len(outcomes)


@kernel()
def pseudo_counts(tree, symbols, alpha, place, out):
    """Dirichlet parameters (n, n_outcomes) of each row's longest context, known or not; columns by `place`.

    The counts are in units of the last step.
    """
    path = np.empty(symbols.shape[1], np.int64)
    for row in range(len(symbols)):
        length = 0
        while length < symbols.shape[1] and symbols[row, length] != END:
            length += 1
        depth = walk(tree, symbols, row, path)
        out[row] = 1.0 / out.shape[1]
        for d in range(min(depth, length - 1)):
            add_counts(tree, path[d], alpha, place, out[row])
            out[row] /= alpha + tree.totals[path[d]] / tree.weight[0]
        if depth == length:
            add_counts(tree, path[length - 1], alpha, place, out[row])
        else:
            out[row] *= alpha


@kernel()
def add_counts(tree, context, alpha, place, p):
    """alpha p + counts, in place."""
    p *= alpha
    start = tree.contexts[context, START]
    for cell in range(start, start + tree.contexts[context, SIZE]):
        p[place[tree.outcomes[cell]]] += tree.counts[cell] / tree.weight[0]


@kernel()
def predict_rows(tree, symbols, alpha, place, best):
    """Most probable outcome (n,) of each row."""
    path = np.empty(symbols.shape[1], np.int64)
    prior, base = alpha * tree.weight[0], 1.0 / tree.sizes[N_OUTCOMES]
    for row in range(len(symbols)):
        depth = walk(tree, symbols, row, path)
        best[row] = best_outcome(tree, path, depth, prior, base, place)


@kernel()
def probability_rows(tree, symbols, outcomes, alpha, out):
    """p(outcome) (n,) of each row; an outcome never met (negative) is taken as one more possible outcome."""
    path = np.empty(symbols.shape[1], np.int64)
    prior, known = alpha * tree.weight[0], tree.sizes[N_OUTCOMES]
    for row in range(len(symbols)):
        depth = walk(tree, symbols, row, path)
        base = 1.0 / (known + (outcomes[row] < 0))
        out[row] = probability(tree, path, depth, outcomes[row], prior, base)


@kernel()
def depths_of(tree):
    """Depth (n_contexts,) of every context, the root's -1: parents are numbered before their children."""
    depths = np.full(tree.sizes[N_CONTEXTS], -1)
    for context in range(1, len(depths)):
        depths[context] = depths[tree.contexts[context, KEY] >> SYMBOL_BITS] + 1
    return depths


@kernel()
def move(tree, kept, new):
    """Copy the contexts marked in `kept` (n_contexts,) into an empty tree, which has room for them.

    A context is kept only with its parent.
    """
    number = np.zeros(len(kept), np.int64)
    for context in range(1, len(kept)):
        if not kept[context]:
            continue
        key = tree.contexts[context, KEY]
        parent, symbol = key >> SYMBOL_BITS, key & ((np.int64(1) << SYMBOL_BITS) - 1)
        copy = open_context(new, key_of(number[parent], symbol))
        number[context] = copy
        size, old = tree.contexts[context, SIZE], tree.contexts[context, START]
        room = 1
        while room < size:
            room *= 2
        start = new.contexts[copy, START]
        new.outcomes[start : start + size] = tree.outcomes[old : old + size]
        new.counts[start : start + size] = tree.counts[old : old + size]
        new.sizes[N_CELLS] += room - 1
        new.contexts[copy, SIZE] = size
        new.contexts[copy, VISITS] = tree.contexts[context, VISITS]
        new.contexts[copy, LAST] = tree.contexts[context, LAST]
        new.totals[copy] = tree.totals[context]
        new.sizes[WIDEST] = max(new.sizes[WIDEST], size)
