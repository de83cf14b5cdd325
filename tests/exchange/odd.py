"""Odd and corrupted sources of every family, and what becomes of an import: nothing breaks, nothing is lost silently."""

import csv
import io
import shutil
import zipfile

import numpy as np
import openpyxl

from dyadloop.errors import DyadloopError
from dyadloop.exchange.importing import carried_out, plan_import, settled
from tests.exchange.made import german, redcap

ANSWERS = {"length_min": "50", "phase": "after", "every_days": "7"}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "utf-16-le", "mac_roman", "cp850")


def text_edit(rows, rng):
    """Return rows of text with one edit of a random kind, and its name."""
    rows = [list(row) for row in rows]
    kind = str(rng.choice(KINDS))
    at, width = int(rng.integers(len(rows))), len(rows[-1])
    column = int(rng.integers(width))
    if kind == "columns swapped":
        other = int(rng.integers(width))
        for row in rows:
            if len(row) > max(column, other):
                row[column], row[other] = row[other], row[column]
    elif kind == "a heading twice":
        rows[_head(rows)][column] = rows[_head(rows)][0]
    elif kind == "headings in the middle":
        rows.insert(at, list(rows[_head(rows)]))
    elif kind == "a huge cell":
        rows[at] = [*rows[at][:-1], "x" * int(rng.choice([5000, 99_000, 200_000]))]
    elif kind == "formulas as text":
        for row in rows[_head(rows) + 1 :: 7]:
            row[column % len(row)] = str(rng.choice(["=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+3", "-2+3"]))
    elif kind == "a row cut":
        rows[at] = rows[at][: column or 1]
    elif kind == "a field too many":
        rows[at] = [*rows[at], "more"]
    elif kind == "rows twice":
        rows += rows[at : at + 30]
    elif kind == "blank lines":
        rows = [part for row in rows for part in (row, [""] * width)]
    elif kind == "words for numbers":
        words = [
            "viel",
            "3. Mai",
            "1,2,3",
            "1.2.3",
            "∞",
            "NaN",
            "1e400",
            "--",
            "3;5",
            "0x1F",
            "٣",
            "½",
            "\u00a04,5",
            "1 000",
        ]
        for row in rows[_head(rows) + 1 :: 3]:
            row[column % len(row)] = str(rng.choice(words))
    elif kind == "odd dates":
        dates = [
            "31.02.2024",
            "1.1.1",
            "2024-13-01",
            "00.00.0000",
            "45352",
            "gestern",
            "12/13/14",
            "2024-01-01T25:00",
            "1899-01-01",
        ]
        for row in rows[_head(rows) + 1 :: 4]:
            row[column % len(row)] = str(rng.choice(dates))
    elif kind == "a column empty":
        for row in rows[_head(rows) + 1 :]:
            if len(row) > column:
                row[column] = ""
    elif kind == "no headings":
        del rows[_head(rows)]
    elif kind == "headings alone":
        rows = rows[: _head(rows) + 1]
    elif kind == "odd ids":
        for row in rows[_head(rows) + 1 :: 5]:
            row[0] = str(
                rng.choice(["P1\tx", 'P"1', " P01", "p01", "0001", "=P1", "\u200bP01", "P01\u00a0", "ﬁ", "", "NA"])
            )
    elif kind == "a tail":
        rows += [["Mittelwert", *["3,5"] * (width - 1)], ["Quelle: Institut"]]
    return rows, kind


KINDS = (
    "columns swapped", "a heading twice", "headings in the middle", "a huge cell", "formulas as text", "a row cut",
    "a field too many", "rows twice", "blank lines", "words for numbers", "odd dates", "a column empty", "no headings",
    "headings alone", "odd ids", "a tail", "none",
)  # fmt: skip


def _head(rows):
    return next((k for k, row in enumerate(rows) if sum(map(bool, row)) > 3), 0)


def bytes_edit(raw, rng):
    """Return bytes with one edit of a random kind, and its name."""
    kind = str(rng.choice(["whole", "whole", "cut off", "bytes changed", "bytes inserted", "zeros", "twice", "empty"]))
    at = int(rng.integers(len(raw)))
    if kind == "cut off":
        raw = raw[:at]
    elif kind == "bytes changed":
        changed = bytearray(raw)
        for place in rng.integers(len(raw), size=int(rng.integers(1, 20))):
            changed[place] = int(rng.integers(256))
        raw = bytes(changed)
    elif kind == "bytes inserted":
        raw = raw[:at] + bytes(rng.integers(256, size=50).astype(np.uint8)) + raw[at:]
    elif kind == "zeros":
        raw = raw[:at] + b"\x00" * 40 + raw[at + 40 :]
    elif kind == "twice":
        raw = raw + raw
    elif kind == "empty":
        raw = b""
    return raw, kind


