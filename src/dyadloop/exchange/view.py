"""A grid with a row per session: wide tables are unfolded, and each cell still knows where it stands."""

import re
from dataclasses import dataclass, field

import numpy as np

from dyadloop.errors import DataError, Fault
from dyadloop.exchange.grid import Grid

SESSION = "session"
"""Column that unfolding adds: the number in the headings."""


@dataclass(frozen=True)
class View:
    """Rows of a grid, one per session.

    Attributes
    ----------
    grid
        The cells.
    rows
        Row of the grid of each row of the view.
    places
        Column of the grid of each named column, by row of the view; -1 where there is none.
    sessions
        Number of the session of each row, where the table was unfolded.
    """

    grid: Grid
    rows: np.ndarray
    places: dict[str, np.ndarray]
    sessions: np.ndarray | None = None
    _texts: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def texts(self, name: str) -> np.ndarray:
        """Return the texts of a column of the view."""
        if name not in self._texts:
            place, texts = self.places[name], np.full(len(self.rows), "", dtype=object)
            for column in np.unique(place[place >= 0]):
                mine = place == column
                texts[mine] = self.grid.table.iloc[:, int(column)].to_numpy(dtype=object)[self.rows[mine]]
            self._texts[name] = texts
        return self._texts[name]


def fold_pattern(pattern: str) -> re.Pattern[str]:
    """Return the expression of a pattern such as ``{name}_t{session}``.

    Raises
    ------
    DataError
        If it does not name both.
    """
    if pattern.count("{name}") != 1 or pattern.count("{session}") != 1:
        fault = Fault(
            "import.yaml",
            None,
            "wide",
            repr(pattern),
            "a pattern with {name} and {session}",
            "such as {name}_t{session}",
        )
        raise DataError("import.yaml", [fault])
    escaped = re.escape(pattern).replace(r"\{name\}", "(?P<name>.+?)").replace(r"\{session\}", r"0*(?P<session>\d+)")
    return re.compile(escaped, re.IGNORECASE)


def folded(names: list[str], pattern: str) -> dict[str, dict[int, int]]:
    """Return which columns hold which sessions of which stem: name, session, place."""
    expression, found = fold_pattern(pattern), {}
    for place, heading in enumerate(names):
        match = expression.fullmatch(heading)
        if match:
            name = match["name"].strip(" _.-")
            known = next((stem for stem in found if stem.lower() == name.lower()), name)
            found.setdefault(known, {}).setdefault(int(match["session"]), place)
    return {name: sessions for name, sessions in found.items() if len(sessions) > 1}


def view_of(grid: Grid, wide: str | None) -> View:
    """Return the rows of a grid, one per session."""
    names, n_rows = list(grid.table.columns), len(grid.table)
    if wide is None:
        rows = np.arange(n_rows)
        return View(grid, rows, {name: np.broadcast_to(k, n_rows) for k, name in enumerate(names)})
    stems = folded(names, wide)
    numbers = sorted({number for sessions in stems.values() for number in sessions})
    if not numbers:
        got, remedy = f"no columns of the form {wide!r}", "correct the pattern, or write `wide: null`"
        raise DataError(grid.file, [Fault(grid.file, 1, None, got, "columns of two sessions or more", remedy)])
    taken = {place for sessions in stems.values() for place in sessions.values()}
    rows = np.repeat(np.arange(n_rows), len(numbers))
    session = np.tile(numbers, n_rows)
    places = {name: np.full(len(rows), k) for k, name in enumerate(names) if k not in taken}
    for stem, sessions in stems.items():
        column = np.tile([sessions.get(number, -1) for number in numbers], n_rows)
        places[stem if stem not in places else f"{stem} (by session)"] = column
    filled = grid.filled
    own = [column for name, column in places.items() if name not in names]
    some = np.zeros(len(rows), bool)
    for column in own:
        some |= (column >= 0) & filled[rows, np.maximum(column, 0)]
    kept = {name: column[some] for name, column in places.items()}
    return View(grid, rows[some], kept, session[some])
