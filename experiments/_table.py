"""Rows of a table as aligned text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np


def columns_of(rows: Sequence[Mapping]) -> list[str]:
    """Keys of all rows in order of first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))


def format_table(rows: Sequence[Mapping]) -> str:
    """Aligned text: numbers to the right with four significant digits, words to the left, absent values empty."""
    if not rows:
        return "(no rows)"
    columns = []
    for key in columns_of(rows):
        values = [row.get(key, "") for row in rows]
        cells = [str(key), *map(_cell, values)]
        width = max(map(len, cells))
        numeric = any(_is_number(value) for value in values)
        columns.append([cell.rjust(width) if numeric else cell.ljust(width) for cell in cells])
    lines = ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def stacked(tables: Mapping[str, Sequence[Mapping]]) -> list[Mapping]:
    """Rows of titled tables as one table; the title stands in the column "table", unless there is none."""
    return [{"table": title, **row} if title else row for title, rows in tables.items() for row in rows]


def to_csv(rows: Sequence[Mapping]) -> str:
    """Full precision, one header line; absent values empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns_of(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _is_number(value) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _cell(value) -> str:
    value = _plain(value)
    if value is None:
        return ""
    return f"{value:#.4g}".rstrip(".") if isinstance(value, float) else str(value)
