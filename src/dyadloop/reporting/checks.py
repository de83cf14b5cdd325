"""Model criticism for the terminal and for spreadsheets."""

import pandas as pd
import xarray as xr
from rich.console import Console

from dyadloop.reporting.tables import print_table

_SHOWN = 12
_TITLES = {
    "predictive": "Replicated data (89 % of the replicates; shown: the statistics furthest out)",
    "residuals": "One-step residuals (right model: mean 0, sd 1, no autocorrelation, 0.0027 beyond 3)",
    "influence": "Influence of single dyads (shown: the largest; shift in posterior sds without the dyad)",
    "sensitivity": "Power-scaling sensitivity (0.05 and more: sensitive; shown: most sensitive to the prior)",
    "filter": "Estimates corrected by a particle filter (shown: the largest shifts, in posterior sds)",
}


def checks_tables(found: xr.DataTree) -> dict[str, pd.DataFrame]:
    """Return the tables of :func:`dyadloop.checks`, what stands out most first."""
    tables = {name: found[name].to_dataset().to_dataframe().reset_index() for name in _TITLES if name in found.children}
    share = tables["predictive"]["share_above"]
    tables["predictive"] = tables["predictive"].iloc[(0.5 - (share - 0.5).abs()).argsort(kind="stable")]
    tables["influence"] = tables["influence"].sort_values("pareto_k", ascending=False, kind="stable")
    tables["sensitivity"] = tables["sensitivity"].sort_values("prior", ascending=False, kind="stable")
    if "filter" in tables:
        tables["filter"] = tables["filter"].sort_values("shift", key=abs, ascending=False, kind="stable")
    return tables


def print_checks(found: xr.DataTree, console: Console) -> None:
    """Print the tables, and what stands out in words."""
    for name, table in checks_tables(found).items():
        console.print(_TITLES[name], style="bold", markup=False)
        print_table(table.head(_SHOWN), console)
        if len(table) > _SHOWN:
            console.print(f"... and {len(table) - _SHOWN} more")
        console.print()
    findings = found.attrs["findings"].splitlines()
    for line in findings:
        console.print(f"! {line}", markup=False)
    if not findings:
        console.print("Nothing stands out.")
