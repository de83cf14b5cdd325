"""Random edits of sound study folders, as hands and programs make them, and what becomes of each.

An edit is harmless (the same scores), found (a fault with its place and a remedy), doubted in words, or silent.
"""

import datetime
import shutil

import numpy as np

from dyadloop.data import read_study
from dyadloop.errors import DataError, DyadloopError
from dyadloop.measures import doubts
from dyadloop.measures.raw import measure
from dyadloop.observation.scaling import scale_scores

TODAY = 20_500.0  # a day after all dates of the examples, so that outcomes do not depend on the clock of the machine
THERAPY = """\
schema_version: 1
name: therapy
title: A made-up study for tests
licence: CC0-1.0
simulated: true
indicators:
  alliance: {quantity: trust, person: patient, unit: points, scale: [1, 7]}
  tension: {quantity: stress, person: patient, unit: points}
  saliva: {quantity: oxytocin, person: patient, unit: pg/ml, transform: log}
  phq9: {quantity: depression, person: patient, unit: points, use: false}
covariates:
  age: {of: patient, per: 10, on: [stress]}
measures:
  phq9: {kind: questionnaire, file: phenotype/phq9.tsv, instrument: phq9}
  saliva: {kind: assay, file: assays/plates.tsv, matrix: saliva, method: ELISA, extracted: true}
"""
TABLES = ("participants.tsv", "sessions.tsv", "measurements.tsv")
EDITS = {}


def edit(kind):
    """Enter an edit under its kind; it returns False where it cannot be made."""

    def enter(function):
        EDITS[function.__name__.replace("_", " ")] = (kind, function)
        return function

    return enter


class Folder:
    """The tables of a study as lists of fields, and bytes that replace them at last."""

    def __init__(self, root, rng):
        self.rng = rng
        self.tables, self.raw = {}, {}
        for path in sorted(root.rglob("*.tsv")):
            self.tables[str(path.relative_to(root))] = [line.split("\t") for line in path.read_text().splitlines()]

    def pick(self, *names):
        known = [n for n in names or self.tables if n in self.tables and len(self.tables[n]) > 3]
        return str(self.rng.choice(known))

    def column(self, name, heading):
        return self.tables[name][0].index(heading)

    def filled(self, name, heading):
        """Rows in which a column is not empty."""
        if heading not in self.tables[name][0]:
            return []
        k = self.column(name, heading)
        return [i for i, row in enumerate(self.tables[name]) if i and row[k]]

    def text(self, name):
        return "".join("\t".join(row) + "\n" for row in self.tables[name])

    def write(self, root):
        for name in self.tables:
            (root / name).write_bytes(self.raw.get(name, self.text(name).encode()))


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


def _scale(folder, name, heading, rows, factor):
    k, changed = folder.column(name, heading), 0
    for i in rows:
        value = _number(folder.tables[name][i][k])
        if value:
            folder.tables[name][i][k] = f"{value * factor:.10g}"
            changed += 1
    return changed > 0


def _by_indicator(folder):
    name = "measurements.tsv"
    k = folder.column(name, "indicator")
    some = folder.rng.choice([row[k] for row in folder.tables[name][1:]])
    return name, [i for i in folder.filled(name, "value") if folder.tables[name][i][k] == some]


def _of_dyad(folder, name, rows):
    k = folder.column(name, "dyad")
    some = folder.rng.choice([folder.tables[name][i][k] for i in rows])
    return [i for i in rows if folder.tables[name][i][k] == some]


def _times(folder):
    return [(n, c) for n, c in (("sessions.tsv", "start"), ("measurements.tsv", "time")) if folder.filled(n, c)]


@edit("wrong unit")
def all_times_in_another_unit(folder):
    factor = float(folder.rng.choice([24, 1440, 86400, 86400e3]))
    return any([_scale(folder, n, c, folder.filled(n, c), factor) for n, c in _times(folder)])


@edit("wrong unit")
def times_of_one_dyad_in_hours(folder):
    rows = _of_dyad(folder, "sessions.tsv", folder.filled("sessions.tsv", "start"))
    return _scale(folder, "sessions.tsv", "start", rows, 24)


def _calendar_numbers(folder, number):
    changed = False
    for name, heading in _times(folder):
        k = folder.column(name, heading)
        for i in folder.filled(name, heading):
            try:
                moment = datetime.datetime.fromisoformat(folder.tables[name][i][k]).replace(tzinfo=datetime.UTC)
            except ValueError:
                return False
            folder.tables[name][i][k] = number(moment)
            changed = True
    return changed


