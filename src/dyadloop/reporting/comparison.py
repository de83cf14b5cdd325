"""The comparison of hypotheses for the terminal and for spreadsheets."""

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Console

from dyadloop.reporting.tables import number, print_table

FOOTNOTE = (
    "Score: expected log predictive density of a dyad left out, summed over dyads; difference to the best and its "
    "standard error. Log evidence rests on the priors. Loop gains are those through oxytocin, from session to "
    "session and as if a session never ended; median [89 % interval]. A research instrument, not a clinical device."
)


def comparison_table(found: xr.Dataset) -> pd.DataFrame:
    """Return one row per hypothesis, numbers only; intervals as columns low, median, high."""
    rows = []
    for name in found["hypothesis"].values:
        entry = found.sel(hypothesis=name)
        row: dict[str, Any] = {"hypothesis": str(name), "reading": _reading(entry)}
        row |= {key: entry[key].item() for key in _numbers(found)}
        row["worst_pareto_k"] = float(entry["pareto_k"].max())
        for key in ("continuous_loop_gain", "session_loop_gain"):
            low, median, high = entry[key].values
            row |= {f"{key}_low": low, key: median, f"{key}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _numbers(found: xr.Dataset) -> list[str]:
    kept = ["elpd", "se", "difference", "difference_se", "weight", "log_evidence", "log_evidence_se"]
    ahead = [f"{key}_ahead{end}" for key, end in (("elpd", ""), ("difference", ""), ("difference", "_se"))]
    return [*kept, *(key for key in ahead if key in found), "refits", "converged"]


def _reading(entry: xr.Dataset) -> str:
    if not bool(entry["converged"]):
        return "not converged"
    if float(entry["difference"]) == 0.0:
        return "best"
    return "predicts worse" if bool(entry["told_apart"]) else "not told apart from the best"


def print_comparison(found: xr.Dataset, console: Console) -> None:
    """Print the comparison and what must be known when it is read."""
    table = comparison_table(found)
    shown = {
        "hypothesis": table["hypothesis"],
        "score": [f"{value:.1f}" for value in table["elpd"]],
        "difference": _with_error(table, "difference"),
        "weight": [f"{value:.2f}" for value in table["weight"]],
        "log evidence": _with_error(table, "log_evidence"),
        "worst k": [f"{value:.2f}" for value in table["worst_pareto_k"]],
        "refits": table["refits"],
    }
    if "difference_ahead" in table:
        shown[f"last {found.attrs['ahead']} sessions"] = _with_error(table, "difference_ahead")
    for key, heading in (("session_loop_gain", "session loop gain"), ("continuous_loop_gain", "continuous loop gain")):
        shown[heading] = [_interval(row, key) for _, row in table.iterrows()]
    print_table(pd.DataFrame(shown | {"reading": table["reading"]}), console)
    for note in json.loads(found.attrs["notes"]):
        console.print(f"\n  {note}", highlight=False, markup=False)
    console.print(f"\n{FOOTNOTE}", highlight=False, markup=False)


def _with_error(table: pd.DataFrame, key: str) -> list[str]:
    return [f"{value:.1f} ({error:.1f})" for value, error in zip(table[key], table[f"{key}_se"], strict=True)]


def _interval(row: pd.Series, key: str) -> str:
    if np.isnan(row[key]):
        return "-"
    return f"{number(row[key])} [{number(row[f'{key}_low'])}, {number(row[f'{key}_high'])}]"
