"""An import on the terminal: what was understood, what is asked, and what became of every cell."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dyadloop.data import summarise
from dyadloop.errors import number_of
from dyadloop.exchange import FORMATS, Imported, Phase, Plan, phases_of
from dyadloop.exchange.grid import KINDS, Remark
from dyadloop.exchange.plan import phase_of_score

_SHOWN = 12


def print_plan(plan: Plan, console: Console) -> None:
    """Print how the sources are understood, table by table, and what is open."""
    for number, (table, grid) in enumerate(zip(plan.mapping.tables, plan.grids, strict=True), start=1):
        console.print(f"table {number}: {grid.name}, {len(grid.table)} rows, {grid.cells} cells", markup=False)
        if table.holds == "nothing":
            console.print("  nothing of it is taken", markup=False)
            continue
        keys = (
            "dyad",
            "person",
            "role",
            "therapist",
            "session",
            "date",
            "clock",
            "day",
            "every_days",
            "length_min",
            "wide",
        )
        told = [f"{key} {getattr(table, key)}" for key in keys if getattr(table, key) is not None]
        console.print(f"  {'; '.join(told)}", markup=False)
        if table.scores:
            console.print(_scores(plan, number - 1), markup=False)
            _print_guesses({n: one for n, one in phases_of(plan).items() if n in table.scores}, console)
        if table.left_out:
            console.print(f"  left out: {_few([f'{n} ({w})' for n, w in table.left_out.items()])}", markup=False)
    _print_trend(plan.mapping.study.trend_per_days, console)
    for place, what in plan.open:
        console.print(f"? {place}: {what}", markup=False)


def _print_trend(days: float | None, console: Console) -> None:
    if days is not None:
        words = "what improves in everybody is then no effect of one improvement on another"
        console.print(f"covariate `trend`: a straight course in time, per {days:g} days; {words}", markup=False)


def _print_guesses(phases: Mapping[str, Phase], console: Console) -> None:
    """Print which phases are guessed, those of one reason in one line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, one in phases.items():
        if one.guess:
            groups.setdefault((one.phase, one.guess), []).append(name)
    for (phase, why), names in groups.items():
        console.print(f"  {phase} the session: {_few(names)} ({why})", markup=False)


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _scores(plan: Plan, number: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("  indicator", "of", "quantity", "person", "phase", "scale", "missing"):
        table.add_column(heading)
    for name, score in plan.mapping.tables[number].scores.items():
        scale = "" if score.scale is None else f"{score.scale[0]:g} to {score.scale[1]:g}"
        source = score.column or f"{len(score.items)} items of {score.instrument}"
        codes = "?" if score.missing == "?" else ", ".join(score.codes)
        phase = str(phase_of_score(plan, number + 1, name) or "")
        table.add_row(f"  {score.indicator or name}", source, score.quantity, score.person, phase, scale, codes)
    return table


def print_imported(done: Imported, console: Console) -> None:
    """Print what an import did: values, the account of cells, what to look at."""
    console.print(f"{done.path}: {done.news}", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("indicator", "quantity", "phase", "values", "dyads", "lowest", "median", "highest", "distinct"):
        table.add_column(heading)
    for entry in summarise(done.study).indicators:
        ends = (entry.lowest, entry.median, entry.highest)
        numbers = [f"{value:.4g}" if np.isfinite(value) else "-" for value in ends]
        about = (entry.name, entry.quantity, str(done.phases.get(entry.name, "")), str(entry.values), str(entry.dyads))
        table.add_row(*about, *numbers, str(entry.distinct))
    console.print(table)
    _print_guesses(done.phases, console)
    _print_trend(done.trend_per_days, console)
    for count in done.counts:
        console.print(account_line(count), markup=False)
    _print_remarks(done.remarks, console)
    if done.doubts:
        console.print(f"{number_of(len(done.doubts), 'doubt')}; a fit runs, but look at:", markup=False)
    for doubt in done.doubts:
        console.print(f"  {doubt}", markup=False)


def account_line(count: Mapping[str, Any]) -> str:
    """Return the account of a table as a sentence."""
    told = ", ".join(f"{number} {kind}" for kind, number in count["by_kind"].items())
    line = f"{count['table']}: {count['cells']} cells = {count['used']} used + {count['reported']} reported"
    return f"{line}{f' ({told})' if told else ''}; {count['changed']} taken in another form"


def _print_remarks(remarks: Sequence[Remark], console: Console) -> None:
    """Print what became of cells, those alike in one line."""
    groups: dict[tuple[str, str, str | None, str], list[Remark]] = {}
    for remark in remarks:
        groups.setdefault((remark.kind, remark.file, remark.column, remark.why), []).append(remark)
    for kind, meaning in KINDS.items():
        mine = [group for key, group in groups.items() if key[0] == kind]
        if mine:
            console.print(f"{kind}: {meaning}", markup=False)
        for group in mine[:_SHOWN]:
            first, cells = group[0], sum(r.cells for r in group)
            times = f" ({cells} cells)" if cells > 1 else ""
            console.print(f"  {first.place}: {first.text[:60]!r}{times}: {first.why}", markup=False)
        if len(mine) > _SHOWN:
            console.print(f"  and {len(mine) - _SHOWN} more; all are in import_log.tsv", markup=False)


def imported_json(done: Imported) -> str:
    """Return what an import did as JSON."""
    content: dict[str, Any] = {
        "study": str(done.path),
        "news": asdict(done.news) | {"text": str(done.news)},
        "tables": done.counts,
        "remarks": [asdict(remark) for remark in done.remarks],
        "doubts": [asdict(doubt) | {"text": str(doubt)} for doubt in done.doubts],
        "phases": {name: asdict(one) for name, one in done.phases.items()},
        "trend_per_days": done.trend_per_days,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def plan_json(plan: Plan, place: str) -> str:
    """Return what a plan leaves open as JSON, with the place of its mapping."""
    asked = [{"place": where, "what": what} for where, what in plan.open]
    return json.dumps({"mapping": place, "open": asked}, indent=2, ensure_ascii=False)


def print_formats(console: Console) -> None:
    """Print the formats that can be imported."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("format", "files", "what is read", "library"):
        table.add_column(heading, overflow="fold")
    for entry in FORMATS.values():
        table.add_row(entry.id, " ".join(entry.endings) or entry.title, entry.reads, entry.library or "none")
    console.print(table)


def formats_json() -> str:
    """Return the formats as JSON."""
    keys = ("id", "title", "endings", "reads", "leaves", "library", "truth")
    return json.dumps([{key: getattr(entry, key) for key in keys} for entry in FORMATS.values()], indent=2)
