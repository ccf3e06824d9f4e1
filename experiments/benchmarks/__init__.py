"""Speeds, each beside those of peers installed in the same run and beside what the hardware allows.

Every module here is a table with `rows() -> list of dict` of the keys table, row, unit, ours, peers (name -> value,
None where the peer is not installed), limit (a value or None), better ("higher" or "lower") and, where there is more to
say, note. Times are process CPU time, the minimum of 7 repetitions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments._table import format_table


def find_tables() -> list[str]:
    """Names of all tables, none of them imported."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def format_rows(rows: Sequence[Mapping]) -> str:
    """Aligned text; in brackets how many times better ours is than the peer, or which share of the limit it reaches."""
    return format_table([_printed(row) for row in rows])


def _printed(row: Mapping) -> dict:
    printed = {"table": row["table"], "row": row["row"], "ours": row["ours"], "unit": row["unit"]}
    for name, value in row["peers"].items():
        printed[name] = "not installed" if value is None else f"{value:.4g} (x{_advantage(row, value):.2f})"
    if row["limit"] is not None:
        printed["limit"] = f"{row['limit']:.4g} ({_advantage(row, row['limit']):.0%})"
    return printed | ({"note": row["note"]} if "note" in row else {})


def _advantage(row: Mapping, other: float) -> float:
    return row["ours"] / other if row["better"] == "higher" else other / row["ours"]
