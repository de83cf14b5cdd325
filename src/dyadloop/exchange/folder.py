"""Write what an import made as a study folder, or bring an earlier import up to date and say what is new."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from dyadloop.data import Study, read_study, write_study
from dyadloop.data.reader import FILES
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.build import Built
from dyadloop.exchange.grid import KINDS, Remark
from dyadloop.exchange.keys import plain
from dyadloop.exchange.mapping_file import NAME
from dyadloop.files import sha256_of

RECORD, LOG = "import.json", "import_log.tsv"
_KEY = ["dyad", "participant_id", "session", "indicator", "phase"]
_LOG_COLUMNS = ("file", "sheet", "row", "column", "text", "kind", "cells", "why")


@dataclass(frozen=True)
class News:
    """What an update changed in a study folder; ``first`` where there was none."""

    first: bool
    persons: int
    sessions: int
    values: int
    changed: int
    gone: int
    kept_study_yaml: bool

    def __str__(self) -> str:
        """Return it as one sentence."""
        if self.first:
            return f"new folder: {self.persons} persons, {self.sessions} sessions, {self.values} values"
        own = "; study.yaml was changed by hand and stays" if self.kept_study_yaml else ""
        told = f"{self.persons} new persons, {self.sessions} new sessions, {self.values} new values"
        return f"{told}, {self.changed} values changed, {self.gone} gone{own}"


def written(
    path: Path, built: Built, mapping_text: str, sources: AnyMapping[str, str], counts: list[dict[str, Any]]
) -> tuple[Study, News]:
    """Write the folder, whole or not at all.

    Parameters
    ----------
    path
        Study folder; one that an import made is brought up to date.
    built
        Tables.
    mapping_text
        Content of import.yaml.
    sources
        SHA-256 of the source files by name.
    counts
        Account of each table.

    Raises
    ------
    DataError
        If the folder is there and not from an import, its tables were changed since, or the new ones have faults.
    """
    record = check_folder(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        folder = draft / path.name
        _write(folder, built)
        sizes = (len(built.participants), len(built.sessions), len(built.values))
        built.release()
        own = record is not None and _digest(path / "study.yaml") != record["outputs"]["study.yaml"]
        if own:
            shutil.copyfile(path / "study.yaml", folder / "study.yaml")
        (folder / NAME).write_text(mapping_text, encoding="utf-8")
        (folder / LOG).write_text(log_text([r for ledger in built.ledgers for r in ledger.remarks]), encoding="utf-8")
        study = _checked(folder, path)
        news = _news(path, folder, sizes, record is None, own)
        outputs = {name: _digest(folder / name) for name in FILES}
        if own and record is not None:
            outputs["study.yaml"] = record["outputs"]["study.yaml"]
        content = {"sources": dict(sources), "mapping": _digest(folder / NAME), "tables": counts, "outputs": outputs}
        (folder / RECORD).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        folder.chmod(0o755)
        if path.exists():
            for file in sorted(folder.iterdir()):
                os.replace(file, path / file.name)
        else:
            os.replace(folder, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return replace(study, path=str(path)), news


def check_folder(path: Path) -> dict[str, Any] | None:
    """Return what an earlier import noted of a folder, None where there is no study yet.

    Raises
    ------
    DataError
        If the folder is not from an import, or was changed since.
    """
    if not path.exists() or (path.is_dir() and {f.name for f in path.iterdir()} <= {NAME}):
        return None
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        outputs = dict(record["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        got, remedy = "a folder that no import made", "choose another name, or move it away"
        raise DataError(str(path), [Fault(str(path), None, None, got, "a new folder", remedy)]) from None
    changed = [name for name in FILES[1:] if _digest(path / name) != outputs.get(name)]
    if changed:
        got = f"{', '.join(changed)} changed since the last import"
        remedy = "correct the source instead, or move the folder away and import anew"
        raise DataError(str(path), [Fault(str(path), None, None, got, "the tables as they were imported", remedy)])
    return record


def _digest(path: Path) -> str:
    return sha256_of(path) if path.exists() else ""


def _write(folder: Path, built: Built) -> None:
    people = [{str(k): plain(str(v)) for k, v in row.items()} for row in built.participants.to_dict("records")]
    write_study(folder, built.info, people, _Rows(built.sessions), _Rows(_ordered(built.values)))


class _Rows:
    """Rows of a table, made one at a time: a million of them would not fit beside the table."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[dict[str, object]]:
        names = [str(name) for name in self._table.columns]
        for fields in zip(*(self._table[name] for name in names), strict=True):
            yield {name: f"{v:.15g}" if name == "value" else v for name, v in zip(names, fields, strict=True)}


def _ordered(values: pd.DataFrame) -> pd.DataFrame:
    """Return what stands in measurements.tsv, in the order of dyad, session, indicator and participant."""
    names = values["session"].unique()
    numbers = pd.Series(names, dtype=object).str.extract(r"(\d+)", expand=False).astype(float)
    keys = values[["dyad", "session", "indicator", "participant"]]
    keys = keys.assign(place=values["session"].map(dict(zip(names, numbers, strict=True))))
    order = keys.sort_values(["dyad", "place", "session", "indicator", "participant"], kind="stable").index
    table = values[["dyad", "participant", "session", "phase", "indicator", "value", "limit", "error"]].loc[order]
    return table.rename(columns={"participant": "participant_id"})


def _checked(folder: Path, path: Path) -> Study:
    try:
        return read_study(folder)
    except DataError as error:
        raise DataError(str(path), list(error.faults)) from None


def _news(path: Path, folder: Path, sizes: tuple[int, int, int], first: bool, own: bool) -> News:
    """Compare the tables of two folders."""
    if first:
        return News(True, *sizes, 0, 0, False)
    old, new = _tables(path), _tables(folder)
    values, before = (t["measurements.tsv"].set_index(_KEY)["value"] for t in (new, old))
    both = values.index.intersection(before.index)
    return News(
        False,
        len(set(new["participants.tsv"]["participant_id"]) - set(old["participants.tsv"]["participant_id"])),
        len(_pairs(new["sessions.tsv"]) - _pairs(old["sessions.tsv"])),
        len(values.index.difference(before.index)),
        int((values[both] != before[both]).sum()),
        len(before.index.difference(values.index)),
        own,
    )


def _pairs(table: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(table["dyad"], table["session"], strict=True))


def _tables(path: Path) -> dict[str, pd.DataFrame]:
    return {
        name: pd.read_csv(path / name, sep="\t", dtype=str, keep_default_na=False, quoting=3)
        for name in ("participants.tsv", "sessions.tsv", "measurements.tsv")
    }


def log_text(remarks: list[Remark]) -> str:
    """Return the log of all cells that are not taken as they stand, as a table."""
    lines = ["\t".join(_LOG_COLUMNS)]
    order = {kind: k for k, kind in enumerate(KINDS)}
    for remark in sorted(remarks, key=lambda r: (order[r.kind], r.file, r.sheet, r.column or "", r.row or 0)):
        row = "" if remark.row is None else str(remark.row)
        fields = (
            remark.file,
            remark.sheet,
            row,
            remark.column or "",
            remark.text,
            remark.kind,
            str(remark.cells),
            remark.why,
        )
        lines.append("\t".join(neutral(plain(field)) for field in fields))
    return "\n".join(lines) + "\n"


def neutral(text: str) -> str:
    """Return text that a spreadsheet does not take for a formula: an apostrophe stands before what begins like one."""
    if text[:1] in ("=", "@", "+", "-") and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
