"""Arrows beside plain regressions, and what they mean at the next session, for the terminal and the report."""

import pandas as pd

from dyadloop.reporting.tables import number, share


def interval(row: pd.Series, name: str) -> str:
    """Return the middle of an interval with its ends, as text."""
    if pd.isna(row[name]):
        return "-"
    return f"{number(row[name])} [{number(row[f'{name}_low'])}, {number(row[f'{name}_high'])}]"


def beside_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of :func:`dyadloop.compare_referees` as text: each arrow, and what the referees say."""
    rows = [
        {
            "arrow": row["arrow"],
            "from": row["source"],
            "to": row["target"],
            "fit": interval(row, "slope"),
            "lag-1 regression": interval(row, "regression"),
            "multilevel VAR": interval(row, "multilevel"),
            "same sign": row["agree"],
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows, columns=["arrow", "from", "to", "fit", "lag-1 regression", "multilevel VAR", "same sign"])


def lagged_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return what one SD more of a source means for a target at the next occasion, in SD and in points, as text."""
    columns = ["arrow", "days", "one SD is", "effect in SD", "effect in points", "together", "error from", "error to"]
    rows = [
        {
            "arrow": row["arrow"],
            "days": number(row["gap_days"]),
            "one SD is": number(row["source_points"]),
            "effect in SD": interval(row, "effect"),
            "effect in points": interval(row, "points"),
            "together": number(row["noise_correlation"]),
            "error from": share(row["error_source"]),
            "error to": share(row["error_target"]),
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows, columns=columns)
