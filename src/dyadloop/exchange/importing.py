"""Import: read sources, guess or take a mapping, write the study folder, and account for every cell."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from dyadloop.data.names import known_names
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.build import built
from dyadloop.exchange.folder import RECORD, check_folder, written
from dyadloop.exchange.formats.registry import companions_of, format_of, read_source
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.guess import guessed
from dyadloop.exchange.ledger import Ledger
from dyadloop.exchange.mapping import ASK, Mapping, unanswered
from dyadloop.exchange.mapping_file import NAME, answered, mapping_text, parsed_mapping, read_mapping, still_true
from dyadloop.exchange.plan import Imported, Plan, phases_of
from dyadloop.files import sha256_of
from dyadloop.measures import doubts
from dyadloop.yaml_files import load_yaml

Read = tuple[list[Grid], list[str], list[dict[str, Any]]]
"""Tables, the format of each, and how it was read."""


def plan_import(
    sources: Sequence[str | Path],
    study: str | Path,
    mapping: str | Path | None = None,
    answers: AnyMapping[str, str] | None = None,
    format_id: str | None = None,
) -> Plan:
    """Return how sources would be read into a study, without writing anything.

    Parameters
    ----------
    sources
        Files or folders.
    study
        Study folder; its import.yaml, from an earlier import, is used where no mapping is given.
    mapping
        Path of a mapping.
    answers
        Places of the mapping and what to write there, such as ``{"length_min": "50"}``.
    format_id
        Format of the sources, where neither ending nor content tells it.

    Raises
    ------
    DataError
        If a source cannot be read, or the mapping has faults.
    """
    folder = Path(study)
    known = {Path(source).name: Path(source) for source in sources}
    if len(known) < len(sources):
        raise _fault(str(folder), "two sources of one name", "different names", "rename one of them")
    draft = mapping is None and (folder / NAME).exists() and not (folder / RECORD).exists()
    given = Path(mapping) if mapping is not None else (folder / NAME if (folder / NAME).exists() else None)
    if given is not None and answers and not draft:
        raise _fault("--set", "answers beside a mapping", "one of them", f"write them into {given}")
    if given is not None:
        found, text = read_mapping(given)
        plan = Plan(known, _grids_of(found, known), text, found, [], False)
        plan.reasons = _reasons(plan) if draft else {}
        plan.open = unanswered(found, plan.reasons)
        return settled(plan, answers) if answers else plan
    if not known:
        raise _fault(str(folder), "no source", "a file to import", "name one")
    answers = dict(answers or {})
    grids, formats, settings = _of_sheet(_read(known, format_id), answers.pop("sheet", None))
    content, reasons = guessed(grids, formats, settings, _study_name(folder))
    text = mapping_text(content, reasons)
    found = parsed_mapping(text)
    plan = Plan(known, grids, text, found, unanswered(found, reasons), True, reasons)
    return settled(plan, answers) if answers else plan


def _of_sheet(read: Read, wanted: str | None) -> Read:
    """Return the tables of one sheet, of all where none is named."""
    if wanted is None:
        return read
    chosen = [place for place, grid in enumerate(read[0]) if grid.sheet == wanted]
    if not chosen:
        raise _no_sheet("--set", wanted, read[0])
    grids, formats, settings = read
    return [grids[k] for k in chosen], [formats[k] for k in chosen], [settings[k] for k in chosen]


def _no_sheet(where: str, wanted: str, grids: Sequence[Grid]) -> DataError:
    sheets = [grid.sheet for grid in grids if grid.sheet]
    expected = f"one of {known_names(sheets, wanted)}" if sheets else "no `sheet`: no source has sheets"
    return _fault(where, f"no sheet {wanted!r}", expected, "correct `sheet`")


def _reasons(plan: Plan) -> dict[str, str]:
    """Return the reasons of guesses that a mapping took over unchanged from the guess on the same tables."""
    formats, settings = ([getattr(table, name) for table in plan.mapping.tables] for name in ("format", "settings"))
    content, reasons = guessed(plan.grids, formats, settings, plan.mapping.study.name)
    return still_true(reasons, content, load_yaml(plan.text))


def _read(sources: dict[str, Path], format_id: str | None) -> Read:
    """Return the tables of sources, with their formats and how they were read; a dictionary explains the others."""
    beside = companions_of(sources)
    grids, formats, settings = [], [], []
    for name, path in sources.items():
        if name in beside:
            continue
        kind = format_id or format_of(path).id
        own = {"dictionary": next(iter(beside))} if beside and kind == "redcap" else {}
        kind, tables = read_source(path, kind, own, beside)
        grids += tables
        formats += [kind] * len(tables)
        settings += [own] * len(tables)
    if not grids:
        raise _fault(", ".join(sources), "a data dictionary alone", "the export of the records beside it", "name both")
    return grids, formats, settings


def _study_name(folder: Path) -> str:
    bare = "".join(letter if letter.isalnum() or letter in "_ .-" else "-" for letter in folder.resolve().name)
    return bare.lstrip(" .-") or "study"


def _grids_of(mapping: Mapping, sources: dict[str, Path]) -> list[Grid]:
    """Return the tables that a mapping names; a newer export may have another name."""
    beside = companions_of(sources)
    named = list(dict.fromkeys(table.file for table in mapping.tables))
    absent = [name for name in named if name not in sources]
    spare = [path for name, path in sources.items() if name not in named and name not in beside]
    if len(absent) != len(spare):
        got = f"the files {', '.join(sources) or 'none'}"
        raise _fault(NAME, got, f"{', '.join(named)}, as the mapping names them", "name these sources")
    paths = {name: sources[name] for name in named if name in sources} | dict(zip(absent, spare, strict=True))
    read: dict[tuple[str, str, str], list[Grid]] = {}
    found = []
    for table in mapping.tables:
        key = (table.file, table.format, str(sorted(table.settings.items())))
        if key not in read:
            read[key] = read_source(paths[table.file], table.format, table.settings, beside)[1]
        fitting = [grid for grid in read[key] if grid.sheet == table.sheet]
        if not fitting:
            raise _no_sheet(table.file, table.sheet, read[key])
        found.append(fitting[0])
    return found


def import_study(
    sources: Sequence[str | Path] | str | Path,
    study: str | Path,
    mapping: str | Path | None = None,
    answers: AnyMapping[str, str] | None = None,
    format_id: str | None = None,
) -> Imported:
    r"""Import exports of other programs into a study folder, or bring an earlier import up to date.

    Whatever the mapping leaves open is an error that names it: nothing that is not stated is assumed.

    Parameters
    ----------
    sources
        Files or folders; see :data:`dyadloop.exchange.FORMATS`.
    study
        Study folder to make, or one that an import made.
    mapping
        Path of a mapping, such as import.yaml; default: that of the folder, otherwise a guess.
    answers
        Places of the guessed mapping and what to write there, such as ``{"length_min": "50"}``.
    format_id
        Format of the sources, where neither ending nor content tells it.

    Returns
    -------
    Imported
        The study, what is new in it, and the account of every cell.

    Raises
    ------
    DataError
        If a source cannot be read, the mapping leaves something open, or nothing reaches the study.

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = ["client,session,date,phq9"]
    >>> rows += [f"P{p},{s},2024-03-{s:02d},{20 + p - s}" for p in (1, 2, 3) for s in (1, 8, 15)]
    >>> _ = Path("results/scores.csv").write_text("\n".join(rows))
    >>> made = dl.import_study("results/scores.csv", "results/imported", answers={"length_min": "50"})
    >>> made.news.sessions, made.counts[0]["cells"], made.counts[0]["used"]
    (9, 36, 36)
    """
    several = [sources] if isinstance(sources, str | Path) else sources
    plan = plan_import(several, study, mapping, answers, format_id)
    if plan.open:
        raise DataError(NAME, [Fault(NAME, None, place, ASK, what, "say it") for place, what in plan.open])
    return carried_out(plan, Path(study))


def carried_out(plan: Plan, path: Path) -> Imported:
    """Write the study folder of a plan without open questions.

    Raises
    ------
    DataError
        As in :func:`import_study`.
    """
    made = built(plan.mapping, plan.grids)
    counts = [account(ledger) for ledger in made.ledgers]
    hashes = {name: sha256_of(file) for name, source in plan.sources.items() for name, file in _files(name, source)}
    study, news = written(path, made, plan.text, hashes, counts)
    remarks = [remark for ledger in made.ledgers for remark in ledger.remarks]
    trend = plan.mapping.study.trend_per_days
    return Imported(path, study, news, counts, remarks, doubts(study), phases_of(plan), trend)


def settled(plan: Plan, answers: AnyMapping[str, str]) -> Plan:
    """Return a plan with answers put into its mapping; the reasons of guesses are kept.

    Raises
    ------
    DataError
        If an answer names no place of the mapping, or does not fit there.
    """
    before = load_yaml(plan.text)
    content = answered(deepcopy(before), answers)
    reasons = {k: why for k, why in still_true(plan.reasons, before, content).items() if k not in answers}
    text = mapping_text(content, reasons)
    found = parsed_mapping(text)
    read = [(table.file, table.sheet, table.format, table.settings) for table in found.tables]
    if read != [(table.file, table.sheet, table.format, table.settings) for table in plan.mapping.tables]:
        plan = replace(plan, grids=_grids_of(found, plan.sources))
    return replace(plan, text=text, mapping=found, open=unanswered(found, reasons), reasons=reasons)


def write_draft(plan: Plan, path: Path) -> Path:
    """Write the mapping of a plan into the folder that is to become a study, and return its place.

    Raises
    ------
    DataError
        If the folder is there and is not from an import.
    """
    check_folder(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / NAME).write_text(plan.text, encoding="utf-8")
    return path / NAME


def _files(name: str, source: Path) -> list[tuple[str, Path]]:
    if source.is_dir():
        return [(f"{name}/{f.relative_to(source)}", f) for f in sorted(source.rglob("*")) if f.is_file()]
    return [(name, source)]


def account(ledger: Ledger) -> dict[str, Any]:
    """Return the account of a table: cells = used + reported."""
    kinds: dict[str, int] = {}
    for remark in ledger.remarks:
        if remark.kind != "changed":
            kinds[remark.kind] = kinds.get(remark.kind, 0) + remark.cells
    changed = sum(remark.kind == "changed" for remark in ledger.remarks)
    return {
        "table": ledger.grid.name, "cells": ledger.grid.cells, "used": ledger.used, "reported": ledger.reported,
        "changed": changed, "by_kind": kinds,
    }  # fmt: skip


def _fault(path: str, got: str, expected: str, remedy: str) -> DataError:
    return DataError(path, [Fault(path, None, None, got, expected, remedy)])
