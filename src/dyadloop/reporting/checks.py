"""Model criticism for the terminal and for spreadsheets."""

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Console

from dyadloop.reporting.referees import beside_table, lagged_table
from dyadloop.reporting.tables import print_table

_SHOWN = 12
_TITLES = {
    "predictive": "Replicated data (89 % of the replicates; shown: the statistics furthest out)",
    "residuals": "One-step residuals (right model: mean 0, sd 1, no autocorrelation, 0.0027 beyond 3)",
    "influence": "Influence of single dyads (shown: the largest; shift in posterior sds without the dyad)",
    "sensitivity": "Power-scaling sensitivity (0.05 and more: sensitive; shown: most sensitive to the prior)",
    "referees": "Each arrow beside plain regressions (per SD within persons, at the next occasion; 89 % intervals)",
    "cross_residuals": "Residuals that go together, at one occasion and later (shown: the largest in standard errors)",
    "halves": "What each half of the study says (posterior mean if it were the whole; shown: the largest differences)",
    "without_each": "What is left without the dyad that carries most (shown: the largest losses)",
    "filter": "Estimates corrected by a particle filter (shown: the largest shifts, in posterior sds)",
}
_PRINTED = {
    "cross_residuals": ["first", "then", "lag", "correlation", "se", "pairs"],
    "halves": ["finding_of", "split", "whole", "first", "second", "se", "robust_ratio"],
    "without_each": ["finding_of", "finding", "share", "dyad", "share_without", "whole", "without", "pareto_k"],
}
"""Columns that are printed, where not all are."""
_LAGGED = "At the next occasion, when the source is one SD above its usual level (without error; other paths included)"


def checks_tables(found: xr.DataTree) -> dict[str, pd.DataFrame]:
    """Return the tables of :func:`dyadloop.checks`, what stands out most first."""
    tables = {name: found[name].to_dataset().to_dataframe().reset_index() for name in _TITLES if name in found.children}
    share = tables["predictive"]["share_above"]
    tables["predictive"] = tables["predictive"].iloc[np.argsort((0.5 - (share - 0.5).abs()).to_numpy(), kind="stable")]
    tables["influence"] = tables["influence"].sort_values("pareto_k", ascending=False, kind="stable")
    tables["sensitivity"] = tables["sensitivity"].sort_values("prior", ascending=False, kind="stable")
    for name in ("referees", *_PRINTED):
        tables[name] = tables[name].drop(columns="row")
    size = {
        "cross_residuals": lambda t: (t["correlation"] / t["se"]).abs(),
        "halves": lambda t: ((t["first"] - t["second"]) / t["se"]).abs(),
        "without_each": lambda t: t["share"] - t["share_without"],
    }
    for name, by in size.items():
        tables[name] = tables[name].iloc[np.argsort(-by(tables[name]).to_numpy(dtype=float), kind="stable")]
    if "filter" in tables:
        tables["filter"] = tables["filter"].sort_values("shift", key=abs, ascending=False, kind="stable")
    return tables


def print_checks(found: xr.DataTree, console: Console) -> None:
    """Print the tables, and what stands out in words."""
    for name, table in checks_tables(found).items():
        if name == "referees":
            _print(_LAGGED, lagged_table(table), console)
            table = beside_table(table)
        _print(_TITLES[name], table[_PRINTED.get(name, list(table.columns))], console)
    findings = found.attrs["findings"].splitlines()
    for line in findings:
        console.print(f"! {line}", markup=False)
    if not findings:
        console.print("Nothing stands out.")


def _print(title: str, table: pd.DataFrame, console: Console) -> None:
    console.print(title, style="bold", markup=False)
    print_table(table.head(_SHOWN), console)
    if len(table) > _SHOWN:
        console.print(f"... and {len(table) - _SHOWN} more")
    console.print()
