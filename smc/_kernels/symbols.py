"""Which number does this row of integers have? An open-addressing table that compares whole rows."""

import numpy as np

from topology._kernels.compiling import kernel

UNKNOWN = -2  # not -1, which means something else in contexts.py
ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio: Fibonacci hashing (Knuth 1973)


@kernel(inline="always")
def first_slot(hashed, n_slots):
    """Slot at which a search begins; the upper bits of a product depend on all bits of its factors."""
    return np.int64(hashed >> np.uint64(32)) & (n_slots - 1)


@kernel(inline="always")
def hash_row(rows, i):
    hashed = np.uint64(0)
    for k in range(rows.shape[1]):
        hashed = (hashed ^ np.uint64(rows[i, k])) * ODD
        hashed ^= hashed >> np.uint64(29)
    return hashed * ODD


@kernel(inline="always")
def find_row(rows, i, symbols, slots):
    """Number of the row, or UNKNOWN, and the slot where the search ended."""
    slot = first_slot(hash_row(rows, i), len(slots))
    while slots[slot] != UNKNOWN:
        number = slots[slot]
        same = True
        for k in range(rows.shape[1]):
            if symbols[number, k] != rows[i, k]:
                same = False
                break
        if same:
            return number, slot
        slot = (slot + 1) & (len(slots) - 1)
    return UNKNOWN, slot


@kernel(_nrt=False)  # nothing is allocated: see contexts.py
def number_rows(rows, first, symbols, n_symbols, slots, small, learn, numbers):
    """Number rows[first:] by first appearance; returns the first row for which there was no room, and the new size.

    Parameters
    ----------
    rows : (n, width) int64
    symbols : (capacity, width) int64, of which `n_symbols` are in use
    slots : (a power of two >= 2 * capacity,) int32, UNKNOWN where empty
    small : (n_small,) int32
        Numbers of the rows that are one integer from -n_small / 2 on, kept here and not in `slots`: no search.
    learn : bool
        Else rows that are not there get UNKNOWN.
    numbers : (n,) int64, out
    """
    half = np.uint64(len(small) // 2)
    for i in range(first, len(rows)):
        slot, place = -1, np.uint64(rows[i, 0]) + half  # a negative place is a large one
        if place < np.uint64(len(small)):
            number = np.int64(small[place])
        else:
            number, slot = find_row(rows, i, symbols, slots)
        if number == UNKNOWN and learn:
            if n_symbols == len(symbols):
                return i, n_symbols
            number = n_symbols
            for k in range(rows.shape[1]):
                symbols[number, k] = rows[i, k]
            if slot < 0:
                small[place] = number
            else:
                slots[slot] = number
            n_symbols += 1
        numbers[i] = number
    return len(rows), n_symbols
