"""Actor and partner effects beside the claims: in the terminal, in the result folder and in the report."""

from pathlib import Path

import pandas as pd
from rich.console import Console

from dyadloop.reporting.referees import interval
from dyadloop.reporting.tables import number, print_table, write_csv

FILE = "actor_partner.csv"
_TITLE = "Actor and partner effects at the next occasion, of a source one SD above its usual level (89 % intervals)"


def write_actor_partner(table: pd.DataFrame, folder: Path) -> None:
    """Write the table into a result folder; nothing where it is empty."""
    if len(table):
        write_csv(table, folder / FILE)


def print_actor_partner(folder: Path, console: Console) -> None:
    """Print the table of a result folder where it has one."""
    path = folder / FILE
    if not path.is_file():
        return
    console.print(f"\n{_TITLE}", style="bold", markup=False)
    print_table(effects_table(pd.read_csv(path)), console)


def effects_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of :func:`dyadloop.actor_partner_effects` as text: actor effects, then partner effects."""
    rows = [
        {
            "kind": row["kind"],
            "from": row["source"],
            "to": row["target"],
            "days": number(row["gap_days"]),
            "effect in SD": interval(row, "effect"),
            "in points": interval(row, "points"),
            "one SD is": number(row["source_points"]),
        }
        for _, row in table.sort_values("kind", kind="stable").iterrows()
    ]
    return pd.DataFrame(rows, columns=["kind", "from", "to", "days", "effect in SD", "in points", "one SD is"])
