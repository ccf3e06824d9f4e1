"""Counts of outcomes in a tree of contexts: each context is its parent and one more (action, observation).

A context's key, the number of its parent beside the symbols that it adds, is exact: the search compares whole keys, so
two contexts never share counts, wherever their hashes fall.
"""

from collections import namedtuple

import numpy as np

from smc._kernels.symbols import ODD, first_slot
from topology._kernels.compiling import kernel

ROOT = 0  # parent of the shortest contexts; also marks an empty slot
KEY, START, SIZE, VISITS, LAST, TOTAL, N_FIELDS = 0, 1, 2, 3, 4, 5, 8  # of a context, which fills a line of the cache
OUTCOME, COUNT = 0, 1  # of a cell
N_CONTEXTS, N_CELLS, WIDEST, CLOCK, N_OUTCOMES, N_SIZES = 0, 1, 2, 3, 4, 5  # entries of `sizes`
SYMBOL_BITS = 36  # of a key, for the symbols; the others number the parent
END = -1  # in place of a symbol: the history is not longer; any other negative number: never met
LARGEST_WEIGHT = 1e100
AHEAD = 64  # rows whose contexts are looked up together

# The arrays of one tree; the first sizes[N_CONTEXTS] contexts (number 0 is the root) and sizes[N_CELLS] cells are used.
#   slots (a power of two >= 2 * capacity,) int32: number of a context, or ROOT where empty
#   contexts (capacity, N_FIELDS) int64: key; first cell; outcomes; steps; clock of the last step there; sum of its
#   counts, which `totals` shows as float64
#   cells (n, 2) int64: outcome; count, which `counts` shows as float64. Those of a context lie together, in room for a
#   power of two, most counted first
#   weight (1,): what the last step counted, for counts fade by growing that of later steps
#   sizes (N_SIZES,) int64: contexts and cells in use, most outcomes of a context, steps counted, outcomes met
Tree = namedtuple("Tree", "slots contexts totals cells counts weight sizes")

# Nothing here owns memory: without `_nrt=False` each array that a loop passes on would be counted as in use, and that
# takes longer than the steps themselves.
loop = kernel(_nrt=False)
part = kernel(inline="always")


@part
def key_of(parent, symbol):
    return (np.int64(parent) << SYMBOL_BITS) | symbol


@part
def find_context(slots, contexts, key):
    """Number of the context, or ROOT, and the slot where the search ended."""
    mixed = np.uint64(key) ^ (np.uint64(key) >> np.uint64(32))
    slot = first_slot(mixed * ODD, len(slots))
    while slots[slot] != ROOT:
        if contexts[slots[slot], KEY] == key:
            return np.int64(slots[slot]), slot
        slot = (slot + 1) & (len(slots) - 1)
    return ROOT, slot


@part
def walk(slots, contexts, symbols, row, paths, i, depth):
    """Find the known contexts of a row from the shortest on, `depth` of them in paths[i] already; returns how many."""
    parent = paths[i, depth - 1] if depth > 0 else ROOT
    while depth < symbols.shape[1] and symbols[row, depth] >= 0:
        parent, _ = find_context(slots, contexts, key_of(parent, symbols[row, depth]))
        if parent == ROOT:
            break
        paths[i, depth] = parent
        depth += 1
    return depth


@loop
def walk_ahead(slots, contexts, cells, symbols, first, paths):
    """Walk some rows from `first` on, into `paths` (AHEAD, order + 2); the last column is how far each came.

    Rows wait for memory together here, which they would not between counts that depend on each other; the contexts'
    first cells are read for that reason alone, and returned lest the compiler leaves them out.
    """
    touched = 0
    for i in range(min(AHEAD, len(symbols) - first)):
        depth = walk(slots, contexts, symbols, first + i, paths, i, 0)
        paths[i, symbols.shape[1]] = depth
        for d in range(depth):
            touched += cells[contexts[paths[i, d], START], OUTCOME]
    return touched


@part
def find_cell(contexts, cells, context, outcome):
    """Cell of the outcome, or the one behind the last."""
    cell = contexts[context, START]
    end = cell + contexts[context, SIZE]
    while cell < end and cells[cell, OUTCOME] != outcome:
        cell += 1
    return cell


@part
def count_of(contexts, cells, counts, context, outcome):
    cell = find_cell(contexts, cells, context, outcome)
    return counts[cell, COUNT] if cell < contexts[context, START] + contexts[context, SIZE] else 0.0


@part
def probability(contexts, totals, cells, counts, paths, i, depth, outcome, prior, base):
    """p(outcome) in the first `depth` contexts of paths[i]; `prior` in the unit of the counts."""
    p = base
    for d in range(depth):
        context = paths[i, d]
        p = (count_of(contexts, cells, counts, context, outcome) + prior * p) / (totals[context, TOTAL] + prior)
    return p


