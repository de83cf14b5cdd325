"""Simulate studies of every shipped design and print the tables of docs/design.md.

``python docs/designs.py FOLDER REPLICATES`` keeps finished studies in FOLDER, so that it goes on where it was stopped.
"""

import sys
from pathlib import Path

import pandas as pd

from dyadloop.design import DESIGNS, Assurance, assurance

TRUTHS = ("none", "common_cause", "fixed", "prior")
"""Worlds: nothing acts through oxytocin; a common cause instead; the numbers of the theory file; drawn from priors."""


def cell(row: pd.Series) -> str:
    """Return the shares of one claim in one world: supported, contradicted."""
    return f"{row['supported']:.2f} / {row['contradicted']:.2f}"


def claim_rows(name: str, found: Assurance) -> list[str]:
    """Return one line per claim that the design can test, and one for all others."""
    table, lines = found.claims, []
    for claim, mine in table[table["untestable"] < 1].groupby("claim", sort=False):
        cells = [cell(mine[mine["truth"] == truth].iloc[0]) for truth in TRUTHS]
        power = mine[mine["truth"] == "prior"]["power"].iloc[0]
        lines.append(f"| {name} | {claim} | {' | '.join(cells)} | {'–' if power != power else f'{power:.2f}'} |")
    count = table[table["untestable"] == 1]["claim"].nunique()
    return [*lines, f"| {name} | {count} other claims | {' | '.join(['not testable'] * len(TRUTHS))} | – |"]


def world_row(name: str, found: Assurance) -> str:
    """Return the line of false support of a design."""
    rows = found.worlds.set_index("truth").loc[list(TRUTHS[:2])]
    cells = [f"{row['false_oxytocin']:.3f} (≤ {row['oxytocin_upper']:.3f})" for _, row in rows.iterrows()]
    return f"| {name} | {int(rows['studies'].iloc[0])} | {' | '.join(cells)} |"


def main(folder: Path, replicates: int, names: tuple[str, ...]) -> None:
    """Print both tables, design by design."""
    claims, worlds = [], []
    for name in names:
        found = assurance(name, TRUTHS, replicates, folder=folder / name, workers=1)
        claims += claim_rows(name, found)
        worlds.append(world_row(name, found))
        print("\n".join(claims_head(claims)), "\n", "\n".join(worlds_head(worlds)), sep="\n", flush=True)


def claims_head(rows: list[str]) -> list[str]:
    """Return the table of claims with its head."""
    return [f"| design | claim | {' | '.join(TRUTHS)} | power over priors |", "|---" * 7 + "|", *rows]


def worlds_head(rows: list[str]) -> list[str]:
    """Return the table of false support with its head."""
    head = (
        "| design | studies of each | false support of a claim about oxytocin, nothing acts | the same, common cause |"
    )
    return [head, "|---|---|---|---|", *rows]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), tuple(sys.argv[3:]) or DESIGNS)
