"""A study and a theory on the terminal."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from dyadloop.data import StudySummary
from dyadloop.data.doubts import Doubt
from dyadloop.errors import number_of
from dyadloop.theory import Theory
from dyadloop.theory.listing import rows

if TYPE_CHECKING:
    from dyadloop.appraisal import PracticalIdentifiability

_SHADES = " ░▒▓█"


def print_summary(summary: StudySummary, console: Console) -> None:
    """Print counts, spans and the missingness map of a study."""
    low, middle, high = summary.sessions_per_dyad
    first, median, last = summary.span_days
    mark = " (SIMULATED)" if summary.simulated else ""
    console.print(f"study {summary.name}{mark}", markup=False)
    console.print(f"  {summary.persons} persons in {summary.dyads} dyads, {summary.sessions} sessions", markup=False)
    console.print(f"  sessions per dyad: {low} to {high}, median {middle:g}", markup=False)
    if summary.first:
        clock = f"; clock: {summary.clock}"
        console.print(f"  from {summary.first} to {summary.last}, {summary.days:.4g} days{clock}", markup=False)
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
    _print_values(summary, console)


def _print_values(summary: StudySummary, console: Console) -> None:
    """Print between which values each indicator lies."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("indicator", "lowest", "median", "highest", "distinct", "unit"):
        table.add_column(heading)
    for entry in summary.indicators:
        numbers = [f"{value:.4g}" for value in (entry.lowest, entry.median, entry.highest)] if entry.values else "---"
        table.add_row(entry.name, *numbers, str(entry.distinct), entry.unit)
    console.print(table)


def print_doubts(found: Sequence[Doubt], console: Console) -> None:
    """Print what is possible but unlikely in a study, one line each."""
    if found:
        console.print(f"{number_of(len(found), 'doubt')}; a fit runs, but look at:", markup=False)
    for entry in found:
        console.print(f"  {entry}", markup=False, highlight=False)


def print_answerable(table: pd.DataFrame, console: Console) -> None:
    """Print which claims a study can tell, those for one reason together."""
    console.print("claims, before any fit:", markup=False)
    for (told, reason), part in table.groupby(["answerable", "reason"], sort=False):
        console.print(f"  {told}: {', '.join(part['claim'])}: {reason}", markup=False)


def print_practical(narrowed: "PracticalIdentifiability", console: Console) -> None:
    """Print what the data of a study can tell of the parameters."""
    console.print("parameters, near the posterior mode:", markup=False)
    for sentence in narrowed.sentences():
        console.print(f"  {sentence}", markup=False)


def summary_json(
    summary: StudySummary,
    found: Sequence[Doubt] = (),
    remarks: Sequence[str] = (),
    following: str = "",
    claims: pd.DataFrame | None = None,
    narrowed: "PracticalIdentifiability | None" = None,
) -> str:
    """Return the summary of a study as JSON, with the doubts, what was remarked, and the command that comes next."""
    doubted = [asdict(entry) | {"text": str(entry)} for entry in found]
    more = {"faults": [], "doubts": doubted, "notes": list(remarks), "next": following}
    more |= {} if claims is None else {"claims": claims.to_dict("records")}
    if narrowed is not None:
        tables = {name: getattr(narrowed, name).to_dict("records") for name in ("parameters", "directions")}
        more["identifiability"] = _without_nan(tables | {"rank": narrowed.rank})
    content = _without_nan(asdict(summary)) | more
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def _without_nan(value: Any) -> Any:  # noqa: ANN401 - plain data
    """Return plain data with null where a number is not defined."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
