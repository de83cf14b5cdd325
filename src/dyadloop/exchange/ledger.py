"""Which cells of a grid reached the study, and what became of the others: cells in = cells used + cells reported."""

from collections.abc import Iterable

import numpy as np

from dyadloop.exchange.grid import Grid, Remark

OPEN, USED, REPORTED = 0, 1, 2
"""States of a cell."""


class Ledger:
    """The account of one grid."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.filled = grid.filled
        self.names = list(grid.table.columns)
        self.state = np.zeros(self.filled.shape, dtype=np.int8)
        self.remarks: list[Remark] = list(grid.remarks)

    def use(self, rows: np.ndarray, columns: np.ndarray | int) -> None:
        """Enter cells as used; what was reported before stays so."""
        rows, columns = np.broadcast_arrays(np.asarray(rows, int), np.asarray(columns, int))
        known = columns >= 0
        rows, columns = rows[known], columns[known]
        fresh = self.state[rows, columns] == OPEN
        self.state[rows[fresh], columns[fresh]] = USED

    def report(self, rows: np.ndarray, columns: np.ndarray | int, kind: str, why: str | Iterable[str]) -> None:
        """Report cells that are not used, one by one; empty cells and those reported before are passed over."""
        rows, columns = np.broadcast_arrays(np.asarray(rows, int), np.asarray(columns, int))
        reasons = [why] * len(rows) if isinstance(why, str) else list(why)
        for row, column, reason in zip(rows.tolist(), columns.tolist(), reasons, strict=True):
            if column >= 0 and self.filled[row, column] and self.state[row, column] != REPORTED:
                self.state[row, column] = REPORTED
                self.remarks.append(self._remark(row, column, kind, reason))

    def report_column(self, name: str, kind: str, why: str) -> None:
        """Report a whole column in one remark."""
        column = self.names.index(name)
        mine = self.filled[:, column] & (self.state[:, column] == OPEN)
        if not mine.any():
            return
        first = str(self.grid.table.iat[int(np.argmax(mine)), column])
        self.state[mine, column] = REPORTED
        self.remarks.append(Remark(self.grid.file, self.grid.sheet, None, name, first, kind, why, int(mine.sum())))

    def change(self, row: int, column: int, why: str) -> None:
        """Enter a used cell that is not taken as it stands."""
        self.remarks.append(self._remark(row, column, "changed", why))

    def close(self) -> None:
        """Report what nothing has taken: columns of rows that made no value."""
        rest = self.filled & (self.state == OPEN)
        rows, columns = np.nonzero(rest)
        self.report(rows, columns, "no key", "nothing in the study refers to this row")

    def _remark(self, row: int, column: int, kind: str, why: str) -> Remark:
        text = str(self.grid.table.iat[row, column])
        return Remark(
            self.grid.file, self.grid.sheet, int(self.grid.rows[row]), self.names[column], text[:200], kind, why
        )

    @property
    def used(self) -> int:
        """Number of cells used."""
        return int(((self.state == USED) & self.filled).sum())

    @property
    def reported(self) -> int:
        """Number of cells reported, with those that the file's form leaves out."""
        return sum(remark.cells for remark in self.remarks if remark.kind != "changed")