@edit("wrong unit")
def dates_as_seconds_since_1970(folder):
    factor = int(folder.rng.choice([1, 1000]))
    return _calendar_numbers(folder, lambda moment: f"{moment.timestamp() * factor:.0f}")


@edit("wrong unit")
def dates_as_spreadsheet_serials(folder):
    return _calendar_numbers(folder, lambda moment: f"{moment.timestamp() / 86400 + 25569:.6f}")


@edit("wrong unit")
def dates_as_people_write_them(folder):
    form = str(folder.rng.choice(["%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%Y-%m-%d %I:%M %p", "%d %b %Y", "%H:%M", "%Y"]))
    return _calendar_numbers(folder, lambda moment: moment.strftime(form))


@edit("wrong unit")
def lengths_in_another_unit(folder):
    factor = float(folder.rng.choice([60, 1 / 60]))
    return _scale(folder, "sessions.tsv", "length_min", folder.filled("sessions.tsv", "length_min"), factor)


@edit("wrong unit")
def an_indicator_in_another_unit(folder):
    name, rows = _by_indicator(folder)
    return _scale(folder, name, "value", rows, float(folder.rng.choice([10, 1000, 0.1, 0.001])))


@edit("wrong unit")
def a_dyad_in_another_unit(folder):
    name, rows = _by_indicator(folder)
    return bool(rows) and _scale(
        folder, name, "value", _of_dyad(folder, name, rows), float(folder.rng.choice([10, 1000, 0.1, 0.001]))
    )


@edit("wrong unit")
def a_value_without_its_point(folder):
    name, rows = _by_indicator(folder)
    return bool(rows) and _scale(
        folder, name, "value", [int(folder.rng.choice(rows))], float(folder.rng.choice([10, 100]))
    )


@edit("swapped")
def two_headings(folder):
    name = folder.pick()
    a, b = folder.rng.choice(len(folder.tables[name][0]), 2, replace=False)
    head = folder.tables[name][0]
    head[a], head[b] = head[b], head[a]
    return any(row[a] != row[b] for row in folder.tables[name][1:])


@edit("swapped")
def two_fields_of_a_row(folder):
    name = folder.pick()
    i = int(folder.rng.integers(1, len(folder.tables[name])))
    row = folder.tables[name][i]
    a, b = folder.rng.choice(len(row), 2, replace=False)
    row[a], row[b] = row[b], row[a]
    return row[a] != row[b]


@edit("swapped")
def rows_in_another_order(folder):
    body = folder.tables[folder.pick(*TABLES)]
    body[1:] = [body[1 + i] for i in folder.rng.permutation(len(body) - 1)]
    return True


@edit("swapped")
def starts_of_two_sessions(folder):
    name = "sessions.tsv"
    rows = _of_dyad(folder, name, folder.filled(name, "start"))
    if len(rows) < 2:
        return False
    i, j = folder.rng.choice(rows, 2, replace=False)
    k, body = folder.column(name, "start"), folder.tables[name]
    body[i][k], body[j][k] = body[j][k], body[i][k]
    return body[i][k] != body[j][k]


@edit("swapped")
def day_and_month(folder):
    name = "sessions.tsv"
    k, body = folder.column(name, "start"), folder.tables[name]
    rows = [
        i
        for i in range(1, len(body))
        if body[i][k][4:5] == "-" and body[i][k][5:7] != body[i][k][8:10] and int(body[i][k][8:10]) <= 12
    ]
    if not rows:
        return False
    i = int(folder.rng.choice(rows))
    text = body[i][k]
    body[i][k] = f"{text[:5]}{text[8:10]}-{text[5:7]}{text[10:]}"
    return True


@edit("shifted")
def a_column_by_a_row(folder):
    name = folder.pick()
    body = folder.tables[name]
    k = int(folder.rng.integers(len(body[0])))
    values = ["", *[row[k] for row in body[1:-1]]]
    if values == [row[k] for row in body[1:]]:
        return False
    for row, value in zip(body[1:], values, strict=True):
        row[k] = value
    return True


@edit("shifted")
def a_row_by_a_field(folder):
    body = folder.tables[folder.pick()]
    i = int(folder.rng.integers(1, len(body)))
    body[i] = ["", *body[i][:-1]] if folder.rng.random() < 0.5 else ["", *body[i]]
    return True


