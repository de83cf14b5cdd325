"""A script for ctsem (R): the same linear model in continuous time, and its data.

Person means and random shifts are states that never change, so that their spread is part of the covariance of the
start. What a session adds and what covariates shift are written with the columns of the data, which ctsem reads at each
row. An event acts on a row before it is observed, so it gets a row of its own behind that of its moment.

References
----------
.. [1] Driver, Oud & Voelkle (2017), Continuous time structural equation modeling. doi:10.18637/jss.v077.i05
"""

from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.handover.cells import Cells, figure, names, word
from dyadloop.handover.ctsem_text import SCRIPT_TEXT
from dyadloop.handover.statement import Statement, factor

DATA, SCRIPT = "ctsem.csv", "ctsem.R"
Matrix = list[list[str]]


def write_ctsem(statement: Statement, out: Path) -> list[Path]:
    """Write ``ctsem.csv`` and ``ctsem.R``."""
    told = column_names(statement)
    rows_of_events(statement).rename(columns=told).to_csv(out / DATA, index=False, na_rep="NA", float_format="%.17g")
    (out / SCRIPT).write_text(script(statement, told), encoding="utf-8")
    return [out / DATA, out / SCRIPT]


def column_names(statement: Statement) -> dict[str, str]:
    """Return the names of the data's columns."""
    own = [*statement.indicators, "gate", *statement.covariates, *statement.events]
    return {"dyad": "dyad", "time": "time"} | names(own, taken=("dyad", "time", "start", *map(word, statement.states)))


def rows_of_events(statement: Statement) -> pd.DataFrame:
    """Return the moments, each with an event followed by a row of the same time that holds the event alone."""
    events, rows = list(statement.events), statement.rows.reset_index(drop=True)
    if not events:
        return rows
    pushed = rows[(rows[events] != 0).any(axis=1)].copy()
    pushed[list(statement.indicators)] = np.nan
    plain = rows.assign(**dict.fromkeys(events, 0.0))
    return pd.concat([plain, pushed]).sort_index(kind="stable").reset_index(drop=True)


def script(statement: Statement, told: dict[str, str]) -> str:
    """Return the script; ``told`` gives the names of the data's columns."""
    writer = _Writer(statement, told)
    matrices = writer.matrices()
    start = writer.cells.start
    if writer.cells.inside:
        matrices["PARS"] = [[f"{name}|param"] for name in writer.cells.inside]
    columns = [told[name] for name in ("gate", *statement.covariates, *statement.events)]
    one = next((name for name in start if name.startswith("mean_")), "")
    said = "\n".join(f"# - {words}" for words in statement.unstated)
    known = "\n".join(f"#   {name} = {plain}" for name, plain in told.items() if name != plain)
    marks = {
        "@UNSTATED@": said or "# - nothing",
        "@NAMES@": f"# Columns that have another name here:\n{known}\n" if known else "",
        "@OURS@": f"{statement.log_likelihood:.6f}",
        "@START@": ",\n  ".join(f"{name} = {figure(number)}" for name, number in start.items()),
        "@MATRICES@": ",\n  ".join(f"{name} = {_rbind(matrix)}" for name, matrix in matrices.items()),
        "@MANIFEST@": _strings([told[name] for name in statement.indicators]),
        "@LATENT@": _strings(writer.latent),
        "@COLUMNS@": _strings(columns),
        "@ID@": told["dyad"],
        "@TIME@": told["time"],
        "@ONE@": one,
    }
    text = SCRIPT_TEXT
    for mark, words in marks.items():
        text = text.replace(mark, words)
    return text


def _strings(found: list[str]) -> str:
    return "c(" + ", ".join(f'"{text}"' for text in found) + ")"


def _rbind(matrix: Matrix) -> str:
    return "rbind(\n    " + ",\n    ".join(_strings(row) for row in matrix) + ")"


def _zeros(rows: int, columns: int) -> Matrix:
    return [["0"] * columns for _ in range(rows)]


