"""The claims table for the terminal, for spreadsheets and for programs.

It shows the columns that it gets: every triple ``X_median``, ``X_low``, ``X_high`` is an interval named X, and what is
not known here is shown under its own name.
"""

import json
import math
import textwrap
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from dyadloop.reporting.tables import number, share, write_csv
from dyadloop.units import behind

UNTESTABLE = "not testable here"
FOOTNOTE = (
    "Posterior: median [89 % interval], in the unit of its row. A larger number speaks for the claim, also where this "
    "says that something is lowered. ROPE: region of practical equivalence, declared beforehand. "
    "A research instrument, not a clinical device."
)
SIMULATED = "SIMULATED data: nothing here is about real persons."
_HEADINGS = {"": "posterior", "prior": "prior", "randomised": "randomised effect"}
_SHARES = {"p_direction": "P(>0)", "p_beyond_rope": "P(>ROPE)"}
_TOLD = {
    "claim",
    "verdict",
    "finding",
    "statement",
    "estimand",
    "unit",
    "rope_low",
    "rope_high",
    "rests_on",
    "reason",
    "misfit",
    *_SHARES,
}
"""Columns with a place of their own; any other is shown beside them."""
_STATEMENT_WIDTH = 24
_GAP = 2


def prefixes(columns: pd.Index) -> list[str]:
    """Return what the intervals of a table are called in their columns, the posterior (no prefix) first."""
    found = [str(name).removesuffix("median").removesuffix("_") for name in columns if str(name).endswith("median")]
    whole = [name for name in found if {_column(name, end) for end in ("low", "high")} <= set(columns)]
    return sorted(whole, key=lambda name: (name != "", name == "prior"))


def _column(prefix: str, end: str) -> str:
    return f"{prefix}_{end}" if prefix else end


def interval(row: pd.Series, prefix: str = "") -> str:
    """Return ``median [low, high]`` of a claim, or a dash."""
    low, median, high = (row[_column(prefix, end)] for end in ("low", "median", "high"))
    return "-" if pd.isna(median) else f"{number(median)} [{number(low)}, {number(high)}]"


def rope(row: pd.Series) -> str:
    """Return the ROPE of a claim in words."""
    return f"below {row['rope_high']:g}" if pd.isna(row["rope_low"]) else f"{row['rope_low']:g} to {row['rope_high']:g}"


def details(row: pd.Series) -> dict[str, str]:
    """Return what a table says of a claim beside its verdict and statement, by heading; a dash where nothing is."""
    names = prefixes(row.index)
    found = {"finding": str(row["finding"]), "unit": behind(row["unit"]).strip() or "-"}
    found |= {_HEADINGS.get(name, name.replace("_", " ")): interval(row, name) for name in names}
    shares = {
        _column(name, end): f"{_HEADINGS.get(name, name)} {heading}" if name else heading
        for name in names
        for end, heading in _SHARES.items()
    }
    found |= {heading: share(row[name]) for name, heading in shares.items() if name in row.index}
    told = _TOLD | {_column(name, end) for name in names for end in ("low", "median", "high")} | set(shares)
    return found | {str(name).replace("_", " "): _text(row[name]) for name in row.index if name not in told}


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return "-"
    return number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def print_claims(table: pd.DataFrame, console: Console, simulated: bool = False) -> None:
    """Print the tested claims, each with its verdict first, and the untestable ones grouped by reason.

    Where a table of all columns does not fit, each claim has a line with its verdict and its numbers below.
    """
    here = table["verdict"] == UNTESTABLE
    if simulated:
        console.print(f"{SIMULATED}\n", highlight=False, markup=False)
    if not here.all():
        _print_tested(table[~here], console)
        console.print()
        for reason, group in table[~here].groupby("reason", sort=False):
            console.print(f"  {', '.join(group['claim'])}: {reason}", highlight=False, markup=False)
        against = table[table["misfit"].fillna("").astype(str) != ""]
        for misfit, group in against.groupby("misfit", sort=False):
            console.print(f"  against {', '.join(group['claim'])}: {misfit}", highlight=False, markup=False)
    for reason, group in table[here].groupby("reason", sort=False):
        console.print(f"  {UNTESTABLE}: {', '.join(group['claim'])}: {reason}", highlight=False, markup=False)
    console.print(f"\n{FOOTNOTE}", highlight=False, markup=False)


def _print_tested(tested: pd.DataFrame, console: Console) -> None:
    rows = [{"claim": row["claim"], "verdict": row["verdict"], **details(row)} for _, row in tested.iterrows()]
    kept = [name for name in rows[0] if name in ("claim", "verdict") or any(row[name] != "-" for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in kept}
    if sum(widths.values()) + _GAP * len(kept) + _STATEMENT_WIDTH <= console.width:
        sheet = Table(box=None, pad_edge=False, header_style="bold", expand=False)
        for name in kept:
            sheet.add_column(name, no_wrap=True, min_width=widths[name])
        sheet.add_column("statement", overflow="fold")
        for row, statement in zip(rows, tested["statement"], strict=True):
            sheet.add_row(*(row[name] for name in kept), statement)
        console.print(sheet, markup=False)
        return
    for row, statement in zip(rows, tested["statement"], strict=True):
        # a no-break space keeps each number with its name
        numbers = "; ".join(f"{name} {row[name]}".replace(" ", "\xa0") for name in kept[3:] if row[name] != "-")
        for line in _lines(row, widths, f"{statement}.", numbers, console.width):
            console.print(line.replace("\xa0", " "), highlight=False, markup=False, soft_wrap=True)


def _lines(row: dict[str, str], widths: dict[str, int], statement: str, numbers: str, width: int) -> list[str]:
    """Return a claim on lines of a width: claim, verdict and finding, then what it says, then its numbers."""
    cells = [row[name].ljust(widths[name]) for name in ("claim", "verdict", "finding")]
    finding = textwrap.wrap(f"finding {row['finding']}", width)
    if sum(map(len, cells)) + 2 * _GAP <= width:
        first = [(" " * _GAP).join(cells).rstrip()]
    elif sum(map(len, cells[:2])) + _GAP <= width:
        first = [(" " * _GAP).join(cells[:2]).rstrip(), *finding]
    else:
        first = [*textwrap.wrap(row["claim"], width), row["verdict"], *finding]
    inner = {"width": width, "initial_indent": "  ", "subsequent_indent": "  "}
    return [*first, *textwrap.wrap(statement, **inner), *textwrap.wrap(numbers, **inner)]


def claims_json(table: pd.DataFrame) -> str:
    """Return the claims table as JSON, one object per claim, null where there is no number."""
    records = [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in record.items()}
        for record in table.to_dict(orient="records")
    ]
    return json.dumps(records, indent=2, ensure_ascii=False)


def write_claims(table: pd.DataFrame, folder: str | Path) -> tuple[Path, Path]:
    """Write claims.csv, safe to open in a spreadsheet, and claims.json."""
    csv, json_path = Path(folder) / "claims.csv", Path(folder) / "claims.json"
    write_csv(table, csv)
    json_path.write_text(claims_json(table) + "\n", encoding="utf-8")
    return csv, json_path


def read_claims(folder: str | Path) -> pd.DataFrame:
    """Return the claims table that :func:`write_claims` wrote."""
    return pd.DataFrame(json.loads((Path(folder) / "claims.json").read_text(encoding="utf-8")))


def read_prior_sets(folder: str | Path) -> pd.DataFrame | None:
    """Return the claims under several priors that a run left in its folder, if it was asked for them."""
    path = Path(folder) / "prior_sets.csv"
    return pd.read_csv(path) if path.is_file() else None
