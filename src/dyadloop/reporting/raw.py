"""What a measurement of raw files says on the screen: scores, wells, and every doubt."""

import re
from typing import Any

import pandas as pd

from dyadloop.signals.alignment import is_routine

_OWN = re.compile(r"\S*\d\S*")
"""What is particular to one recording in a sentence about it: names of files, and numbers."""


def measured_lines(name: str, record: dict[str, Any], status: pd.DataFrame) -> list[str]:
    """Return the lines on one indicator: how many scores, what became of the wells, and what is suspicious.

    Parameters
    ----------
    name
        Indicator.
    record
        Its record.
    status
        Statuses of all indicators.
    """
    mine = status[status["indicator"] == name]["status"]
    lines = [f"{name}: {record['scores']} scores of {len(mine)}; {record.get('convention', record['kind'])}"]
    if "group_p_value" in record:
        effect, p = record["group_effect"], record["group_p_value"]
        lines.append(f"  real dyads against re-paired ones: effect {effect:.2f} SD of the null, p = {p:.4g}")
        lines.append(f"  leaving out one dyad at a time, with all its recordings: {record['leave_one_out']}")
    if "wells" in record:
        parts = " + ".join(f"{count} {word}" for word, count in record["wells"].items())
        lines.append(f"  {sum(record['wells'].values())} wells = {parts}")
    lines += _notes(record.get("notes", {}))
    doubted = mine[mine.str.startswith("doubtful")]
    if len(doubted):
        shown = [
            f"{count} score{'s' if count > 1 else ''} {text}"
            for text, count in doubted.value_counts(sort=False).head(5).items()
        ]
        more = f" and {doubted.nunique() - 5} other doubts" if doubted.nunique() > 5 else ""
        lines.append(f"  {'; '.join(shown)}{more}")
    return lines


def _notes(notes: dict[str, list[str]]) -> list[str]:
    """Return notes and doubts, a line for all that differ in names and numbers alone."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for place, texts in notes.items():
        for text in texts:
            alike.setdefault(_OWN.sub("*", text), []).append((place, text))
    lines = []
    for group in alike.values():
        place, text = group[0]
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        lines.append(f"  {'note' if is_routine(text) else 'doubt'}: {place}{more}: {text}")
    return lines


def without_score(status: pd.DataFrame) -> list[str]:
    """Return a line for each reason why a session has no score; sources that cannot be used at all have no session."""
    bad = status[~status["status"].str.startswith(("ok", "doubtful")) & (status["dyad"] != "")]
    lines = []
    for (name, why), group in bad.groupby(["indicator", "status"], sort=False):
        first = f"dyad {group['dyad'].iloc[0]} session {group['session'].iloc[0]}"
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        lines.append(f"{name}, {first}{more}: {why}")
    return lines
