"""Text of recordings: all rows or all faults; what is not used need not be numbers; never a traceback."""

import random

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.signals import read_recording


def _write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a,b\n1,2\n3,4\n", "utf-8"), ("a,b\n1,2\n3,4\n", "utf-8-sig"), ("a,b\n1,2\n3,4\n", "utf-16"),
        ("a,b\r\n1,2\r\n3,4\r\n", "utf-8"), ('"a";"b"\n1;2\n3;4', "utf-8"), ("sep=;\na;b\n1;2\n3;4\n", "utf-8"),
        (",a,b\n0,1,2\n1,3,4\n", "utf-8"), ('"","a","b"\n"1",1,2\n"2",3,4\n', "utf-8"),
        ("Unnamed: 0,a,b\n5,1,2\n6,3,4\n", "utf-8"), (" a  b\n 1  2\n 3  4\n\n", "utf-8"),
    ],
)  # fmt: skip
def test_what_other_programs_write(tmp_path, text, encoding):
    found = read_recording(_write(tmp_path / "a.csv", text, encoding), fs=1)
    assert list(found.channels) == ["a", "b"]
    assert found.channels.to_numpy().tolist() == [[1, 2], [3, 4]]


def test_columns_that_are_not_used_need_not_be_numbers(tmp_path):
    rows = "".join(f"{k},{k / 10},{k / 5},{'rest' if k < 9 else 2},x\n" for k in range(10))
    path = _write(tmp_path / "a.csv", f",patient,therapist,marker,marker\n{rows}")
    found = read_recording(path, fs=1)
    assert list(found.channels) == ["patient", "therapist"]
    with pytest.raises(MeasureError, match="column 'marker': got a column name used twice"):
        found.channel("marker")
    mixed = _write(tmp_path / "b.csv", "a,note\n" + "".join(f"{k},{'?' if k == 4 else k}\n" for k in range(9)))
    assert read_recording(mixed, fs=1, columns=["a"]).channel("a").tolist() == list(range(9))
    with pytest.raises(MeasureError, match=r"b\.csv row 6, column 'note': got '\?'; expected a number"):
        read_recording(mixed, fs=1, columns=["note"]).channel("note")
    with pytest.raises(MeasureError, match="row 6, column 'note'"):  # nobody said that it is not used
        read_recording(mixed, fs=1)


@pytest.mark.parametrize("gap", ["", "NA", "n/a", "NaN", "nan", "<NA>"])
def test_gaps_are_gaps(tmp_path, gap):
    found = read_recording(_write(tmp_path / "a.csv", f"a,b\n1,2\n{gap},3\n4,5\n"), fs=1)
    assert np.isnan(found.channel("a")).tolist() == [False, True, False]
    one = read_recording(_write(tmp_path / "b.txt", f"1\n{gap}\n4\n"), fs=1)
    assert np.isnan(one.channel()).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n5,6\n", r"row 3: got 1 values; expected one value per column: 2"),
        ("a,b\n1,2\n\n5,6\n", "row 3: got 1 values"),
        ("a\n1,5\n2,5\n", "row 2, column 'a': got '1,5'.*decimals with a point"),
        ("1,05\n1,10\n", "a decimal comma, it seems"),
        ("a;b\n1,5;2,5\n1,6;2,7\n", "row 2, column 'a': got '1,5'"),
        ("0,1\n0.5,0.6\n0.7,0.8\n", "column numbers, it seems"),
        ("a,b\n1,2\ninf,3\n4,5\n", "row 3, column 'a': got inf"),
        ('a,b\n1,2\n"3,4\n5,6\n', "row 3: got an unclosed quote"),
        (
            ",a\n0,1\n1,2\n5,3\n",
            "row 4, column 'row index': got 5 after 1; expected an even count: rows were taken out",
        ),
        ("frame,a\n1,1\n2,2\n2,3\n", "row 4, column 'frame': got 2 after 2"),
        ("a,b\nx,y\nu,v\n", "row 2, column 'a': got 'x'; expected a number"),
    ],
)
def test_bad_rows_say_where(tmp_path, text, message):
    with pytest.raises(MeasureError, match=message):
        read_recording(_write(tmp_path / "a.csv", text), fs=1)


def test_all_bad_rows_at_once(tmp_path):
    rows = "".join(f"{k}{',x' if k % 10 == 0 else ''}\n" for k in range(400))
    with pytest.raises(MeasureError) as caught:
        read_recording(_write(tmp_path / "a.csv", f"a\n{rows}"), fs=1)
    (line,) = str(caught.value).splitlines()
    assert "a.csv row 2, column 'a': 40 times, first got '0,x'; expected a number" in line
    assert line.endswith("(rows 2, 12, 22, 32, and 36 more)")


def _edited(text, draw):
    lines = text.split("\n")
    place = draw.randrange(max(len(lines) - 1, 1))
    kind = draw.randrange(8)
    if kind == 0:
        lines[place] += draw.choice([",1", "\t2", " x", ";"])
    elif kind == 1:
        lines[place] = draw.choice(["", "inf", "NA", "-9999", "1e999", "True", "0x12", "1_000", "#N/A"])
    elif kind == 2:
        lines[place] = draw.choice(['"', "'"]) + lines[place].replace(".", ",")
    elif kind == 3:
        del lines[place:]
    elif kind == 4:
        del lines[place]
    elif kind == 5:
        lines.insert(place, lines[place])
    else:
        at = draw.randrange(len(text) + 1)
        return text[:at] + draw.choice("\x00é\"',;\t 9-\n\r") + text[at + 1 :]
    return "\n".join(lines)


def test_edited_files_are_read_or_refused(tmp_path):
    """300 edits of seven layouts: samples, or an error that names the file."""
    samples = np.round(np.random.default_rng(0).normal(size=40), 3)
    layouts = [
        "a,b\n" + "".join(f"{v},{v}\n" for v in samples),
        "time\tv\n" + "".join(f"{100 + k / 10:.1f}\t{v}\n" for k, v in enumerate(samples)),
        "1592985316.0\n4.0\n" + "".join(f"{v}\n" for v in samples),
        "1592985316.0, IBI\n" + "".join(f"{1 + k * 0.8},{0.8 + v / 100}\n" for k, v in enumerate(samples)),
        "unix_timestamp,eda\n" + "".join(f"{1687343523000000 + k * 250000},{v}\n" for k, v in enumerate(samples)),
        "".join(f"{v} {v}\n" for v in samples),
        "frame, timestamp, confidence, success, AU\n" + "".join(f"{k}, {k / 30:.3f}, 1, 1, {v}\n" for k, v in enumerate(samples)),
    ]  # fmt: skip
    refused: list[str] = []
    for seed in range(300):
        draw = random.Random(seed)
        text = _edited(draw.choice(layouts), draw)
        _write(tmp_path / "a.csv", text)
        try:
            found = read_recording(tmp_path / "a.csv", fs=draw.choice([None, 10, 4]))
            assert found.fs > 0
            assert len(found.channels) >= 2
        except MeasureError as error:
            refused.append(str(error))
    assert 100 < len(refused) < 280
    assert all("a.csv" in text for text in refused)