@part
def best_outcome(contexts, totals, cells, counts, paths, i, depth, prior, base, place, n_outcomes):
    """The most probable outcome in context `depth` - 1 of paths[i]; of equals the one whose `place` comes first.

    The cells of a context are in order of their counts, and the shorter contexts add at most `prior` to any, so most
    outcomes need not be looked at.
    """
    top = depth - 1  # above the context whose largest count reaches the prior, no outcome can win that is missing there
    while top >= 0 and counts[contexts[paths[i, top], START], COUNT] < prior:
        top -= 1
    best, best_value = -1, -1.0
    if top < 0:
        for outcome in range(n_outcomes):
            if best < 0 or place[outcome] < place[best]:
                best = outcome
    for d in range(max(top, 0), depth):
        start, size = contexts[paths[i, d], START], contexts[paths[i, d], SIZE]
        if best < 0 and (size == 1 or counts[start, COUNT] - counts[start + 1, COUNT] >= prior):
            best = cells[start, OUTCOME]
            continue
        if best >= 0:
            inherited = prior * probability(contexts, totals, cells, counts, paths, i, d, best, prior, base)
            best_value = count_of(contexts, cells, counts, paths[i, d], best) + inherited
        for cell in range(start, start + size):
            count, outcome = counts[cell, COUNT], cells[cell, OUTCOME]
            if best >= 0 and count + prior < best_value:
                break
            value = count + prior * probability(contexts, totals, cells, counts, paths, i, d, outcome, prior, base)
            if best < 0 or value > best_value or (value == best_value and place[outcome] < place[best]):
                best, best_value = outcome, value
    return best


@loop
def open_context(slots, contexts, totals, sizes, key):
    """A new context without outcomes, for which there must be room."""
    _, slot = find_context(slots, contexts, key)
    context = sizes[N_CONTEXTS]
    slots[slot] = context
    contexts[context, KEY] = key
    contexts[context, START] = sizes[N_CELLS]
    contexts[context, SIZE] = 0
    contexts[context, VISITS] = 0
    totals[context, TOTAL] = 0.0
    sizes[N_CONTEXTS] += 1
    sizes[N_CELLS] += 1
    return context


@part
def copy_cells(source, start, target, moved, size):
    for k in range(size):
        target[moved + k, OUTCOME] = source[start + k, OUTCOME]
        target[moved + k, COUNT] = source[start + k, COUNT]


@part
def add_count(contexts, totals, cells, counts, sizes, context, cell, outcome, amount):
    """Count an outcome in its cell, or the one behind the last, and keep the cells in order.

    A context whose room is full moves to room for twice as many.
    """
    start, size = contexts[context, START], contexts[context, SIZE]
    if cell == start + size:
        if size & (size - 1) == 0 and size > 0:
            moved = sizes[N_CELLS]
            copy_cells(cells, start, cells, moved, size)
            sizes[N_CELLS] += 2 * size
            contexts[context, START] = moved
            start, cell = moved, moved + size
        counts[cell, COUNT] = 0.0
        contexts[context, SIZE] = size + 1
        sizes[WIDEST] = max(sizes[WIDEST], size + 1)
    count = counts[cell, COUNT] + amount
    while cell > start and counts[cell - 1, COUNT] < count:
        cells[cell, OUTCOME] = cells[cell - 1, OUTCOME]
        counts[cell, COUNT] = counts[cell - 1, COUNT]
        cell -= 1
    cells[cell, OUTCOME] = outcome
    counts[cell, COUNT] = count
    totals[context, TOTAL] += amount


@loop
def rescale(totals, counts, weight, sizes):
    """Divide all counts by the weight of the last step."""
    for cell in range(sizes[N_CELLS]):
        counts[cell, COUNT] /= weight[0]
    for context in range(sizes[N_CONTEXTS]):
        totals[context, TOTAL] /= weight[0]
    weight[0] = 1.0


@part
def has_room(contexts, cells, sizes, n_new):
    """Whether one more step fits, whatever contexts and outcomes it brings."""
    fits = sizes[N_CONTEXTS] + n_new <= len(contexts)
    return fits and sizes[N_CELLS] + 2 * n_new * (sizes[WIDEST] + 1) <= len(cells)


