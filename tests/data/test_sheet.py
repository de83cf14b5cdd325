"""Raw tables: all rows, or all faults with row and column; whatever program wrote them."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop.data import read_records
from dyadloop.data.rows import OpenQuote, split_fields
from dyadloop.data.table import number_fault, told_number
from dyadloop.errors import DataError

ROWS = [["id", "session", "mood", "remark"], ["P1", "1", "3.5", "-"], ["P2", "2", "", "fine; thanks"]]
PLAIN = "\n".join("\t".join(row) for row in ROWS) + "\n"


def _faults(path, needed=("id", "session", "mood")):
    with pytest.raises(DataError) as caught:
        read_records(path, needed)
    return caught.value.faults


READ = {
    "tabs": PLAIN.encode(),
    "semicolons": PLAIN.replace("fine; thanks", "fine, thanks").replace("\t", ";").encode(),
    "commas": PLAIN.replace("\t", ",").encode(),
    "a byte-order mark": PLAIN.encode("utf-8-sig"),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 of the other order": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "line ends of Windows": PLAIN.replace("\n", "\r\n").encode(),
    "no last line end": PLAIN.rstrip("\n").encode(),
    "empty lines at the end": (PLAIN + "\n\n").encode(),
    "quotes around all": "\n".join("\t".join(f'"{field}"' for field in row) for row in ROWS).encode(),
    "an index without a name": "".join(
        f"{k}\t{line}\n" for k, line in zip(["", "0", "1"], PLAIN.splitlines(), strict=True)
    ).encode(),
    "other columns first": "\n".join("\t".join([row[3], "x", *row[:3]]) for row in [[*ROWS[0]], *ROWS[1:]])
    .replace("x", "when", 1)
    .encode(),
}


@pytest.mark.parametrize("name", READ)
def test_a_table_reads_the_same_whatever_program_wrote_it(tmp_path, name):
    path = tmp_path / "t.tsv"
    path.write_bytes(READ[name])
    table = read_records(path, ("id", "session", "mood"))
    assert table["id"].tolist() == ["P1", "P2"]
    assert table["mood"].tolist() == ["3.5", ""]
    assert table["remark"].str.replace(",", ";").tolist() == ["-", "fine; thanks"]
    assert table.attrs["whole"] == READ[name].endswith((b"\n", b"\n\x00", b"\x00\n"))


REFUSED = {
    "Latin-1": (PLAIN.replace("P2", "Pü").encode("latin-1"), 3, "id", "Latin-1 or Windows-1252"),
    "Windows-1252 in a remark": (PLAIN.replace("fine; thanks", "ça va – merci").encode("cp1252"), 3, "remark", "0xe7"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), 1, None, "NUL"),
    "UTF-16 cut off": (PLAIN.encode("utf-16")[:-1], None, None, "cut off"),
    "line ends of old Macs": (PLAIN.replace("\n", "\r").encode(), 1, None, "old Macs"),
    "a workbook": (b"PK\x03\x04rest", 1, None, "Excel workbook"),
    "an old workbook": (b"\xd0\xcf\x11\xe0rest", 1, None, "old Excel workbook"),
    "an SPSS file": (b"$FL2@(#)", 1, None, "SPSS"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", 1, None, "Git LFS"),
    "nothing": (b"", None, None, "an empty file"),
    "blank lines alone": (b"\n\n", None, None, "an empty file"),
    "a quote that stays open": (
        PLAIN.replace("3.5\t-", '3.5\t"rather not say').encode(),
        2,
        "remark",
        "unclosed quote",
    ),
    "a quote over two rows": (PLAIN.replace("3.5\t-", '3.5\t"not\nnow"').encode(), 2, "remark", "unclosed quote"),
    "text after a quote": (PLAIN.replace("3.5\t-", '3.5\t"so" he said').encode(), 2, "remark", "unclosed quote"),
    "a field too many": (PLAIN.replace("3.5", "3\t5").encode(), 2, None, "1 too many"),
    "row names without a heading": (PLAIN.replace("P1", "1\tP1").encode(), 2, None, "row names"),
    "decimal commas among commas": (PLAIN.replace("\t", ",").replace("3.5", "3,5").encode(), 2, None, "decimal commas"),
    "a field too few": (PLAIN.replace("2\t\t", "2\t").encode(), 3, None, "1 too few"),
    "an empty row": (PLAIN.replace("P2", "\nP2").encode(), 3, None, "an empty row"),
    "another delimiter in a row": (PLAIN.replace("P2\t2\t\t", "P2;2;;").encode(), 3, None, "another delimiter"),
    "a column twice": (PLAIN.replace("remark", "mood").encode(), 1, "mood", "used twice"),
    "a heading in capitals": (PLAIN.replace("session", "Session").encode(), 1, "session", "'Session' is another name"),
    "a heading with a blank": (
        PLAIN.replace("session", "session ").encode(),
        1,
        "session",
        "'session ' is another name",
    ),
    "two headings without a name": (
        PLAIN.replace("remark", "").replace("mood\t", "mood\t\t").encode(),
        1,
        "",
        "used twice",
    ),
    "a title before the header": (b"Survey of May\n" + PLAIN.encode(), 2, None, "the header in this row"),
    "Excel's hint": (b"sep=;\n" + PLAIN.replace("\t", ";").encode(), 1, None, "'sep=;'"),
    "blanks around an id": (PLAIN.replace("P2", "P2 ").encode(), 3, "id", "'P2 '"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_its_place(tmp_path, name):
    raw, row, column, got = REFUSED[name]
    path = tmp_path / "t.tsv"
    path.write_bytes(raw)
    hits = [f for f in _faults(path) if (f.row, f.column) == (row, column) and got in f.got]
    assert hits, "\n".join(map(str, _faults(path)))
    assert hits[0].remedy


def test_all_faults_come_at_once(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,mood\nP1,1,2\n"P2,3\n\nP4\nP5,5\n')
    assert [fault.row for fault in _faults(path, ("id", "mood"))] == [2, 3, 4, 5]


def test_a_zipped_table_and_a_damaged_one(tmp_path):
    path = tmp_path / "t.tsv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert len(read_records(path, ("id",))) == 2
    path.write_bytes(gzip.compress(PLAIN.encode())[:-9])
    assert "damaged or cut off" in _faults(path)[0].got
    path.write_bytes(PLAIN.encode())
    assert "damaged or cut off" in _faults(path)[0].got
    assert "no such file" in _faults(tmp_path / "none.tsv")[0].got


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.lists(FIELD, min_size=3, max_size=3), min_size=1, max_size=5), st.sampled_from("\t;,"))
@settings(max_examples=150, deadline=None)
def test_what_a_csv_writer_writes_comes_back(rows, delimiter):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert [split_fields(line, delimiter) for line in stream.getvalue().split("\n")[:-1]] == rows


@given(FIELD, st.sampled_from("\t;,"))
@settings(max_examples=200, deadline=None)
def test_no_field_is_swallowed_or_shortened(line, delimiter):
    """Without quotes at the start of a field a line splits as plainly as can be, or is refused."""
    try:
        fields = split_fields(line, delimiter)
    except OpenQuote as error:
        fields = [""] * error.place
    if '"' not in line:
        assert fields == line.split(delimiter)
    assert len(fields) <= line.count(delimiter) + 1


NUMBERS = [
    "3.5",
    "-2",
    "1e3",
    "",
    "n/a",
    "3,5",
    "1.234,5",
    "1,234.5",
    "<5",
    "12 %",
    "NaN",
    "inf",
    "0x10",
    "1_0",
    "٣",
    " 3",
    "NA",
    "True",
]


def test_numbers_are_numbers_or_faults():
    told = [told_number(text) for text in NUMBERS]
    assert told[:3] == [3.5, -2, 1000]
    assert np.isnan(told[3:]).all()
    remedies = {text: number_fault("t.tsv", 2, "x", text).remedy for text in NUMBERS[5:]}
    assert "decimal point instead of a comma" in remedies["3,5"]
    assert "marks for thousands" in remedies["1.234,5"]
    assert "marks for thousands" in remedies["1,234.5"]
    assert "'below' in the column 'limit'" in remedies["<5"]
    assert "without its unit" in remedies["12 %"]


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=100, deadline=None)
def test_a_written_number_is_the_number(value):
    assert told_number(repr(value)) == value


def test_a_table_of_pandas_comes_back(tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "t.csv"
    frame = pd.DataFrame({"a": rng.normal(size=2000), "b": 'he said "no", twice', "marker": "rest"})
    frame.to_csv(path)
    found = read_records(path, ("a",))
    pd.testing.assert_frame_equal(found.assign(a=found["a"].map(float)), frame, check_exact=True)
