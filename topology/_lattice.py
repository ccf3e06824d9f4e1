"""The lattice of a self-organising map: where its units sit, who is next to whom, how far apart they are."""

from dataclasses import dataclass

import numpy as np

from topology._validation import check_choice, check_flag, check_integer

KINDS = ("rectangular", "hexagonal")


@dataclass(frozen=True)
class Lattice:
    """Units in rows; unit k = row * n_columns + column. Lengths are in lattice steps.

    Hexagonal: odd rows are shifted by half a step and rows are sqrt(3)/2 apart, so that the six nearest neighbours are
    one step away. Periodic: opposite sides are joined (a torus) and distances are taken the shorter way round.
    Squared distances are multiples of 1/4 made of integers, hence exact: no neighbour is missed by rounding.
    """

    n_rows: int
    n_columns: int
    kind: str = "rectangular"
    periodic: bool = False

    @property
    def n_units(self):
        return self.n_rows * self.n_columns

    @property
    def n_parities(self):
        """Kinds of rows by their shift: one on a rectangular lattice, two in turn on a hexagonal one."""
        return 2 if self.kind == "hexagonal" else 1

    @property
    def squared_row_spacing(self):
        return 0.75 if self.kind == "hexagonal" else 1.0

    def positions(self):
        """Coordinates (x, y) of the units (n_units, 2)."""
        rows, columns = np.divmod(np.arange(self.n_units), self.n_columns)
        return np.stack([columns + rows % self.n_parities / 2, rows * np.sqrt(self.squared_row_spacing)], axis=1)

    def row_gaps(self):
        """Rows from one row to another (n_rows, n_rows)."""
        rows = np.arange(self.n_rows)
        return _gaps(rows, rows, self.n_rows if self.periodic else None)

    def column_gaps(self):
        """Horizontal distances between units of two rows, by their parities, in steps divided by `n_parities`.

        (n_parities, n_parities, n_columns, n_columns)
        """
        columns, period = self.n_parities * np.arange(self.n_columns), self.n_parities * self.n_columns
        parities = range(self.n_parities)
        return np.array(
            [[_gaps(columns + p, columns + q, period if self.periodic else None) for q in parities] for p in parities]
        )

    def squared_row_gaps(self):
        """Squared vertical distances between rows (n_rows, n_rows)."""
        return self.row_gaps() ** 2 * self.squared_row_spacing

    def squared_column_gaps(self):
        """Squared horizontal distances in steps, shaped as `column_gaps`."""
        return self.column_gaps() ** 2 / self.n_parities**2

    def squared_distances(self, row):
        """Squared distances from the units of one row to all units (n_columns, n_units)."""
        columns = self.squared_column_gaps()[row % self.n_parities]
        to_rows = columns[np.arange(self.n_rows) % self.n_parities] + self.squared_row_gaps()[row][:, None, None]
        return to_rows.transpose(1, 0, 2).reshape(self.n_columns, self.n_units)

    def edges(self, *, diagonal=False):
        """Pairs of neighbouring units (n_edges, 2), smaller unit first, sorted, unique.

        Neighbours are one step apart: 4 on a rectangular lattice, 8 with `diagonal`, 6 on a hexagonal one.
        """
        reach = 2.0 if diagonal and self.kind == "rectangular" else 1.0
        pairs = []
        for row in range(self.n_rows):
            columns, others = np.nonzero(self.squared_distances(row) <= reach)
            units = row * self.n_columns + columns
            pairs.append(np.stack([units, others], axis=1)[units < others])
        return np.concatenate(pairs)


def check_lattice(shape, kind, periodic):
    """The lattice that the parameters of an estimator describe."""
    if isinstance(shape, (str, bytes)) or not hasattr(shape, "__len__") or len(shape) != 2:
        raise ValueError(f"shape must be a pair (rows, columns), got {shape!r}")
    n_rows, n_columns = (check_integer("shape", size, 1) for size in shape)
    check_choice("lattice", kind, KINDS)
    check_flag("periodic", periodic)
    if periodic and kind == "hexagonal" and n_rows % 2:
        raise ValueError(f"shape must have an even number of rows when a hexagonal lattice is periodic, got {n_rows}")
    return Lattice(n_rows, n_columns, kind, bool(periodic))


def _gaps(a, b, period):
    gaps = np.abs(a[:, None] - b)
    return gaps if period is None else np.minimum(gaps % period, period - gaps % period)
