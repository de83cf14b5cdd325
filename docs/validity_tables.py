"""Fill the tables of docs/validity.md with what simulated studies came to.

``python docs/validity_tables.py FOLDER`` makes the studies that FOLDER does not hold yet, some hours in all, so that it
goes on where it was stopped; behind FOLDER may stand which tables, of ``moments``, ``visits``, ``broken`` and
``randomised``. The same records are kept by ``dyadloop calibrate --broken`` and ``--randomised``, asked for FOLDER with
``--out``.
"""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.appraisal import VIOLATIONS, misspecified
from dyadloop.claims import support_rates

PAGE = Path(__file__).parent / "validity.md"
MOMENTS = tuple(name for name in VIOLATIONS if re.fullmatch(r"none|((slow|weekly)_?)?(error_\w+)?", name))
"""Studies in which only the errors of one moment differ, with and without correlated errors in the fit."""
VISITS = tuple(name for name in VIOLATIONS if name.startswith("visit"))
"""Studies whose two ratings lie an hour apart, with errors that they share or not."""
STUDIES, WORLDS = 200, 500
"""Studies of each violation, with and without an arrow each, and of each world with randomised events."""


def share(value: float) -> str:
    """Return a share with three digits, a dash where there is none."""
    return "–" if not np.isfinite(value) else f"{value:.3f}".removeprefix("0")


def error_rows(names: tuple[str, ...], folder: Path) -> list[str]:
    """Return one line per study of correlated errors."""
    both = [
        misspecified(names, STUDIES, folder=folder).set_index("violation"),
        misspecified(names, STUDIES, folder=folder, shared_errors=False, checks=False).set_index("violation"),
    ]
    keys = ("found", "coverage", "power")
    return [
        f"| `{name}` | {STUDIES} | {' | '.join(share(table.loc[name, key]) for table in both for key in keys)} |"
        for name in names
    ]


def broken_rows(folder: Path) -> list[str]:
    """Return one line per violation, with what checks say of it."""
    lines = []
    names = [name for name in VIOLATIONS if name not in VISITS]
    for row in misspecified(names, STUDIES, folder=folder).to_dict("records"):
        wrong = round(row["found"] * 2 * STUDIES)  # of two arrows a study
        cells = [share(row[key]) for key in ("coverage", "power", "reversed", "flagged")]
        found = f"{share(row['found'])} ({share(row['found_se'])})"
        flagged = f"{share(row['flagged_if_wrong'])} of {wrong}"
        lines.append(f"| `{row['violation']}` | {row['what']} | {found} | {' | '.join(cells)} | {flagged} |")
    return lines


def world_rows(worlds: pd.DataFrame) -> list[str]:
    """Return one line per simulated world."""
    return [
        f"| `{row['truth']}` | {row['what']} | {row['studies']} | {share(row['false_support'])} | {share(row['upper'])} |"
        for row in worlds.to_dict("records")
    ]


def strength_rows(strengths: pd.DataFrame) -> list[str]:
    """Return one line per strength of the events: studies with false support, with right support where all holds."""
    lines = []
    for strength, mine in strengths.groupby("strength"):
        cells = [
            f"{row['right_support' if row['truth'] == 'reciprocal' else 'false_support']} of {row['studies']}"
            for row in mine.to_dict("records")
        ]
        lines.append(f"| {strength:g} | {' | '.join(cells)} |")
    return lines


def claim_rows(claims: pd.DataFrame) -> list[str]:
    """Return one line per world and claim that events could decide in any study."""
    keys = ("supported", "contradicted", "association_coverage", "effect_coverage")
    return [
        f"| `{row['truth']}` | {row['claim']} | {share(row['holds'])} | {row['testable']} | "
        f"{' | '.join(share(row[key]) for key in keys)} |"
        for row in claims.to_dict("records")
        if row["testable"]
    ]


def filled(text: str, mark: str, heading: str, rows: list[str]) -> str:
    """Return the page with the table behind a mark replaced."""
    names = f"| {heading} |\n|{'---|' * (heading.count('|') + 1)}"
    return re.sub(rf"<!-- {mark} -->\n(\|.*\n)*", lambda _: "\n".join([f"<!-- {mark} -->", names, *rows, ""]), text)


def error_table(names: tuple[str, ...], folder: Path) -> tuple[str, list[str]]:
    """Return heading and lines of a table of correlated errors."""
    three = "coverage | power"
    return f"study | studies | found | {three} | found, independent errors | {three}", error_rows(names, folder)


def randomised_tables(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Return heading and lines of the tables of randomised events, by mark."""
    worlds, strengths, claims = support_rates(None, WORLDS, folder=folder)
    heading = "world | claim | holds | told | supported | contradicted | coverage, association | coverage, effect"
    return {
        "worlds": ("world | what | studies | false support | upper bound", world_rows(worlds)),
        "strengths": (f"strength | {' | '.join(worlds['truth'])}", strength_rows(strengths)),
        "claims": (heading, claim_rows(claims)),
    }


def main(folder: Path, which: list[str]) -> None:
    """Renew the page."""
    heading = "violation | what | found (SE) | coverage | power | reversed | flagged | of wrong ones"
    tables: dict[str, tuple[str, list[str]]] = {}
    if "moments" in which:
        tables["shared errors"] = error_table(MOMENTS, folder)
    if "visits" in which:
        tables["visits"] = error_table(VISITS, folder)
    if "broken" in which:
        tables["broken"] = heading, broken_rows(folder)
    if "randomised" in which:
        tables |= randomised_tables(folder)
    text = PAGE.read_text(encoding="utf-8")
    for mark, (names, rows) in tables.items():
        text = filled(text, mark, names, rows)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["moments", "visits", "broken", "randomised"])
