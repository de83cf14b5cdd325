"""Each named fault of a study folder is found, with its file, row, column and remedy, and all in one pass."""

import pandas as pd
import pytest

from dyadloop.data import read_study
from dyadloop.errors import DataError, Fault, fault_lines

# name: (file, old text, new text, row, column, part of what was got, part of the remedy)
FAULTS = {
    "row with a field too many": ("participants.tsv", "P2\tD2\tpatient\t25", "P2\tD2\tpatient\t25\tx", 4, None, "1 too many", "tabs"),
    "row with a field too few": ("participants.tsv", "P2\tD2\tpatient\t25", "P2\tD2\tpatient", 4, None, "1 too few", "tabs"),
    "id with leading zeros twice": ("participants.tsv", "T1\tD1\ttherapist\t40", "0P1\tD1\ttherapist\t40", 3, "participant_id", "'0P1'", "rename"),
    "empty id": ("participants.tsv", "T1\tD1", "\tD1", 3, "participant_id", "empty", "fill"),
    "duplicate participant": ("participants.tsv", "T1\tD1", "P1\tD1", 3, "participant_id", "already in row 2", "rename"),
    "unknown role": ("participants.tsv", "D1\ttherapist", "D1\tdoctor", 3, "role", "'doctor'", "role"),
    "second patient in a dyad": ("participants.tsv", "T1\tD1\ttherapist", "T1\tD1\tpatient", 3, "role", "second patient", "own dyad"),
    "duplicate column": ("participants.tsv", "role\tage", "role\trole", 1, "role", "used twice", "rename"),
    "missing column": ("sessions.tsv", "length_min", "minutes", 1, "length_min", "no such column", "add"),
    "unknown column": ("sessions.tsv", "events\n", "event\n", 1, "event", "unknown column", "rename"),
    "impossible date": ("sessions.tsv", "2024-03-08T14", "2024-02-30T14", 3, "start", "2024-02-30", "time"),
    "text for a date": ("sessions.tsv", "2024-03-08T14:00:00", "8 March", 3, "start", "8 March", "time"),
    "mixed clocks": ("sessions.tsv", "2024-03-08T14:00:00", "7.5", 3, "start", "days", "one clock"),
    "mixed time zones": ("sessions.tsv", "2024-03-08T14:00:00", "2024-03-08T14:00:00Z", 3, "start", "zone", "one clock"),
    "negative length": ("sessions.tsv", "14:00:00\t50\t\n", "14:00:00\t-50\t\n", 2, "length_min", "-50", "length"),
    "empty length": ("sessions.tsv", "14:00:00\t50\t\n", "14:00:00\t\t\n", 2, "length_min", "empty", "write 0"),
    "duplicate session": ("sessions.tsv", "D1\t2\t", "D1\t1\t", 3, "session", "already in row 2", "renumber"),
    "session of an unknown dyad": ("sessions.tsv", "D2\t2\t", "D9\t2\t", 5, "dyad", "'D9'", "add it"),
    "overlapping sessions": ("sessions.tsv", "2024-03-08T14:00:00", "2024-03-01T14:30:00", 3, "start", "before session '1'", "correct"),
    "unreadable event": ("sessions.tsv", "dose=24", "dose=much", 3, "events", "dose=much", "event"),
    "decimal comma": ("measurements.tsv", "ot\t6.5", "ot\t6,5", 4, "value", "'6,5'", "decimal point"),
    "value below a limit as text": ("measurements.tsv", "ot\t2.0\tbelow", "ot\t<1.5\t", 8, "value", "'<1.5'", "'below'"),
    "word for a number": ("measurements.tsv", "ot\t6.5", "ot\tNaN", 4, "value", "'NaN'", "n/a"),
    "value outside the scale": ("measurements.tsv", "trust\t5", "trust\t50", 3, "value", "50", "correct"),
    "concentration of zero": ("measurements.tsv", "ot\t6.5", "ot\t0", 4, "value", "0 pg/ml", "limit = 'below'"),
    "unknown participant": ("measurements.tsv", "D1\tP1\t2\t\tafter", "D1\tP9\t2\t\tafter", 3, "participant_id", "'P9'", "add it"),
    "participant of another dyad": ("measurements.tsv", "D2\tP2\t1\t\tafter", "D1\tP2\t1\t\tafter", 6, "dyad", "belongs to 'D2'", "correct"),
    "unknown session": ("measurements.tsv", "D1\tP1\t2\t\tafter", "D1\tP1\t7\t\tafter", 3, "session", "session '7'", "add it"),
    "unknown phase": ("measurements.tsv", "2\t\tafter\ttrust", "2\t\tlater\ttrust", 3, "phase", "'later'", "phase"),
    "unknown limit": ("measurements.tsv", "2.0\tbelow", "2.0\tunder", 8, "limit", "'under'", "limit"),
    "undeclared indicator": ("measurements.tsv", "after\ttrust\t5", "after\ttrst\t5", 3, "indicator", "'trst'", "study.yaml"),
    "indicator of another role": ("measurements.tsv", "D1\tP1\t2\t\tafter", "D1\tT1\t2\t\tafter", 3, "indicator", "of a therapist", "correct"),
    "duplicate measurement": ("measurements.tsv", "D1\tP1\t2\t\tafter\ttrust\t5", "D1\tP1\t1\t\tafter\ttrust\t5", 3, "indicator", "same time as in row 2", "remove"),
    "no time": ("measurements.tsv", "D1\tP1\t2\t\tafter", "D1\tP1\t\t\tafter", 3, "time", "empty", "fill in"),
    "blanks around a value": ("measurements.tsv", "after\ttrust\t5", "after\ttrust \t5", 3, "indicator", "'trust '", "blanks"),
    "unclosed quote": ("measurements.tsv", "after\ttrust\t5", 'after\t"trust\t5', 3, "indicator", "unclosed quote", "quote"),
    "empty row": ("measurements.tsv", "D1\tP1\t2\t\tafter", "\nD1\tP1\t2\t\tafter", 3, None, "empty row", "remove"),
    "mixed delimiters": ("measurements.tsv", "D1\tP1\t2\t\tafter\ttrust\t5\t", "D1,P1,2,,after,trust,5,", 3, None, "another delimiter", "tabs"),
    "unknown key": ("study.yaml", "licence:", "license: x\nlicence:", None, "license", "an unknown key", "licence"),
    "scale upside down": ("study.yaml", "[1, 7]", "[7, 1]", None, "indicators.trust", "7", "correct"),
    "limit without a value": ("measurements.tsv", "2.0\tbelow", "\tbelow", 8, "value", "without a value", "detection limit"),
    "time against the phase": ("measurements.tsv", "2\t2024-03-09T10:45:00\t\ttrust", "2\t2024-03-09T10:45:00\tbefore\ttrust", 7, "time", "as 'before'", "correct the time"),
    "event without an amount": ("sessions.tsv", "dose=24", "dose=", 3, "events", "dose=", "event"),
    "event that is infinite": ("sessions.tsv", "dose=24", "dose=inf", 3, "events", "dose=inf", "event"),
    "event twice": ("sessions.tsv", "dose=24; rupture", "dose=24; dose=12", 3, "events", "dose=12", "event"),
    "date without dashes": ("sessions.tsv", "2024-03-08T14:00:00", "20240308", 3, "start", "20240308", "time"),
    "prior of no median": ("study.yaml", "simulated: true", "simulated: true\npriors: {tau_trust: {family: lognormal, location: -1, scale: 1, assumed: x}}", None, "priors.tau_trust", "-1", "correct"),
    "name that leaves its folder": ("study.yaml", "name: tiny", "name: ../tiny", None, "name", "../tiny", "correct"),
    "randomised event of no session": ("study.yaml", "simulated: true", "simulated: true\nrandomised: [doze]", None, "randomised", "'doze'", "name"),
    "key given twice": ("study.yaml", "simulated: true", "simulated: true\nsimulated: false", None, None, "unreadable", "syntax"),
    "unreadable yaml": ("study.yaml", "indicators:", "indicators: [", 8, None, "unreadable", "syntax"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_each_named_fault_is_found_in_place(tiny, name):
    file, old, new, row, column, got, remedy = FAULTS[name]
    text = (tiny / file).read_text()
    assert old in text, "the fault must change the file"
    (tiny / file).write_text(text.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    hits = [
        f
        for f in caught.value.faults
        if (f.file, f.row, f.column) == (file, row, column) and got in f"{f.got} {f.expected}"
    ]
    assert hits, "\n".join(map(str, caught.value.faults))
    assert remedy in hits[0].remedy
    assert hits[0].expected


BYTES = {
    "UTF-16 without a mark": (lambda raw: raw.decode().encode("utf-16-le"), 1, "UTF-16 without its mark"),
    "UTF-16 cut off": (lambda raw: raw.decode().encode("utf-16")[:-1], None, "UTF-16 that is damaged"),
    "Windows-1252": (lambda raw: raw.replace(b"6.5", b"6\x965"), 4, "Windows-1252"),
    "old Mac": (lambda raw: raw.replace(b"\n", b"\r"), 1, "old Macs"),
    "Latin-1": (lambda raw: raw.replace(b"6.5", b"6\xb75"), 4, "not UTF-8"),
    "NUL": (lambda raw: raw.replace(b"6.5", b"6\x005"), 4, "NUL"),
    "empty file": (lambda raw: b"", None, "empty file"),
    "semicolons": (lambda raw: raw.replace(b"\t", b";"), 1, "semicolons"),
    "commas": (lambda raw: raw.replace(b"\t", b","), 1, "commas"),
}


@pytest.mark.parametrize("name", BYTES)
def test_faults_of_the_file_itself(tiny, name):
    change, row, got = BYTES[name]
    path = tiny / "measurements.tsv"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    assert [(f.file, f.row) for f in caught.value.faults if got in f.got] == [("measurements.tsv", row)]


STUDY_FILES = ("study.yaml", "participants.tsv", "sessions.tsv", "measurements.tsv")


@pytest.mark.parametrize("file", STUDY_FILES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_every_file_of_a_study_may_have_a_byte_order_mark(tiny, file, encoding):
    """Spreadsheets and editors of Windows write one; the study is the same to the last value."""
    plain = read_study(tiny)
    text = (tiny / file).read_text()
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tiny / file).write_bytes((mark + text.replace("\n", "\r\n")).encode(encoding))
    found = read_study(tiny)
    for name in ("participants", "sessions", "measurements"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(plain, name))
    assert found.info == plain.info


@pytest.mark.parametrize("file", STUDY_FILES)
def test_other_encodings_are_refused_in_their_place(tiny, file):
    raw = (tiny / file).read_bytes()
    last = raw.rstrip(b"\n").rfind(b"\n") + 2
    (tiny / file).write_bytes(raw[:last] + "ü".encode("cp1252") + raw[last:])
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    (fault,) = [f for f in caught.value.faults if f.file == file]
    assert fault.row == raw.rstrip(b"\n").count(b"\n") + 1
    assert "0xfc, which is not UTF-8 (Latin-1 or Windows-1252?)" in fault.got
    assert fault.remedy == "save the file as UTF-8"


def test_a_missing_file_and_a_missing_folder(tiny):
    (tiny / "sessions.tsv").unlink()
    with pytest.raises(DataError, match=r"sessions\.tsv: got no such file"):
        read_study(tiny)
    with pytest.raises(DataError, match="no such folder"):
        read_study(tiny / "elsewhere")


def test_all_faults_come_at_once(tiny):
    chosen = [
        "unknown role", "negative length", "decimal comma", "value below a limit as text", "value outside the scale",
        "unknown participant", "unknown key",
    ]  # fmt: skip
    for name in chosen:
        file, old, new, *_ = FAULTS[name]
        text = (tiny / file).read_text()
        (tiny / file).write_text(text.replace(old, new))
    extra = "".join(f"D1\tP{9 + i}\t1\t\tafter\ttrust\t4\t\n" for i in range(20))
    with (tiny / "measurements.tsv").open("a") as stream:
        stream.write(extra)
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    places = {(f.file, f.row, f.column) for f in caught.value.faults}
    for name in chosen:
        file, _, _, row, column, *_ = FAULTS[name]
        assert (file, row, column) in places, name
    assert len(places) >= 27


def test_a_sound_folder_keeps_what_others_lose(tiny):
    study = read_study(tiny)
    assert "NA" in set(study.participants["participant_id"])
    assert study.sessions["events"].tolist()[1] == {"dose": 24.0, "rupture": 1.0}
    trust = study.measurements.query("indicator == 'trust' and dyad == 'D2'")
    assert trust["time"].round(9).tolist() == [round(45 / 1440, 9), round(7 + 45 / 1440, 9)]
    assert study.measurements.query("limit == 'below'")["value"].tolist() == [2.0]


def test_many_faults_of_one_kind_are_one_line(tiny):
    """A column of decimal commas is one remark with its first rows; programs get every row."""
    path = tiny / "measurements.tsv"
    header, *rows = path.read_text().splitlines()
    place = header.split("\t").index("value")
    more = []
    for k in range(380):
        fields = rows[0].split("\t")
        fields[place] = f"3,{k}"
        more.append("\t".join(fields))
    path.write_text("\n".join([header, *rows, *more]) + "\n")
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    own = [f for f in caught.value.faults if f.remedy == "write a decimal point instead of a comma"]
    assert [f.row for f in own] == list(range(2 + len(rows), 382 + len(rows)))
    first = 2 + len(rows)
    lines = [line for line in str(caught.value).splitlines() if "decimal point instead" in line]
    assert lines == [
        f"  measurements.tsv row {first}, column 'value': 380 times, first got '3,0'; expected a number such as 3.5; write a "
        f"decimal point instead of a comma (rows {first}, {first + 1}, {first + 2}, {first + 3}, and 376 more)"
    ]


def test_few_faults_and_different_ones_have_their_own_lines():
    faults = [Fault("a.tsv", row, "x", f"'{row}'", "a number", "correct it") for row in range(2, 6)]
    other = [
        Fault("a.tsv", 9, "y", "'1'", "a number", "correct it"),
        Fault("b.tsv", 9, "x", "'1'", "a number", "correct it"),
    ]
    assert fault_lines([*faults, *other]) == [str(fault) for fault in (*faults, *other)]
    five = [*faults, Fault("a.tsv", 7, "x", "'it'", "a number", "correct it"), *other]
    assert len(fault_lines(five)) == 3
    assert fault_lines(five)[0].startswith("a.tsv row 2, column 'x': 5 times, first got '2'")
    words = [Fault("a.tsv", row, "x", word, "a number", "correct it") for row, word in enumerate("abcde", 2)]
    assert len(fault_lines(words)) == 5
