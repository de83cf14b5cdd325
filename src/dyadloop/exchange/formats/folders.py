"""Folders with descriptions: BIDS (participants, sessions, behaviour, phenotype) and Psych-DS (tables of data)."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.errors import DataError
from dyadloop.exchange.formats.bids_pairs import with_pairs
from dyadloop.exchange.formats.delimited import read_delimited
from dyadloop.exchange.formats.format import Format, Settings, refusal
from dyadloop.exchange.grid import Grid, Remark

_DESCRIPTION = "dataset_description.json"
_ENTITY = re.compile(r"(?:^|_)(sub|ses|run|task)-([A-Za-z0-9]+)")
_GAPS = ("n/a",)
_MOST_FILES = 100_000


def is_bids(path: Path) -> bool:
    """Return whether a folder is a data set of BIDS."""
    return path.is_dir() and (path / "participants.tsv").is_file() and "BIDSVersion" in _json(path / _DESCRIPTION)


def is_psychds(path: Path) -> bool:
    """Return whether a folder is a data set of Psych-DS."""
    return path.is_dir() and (path / "data").is_dir() and "variableMeasured" in _json(path / _DESCRIPTION)


def read_bids(path: Path, settings: Settings) -> list[Grid]:
    """Return the participants, the sessions of all, the behaviour of all and each table of phenotypes.

    Subject and session of a file's name become columns; descriptions are inherited from the folders above.

    Raises
    ------
    DataError
        If a table cannot be read.
    """
    people = _described(path, _one(path / "participants.tsv", "participants"), [path / "participants.json"])
    grids = [replace(people, hints={"format": "BIDS", "dyad": "participant_id", "not_scores": ()})]
    read = [path / "participants.tsv"]
    for sheet, pattern in (("sessions", "sub-*/*_sessions.tsv"), ("beh", "sub-*/**/beh/*_beh.tsv")):
        for name, files in _by_task(_files(path, pattern), sheet).items():
            grids.append(_stacked(path, files, name))
            read += files
    measured = _files(path, "phenotype/*.tsv")
    for file, sheet in zip(measured, _sheets(path, measured, [grid.sheet for grid in grids]), strict=True):
        grids.append(_described(path, _one(file, sheet), [file.with_suffix(".json")]))
    where = "no place where tables of persons, sessions, behaviour or phenotypes stand"
    unread = _unread(path, "**/*.tsv", [*read, *measured], where)
    grids[0] = replace(grids[0], remarks=(*grids[0].remarks, *unread))
    return with_pairs([_without_gaps(replace(grid, file=path.name)) for grid in grids])


def read_psychds(path: Path, settings: Settings) -> list[Grid]:
    """Return every table of data, with the descriptions of its variables.

    Raises
    ------
    DataError
        If there is none, or one cannot be read.
    """
    told, entries = {}, _json(path / _DESCRIPTION).get("variableMeasured")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name"):
            told[str(entry["name"])] = entry
    files = _files(path, "data/**/*_data.csv")
    if not files:
        raise refusal(path, "no file that ends in _data.csv", "tables below data/", "check the folder")
    grids = []
    for file, sheet in zip(files, _sheets(path / "data", files, []), strict=True):
        (grid,) = read_delimited(file, settings)
        names = list(grid.table.columns)
        known = [n for n in names if n in told and told[n].get("description")]
        labels = {n: _with_unit(told[n]["description"], told[n].get("unitText")) for n in known}
        scales = {n: s for n in names if n in told and (s := _ends(told[n], "minValue", "maxValue")) is not None}
        grids.append(
            replace(grid, file=path.name, sheet=sheet, labels=labels, scales=scales, hints={"format": "Psych-DS"})
        )
    unread = _unread(path, "data/**/*.csv", files, "a name that does not end in _data.csv")
    return [replace(grids[0], remarks=(*grids[0].remarks, *unread)), *grids[1:]]


def _files(path: Path, pattern: str) -> list[Path]:
    """Return files of a folder that lie within it, in the order of their names."""
    root = path.resolve()
    found = [file for file in sorted(path.glob(pattern)) if file.is_file() and root in file.resolve().parents]
    if len(found) > _MOST_FILES:
        raise refusal(path, f"{len(found)} files", "at most 100,000", "split the folder")
    return found


def _sheets(root: Path, files: list[Path], taken: list[str]) -> list[str]:
    """Return the names of the tables of files; of two alike, or one that is taken, the path below the folder."""
    stems = [*taken, *(file.stem for file in files)]
    return [file.stem if stems.count(file.stem) == 1 else str(file.relative_to(root).with_suffix("")) for file in files]


def _unread(path: Path, pattern: str, read: list[Path], why: str) -> list[Remark]:
    """Return a remark on the tables of each kind that a folder holds and that are not read, with their cells."""
    found: dict[str, list[Path]] = {}
    for file in sorted(path.glob(pattern)):
        if file.is_file() and file not in read:
            found.setdefault(_suffix(file) if "_" in file.stem else file.name, []).append(file)
    remarks = []
    for files in found.values():
        cells = sum(_filled(file) for file in files)
        place, number = str(files[0].relative_to(path)), f"{len(files)} tables" if len(files) > 1 else "a table"
        words = f"{number} with {why}: not read"
        remarks.append(Remark(path.name, "", None, None, place, "form", words, cells))
    return remarks


def _filled(file: Path) -> int:
    """Return the number of filled fields below the headings of a table that is not read; 0 of a link or of no table."""
    if file.is_symlink():
        return 0
    try:
        (grid,) = read_delimited(file, {"delimiter": "\t"} if file.suffix == ".tsv" else {})
    except (DataError, OSError):
        return 0
    return grid.cells - int((grid.table.isin(_GAPS)).to_numpy().sum())


def _one(file: Path, sheet: str) -> Grid:
    (grid,) = read_delimited(file, {"delimiter": "\t"})
    return replace(grid, sheet=sheet)


def _stacked(root: Path, files: list[Path], sheet: str) -> Grid:
    """Return the tables of many files as one; rows count through all of them."""
    tables, remarks, labels, scales, choices, known = [], [], {}, {}, {}, {}
    for file in files:
        grid = _described(root, _one(file, sheet), _sidecars(root, file, known))
        table = grid.table
        for entity, value in _ENTITY.findall(file.name):
            name = {"sub": "participant_id", "ses": "session_id"}.get(entity, entity)
            if name not in table:
                table = table.copy()
                table[name] = f"{entity}-{value}" if entity in ("sub", "ses") else value
        tables.append(table)
        remarks += [replace(remark, sheet=sheet) for remark in grid.remarks]
        labels |= grid.labels
        scales |= grid.scales
        choices |= {name: choices.get(name, {}) | words for name, words in grid.choices.items()}
    whole = pd.concat(tables, ignore_index=True).fillna("").astype(object)
    first = [name for name in ("participant_id", "session_id") if name in whole]
    whole = whole[[*first, *(name for name in whole.columns if name not in first)]]
    told = {"rows": f"rows count through {len(files)} files in the order of their names"}
    hints: dict[str, Any] = {"format": "BIDS", "dyad": "participant_id"}
    if "session_id" in whole:
        hints["session"] = "session_id"
    own = ("session_id", "session", "run", "task")
    hints["not_scores"] = tuple(name for name in own if name in whole)
    rows = np.arange(1, len(whole) + 1)
    return Grid("", sheet, whole, rows, labels, choices, scales=scales, remarks=tuple(remarks), told=told, hints=hints)


def _by_task(files: list[Path], sheet: str) -> dict[str, list[Path]]:
    """Return files by the task that they name: equal headings of two tasks mean different things."""
    found: dict[str, list[Path]] = {}
    for file in files:
        task = dict(_ENTITY.findall(file.name)).get("task", "")
        found.setdefault(task, []).append(file)
    return {f"{sheet}_{task}" if task and len(found) > 1 else sheet: own for task, own in found.items()}


def _sidecars(root: Path, file: Path, known: dict[Path, list[Path]]) -> list[Path]:
    """Return the descriptions that apply to a file, the most general first: it has all of their entities.

    ``known`` keeps the descriptions of folders that were looked into.
    """
    *own, suffix = file.stem.split("_")
    found: list[Path] = []
    for folder in (root, *_between(root, file)):
        if folder not in known:
            known[folder] = [path for path in sorted(folder.glob("*.json")) if path.is_file()]
        parts = [(path, path.stem.split("_")) for path in known[folder]]
        fitting = [(len(part), path) for path, part in parts if part[-1] == suffix and set(part[:-1]) <= set(own)]
        found += [path for _, path in sorted(fitting)]
    return found


def _suffix(file: Path) -> str:
    return file.stem.rsplit("_", 1)[-1]


def _between(root: Path, file: Path) -> list[Path]:
    """Return the folders from below the root to that of a file."""
    inner = file.parent.relative_to(root).parts
    return [root.joinpath(*inner[: k + 1]) for k in range(len(inner))]


def _described(root: Path, grid: Grid, sidecars: list[Path]) -> Grid:
    """Add what sidecars say of columns; a later one says it anew."""
    told: dict[str, Any] = {}
    for sidecar in sidecars:
        told |= {key: value for key, value in _json(sidecar).items() if isinstance(value, dict)}
    names = list(grid.table.columns)
    known = {n: told[n] for n in names if _says(told, n)}
    labels = {n: _with_unit(e.get("Description") or e.get("LongName"), e.get("Units")) for n, e in known.items()}
    levels = {n: told[n]["Levels"] for n in names if n in told and isinstance(told[n].get("Levels"), dict)}
    choices = {n: {str(code): str(word) for code, word in known.items()} for n, known in levels.items()}
    scales = {n: s for n in names if n in told and (s := _ends(told[n], "Minimum", "Maximum")) is not None}
    return replace(grid, labels=labels, choices=choices, scales=scales)


def _with_unit(words: object, unit: object) -> str:
    return f"{words} [{unit}]" if unit and isinstance(unit, str) else str(words)


def _says(told: dict[str, Any], name: str) -> bool:
    return name in told and bool(told[name].get("Description") or told[name].get("LongName"))


def _ends(entry: dict[str, Any], low: str, high: str) -> tuple[float, float] | None:
    try:
        ends = float(entry[low]), float(entry[high])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return ends if all(map(math.isfinite, ends)) and ends[0] < ends[1] else None


def _without_gaps(grid: Grid) -> Grid:
    """Return a grid without ``n/a``, for BIDS has no empty fields, and without ``sub-`` and ``ses-`` in names."""
    table = grid.table.replace(list(_GAPS), "")
    for name, prefix in (("participant_id", "sub-"), ("session_id", "ses-")):
        if name in table:
            table[name] = pd.Series([text.removeprefix(prefix) for text in table[name]], dtype=object)
    return replace(grid, table=table)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig")) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


FORMAT = Format(
    id="bids",
    title="BIDS",
    endings=(),
    reads="participants, sessions, behaviour by task, phenotype; descriptions, inherited; dyads of persons",
    leaves="recordings (physio, motion: `dyadloop measure` reads them), images, events",
    library="",
    truth="what `dyadloop export --to bids` writes, which the official validator accepts",
    read=read_bids,
    recognises=is_bids,
)
PSYCHDS = Format(
    id="psychds",
    title="Psych-DS",
    endings=(),
    reads="every table of data with the descriptions and ranges of its variables",
    leaves="raw files beside data/",
    library="",
    truth="a folder made by its specification",
    read=read_psychds,
    recognises=is_psychds,
)
