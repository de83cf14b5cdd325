"""Every time goes through one parser: right to the second, or refused by the name of what it looks like."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop.data import read_study, summarise
from dyadloop.data.clock import DAYS, LOCAL, ZONED, Clock, TimeFault, told_time
from dyadloop.errors import DataError

MOMENT = datetime(2024, 3, 1, 14, 0)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31))

REFUSED = {
    "1711003600": "seconds since 1970? It would be 2024-03-21",
    "1711003600000": "milliseconds since 1970? It would be 2024-03-21",
    "1711003600000000": "microseconds since 1970",
    "1711003600000000000": "nanoseconds since 1970",
    "13928630400": "seconds since 1582, as SPSS counts? It would be 2024-03-01",
    "45352.583333": "an Excel serial? It would be 2024-03-01",
    "20514": "days since 1970? It would be 2026-03-02",
    "739312.58": "a MATLAB or ordinal day number? It would be 2024-03-01",
    "2460371.08": "a Julian day? It would be 2024-03-01",
    "604800": "1.66e+03 years if it is days: another unit?",
    "20240301": "must be 2024-03-01",
    "20240301140000": "must be 2024-03-01",
    "2024-03-01 02:00 PM": "a 12-hour clock",
    "3/1/2024 2:00 pm": "a 12-hour clock",
    "01.03.2024 14:00": "a date whose day and month cannot be told apart",
    "03/01/24": "a date whose day and month cannot be told apart",
    "2024/03/01 14:00": "a date with slashes or dots",
    "2024.03.01": "a date with slashes or dots",
    "14:00": "a time of day without its date",
    "2:30 p.m.": "a time of day without its date",
    "2024-03": "a month without its day",
    "2024-W09-5": "a week of a year",
    "20240301T140000": "a date without dashes",
    "2024-03-01T14:00:00 CET": "a time zone by its name",
    "2024-03-01T14:00[Europe/Berlin]": "a time zone by its name",
    "2024-3-1": "a date without its zeros",
    "7,5": "a decimal comma",
    "1 March 2024": "a date in words",
    "Friday": "a date in words",
    "2024-02-30": "day is out of range",
    "2024-03-01T25:00": "hour must be in 0..23",
    "0024-03-01": "the year 24",
    "NaN": "a date in words",
    "inf": "a date in words",
    "1_0": "not a time",
    "٧": "not a time",
    " 7": "not a time",
    "-": "not a time",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_time_is_refused_by_name(text):
    with pytest.raises(TimeFault) as caught:
        told_time(text)
    assert REFUSED[text] in str(caught.value)
    assert caught.value.remedy
    assert caught.value.expected


@given(MOMENTS, st.integers(-14 * 4, 14 * 4))
@settings(max_examples=60, deadline=None)
def test_dates_are_the_instants_that_they_say(moment, quarters):
    zone = timezone(timedelta(minutes=15 * quarters))
    for text, kind, instant in (
        (moment.isoformat(), LOCAL, moment.replace(tzinfo=UTC)),
        (moment.isoformat(" "), LOCAL, moment.replace(tzinfo=UTC)),
        (moment.replace(tzinfo=zone).isoformat(), ZONED, moment.replace(tzinfo=zone)),
        (moment.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"), ZONED, moment.replace(tzinfo=UTC)),
    ):
        days, found = told_time(text)
        assert found == kind
        assert days * 86400 == pytest.approx(instant.timestamp(), abs=1e-4)


@given(MOMENTS)
@settings(max_examples=60, deadline=None)
def test_declared_units_are_the_same_moments(moment):
    moment = moment.replace(microsecond=0)
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    mac = (moment - datetime(1904, 1, 1)) / timedelta(days=1)
    for unit, text in (
        ("unix_seconds", str(seconds)),
        ("unix_milliseconds", str(1000 * seconds)),
        ("unix_days", repr(seconds / 86400)),
        ("excel_days", repr(serial)),
        ("excel_days_1904", repr(mac)),
    ):
        assert told_time(text, unit)[0] * 86400 == pytest.approx(seconds, abs=1e-4), unit


@given(st.floats(0, 3000))
@settings(max_examples=40, deadline=None)
def test_lengths_from_the_own_zero_are_days(days):
    for unit, per_day in (("days", 1), ("weeks", 1 / 7), ("hours", 24), ("minutes", 1440), ("seconds", 86400)):
        value, kind = told_time(repr(days * per_day), unit)
        assert (value, kind) == (pytest.approx(days, abs=1e-9), DAYS)


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**20), 10**20) | st.text(max_size=25))
@settings(max_examples=300, deadline=None)
def test_anything_is_a_time_or_refused_in_words(thing):
    for unit in ("days", "hours", "unix_seconds", "unix_milliseconds", "excel_days"):
        try:
            value, _ = told_time(str(thing), unit)
        except TimeFault:
            value = 0.0
        assert abs(value) <= 120_000


def test_a_wrong_declaration_is_refused_too():
    for text, unit in (("1711003600000", "unix_seconds"), ("1711003600", "excel_days"), ("1711003600", "hours")):
        with pytest.raises(TimeFault, match=unit):
            told_time(text, unit)
    with pytest.raises(TimeFault, match="no date between 1900 and 2298"):
        told_time("99999999", "excel_days_1904")


def test_years_alone_are_refused_where_all_times_are_years():
    faults = []
    clock = Clock(faults)
    assert [clock.days("sessions.tsv", row, "start", text) for row, text in ((2, "2021"), (3, "2022"))] == [2021, 2022]
    clock.close()
    assert "a year of the calendar" in str(faults[0])
    faults.clear()
    clock = Clock(faults)
    for text in ("0", "1950"):
        clock.days("sessions.tsv", 2, "start", text)
    clock.close()
    assert faults == []


def _epochs(folder, factor):
    path = folder / "sessions.tsv"
    for text in ("2024-03-01T14:00:00", "2024-03-08T14:00:00", "2024-03-02T10:00:00", "2024-03-09T10:00:00"):
        number = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * factor)
        path.write_text(path.read_text().replace(text, str(number)))
    values = folder / "measurements.tsv"
    late = datetime(2024, 3, 9, 10, 45, tzinfo=UTC).timestamp()
    values.write_text(values.read_text().replace("2024-03-09T10:45:00", str(int(late * factor))))


@pytest.mark.parametrize(("factor", "unit"), [(1, "unix_seconds"), (1000, "unix_milliseconds")])
def test_seconds_of_survey_programs_are_refused_or_declared(tiny, factor, unit):
    plain = read_study(tiny)
    _epochs(tiny, factor)
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    assert len(caught.value.faults) == 5
    assert all(f"times: {{unit: {unit}}}" in fault.remedy for fault in caught.value.faults)
    with (tiny / "study.yaml").open("a") as stream:
        stream.write(f"times: {{unit: {unit}}}\n")
    declared = read_study(tiny)
    for name in ("start", "end"):
        assert declared.sessions[name].tolist() == pytest.approx(plain.sessions[name].tolist(), abs=1e-9)
    assert declared.measurements["time"].tolist() == pytest.approx(plain.measurements["time"].tolist(), abs=1e-9)
    summary = summarise(declared)
    assert (summary.first, summary.last, summary.clock) == ("2024-03-01", "2024-03-09", unit.replace("_", " "))


def test_a_study_states_its_first_and_last_time(tiny):
    summary = summarise(read_study(tiny))
    assert (summary.first, summary.last, summary.clock) == ("2024-03-01", "2024-03-09", LOCAL)
    assert summary.days == pytest.approx(8 - 4 / 24 + 45 / 1440 + 0, abs=1e-9)


def test_dates_do_not_mix_with_declared_numbers(tiny):
    with (tiny / "study.yaml").open("a") as stream:
        stream.write("times: {unit: hours}\n")
    text = (tiny / "sessions.tsv").read_text()
    (tiny / "sessions.tsv").write_text(text.replace("2024-03-08T14:00:00", "168"))
    with pytest.raises(DataError, match="a local date and time as before"):
        read_study(tiny)


def test_without_its_declaration_no_time_is_blamed(tiny):
    _epochs(tiny, 1)
    with (tiny / "study.yaml").open("a") as stream:
        stream.write("times: {unit: unix_second}\n")
    with pytest.raises(DataError) as caught:
        read_study(tiny)
    assert [fault.file for fault in caught.value.faults] == ["study.yaml"]
