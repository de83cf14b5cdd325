"""PIEL Survey: one file per participant, three lines per run of the survey."""

from pathlib import Path

import numpy as np

from dyadloop.exchange.formats.delimited import decoded, split_rows
from dyadloop.exchange.formats.format import Format, Settings, refusal
from dyadloop.exchange.formats.headings import first_rows
from dyadloop.exchange.grid import Grid, Remark, text_table

_START, _END = "Start time", "End time"
_HEAD = 3  # name and install id, author, subject id; the blank line is no row
SUBJECT = "Subject ID"


def is_piel(path: Path) -> bool:
    """Return whether a text table has the headings of a run in its first rows below the participant."""
    rows = first_rows(path, _HEAD + 2)
    return any(row[:2] == [_START, _END] for row in rows[1:])


def read_piel(path: Path, settings: Settings) -> list[Grid]:
    """Return one row per run of the survey; the times of single answers are left out and reported.

    Raises
    ------
    DataError
        If the file is not of this layout.
    """
    text, told = decoded(path, settings)
    rows, lines, told = split_rows(path, text, {"delimiter": ",", **settings}, told)
    starts = [k for k, row in enumerate(rows) if [part.strip() for part in row[:2]] == [_START, _END]]
    if not starts or starts[0] == 0:
        raise refusal(path, "no run of a survey", "lines that begin with 'Start time'", "export it again")
    subject = rows[starts[0] - 1][0].split(":")[-1].strip()
    records, kept, remarks = [], [], []
    for row, line in zip(rows[: starts[0] - 1], lines, strict=False):
        remarks.append(_left(path, line, row, "name of the survey or its author"))
    for at in starts:
        heads, answers = rows[at], rows[at + 1] if at + 1 < len(rows) and at + 1 not in starts else None
        if answers is None:
            continue
        record = {SUBJECT: subject}
        for head, answer in zip(heads, answers, strict=False):
            record[f"q{head.strip()}" if head.strip().isdigit() else head.strip() or "unnamed"] = answer
        if len(answers) > len(heads):
            remarks.append(_left(path, lines[at + 1], answers[len(heads) :], "answers without a number"))
        records.append(record)
        kept.append(lines[at + 1])
        after = [k for k in range(at + 2, len(rows)) if k not in starts]
        following = next((start for start in starts if start > at), len(rows))
        for k in (k for k in after if k < following):
            remarks.append(_left(path, lines[k], rows[k], "times of single answers"))
    header = list(dict.fromkeys(name for record in records for name in record)) or [SUBJECT, _START, _END]
    table = text_table(header, [[record.get(name, "") for name in header] for record in records])
    hints = {"format": "PIEL", "dyad": SUBJECT, "session": None, "date": _START, "length_min": 0, "not_scores": (_END,)}
    remarks = [remark for remark in remarks if remark.cells]
    return [Grid(path.name, "", table, np.array(kept, dtype=int), remarks=tuple(remarks), told=told, hints=hints)]


def _left(path: Path, line: int, row: list[str], why: str) -> Remark:
    filled = [text for text in row if text.strip()]
    return Remark(path.name, "", line, None, filled[0] if filled else "", "form", f"{why}; not taken", len(filled))


FORMAT = Format(
    id="piel",
    title="PIEL Survey",
    endings=(),
    reads="one file per participant: answers at the start of each run, columns q1, q2, ... by the numbers of questions",
    leaves="times of single answers, which are listed",
    library="",
    truth="a file of the layout that its web page describes",
    read=read_piel,
    recognises=is_piel,
)