@edit("duplicated")
def rows_twice(folder):
    body = folder.tables[folder.pick()]
    i = int(folder.rng.integers(1, len(body)))
    n = int(folder.rng.integers(1, 6))
    body.extend([row[:] for row in body[i : i + n]])
    return True


@edit("duplicated")
def a_dyad_under_a_new_name(folder):
    name = "sessions.tsv"
    some = str(folder.rng.choice([row[folder.column(name, "dyad")] for row in folder.tables[name][1:]]))
    for table in TABLES:
        body = folder.tables[table]
        k, copies = folder.column(table, "dyad"), []
        for row in [row[:] for row in body[1:] if row[folder.column(table, "dyad")] == some]:
            row[k] = some + "x"
            if "participant_id" in body[0]:
                row[folder.column(table, "participant_id")] += "x"
            copies.append(row)
        body.extend(copies)
    return True


@edit("duplicated")
def a_column_twice(folder):
    body = folder.tables[folder.pick()]
    k = int(folder.rng.integers(len(body[0])))
    for row in body:
        row.append(row[k])
    return True


@edit("truncated")
def cut_anywhere(folder):
    name = folder.pick()
    text = folder.text(name).encode()
    folder.raw[name] = text[: int(folder.rng.integers(len(text)))]
    return True


@edit("truncated")
def cut_after_a_row(folder):
    name = folder.pick()
    folder.tables[name] = folder.tables[name][: int(folder.rng.integers(1, len(folder.tables[name])))]
    return True


@edit("truncated")
def without_a_dyad(folder):
    name = folder.pick("sessions.tsv", "measurements.tsv")
    k = folder.column(name, "dyad")
    some = str(folder.rng.choice([row[k] for row in folder.tables[name][1:]]))
    folder.tables[name] = [row for row in folder.tables[name] if row[k] != some]
    return True