@loop
def count_steps(tree, symbols, outcomes, first, alpha, growth, min_parent, place, chance, right, paths, found):
    """Count rows first, first + 1, ... until there is no room for one more; returns the row after the last.

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
    chance, right : (n,) float and bool, out, or (0,) when nobody asks
        p(outcome), and whether it was the most probable one, each before the step is counted.
    paths : (AHEAD, order + 2) and found : (order + 1,) int64, work space
    """
    slots, contexts, totals, cells, counts, weight, sizes = tree
    asked, n_symbols = len(chance) > 0, symbols.shape[1]
    for row in range(first, len(outcomes)):
        i = (row - first) % AHEAD
        if i == 0:
            walk_ahead(slots, contexts, cells, symbols, row, paths)
        depth = walk(slots, contexts, symbols, row, paths, i, paths[i, n_symbols])  # contexts opened since then
        outcome, known, prior = outcomes[row], sizes[N_OUTCOMES], alpha * weight[0]
        p = base = 1.0 / (known + (outcome >= known))
        for d in range(depth):
            context = paths[i, d]
            found[d] = find_cell(contexts, cells, context, outcome)
            met = found[d] < contexts[context, START] + contexts[context, SIZE]
            p = ((counts[found[d], COUNT] if met else 0.0) + prior * p) / (totals[context, TOTAL] + prior)
        if asked:
            chance[row] = p
            best = best_outcome(contexts, totals, cells, counts, paths, i, depth, prior, base, place, known)
            right[row] = best == outcome
        sizes[N_OUTCOMES] = max(known, outcome + 1)
        sizes[CLOCK] += 1
        weight[0] *= growth
        parent, visits = ROOT, np.int64(min_parent)
        for d in range(n_symbols):
            if d >= depth:
                if symbols[row, d] < 0 or visits < min_parent:
                    break
                paths[i, d] = open_context(slots, contexts, totals, sizes, key_of(parent, symbols[row, d]))
                found[d] = contexts[paths[i, d], START]
            parent = paths[i, d]
            visits = contexts[parent, VISITS]
            add_count(contexts, totals, cells, counts, sizes, parent, found[d], outcome, weight[0])
            contexts[parent, VISITS] = visits + 1
            contexts[parent, LAST] = sizes[CLOCK]
        if weight[0] > LARGEST_WEIGHT:
            rescale(totals, counts, weight, sizes)
        if not has_room(contexts, cells, sizes, n_symbols):
            return row + 1
    return len(outcomes)


@loop
def pseudo_counts(tree, symbols, alpha, place, out, paths):
    """Dirichlet parameters (n, n_outcomes) of each row's longest context, known or not; columns by `place`.

    The counts are in units of the last step.
    """
    slots, contexts, totals, cells, counts, weight, _ = tree
    for row in range(len(symbols)):
        length = 0
        while length < symbols.shape[1] and symbols[row, length] != END:
            length += 1
        depth = walk(slots, contexts, symbols, row, paths, 0, 0)
        for k in range(out.shape[1]):
            out[row, k] = 1.0 / out.shape[1]
        for d in range(min(depth + 1, length)):
            for k in range(out.shape[1]):
                out[row, k] *= alpha
            if d == depth:  # nothing longer is known
                break
            context = paths[0, d]
            start = contexts[context, START]
            for cell in range(start, start + contexts[context, SIZE]):
                out[row, place[cells[cell, OUTCOME]]] += counts[cell, COUNT] / weight[0]
            if d < length - 1:
                for k in range(out.shape[1]):
                    out[row, k] /= alpha + totals[context, TOTAL] / weight[0]


@loop
def predict_rows(tree, symbols, alpha, place, best, paths):
    """Most probable outcome (n,) of each row."""
    slots, contexts, totals, cells, counts, weight, sizes = tree
    prior, known = alpha * weight[0], sizes[N_OUTCOMES]
    base = 1.0 / known
    for row in range(len(symbols)):
        if row % AHEAD == 0:
            walk_ahead(slots, contexts, cells, symbols, row, paths)
        i, depth = row % AHEAD, paths[row % AHEAD, symbols.shape[1]]
        best[row] = best_outcome(contexts, totals, cells, counts, paths, i, depth, prior, base, place, known)


@loop
def probability_rows(tree, symbols, outcomes, alpha, out, paths):
    """p(outcome) (n,) of each row; an outcome never met (negative) is taken as one more possible outcome."""
    slots, contexts, totals, cells, counts, weight, sizes = tree
    prior, known = alpha * weight[0], sizes[N_OUTCOMES]
    for row in range(len(symbols)):
        if row % AHEAD == 0:
            walk_ahead(slots, contexts, cells, symbols, row, paths)
        i, depth = row % AHEAD, paths[row % AHEAD, symbols.shape[1]]
        base = 1.0 / (known + (outcomes[row] < 0))
        out[row] = probability(contexts, totals, cells, counts, paths, i, depth, outcomes[row], prior, base)


@loop
def find_depths(tree, depths):
    """Depth (n_contexts,) of every context, the root's -1: parents are numbered before their children."""
    depths[ROOT] = -1
    for context in range(1, len(depths)):
        depths[context] = depths[tree.contexts[context, KEY] >> SYMBOL_BITS] + 1


@loop
def move(tree, kept, new, number):
    """Copy the contexts marked in `kept` (n_contexts,) into an empty tree, which has room for them.

    A context is kept only with its parent. `number` (n_contexts,) is work space.
    """
    number[ROOT] = ROOT
    slots, contexts, totals, cells, _, _, sizes = new
    for context in range(1, len(kept)):
        if not kept[context]:
            continue
        key = tree.contexts[context, KEY]
        parent, symbol = key >> SYMBOL_BITS, key & ((np.int64(1) << SYMBOL_BITS) - 1)
        copy = open_context(slots, contexts, totals, sizes, key_of(number[parent], symbol))
        number[context] = copy
        size, old, start = tree.contexts[context, SIZE], tree.contexts[context, START], contexts[copy, START]
        room = 1
        while room < size:
            room *= 2
        copy_cells(tree.cells, old, cells, start, size)
        for field in range(SIZE, N_FIELDS):
            contexts[copy, field] = tree.contexts[context, field]
        sizes[N_CELLS] += room - 1
        sizes[WIDEST] = max(sizes[WIDEST], size)
