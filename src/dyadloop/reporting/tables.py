"""Tables for the terminal and for spreadsheets."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Console
from rich.table import Table
from rich.text import Text

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\x00")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TERM = r"(?:\d+(?:\.\d+)?\s*\*\s*)?[a-z][a-z0-9_]*"
_SUM = re.compile(rf"([+-])\s*({_TERM}(?:\s*[+-]\s*{_TERM})*)")  # the formula of a claim, with a sign before it


def number(value: object) -> str:
    """Return a number with three significant digits, or a dash."""
    if not isinstance(value, int | float) or math.isnan(value):
        return "-"
    return f"{value:.3g}"


def share(value: object) -> str:
    """Return a probability with two digits that never claims certainty, or a dash."""
    if not isinstance(value, int | float) or math.isnan(value):
        return "-"
    return "> 0.99" if value > 0.99 else "< 0.01" if value < 0.01 else f"{value:.2f}"


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table without its index, safe to open in a spreadsheet: no text of it is run as a formula."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(csv_text(table), encoding="utf-8", newline="")


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as the text of a CSV file without its index, safe to open in a spreadsheet."""
    texts = table.select_dtypes(exclude="number").columns
    safe = table.assign(**{str(name): table[name].map(_SAFE.get(str(name), _safe)) for name in texts})
    return safe.to_csv(index=False, lineterminator="\n")


def csv_link(table: pd.DataFrame) -> str:
    """Return a table as the address of a CSV file that lies in the page itself."""
    return f"data:text/csv;charset=utf-8,{quote(csv_text(table))}"


def _safe(value: object) -> object:
    """Return text that no spreadsheet runs as a formula: an apostrophe stands before it; numbers stay numbers."""
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def _safe_sum(value: object) -> object:
    """Return the sum of coefficients that a claim is about with 0 in front instead of a sign: ``0 - a`` for ``-a``."""
    own = _SUM.fullmatch(value) if isinstance(value, str) else None
    return f"0 {own[1]} {own[2]}" if own else _safe(value)


_SAFE = {"estimand": _safe_sum}


def courses_table(found: xr.Dataset) -> pd.DataFrame:
    """Return the courses of :func:`dyadloop.smooth` as one row per dyad, moment and state."""
    names = ("low_89", "low_50", "median", "high_50", "high_89")
    here = np.isfinite(found["days"].values)
    rows = []
    for place, dyad in enumerate(found["dyad"].values):
        levels = np.quantile(found["state_draw"].values[:, place, here[place]], [0.055, 0.25, 0.5, 0.75, 0.945], axis=0)
        for index, state in enumerate(found["state"].values):
            columns = dict(zip(names, levels[..., index], strict=True))
            rows.append(
                pd.DataFrame(
                    {"dyad": dyad, "state": state, "days": found["days"].values[place, here[place]], **columns}
                )
            )
    return pd.concat(rows, ignore_index=True)


def whatif_table(found: xr.Dataset) -> pd.DataFrame:
    """Return the courses of :func:`dyadloop.whatif`, one row per day and state, 89 % intervals."""
    rows = []
    for time, day in enumerate(found["days"].values):
        for place, state in enumerate(found["state"].values):
            row = {"days": float(day), "state": str(state)}
            for name in ("baseline", "scenario", "difference"):
                low, median, high = found[name].values[:, time, place]
                row |= {f"{name}_low": low, name: median, f"{name}_high": high}
            rows.append(row | {"p_positive": float(found["p_positive"].values[time, place])})
    return pd.DataFrame(rows)


def draws_table(post: xr.DataTree) -> pd.DataFrame:
    """Return all posterior draws, one row each, with the columns .chain, .iteration and .draw counted from 1."""
    group = post["posterior"].to_dataset()
    chains, draws = group.sizes["chain"], group.sizes["draw"]
    counters = {
        ".chain": np.repeat(np.arange(1, chains + 1), draws),
        ".iteration": np.tile(np.arange(1, draws + 1), chains),
        ".draw": np.arange(1, chains * draws + 1),
    }
    return pd.DataFrame({str(name): group[name].values.ravel() for name in group.data_vars} | counters)


def text_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table for the terminal whose cells are plain texts: nothing is markup, a missing one is empty."""
    sheet = Table(*headings, box=None)
    for row in rows:
        sheet.add_row(*(Text("" if _is_missing(value) else str(value)) for value in row))
    return sheet


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def print_table(table: pd.DataFrame, console: Console) -> None:
    """Print a data frame, numbers with three significant digits."""
    sheet = Table(box=None, pad_edge=False, header_style="bold")
    for heading in table.columns:
        sheet.add_column(str(heading), overflow="fold")
    for _, row in table.iterrows():
        sheet.add_row(*(_cell(value) for value in row))
    console.print(sheet)


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else "infinite" if value == np.inf else f"{float(value):.4g}"
    return str(value)


def print_dataset(found: xr.Dataset, console: Console) -> None:
    """Print a dataset: single numbers first, then one table per set of dimensions."""
    singles = {str(name): found[name].item() for name in found.data_vars if found[name].ndim == 0}
    for name, value in {**found.attrs, **singles}.items():
        console.print(f"{name}: {_cell(value)}", markup=False)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in found.data_vars:
        if found[name].ndim:
            groups.setdefault(tuple(map(str, found[name].dims)), []).append(str(name))
    for dims, names in groups.items():
        console.print()
        if len(dims) == 2:
            for name in names:
                console.print(f"{name} ({dims[0]} by {dims[1]})", markup=False)
                print_table(pd.DataFrame(found[name].transpose(*dims).to_pandas()).reset_index(), console)
        else:
            print_table(found[names].to_dataframe(dim_order=list(dims)).reset_index(), console)