@edit("recoded")
def missing_as_a_number(folder):
    name, rows = _by_indicator(folder)
    if not rows:
        return False
    code = str(folder.rng.choice(["99", "999", "9", "-9", "-99", "-1", "9999", "88"]))
    for i in folder.rng.choice(rows, max(1, len(rows) // 20), replace=False):
        folder.tables[name][i][folder.column(name, "value")] = code
    return True


@edit("recoded")
def missing_as_a_word(folder):
    name = folder.pick()
    body = folder.tables[name]
    k = int(folder.rng.integers(len(body[0])))
    i = int(folder.rng.integers(1, len(body)))
    before = body[i][k]
    body[i][k] = str(folder.rng.choice(["NA", "NaN", ".", "NULL", "-", "missing", "#N/A", " "]))
    return body[i][k] != before


@edit("recoded")
def an_indicator_counted_from_0(folder):
    name, rows = _by_indicator(folder)
    k = folder.column(name, "value")
    for i in rows:
        folder.tables[name][i][k] = f"{float(folder.tables[name][i][k]) - 1:g}"
    return bool(rows)


@edit("recoded")
def decimal_commas(folder):
    name = folder.pick()
    body, changed = folder.tables[name], False
    for row in body[1:]:
        for k, value in enumerate(row):
            if "." in value and _number(value) is not None:
                row[k], changed = value.replace(".", ","), True
    return changed


@edit("recoded")
def answers_as_words(folder):
    name, rows = _by_indicator(folder)
    for i in rows:
        folder.tables[name][i][folder.column(name, "value")] = "agree"
    return bool(rows)


@edit("recoded")
def a_role_or_phase_otherwise(folder):
    name, heading = (("participants.tsv", "role"), ("measurements.tsv", "phase"), ("measurements.tsv", "indicator"))[
        int(folder.rng.integers(3))
    ]
    rows = folder.filled(name, heading)
    if not rows:
        return False
    i = int(folder.rng.choice(rows))
    k = folder.column(name, heading)
    folder.tables[name][i][k] = str(
        folder.rng.choice([folder.tables[name][i][k].upper(), folder.tables[name][i][k] + "s"])
    )
    return True


@edit("recoded")
def an_id_otherwise(folder):
    name = folder.pick()
    heads = [h for h in ("participant_id", "dyad", "session") if h in folder.tables[name][0]]
    if not heads:
        return False
    k = folder.column(name, str(folder.rng.choice(heads)))
    i = int(folder.rng.integers(1, len(folder.tables[name])))
    value = folder.tables[name][i][k]
    folder.tables[name][i][k] = str(
        folder.rng.choice([value + " ", value.lower(), "0" + value, value + ".0", value[:-1]])
    )
    return folder.tables[name][i][k] != value


@edit("recoded")
def a_year_mistyped(folder):
    name = "sessions.tsv"
    k = folder.column(name, "start")
    i = int(folder.rng.integers(1, len(folder.tables[name])))
    text = folder.tables[name][i][k]
    if text[4:5] != "-":
        return False
    folder.tables[name][i][k] = (
        f"{int(text[:4]) + int(folder.rng.choice([180, 10, -10, 1, -1, -100, 2000])):04d}{text[4:]}"
    )
    return True


@edit("renamed heading")
def a_heading(folder):
    name = folder.pick()
    head = folder.tables[name][0]
    k = int(folder.rng.integers(len(head)))
    before = head[k]
    head[k] = str(
        folder.rng.choice([before.upper(), before + " ", before.replace("_", ""), before + "s", "", f'"{before}"'])
    )
    return head[k] != before


@edit("other delimiter")
def of_the_whole_table(folder):
    name = folder.pick()
    folder.raw[name] = folder.text(name).replace("\t", str(folder.rng.choice([",", ";", " ", "|"]))).encode()
    return True


@edit("other delimiter")
def of_a_row(folder):
    name = folder.pick()
    lines = folder.text(name).splitlines()
    i = int(folder.rng.integers(1, len(lines)))
    lines[i] = lines[i].replace("\t", str(folder.rng.choice([",", ";", "  "])))
    folder.raw[name] = ("\n".join(lines) + "\n").encode()
    return True


@edit("other encoding")
def of_a_table(folder):
    name = folder.pick()
    text = folder.text(name)
    which = int(folder.rng.integers(6))
    if which < 2:
        i = int(folder.rng.integers(1, len(folder.tables[name])))
        folder.tables[name][i][0] += "ü"
        folder.raw[name] = folder.text(name).encode("latin-1")
    elif which < 5:
        folder.raw[name] = text.encode(["utf-8-sig", "utf-16", "utf-16-le"][which - 2])
    else:
        folder.raw[name] = text.encode()[:40] + b"\x00" + text.encode()[40:]
    return True


@edit("other encoding")
def of_line_ends(folder):
    name = folder.pick()
    folder.raw[name] = folder.text(name).replace("\n", str(folder.rng.choice(["\r\n", "\r", "\n\n"]))).encode()
    return True


@edit("quotes")
def around_fields(folder):
    name = folder.pick()
    rows = [[f'"{field}"' for field in row] for row in folder.tables[name]]
    folder.raw[name] = "".join("\t".join(row) + "\n" for row in rows).encode()
    return True


@edit("quotes")
def one_that_stays_open(folder):
    body = folder.tables[folder.pick()]
    i, k = int(folder.rng.integers(1, len(body))), int(folder.rng.integers(len(body[0])))
    body[i][k] = '"' + body[i][k]
    return True


def scores_of(root, raw_as=None):
    """What a folder gives to a fit, and the doubts about it; with raw tables also the rows that they give.

    Where no raw table was touched, these are as before.
    """
    study = read_study(root)
    found = scale_scores(study)
    scores = {str(name): values.to_numpy().astype(float) for name, values in found.data_vars.items()}
    words = {f"{doubt.file} {doubt.column} {doubt.got.split(' (rows')[0]}" for doubt in doubts(study, TODAY)}
    if raw_as is not None:
        scores["raw"], more = raw_as
        words |= more
    elif study.info.measures:
        raw = measure(root)
        key = ["indicator", "dyad", "session", "phase", "participant_id"]
        scores["raw"] = raw.rows.sort_values(key, kind="stable")["value"].astype(float).to_numpy()
        words |= {str(row) for row in raw.status.to_dict("records") if row["status"] != "ok"}
        words |= {str(record["notes"]) for record in raw.record.values() if "notes" in record}
    return scores, words


def _same(one, other):
    if one.keys() != other.keys() or any(one[k].shape != other[k].shape for k in one):
        return False
    return all(np.allclose(one[k], other[k], rtol=1e-6, atol=1e-6, equal_nan=True) for k in one)


def outcome(root, base, only_values=False):
    """Return what becomes of an edited folder: harmless, found, doubted or silent."""
    try:
        scores, words = scores_of(root, (base[0]["raw"], set()) if "raw" in base[0] and only_values else None)
    except DataError as error:
        return (
            "found" if all(fault.got and fault.expected and fault.remedy for fault in error.faults) else "not in words"
        )
    except DyadloopError:
        return "found"
    if words - base[1]:
        return "doubted"
    return "harmless" if _same(scores, base[0]) else "silent"


def first_dyads(source, root, count):
    """Copy a study folder with its first dyads alone."""
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("recordings", "measures.json"))
    kept = []
    for name in TABLES:
        lines = (root / name).read_text().splitlines()
        k = lines[0].split("\t").index("dyad")
        kept = kept or list(dict.fromkeys(line.split("\t")[k] for line in lines[1:]))[:count]
        (root / name).write_text("\n".join([lines[0], *[li for li in lines[1:] if li.split("\t")[k] in kept]]) + "\n")
    return root


def therapy(root, dyads=6, sessions=8):
    """Write a made-up study of weekly therapy with dated sessions, ratings, saliva, and raw tables of both."""
    rng = np.random.default_rng(1)
    (root / "phenotype").mkdir(parents=True)
    (root / "assays").mkdir()
    (root / "study.yaml").write_text(THERAPY)
    people, calendar, values, answers, wells = [], [], [], [], []
    for level in np.repeat([1, 3, 10, 30, 100, 300.0], 2):
        wells.append(("p1", "standard", f"s{level:g}", f"{_signal(level, rng):.5f}", f"{level:g}", "", "", ""))
    for d in range(1, dyads + 1):
        people += [
            (f"P{d:02}", f"D{d:02}", "patient", rng.integers(20, 60)),
            (f"T{d:02}", f"D{d:02}", "therapist", 40 + d),
        ]
        first = datetime.datetime(2024, 3, 4, 9 + d % 8, 30) + datetime.timedelta(days=int(rng.integers(0, 40)))
        mood = rng.normal(10, 3)
        for s in range(1, sessions + 1):
            start = first + datetime.timedelta(days=7 * (s - 1), minutes=int(rng.integers(0, 30)))
            calendar.append((f"D{d:02}", s, start.isoformat(), 50, "rupture" if rng.random() < 0.2 else ""))
            row = (f"D{d:02}", f"P{d:02}", s, "", "after")
            saliva = float(np.exp(rng.normal(2.5, 0.5)))
            values += [
                (*row, "alliance", int(np.clip(rng.normal(4.5, 1.2), 1, 7).round()), ""),
                (*row, "tension", int(np.clip(rng.normal(45, 15), 1, 99)), ""),
                (*row, "saliva", f"{saliva:.2f}", ""),
            ]
            mood = 0.7 * mood + 0.3 * 10 + rng.normal(0, 2)
            answers.append(
                (f"P{d:02}", s, *np.clip(rng.normal(mood / 9, 0.7, 9).round(), 0, 3).astype(int), "fine, thanks")
            )
            wells += [
                ("p1", "sample", f"{d}-{s}", f"{_signal(saliva, rng):.5f}", "", 1, f"P{d:02}", s) for _ in range(2)
            ]
    tables = {
        "participants.tsv": ("participant_id dyad role age", people),
        "sessions.tsv": ("dyad session start length_min events", calendar),
        "measurements.tsv": ("dyad participant_id session time phase indicator value limit", values),
        "phenotype/phq9.tsv": (
            "participant_id session " + " ".join(f"phq9_{i}" for i in range(1, 10)) + " remark",
            answers,
        ),
        "assays/plates.tsv": ("plate kind sample signal concentration dilution participant_id session", wells),
    }
    for name, (head, rows) in tables.items():
        lines = ["\t".join(head.split()), *["\t".join(map(str, row)) for row in rows]]
        (root / name).write_text("\n".join(lines) + "\n")
    return root


def _signal(level, rng):
    return (0.1 + 1.9 / (1 + (level / 50) ** 1.1)) * (1 + 0.02 * rng.normal())


def tried(root, work, base, name, rng):
    """Make one edit in a copy of a folder and return its outcome, or None where it cannot be made."""
    folder = Folder(root, rng)
    if not EDITS[name][1](folder):
        return None
    shutil.copytree(root, work)
    try:
        folder.write(work)
        same = [name for name in folder.tables if (work / name).read_bytes() == (root / name).read_bytes()]
        return outcome(work, base, set(folder.tables) - set(same) <= {"measurements.tsv"})
    finally:
        shutil.rmtree(work)
