"""The first page of a report: each claim in one sentence with its number, and what the study cannot tell."""

import re
from typing import Any

import pandas as pd

from dyadloop.claims.claims_table import ARMS, UNTESTABLE
from dyadloop.units import behind

_LISTED = 6  # claims of one reason that are named; more are counted
_ABSENT = re.compile(r"(.+) (?:is|are) not measured in this study")


def sentences(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the tested claims as verdict, statement, estimate in words and reason, in their order."""
    return [
        {
            "claim": row["claim"],
            "verdict": row["verdict"],
            "statement": row["statement"],
            "estimate": estimate(row),
            "reason": row["reason"],
            "misfit": row["misfit"] or "",
        }
        for _, row in table[table["verdict"] != UNTESTABLE].iterrows()
    ]


def by_reason(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return sentences as groups of one verdict for one reason, in the order of the first of each."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in told:
        found.setdefault((row["verdict"], row["reason"]), []).append(row)
    return [{"verdict": verdict, "reason": reason, "rows": rows} for (verdict, reason), rows in found.items()]


def estimate(row: pd.Series) -> str:
    """Return the number on which a verdict rests, in words: the randomised effect where there is one."""
    found = _interval(row, "")
    if pd.isna(row["randomised_median"]):
        label = "Effect of the randomised arm" if row["rests_on"] == ARMS else "Association"
        return f"{label}: {found}" if found else "No number"
    return f"Effect of randomised events: {_interval(row, 'randomised_')}. Association in all data: {found}"


def _interval(row: pd.Series, prefix: str) -> str:
    median, low, high = (row[f"{prefix}{name}"] for name in ("median", "low", "high"))
    if pd.isna(median):
        return ""
    return f"{median:.2g}{behind(row['unit'])} (89 % interval {low:.2g} to {high:.2g})"


def sure_arrows(beside: pd.DataFrame, words: dict[str, str]) -> list[str]:
    """Return the arrows whose 89 % interval excludes 0, each beside a plain regression: no claim, but not to be hidden.

    Parameters
    ----------
    beside
        Result of :func:`dyadloop.compare_referees`.
    words
        Arrows in words, by id.
    """
    found = []
    for _, row in beside.iterrows():
        if row["slope_low"] <= 0.0 <= row["slope_high"]:
            continue
        numbers = [
            f"{row[f'{n}']:.2g} [{row[f'{n}_low']:.2g}, {row[f'{n}_high']:.2g}]" for n in ("slope", "regression")
        ]
        found.append(
            f"{words[row['arrow']]}: {numbers[0]} in the fit, {numbers[1]} in a lag-1 regression ({row['agree']})"
        )
    return found


def groups(table: pd.DataFrame) -> list[str]:
    """Return why claims are not testable, a line per reason; what is not measured shares one line."""
    untested = table[table["verdict"] == UNTESTABLE]
    reasons = sorted(untested.groupby("reason", sort=False)["claim"], key=lambda group: -len(group[1]))
    absent = [(match[1], len(names)) for reason, names in reasons if (match := _ABSENT.fullmatch(str(reason)))]
    total = sum(count for _, count in absent)
    lines = [f"{total} need what is not measured: {', '.join(f'{name} ({count})' for name, count in absent)}"]
    others = [(reason, names) for reason, names in reasons if not _ABSENT.fullmatch(str(reason))]
    return lines[: bool(absent)] + [f"{len(names)}: {reason} ({_names(names.tolist())})" for reason, names in others]


def _names(names: list[str]) -> str:
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(names[: _LISTED - 1])} and {len(names) - _LISTED + 1} more"


def estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure of the first page shows: one row per number of a tested claim, with prior and ROPE."""
    rows = []
    for _, row in table[(table["verdict"] != UNTESTABLE) & table["median"].notna()].iterrows():
        shared = {name: row[name] for name in ("claim", "statement", "verdict", "unit", "rope_low", "rope_high")}
        shared |= {name: row[name] for name in ("prior_low", "prior_median", "prior_high")}
        for prefix, kind in (("", "association"), ("randomised_", "randomised effect")):
            if not pd.isna(row[f"{prefix}median"]):
                numbers = {name: row[f"{prefix}{name}"] for name in ("low", "median", "high")}
                rows.append(shared | {"kind": kind} | numbers)
    return pd.DataFrame(rows)
