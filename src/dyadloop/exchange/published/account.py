"""The account of a published table, as an import keeps it: mapping, log, hashes, and cells = used + reported."""

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dyadloop.data.reader import FILES
from dyadloop.data.schema import Indicator, StudyInfo
from dyadloop.data.writer import Rows, new_folder, write_files
from dyadloop.exchange.folder import LOG, RECORD, log_text
from dyadloop.exchange.grid import Grid, Remark, text_table
from dyadloop.exchange.importing import account
from dyadloop.exchange.keys import mapped
from dyadloop.exchange.ledger import OPEN, Ledger
from dyadloop.exchange.mapping import Table
from dyadloop.exchange.mapping_file import NAME, mapping_text, parsed_mapping
from dyadloop.exchange.published.source import GAPS
from dyadloop.files import sha256_of

_HEAD = """\
# How dyadloop converted this published table: which column is what. Behind each # stands what was made of it.
# It is a record: the conversion itself is part of the package, and the command `convert` makes the folder anew.
"""


@dataclass(frozen=True)
class Layout:
    """What the columns of a published table are, in the words of import.yaml.

    Attributes
    ----------
    id
        Name of the published study.
    info
        Content of study.yaml.
    keys
        Which column tells dyad, person, session, time and the like.
    scores
        Column of each indicator.
    reasons
        What is made of the column of a key, beyond what its name says.
    whole
        Columns of numbers that are taken as whole ones.
    """

    id: str
    info: StudyInfo
    keys: AnyMapping[str, Any]
    scores: AnyMapping[str, str]
    reasons: AnyMapping[str, str]
    whole: tuple[str, ...] = ()

    def table(self, file: str) -> Table:
        """Return the mapping of the table of this name."""
        scores = {name: _score(self.info.indicators[name], column) for name, column in self.scores.items()}
        return Table.model_validate({"file": file, "format": self.id, "scores": scores, **self.keys})


def written(
    path: str | Path, layout: Layout, source: Path, records: list[dict[str, str]],
    left_out: AnyMapping[int, str], people: Rows, sessions: Rows, measurements: Rows,
) -> Path:  # fmt: skip
    """Write a study folder with its mapping, log and record, whole or not at all.

    Parameters
    ----------
    path
        Folder to make.
    layout
        What the columns are.
    source
        The published table.
    records
        Its rows, in the order of the file.
    left_out
        Places of rows that the study does not hold, and why.
    people, sessions, measurements
        Rows of the study.

    Raises
    ------
    DataError
        If the folder exists already.
    """
    with new_folder(path) as draft:
        ledger = ledger_of(layout, source, records, left_out)
        write_files(draft, layout.info, people, sessions, measurements)
        (draft / NAME).write_text(_mapping(layout, source.name), encoding="utf-8")
        (draft / LOG).write_text(log_text(ledger.remarks), encoding="utf-8")
        told: dict[str, Any] = {
            "sources": {source.name: sha256_of(source)},
            "mapping": sha256_of(draft / NAME),
            "tables": [account(ledger)],
            "outputs": {name: sha256_of(draft / name) for name in FILES},
        }
        (draft / RECORD).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Path(path)


def ledger_of(layout: Layout, source: Path, records: list[dict[str, str]], left_out: AnyMapping[int, str]) -> Ledger:
    """Return the account of the cells of a published table."""
    table = layout.table(source.name)
    columns = mapped(table)
    names = list(records[0]) if records else columns
    cells = text_table(names, [[record[name] for name in names] for record in records])
    ledger = Ledger(Grid(source.name, "", cells, np.arange(2, len(records) + 2)))
    for name in names:
        if name not in columns:
            ledger.report_column(name, "not mapped", "a column that the conversion does not take")
    places = np.array([names.index(name) for name in columns])
    for row, why in left_out.items():
        ledger.report(np.full(len(places), row), places, "no key", why)
    _once_per_person(table, ledger)
    for name in columns:
        _take(layout, table, ledger, name)
    return ledger


def _take(layout: Layout, table: Table, ledger: Ledger, name: str) -> None:
    """Enter the cells of a column as used; gaps are reported, and what is not taken as it stands."""
    place, texts = ledger.names.index(name), ledger.grid.column(name)
    ledger.report(np.flatnonzero([text in GAPS for text in texts]), place, "missing", "stands for no answer")
    rows = np.flatnonzero((texts != "") & (ledger.state[:, place] == OPEN))
    ledger.use(rows, place)
    if name in (table.dyad, table.person) and len(rows):
        why = "entries have a letter before them in the study, for the dyad and for the person"
        ledger.remarks.append(Remark(ledger.grid.file, "", None, name, str(texts[rows[0]]), "changed", why, len(rows)))
    measured = name in layout.scores.values()
    for row in rows if measured or name in layout.whole else ():
        taken = _taken(texts[row], measured)
        if taken is not None:
            ledger.change(int(row), place, f"taken as {taken}")


def _taken(text: str, measured: bool) -> str | None:
    """Return the number that is taken for a text, None where it is the same."""
    if text in GAPS:
        return None
    found = f"{float(text):g}" if measured else f"{int(float(text))}"
    return None if float(found) == float(text) else found


def _once_per_person(table: Table, ledger: Ledger) -> None:
    """Report entries of persons that differ from the last one of the same person, which is taken."""
    persons = ledger.grid.column(str(table.person))
    for name in [entry.column for entry in table.covariates.values() if entry.of != "session"]:
        place, texts = ledger.names.index(name), ledger.grid.column(name)
        rows = [row for row in range(len(texts)) if texts[row] not in GAPS and ledger.state[row, place] == OPEN]
        last = {persons[row]: texts[row] for row in rows}
        other = [row for row in rows if float(texts[row]) != float(last[persons[row]])]
        why = [
            f"another entry than {last[persons[row]]!r} of the same person, which is the last and is taken"
            for row in other
        ]
        ledger.report(np.array(other, dtype=int), place, "conflict", why)


def _mapping(layout: Layout, file: str) -> str:
    """Return what the columns were taken for, as the mapping of an import."""
    reasons = {f"tables.1.{key}": why for key, why in layout.reasons.items()}
    reasons["tables.1.format"] = f"read by `dyadloop convert --of {layout.id}`"
    named = ("name", "title", "licence", "source", "simulated", "theory", "randomised")
    told = layout.info.model_dump(mode="json")
    study = {key: told[key] for key in named if told[key]}
    table = layout.table(file).model_dump(mode="json", exclude_defaults=True)
    text = mapping_text({"schema_version": 1, "study": study, "tables": [table]}, reasons, _HEAD)
    parsed_mapping(text)
    return text


def _score(indicator: Indicator, column: str) -> dict[str, Any]:
    told = indicator.model_dump(mode="json", exclude_defaults=True)
    kept = ("quantity", "person", "unit", "scale", "transform", "use", "reason")
    return {"column": column, **{key: told[key] for key in kept if key in told}}