class _Writer:
    """The matrices of one statement; states first, then person means, then random shifts."""

    def __init__(self, statement: Statement, told: dict[str, str]) -> None:
        self.statement, self.told, self.cells = statement, told, Cells()
        numbers = statement.matrices
        self.kept = np.flatnonzero(np.diag(numbers["between"]) > 0).tolist()
        self.slopes = [(int(s), int(c)) for s, c in zip(*np.nonzero(numbers["spread"]), strict=True)]
        states = [word(name) for name in statement.states]
        self.latent = [*states, *(f"mean_of_{states[k]}" for k in self.kept)]
        self.latent += [f"slope_{word(statement.covariates[c])}_{states[s]}" for s, c in self.slopes]
        self.n, self.m, self.size = len(states), len(statement.indicators), len(self.latent)

    def matrices(self) -> dict[str, Matrix]:
        loading = self._loading()
        return {
            "LAMBDA": self._read(loading),
            "DRIFT": self._drift(),
            "CINT": self._drive(),
            "DIFFUSION": self._lower("noise", self.latent, self.size),
            "T0MEANS": [[self._cell("start", i, 0, self.latent[i]) if i < self.n else "0"] for i in range(self.size)],
            "T0VAR": self._start(),
            "MANIFESTMEANS": self._means(loading),
            "MANIFESTVAR": self._lower("error", list(self.statement.indicators), self.m),
            "TDPREDEFFECT": self._jumps(),
        }

    def _cell(self, matrix: str, i: int, j: int, name: str) -> str:
        number, label = self.statement.matrices[matrix][i, j], self.statement.free[matrix][i, j]
        return self.cells.cell(matrix, name, float(number), int(label))

    def _is_zero(self, matrix: str, i: int, j: int) -> bool:
        return self.statement.matrices[matrix][i, j] == 0 and self.statement.free[matrix][i, j] == 0

    def _loading(self) -> Matrix:
        """Return what each indicator reads of each state."""
        own = list(self.statement.indicators)
        return [[self._cell("loading", i, j, own[i]) for j in range(self.n)] for i in range(self.m)]

    def _read(self, loading: Matrix) -> Matrix:
        found = _zeros(self.m, self.size)
        for i, row in enumerate(loading):
            found[i][: self.n] = row
            for place, state in enumerate(self.kept, start=self.n):
                found[i][place] = row[state]
            for place, (state, c) in enumerate(self.slopes, start=self.n + len(self.kept)):
                found[i][place] = self._product(row[state], self.told[self.statement.covariates[c]])
        return found

    def _product(self, loading: str, what: str) -> str:
        if loading in ("0", "1"):
            return "0" if loading == "0" else what
        return self.cells.term(loading, what)

    def _drift(self) -> Matrix:
        found = _zeros(self.size, self.size)
        for i, j in np.ndindex(self.n, self.n):
            name = f"{self.latent[i]}_{self.latent[j]}"
            terms = []
            if not self._is_zero("gated", i, j):
                terms = [self.cells.term(self._cell("gated", i, j, name), self.told["gate"])]
            found[i][j] = self.cells.total(self._cell("drift", i, j, name), terms)
        return found

    def _drive(self) -> Matrix:
        found = _zeros(self.size, 1)
        for i in range(self.n):
            if not self._is_zero("drive", i, 0):
                found[i][0] = self.cells.term(self._cell("drive", i, 0, self.latent[i]), self.told["gate"])
        return found

    def _means(self, loading: Matrix) -> Matrix:
        found = []
        for i in range(self.m):
            terms = []
            for j, c in np.ndindex(self.n, len(self.statement.covariates)):
                if loading[i][j] != "0" and not self._is_zero("shift", j, c):
                    covariate = self.statement.covariates[c]
                    effect = self._cell("shift", j, c, f"{covariate}_{self.latent[j]}")
                    terms.append(self._product(loading[i][j], self.cells.term(effect, self.told[covariate])))
            found.append([self.cells.total(self._cell("mean", i, 0, self.statement.indicators[i]), terms)])
        return found

    def _jumps(self) -> Matrix:
        first = 1 + len(self.statement.covariates)
        found = _zeros(self.size, first + len(self.statement.events))
        for i, e in np.ndindex(self.n, len(self.statement.events)):
            found[i][first + e] = self._cell("jumps", i, e, f"{self.statement.events[e]}_{self.latent[i]}")
        return found

    def _start(self) -> Matrix:
        found = self._lower("start_covariance", self.latent, self.size)
        means = self._lower("between", self.latent, self.n)
        for row, state in enumerate(self.kept, start=self.n):
            for column, other in enumerate(self.kept, start=self.n):
                found[row][column] = means[state][other]
        for place, (state, c) in enumerate(self.slopes, start=self.n + len(self.kept)):
            name = f"{self.statement.covariates[c]}_{self.latent[state]}"
            found[place][place] = self._cell("spread", state, c, name)
        return found

    def _lower(self, matrix: str, own: list[str], size: int) -> Matrix:
        """Return the lower factor of a covariance."""
        found, numbers = _zeros(size, size), factor(self.statement.matrices[matrix])
        for i, j in np.ndindex(*numbers.shape):
            name, label = f"{own[i]}_{own[j]}", int(self.statement.free[matrix][i, j])
            found[i][j] = self.cells.cell(matrix, name, float(numbers[i, j]), label)
        return found