class Family:
    """Sound files of one family of readers, and odd ones made of them."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.beside = []
        if name in ("csv", "excel"):
            raw = german(folder / "sound.csv").read_bytes().decode("cp1252")
            self.rows = list(csv.reader(io.StringIO(raw), delimiter=";"))
        elif name == "redcap":
            self.beside = [folder / "dictionary.csv"]
            redcap(folder / "sound.csv", self.beside[0])
            self.rows = list(csv.reader(io.StringIO((folder / "sound.csv").read_text())))
        else:
            self.rows = None  # each survey has its own

    def odd(self, rng):
        """Write one odd file; return it and what was done to it."""
        path = self.folder / f"odd{'.xlsx' if self.name == 'excel' else '.csv'}"
        rows, first = text_edit(self.rows if self.rows is not None else _survey(rng), rng)
        if self.name == "excel":
            _workbook(path, rows, rng)
            raw, kind = bytes_edit(path.read_bytes(), rng) if rng.random() < 0.3 else (path.read_bytes(), "whole")
        else:
            mark = ";" if self.name == "csv" and rng.random() < 0.6 else str(rng.choice([";", ",", "\t", "|"]))
            stream = io.StringIO()
            csv.writer(stream, delimiter=mark, lineterminator=str(rng.choice(["\n", "\r\n", "\r"]))).writerows(rows)
            encoding = str(rng.choice(ENCODINGS))
            raw, kind = bytes_edit(stream.getvalue().encode(encoding, "replace"), rng)
            first += f", {encoding}"
        path.write_bytes(raw)
        return path, f"{first}, {kind}"

    def counted(self, path, plan):
        """Return the number of filled cells but for the headings, None where only the reader can tell."""
        return _counted(path, plan) if self.name in ("csv", "redcap") else None


def _survey(rng):
    """Return rows of a made-up export of a survey or diary program."""
    kind = int(rng.integers(9))
    people, moments = [f"u{p}" for p in range(6)], range(1, 6)
    stamp = lambda s: f"2024-03-{s:02d} 10:0{s}:00"  # noqa: E731
    if kind == 0:
        head = ["StartDate", "EndDate", "Status", "Finished", "ResponseId", "ExternalReference", "Q1", "Q2"]
        words = [
            "Start Date",
            "End Date",
            "Response Type",
            "Finished",
            "Response ID",
            "External Ref",
            "How sad?",
            "Trust?",
        ]
        rows = [head, words, [f'{{"ImportId":"{name}"}}' for name in head]]
        return rows + [
            [stamp(s), stamp(s), "IP Address", "True", "R_1", p, rng.integers(1, 8), rng.integers(1, 8)]
            for p in people
            for s in moments
        ]
    if kind == 1:
        head = ["id", "submitdate", "lastpage", "startlanguage", "seed", "token", "startdate", "trust", "stress"]
        return [head] + [
            [9, "1980-01-01 00:00:00", 3, "de", 1, p, stamp(s), rng.integers(1, 8), rng.integers(1, 8)]
            for p in people
            for s in moments
        ]
    if kind == 2:
        head = ["session", "created", "modified", "ended", "expired", "trust", "stress"]
        return [head] + [
            [p, stamp(s), stamp(s), stamp(s), "", rng.integers(1, 8), rng.integers(1, 8)]
            for p in people
            for s in moments
        ]
    if kind == 3:
        head = [
            "PARTICIPANT_ID",
            "SURVEY_NAME",
            "SCHEDULED_TS",
            "STARTED_TS",
            "COMPLETED_TS",
            "trust",
            "trust_RT",
            "stress",
        ]
        return [head] + [
            [p, "daily", stamp(s), stamp(s), stamp(s), rng.integers(1, 8), 900, "<no-response>" if s == 3 else s]
            for p in people
            for s in moments
        ]
    if kind == 4:
        head = ["connectionId", "questionListName", "timeStampStart", "timeStampStop", "trust", "stress"]
        return [head] + [
            [p, "beep", 1_711_000_000 + 86400 * s, "", rng.integers(1, 8), rng.integers(1, 8)]
            for p in people
            for s in moments
        ]
    if kind == 5:
        head = ["Participant", "Trigger", "Form", "Form_start_date", "Form_start_time", "Missing", "trust", "stress"]
        return [head] + [
            [p, "t", "beep", f"2024-03-{s:02d}", "10:00:00", "", rng.integers(1, 8), rng.integers(1, 8)]
            for p in people
            for s in moments
        ]
    if kind == 6:
        ids = ["", "", "", "{{Q://Q1/ChoiceTextEntryValue}}", "{{Q://Q2/ChoiceTextEntryValue}}"]
        head = ["Start Date", "Participant ID", "Choices", "[ 1 = 'no' 2 = 'yes, a lot' 3 = 'very' ]", ""]
        words = ["no", "yes, a lot", "very"]
        return [ids, ["", "", "", "Trust?", "Why?"], ["", "", "", "Single selection", "Text"], head] + [
            [f"03/{s + 12}/2024 02:15PM", p, "Participant 1", words[rng.integers(3)], "because"]
            for p in people
            for s in moments
        ]
    if kind == 7:
        head = ["participant.id_in_session", "participant.code", "participant.label", "session.code"]
        head += [f"trust.{k}.player.{name}" for k in moments for name in ("sure", "payoff")]
        return [head] + [[k, f"c{k}", p, "s", *rng.integers(1, 8, 10)] for k, p in enumerate(people)]
    head = ["trials.thisN", "trust", "stress", "participant", "session", "date", "expName", "psychopyVersion"]
    return [head] + [
        [0, rng.integers(1, 8), rng.integers(1, 8), p, f"00{s}", f"2020-05-{s:02d}_16h20.01.792", "x", "2021.2.3"]
        for p in people
        for s in moments
    ]


def _workbook(path, rows, rng):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append([_typed(str(text), rng) for text in row])
    if rng.random() < 0.3:
        book.create_sheet("Notizen").append(["nur", "Text", "hier"])
    book.save(path)
    if rng.random() < 0.2:  # a part goes missing, as on a broken disk
        parts = {
            name: data
            for name, data in _parts(path).items()
            if not name.endswith(str(rng.choice(["sheet1.xml", "styles.xml", "workbook.xml"])))
        }
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)


def _parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _typed(text, rng):
    clean = "".join(letter for letter in text if ord(letter) >= 32)[:32000]
    if clean.startswith("=") and rng.random() < 0.5:
        return f"'{clean}"
    try:
        return float(clean.replace(",", "."))
    except ValueError:
        return clean


def outcome(family, rng):
    """Return what becomes of one odd file: imported, asked, refused, or what is wrong; and what was done to it."""
    path, kind = family.odd(rng)
    study = family.folder / "study"
    shutil.rmtree(study, ignore_errors=True)
    try:
        plan = plan_import([path, *family.beside], study)
        known = {place: ANSWERS[what] for place, _ in plan.open if (what := place.rsplit(".", 1)[-1]) in ANSWERS}
        plan = settled(plan, known) if known else plan
        if plan.open:
            return "asked", kind
        done = carried_out(plan, study)
    except DyadloopError as error:
        return ("refused" if str(error).strip() else "broken: refused without a word"), kind
    except BaseException as error:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"broken: {type(error).__name__} {error} at {last.filename}:{last.lineno}", kind
    for table in done.counts:
        if table["cells"] != table["used"] + table["reported"]:
            return f"broken: {table['cells']} cells, {table['used']} used, {table['reported']} reported", kind
    told, counted = sum(table["cells"] for table in done.counts), family.counted(path, plan)
    if counted is not None and counted != told:
        return f"broken: {counted} cells in the file, {told} accounted for", kind
    return "imported", kind


def _counted(path, plan):
    """Return the number of filled cells but for the headings, counted apart from the readers."""
    told = plan.grids[0].told
    encoding = told["encoding"].split(":")[0]
    words = {"semicolons": ";", "tabs": "\t", "commas": ",", "bars": "|"}
    mark = words.get(told["delimiter"].split(":")[0], ",")
    text = path.read_bytes().decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=mark) if any(part.strip() for part in row)]
    return sum(bool(part.strip()) for row in rows for part in row) - sum(
        bool(part.strip()) for part in _header(rows, plan)
    )


def _header(rows, plan):
    names = plan.grids[0].table.columns
    return max(rows[:20], key=lambda row: sum(" ".join(part.split()) in set(names) for part in row))
