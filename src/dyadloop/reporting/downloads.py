"""The numbers behind each figure and table of a report, as CSV files that lie in the page itself."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from markupsafe import Markup

from dyadloop.reporting.tables import csv_link


def links(tables: Mapping[str, pd.DataFrame]) -> dict[str, Markup]:
    """Return a link for each table by its name, empty where a table has no rows."""
    pattern = Markup('<a class="csv" download="{}.csv" href="{}">Numbers (CSV)</a>')
    return {name: pattern.format(name, csv_link(table)) if len(table) else Markup() for name, table in tables.items()}


def missing_table(shares: Mapping[str, tuple[float, ...]]) -> pd.DataFrame:
    """Return the share of sessions without a value, one row per indicator and block of sessions."""
    rows = [
        {"indicator": name, "block": block, "share_missing": value}
        for name, values in shares.items()
        for block, value in enumerate(values, start=1)
    ]
    return pd.DataFrame(rows)


def predictive_table(checks: xr.Dataset) -> pd.DataFrame:
    """Return each observed statistic and the 89 % interval of its replicates."""
    low, median, high = np.nanquantile(checks["replicated"].values, [0.055, 0.5, 0.945], axis=0)
    columns = {"statistic": checks["statistic"].values, "observed": checks["observed"].values}
    return pd.DataFrame(columns | {"replicated_low": low, "replicated_median": median, "replicated_high": high})
