"""Arrays of integers as symbols: each distinct row gets a number."""

from __future__ import annotations

import numpy as np

from smc._kernels.symbols import UNKNOWN, number_rows

START = 64  # symbols for which there is room at first
N_SMALL = 1 << 14  # integers around 0 that are looked up without a search


class Symbols:
    """Distinct rows of integers, numbered in the order in which they were first met.

    Parameters
    ----------
    width : int
        Integers per row.
    """

    def __init__(self, width):
        self.size = 0
        self._order = None
        self._allocate(np.empty((START, width), np.int64))

    def __len__(self):
        return self.size

    @property
    def rows(self):
        """The rows by number (n, width)."""
        return self._rows[: self.size]

    def find(self, rows):
        """Numbers (n,) of rows (n, width) of int64; `UNKNOWN` for those never met."""
        numbers = np.empty(len(rows), np.int64)
        number_rows(rows, 0, self._rows, self.size, self._slots, self._small, False, numbers)
        return numbers

    def add(self, rows):
        """Numbers (n,) of rows (n, width) of int64, new ones included."""
        numbers = np.empty(len(rows), np.int64)
        done = 0
        while True:
            done, self.size = number_rows(rows, done, self._rows, self.size, self._slots, self._small, True, numbers)
            if done == len(rows):
                return numbers
            self._allocate(np.concatenate([self._rows, np.empty_like(self._rows)]))

    def truncate(self, size):
        """Forget all but the first `size` rows."""
        if size < self.size:
            self.size = size
            self._allocate(self._rows)

    def in_order(self):
        """Numbers (n,) of the rows sorted lexicographically, and the place (n,) of each number in that order."""
        if self._order is None or len(self._order[0]) != self.size:
            numbers = np.lexsort(self.rows.T[::-1])
            places = np.empty_like(numbers)
            places[numbers] = np.arange(self.size)
            self._order = numbers, places
        return self._order

    def _allocate(self, rows):
        self._rows = rows
        self._order = None
        self._slots = np.full(1 << int(2 * len(rows) - 1).bit_length(), UNKNOWN, np.int32)
        self._small = np.full(N_SMALL if rows.shape[1] == 1 else 0, UNKNOWN, np.int32)
        known, self.size = self.rows, 0
        arrays = self._slots, self._small
        _, self.size = number_rows(known, 0, self._rows, 0, *arrays, True, np.empty(len(known), np.int64))
