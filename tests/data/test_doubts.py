"""What is possible but unlikely is said in words, in its place; a plain study raises no doubt."""

import numpy as np
import pytest

import dyadloop as dl
from dyadloop.data import read_study
from dyadloop.data.calendar_doubts import _out_of_order
from tests.data.edits import TODAY, therapy


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return therapy(tmp_path_factory.mktemp("doubts") / "therapy")


@pytest.fixture
def study(plain, tmp_path):
    import shutil

    return shutil.copytree(plain, tmp_path / "therapy")


def _rows(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def _write(path, rows):
    path.write_text("".join("\t".join(row) + "\n" for row in rows))


def _set(study, file, column, value, where=lambda row: True, rows=None):
    """Change fields and return the lines that were changed."""
    table = _rows(study / file)
    k, lines = table[0].index(column), []
    for line, row in enumerate(table[1:], start=2):
        if where(row) and (rows is None or len(lines) < rows):
            row[k] = value(row[k]) if callable(value) else value
            lines.append(line)
    _write(study / file, table)
    return lines


def _declare(study, old, new):
    text = (study / "study.yaml").read_text()
    assert old in text
    (study / "study.yaml").write_text(text.replace(old, new))


def _of(indicator, dyad=None):
    return lambda row: row[5] == indicator and dyad in (None, row[0])


def _session(dyad, number):
    return lambda row: row[0] == dyad and row[1] == str(number)


def _later(years):
    return lambda text: f"{int(text[:4]) + years}{text[4:]}"


def test_a_plain_study_raises_no_doubt(study):
    assert dl.doubts(study, TODAY) == []
    assert dl.doubts(read_study(study), TODAY) == []


# name: (change, which returns the lines that it changed, file, column, words of the doubt)
ONE = {
    "999 in ratings": (lambda s: _set(s, "measurements.tsv", "value", "999", _of("tension"), 3), "measurements.tsv", "value", "999 for 'tension'"),
    "-99 in ratings": (lambda s: _set(s, "measurements.tsv", "value", "-99", _of("tension"), 2), "measurements.tsv", "value", "-99 for 'tension'"),
    "-1 in ratings": (lambda s: _set(s, "measurements.tsv", "value", "-1", _of("tension"), 1), "measurements.tsv", "value", "-1 for 'tension'"),
    "9999 in a concentration": (lambda s: _set(s, "measurements.tsv", "value", "9999", _of("saliva"), 2), "measurements.tsv", "value", "9999 for 'saliva'"),
    "999 as an age": (lambda s: _set(s, "participants.tsv", "age", "999", _session("P03", "D03")), "participants.tsv", "age", "999 for 'age'"),
    "a year of birth as an age": (lambda s: _set(s, "participants.tsv", "age", "1985", lambda r: r[2] == "patient", 1), "participants.tsv", "age", "'age' near 1985 in D01"),
    "a session in the year 2204": (lambda s: _set(s, "sessions.tsv", "start", _later(180), _session("D02", 8)), "sessions.tsv", "start", "2204-"),
    "a session of 1904": (lambda s: _set(s, "sessions.tsv", "start", _later(-120), _session("D02", 1)), "sessions.tsv", "start", "before 1990"),
    "session 3 after session 8": (lambda s: _set(s, "sessions.tsv", "start", "2024-07-30T09:00:00", _session("D02", 3)), "sessions.tsv", "start", "session '3' of dyad 'D02' dated after session '8'"),
    "a session four months late": (lambda s: _set(s, "sessions.tsv", "start", "2024-09-30T09:00:00", _session("D04", 8)), "sessions.tsv", "start", "days after the one before"),
    "a last session ten years later": (lambda s: _set(s, "sessions.tsv", "start", _later(10), _session("D04", 8)), "sessions.tsv", "start", "covered by D04"),
    "a session of five minutes": (lambda s: _set(s, "sessions.tsv", "length_min", "5", _session("D04", 2)), "sessions.tsv", "length_min", "as short as 5"),
    "a session of 500 minutes": (lambda s: _set(s, "sessions.tsv", "length_min", "500", _session("D04", 2)), "sessions.tsv", "length_min", "as long as 500"),
    "an event in capitals": (lambda s: _set(s, "sessions.tsv", "events", "Rupture", _session("D01", 4)), "sessions.tsv", "events", "'Rupture' beside 'rupture'"),
    "an event in the plural": (lambda s: _set(s, "sessions.tsv", "events", "ruptures", _session("D01", 4)), "sessions.tsv", "events", "'ruptures' beside 'rupture'"),
    "one value a thousandfold": (lambda s: _set(s, "measurements.tsv", "value", lambda v: str(1000 * float(v)), _of("saliva"), 1), "measurements.tsv", "value", "for 'saliva'"),
    "a dyad in another unit": (lambda s: _set(s, "measurements.tsv", "value", lambda v: str(float(v) / 10), _of("saliva", "D05")), "measurements.tsv", "value", "in D05"),
    "a broken number among whole ones": (lambda s: _set(s, "measurements.tsv", "value", "4.4", _of("alliance"), 1), "measurements.tsv", "value", "4.4 for 'alliance' among whole numbers"),
    "an empty value": (lambda s: _set(s, "measurements.tsv", "value", "", _of("alliance"), 1), "measurements.tsv", "value", "rows without a value"),
    "a time near another session": (lambda s: _set(s, "measurements.tsv", "time", "2024-07-30T10:00:00", _of("alliance", "D01"), 1), "measurements.tsv", "time", "days from its session, nearer to another one"),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_what_is_unlikely_is_doubted_in_its_place(study, name):
    change, file, column, words = ONE[name]
    lines = change(study)
    assert lines
    hits = [d for d in dl.doubts(study, TODAY) if d.file == file and d.column == column and words in d.got]
    assert hits, "\n".join(map(str, dl.doubts(study, TODAY)))
    assert hits[0].row == lines[0]
    assert hits[0].expected
    assert hits[0].remedy


@pytest.mark.parametrize("code", ["9", "99", "999", "-9", "-99", "88", "9999"])
def test_codes_of_missing_answers_in_five_answers(study, code):
    rng = np.random.default_rng(0)
    _declare(study, ", scale: [1, 7]", "")
    _set(study, "measurements.tsv", "value", lambda _: str(rng.integers(1, 6)), _of("alliance"))
    assert dl.doubts(study, TODAY) == []
    lines = _set(study, "measurements.tsv", "value", code, _of("alliance", "D03"), 4)
    (found,) = dl.doubts(study, TODAY)
    assert found.row == lines[0]
    assert f"{code} for 'alliance', where the other values lie between 1 and 5" in found.got
    assert all(str(line) in found.got for line in lines)


def test_an_answer_within_the_declared_scale_is_no_code(study):
    """A sum of 9 on a scale from 0 to 27 is an answer, also where all others are small; 99 on one to 100 may be none."""
    rng = np.random.default_rng(0)
    _declare(study, ", scale: [1, 7]", ", scale: [0, 27]")
    _set(study, "measurements.tsv", "value", lambda _: str(rng.integers(0, 4)), _of("alliance"))
    _set(study, "measurements.tsv", "value", "9", _of("alliance", "D03"), 1)
    assert not any("9 for 'alliance'" in doubt.got for doubt in dl.doubts(study, TODAY))
    _declare(study, ", scale: [0, 27]", ", scale: [0, 100]")
    lines = _set(study, "measurements.tsv", "value", "99", _of("alliance", "D03"), 1)
    assert any(doubt.got.startswith("99 for 'alliance'") and doubt.row in lines for doubt in dl.doubts(study, TODAY))


def test_a_study_that_uses_its_range_is_left_alone(study):
    """9 is no code where 8 and 10 occur, nor is a heavy tail a fault."""
    rng = np.random.default_rng(1)
    _set(study, "measurements.tsv", "value", lambda _: str(rng.integers(0, 28)), _of("tension"))
    assert dl.doubts(study, TODAY) == []
    _set(study, "measurements.tsv", "value", lambda _: f"{np.exp(rng.normal(3, 1)):.2f}", _of("tension"))
    assert dl.doubts(study, TODAY) == []


@pytest.mark.parametrize(("low", "high"), [(2, 20), (1, 30), (3, 40)])
def test_small_numbers_below_large_ones_are_no_codes(study, low, high):
    """2 is no code where 3 to 9 occur as well, though these could be codes by themselves."""
    rng = np.random.default_rng(2)
    _set(study, "measurements.tsv", "value", lambda _: str(rng.integers(low, high + 1)), _of("tension"))
    assert dl.doubts(study, TODAY) == []


def test_sessions_without_numbers_have_no_order_of_numbers(study):
    """Names such as pre and post tell no order."""
    for file in ("sessions.tsv", "measurements.tsv"):
        assert _set(study, file, "session", lambda text: f"week {chr(96 + int(text))}")
    assert not any("numbers that rise" in doubt.expected for doubt in dl.doubts(study, TODAY))


def test_two_codes_are_both_doubted(study):
    _set(study, "measurements.tsv", "value", "999", _of("tension"), 2)
    _set(study, "measurements.tsv", "value", "9999", _of("tension", "D03"), 2)
    found = [d for d in dl.doubts(study, TODAY) if d.column == "value"]
    assert [d.got.split()[0] for d in found] == ["999", "9999"]


def test_a_questionnaire_has_its_range(study):
    def named(name, more=""):
        text = (study / "study.yaml").read_text().replace("tension", name)
        (study / "study.yaml").write_text(text.replace(f"{name}: {{quantity", f"{name}: {{{more}quantity"))
        _set(study, "measurements.tsv", "indicator", name, _of("tension"))
        _set(study, "measurements.tsv", "value", lambda v: str(int(v) % 28), _of(name))

    for name in ("PHQ_total", "phq"):
        (study / "measurements.tsv").write_text(
            (study / "measurements.tsv").read_text().replace("PHQ_total", "tension")
        )
        (study / "study.yaml").write_text((study / "study.yaml").read_text().replace("PHQ_total", "tension"))
        named(name)
        assert dl.doubts(study, TODAY) == []
        lines = _set(study, "measurements.tsv", "value", "150", _of(name), 1)
        found = [d for d in dl.doubts(study, TODAY) if "0 to 27" in d.expected]
        assert [d.row for d in found] == lines
        _set(study, "measurements.tsv", "value", "27", _of(name), 1)
    _declare(
        study,
        "phq: {quantity: stress, person: patient, unit: points}",
        "phq: {quantity: stress, person: patient, unit: points, scale: [0, 150]}",
    )
    (found,) = dl.doubts(study, TODAY)
    assert (found.file, found.column) == ("study.yaml", "indicators.phq.scale")


def test_the_whole_calendar_in_another_unit(study):
    """Dates become days, then hours that are read as days."""
    first = {}
    for factor, words in ((1, None), (24, "usually 168 days apart")):
        table = _rows(study / "sessions.tsv")
        for row in table[1:]:
            if factor == 1:
                day = np.datetime64(row[2])
                row[2] = f"{(day - first.setdefault(row[0], day)) / np.timedelta64(1, 'D'):.6f}"
            else:
                row[2] = f"{24 * float(row[2]):.6f}"
        _write(study / "sessions.tsv", table)
        found = [d.got for d in dl.doubts(study, TODAY)]
        assert found == [] if words is None else any(words in got for got in found)
    _declare(study, "simulated: true", "simulated: true\ntimes: {unit: hours}")
    assert dl.doubts(study, TODAY) == []


def test_days_since_1970_are_doubted_and_can_be_declared(study):
    table = _rows(study / "sessions.tsv")
    for row in table[1:]:
        row[2] = f"{(np.datetime64(row[2]) - np.datetime64('1970-01-01')) / np.timedelta64(1, 'D'):.6f}"
    _write(study / "sessions.tsv", table)
    (found,) = dl.doubts(study, TODAY)
    assert "unix_days" in found.remedy
    assert "(2024-" in found.remedy
    _declare(study, "simulated: true", "simulated: true\ntimes: {unit: unix_days}")
    assert dl.doubts(study, TODAY) == []


def test_the_bound_of_a_course_is_declared(study):
    _set(study, "sessions.tsv", "start", _later(4), _session("D04", 8))
    assert any("at most 1100 days" in doubt.expected for doubt in dl.doubts(study, TODAY + 2000))
    _declare(study, "simulated: true", "simulated: true\ntimes: {longest_days: 2000}")
    assert not any("at most" in doubt.expected for doubt in dl.doubts(study, TODAY + 2000))


def test_constants_copies_and_traits(study):
    table = _rows(study / "measurements.tsv")
    one = [row for row in table if row[0] == "D01"]
    for row, like in zip([row for row in table if row[0] == "D02"], one, strict=True):
        row[6] = like[6]
    _write(study / "measurements.tsv", table)
    assert any("all 24 values of dyad 'D02' are those of dyad 'D01'" in d.got for d in dl.doubts(study, TODAY))
    _set(study, "measurements.tsv", "value", "4", _of("alliance"))
    assert any("4 for 'alliance' in every row" in d.got for d in dl.doubts(study, TODAY))
    table = _rows(study / "measurements.tsv")
    for row in table[1:]:
        if row[5] == "tension":
            row[6] = str(20 + 3 * int(row[0][1:]))
    _write(study / "measurements.tsv", table)
    assert any("'tension' that never changes within a person" in d.got for d in dl.doubts(study, TODAY))


def test_an_unused_end_of_a_scale(study):
    _declare(study, "scale: [1, 7]", "scale: [0, 9]")
    assert not any("on a scale" in d.got for d in dl.doubts(study, TODAY))
    _set(study, "measurements.tsv", "value", lambda v: str(min(int(v), 4)), _of("alliance"))
    assert not any("on a scale" in d.got for d in dl.doubts(study, TODAY))  # 48 values are too few to tell
    table = _rows(study / "measurements.tsv")
    more = [
        [*row[:2], row[2], f"2024-0{5 + int(row[2]) % 3}-2{row[2]}T08:00:00", "", *row[5:]]
        for row in table[1:]
        if row[5] == "alliance"
    ]
    for row in more:
        row[2] = ""
    _write(study / "measurements.tsv", table + more)
    assert any("on a scale declared as 0 to 9" in d.got for d in dl.doubts(study, TODAY))


def test_what_is_not_there_is_doubted(study):
    path = study / "measurements.tsv"
    whole = path.read_text()
    path.write_text(whole[:-1])
    assert [d.got for d in dl.doubts(study, TODAY)] == ["a last row without a line end"]
    lines = whole.splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("D06")))
    assert any("P06 without any value" in d.got for d in dl.doubts(study, TODAY))
    path.write_text("".join(lines[:-3]))
    assert any("sessions without any value" in d.got and d.row == 49 for d in dl.doubts(study, TODAY))


