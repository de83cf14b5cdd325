"""A study and a theory on the terminal."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from dyadloop.data import StudySummary
from dyadloop.theory import Theory
from dyadloop.theory.listing import rows

_SHADES = " ░▒▓█"


def print_summary(summary: StudySummary, console: Console) -> None:
    """Print counts, spans and the missingness map of a study."""
    low, middle, high = summary.sessions_per_dyad
    first, median, last = summary.span_days
    mark = " (SIMULATED)" if summary.simulated else ""
    console.print(f"study {summary.name}{mark}", markup=False)
    console.print(f"  {summary.persons} persons in {summary.dyads} dyads, {summary.sessions} sessions", markup=False)
    console.print(f"  sessions per dyad: {low} to {high}, median {middle:g}", markup=False)
    console.print(f"  days covered per dyad: {first:.3g} to {last:.3g}, median {median:.3g}", markup=False)
    if summary.events:
        events = ", ".join(f"{name} {count}" for name, count in summary.events.items())
        console.print(f"  events: {events}", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "indicator",
        "quantity",
        "person",
        "values",
        "dyads",
        "missing",
        "beyond limit",
        "missing by session",
    ):
        table.add_column(heading)
    for entry in summary.indicators:
        shades = "".join(_SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)] for share in entry.map)
        cells = (entry.name, entry.quantity, entry.person, str(entry.values), str(entry.dyads))
        table.add_row(
            *cells, "-" if math.isnan(entry.missing) else f"{entry.missing:.0%}", str(entry.censored), f"|{shades}|"
        )
    console.print(table)
    console.print("missing by session: from the first to the last sessions, darker = more missing", markup=False)


def summary_json(summary: StudySummary, remarks: Sequence[str] = (), following: str = "") -> str:
    """Return the summary of a study as JSON, with what was remarked and the command that comes next."""
    content = asdict(summary) | {"faults": [], "notes": list(remarks), "next": following}
    for entry in content["indicators"]:
        entry["missing"] = None if math.isnan(entry["missing"]) else entry["missing"]
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def print_theory(theory: Theory, console: Console) -> None:
    """Print a theory as a table of its elements, then its hypotheses and claims."""
    restricted = f", hypothesis {theory.hypothesis}" if theory.hypothesis else ""
    console.print(f"{theory.id}{restricted}: {theory.title} ({theory.source})", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("element", "meaning", "value", "unit", "prior", "source"):
        table.add_column(heading, overflow="fold")
    for row in rows(theory):
        table.add_row(*row.values())
    console.print(table)
    for switch in theory.switches:
        state = "on" if switch.id in theory.switched_on else "off"
        console.print(f"switch {switch.id} ({state}): {switch.title}", markup=False)
    for rival in theory.hypotheses:
        console.print(f"hypothesis {rival.id} {rival.name}: {rival.title}", markup=False)
    for claim in theory.claims:
        low = "below " if claim.rope.low is None else f"{claim.rope.low:g} to "
        text = f"claim {claim.id}: {claim.statement}; {claim.formula} [{claim.unit}]; ROPE {low}{claim.rope.high:g}"
        console.print(f"{text} (assumed: {claim.rope.assumed})", markup=False)


def print_differences(found: list[dict[str, str]], console: Console) -> None:
    """Print what differs between two theories."""
    if not found:
        console.print("no difference")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("element", "what", "first", "second"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(*row.values())
    console.print(table)
