import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from smc._kernels.symbols import UNKNOWN, hash_row
from smc._symbols import Symbols

ROWS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=200)


def as_rows(rows):
    return np.array(rows, np.int64).reshape(-1, 2)


@settings(max_examples=50)
@given(ROWS, ROWS)
def test_rows_are_numbered_as_a_dictionary_would(first, second):
    symbols, known = Symbols(2), {}
    for rows in (first, second):
        expected = [known.setdefault(row, len(known)) for row in rows]
        np.testing.assert_array_equal(symbols.add(as_rows(rows)), expected)
    np.testing.assert_array_equal(symbols.rows, as_rows(list(known)))
    other = [(row[0], row[1] ^ 1) for row in first]
    np.testing.assert_array_equal(symbols.find(as_rows(other)), [known.get(row, UNKNOWN) for row in other])
    numbers, places = symbols.in_order()
    assert symbols.rows[numbers].tolist() == sorted(map(list, known))
    np.testing.assert_array_equal(places[numbers], np.arange(len(known)))


@settings(max_examples=50)
@given(
    st.lists(st.one_of(st.integers(-10, 10), st.integers(-9000, 9000), st.integers(-(2**63), 2**63 - 1)), min_size=1)
)
def test_single_integers_are_numbered_alike_whether_small_or_large(values):
    symbols, known = Symbols(1), {}
    rows = np.array(values, np.int64)[:, None]
    np.testing.assert_array_equal(symbols.add(rows), [known.setdefault(value, len(known)) for value in values])
    np.testing.assert_array_equal(symbols.find(rows), [known[value] for value in values])
    np.testing.assert_array_equal(symbols.rows[:, 0], list(known))
    symbols.truncate(1)
    np.testing.assert_array_equal(symbols.find(rows), [0 if value == values[0] else UNKNOWN for value in values])


def test_rows_whose_slots_collide_stay_apart():
    rows = np.arange(4000, dtype=np.int64)[:, None] << 40
    slots = np.array([int(hash_row(rows, i)) >> 32 & 127 for i in range(len(rows))])
    rows = rows[slots == slots[0]]  # all begin their search at the same slot of a small table
    assert len(rows) > 10
    symbols = Symbols(1)
    np.testing.assert_array_equal(symbols.add(rows), np.arange(len(rows)))
    np.testing.assert_array_equal(symbols.find(rows[::-1]), np.arange(len(rows))[::-1])


def test_what_is_truncated_is_unknown():
    symbols = Symbols(1)
    rows = np.arange(100)[:, None]
    symbols.add(rows)
    symbols.truncate(30)
    assert len(symbols) == 30
    np.testing.assert_array_equal(symbols.find(rows), np.where(np.arange(100) < 30, np.arange(100), UNKNOWN))
    assert symbols.add(rows[50:51]) == 30