@pytest.mark.parametrize(
    ("numbers", "odd"), [([1, 2, 4, 5, 3], [4]), ([10, 1, 2, 3], [0]), ([1, 2, 3], []), ([2, 1], [0]), ([1, 1, 2], [0])]
)
def test_the_fewest_sessions_are_out_of_order(numbers, odd):
    found = _out_of_order(np.array(numbers, dtype=float))
    assert len(found) == len(odd)
    rest = np.delete(numbers, found)
    assert (np.diff(rest) > 0).all()


def test_many_rows_are_one_doubt(study):
    _set(study, "measurements.tsv", "value", "999", _of("tension"), 12)
    (found,) = [d for d in dl.doubts(study, TODAY) if "999" in d.got]
    assert "and 8 more" in found.got


@pytest.mark.parametrize("of", ["time", "session", "patient"])
def test_covariates_of_every_kind_raise_no_doubt_by_themselves(study, of):
    _declare(study, "covariates:\n", f"covariates:\n  trend: {{of: {of}, per: 30, reason: therapies have a course}}\n")
    file = {"session": "sessions.tsv", "patient": "participants.tsv"}.get(of)
    if file:
        rows = _rows(study / file)
        _write(study / file, [[*rows[0], "trend"], *([*row, str(1 + k % 3)] for k, row in enumerate(rows[1:]))])
    assert dl.doubts(study, TODAY) == []
