"""Doubts about times: dates, units, gaps, the order of sessions, their lengths, and the names of events."""

import math
import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from dyadloop.data.clock import DAYS, date_text, moment_text
from dyadloop.data.doubts import Doubt, doubt, lines_of, named
from dyadloop.data.schema import Study

_OLDEST = 7305.0  # 1990-01-01: older dates are mostly the zeros of programs [d from 1970]
_LATEST_ZERO = 1000.0  # a study that counts from its own zero begins near it [d]
_LONG_GAP, _LONGEST_GAP, _TIMES_USUAL = 30.0, 365.0, 10.0  # doubted gaps: of few dyads, of many [d]; ratio to usual
_FEW_DYADS = 0.2
_SLOWEST, _FASTEST = 120.0, 5 / 1440  # usual gaps beyond speak for another unit [d]
_SHORTEST, _LONGEST = 5.0, 300.0  # lengths of sessions beyond speak for another unit [minutes]
_LENGTH_RATIO = 5.0
_NEAR = 1.0  # a time so far from its own session, and nearer to another, is doubted [d]


def calendar_doubts(study: Study, today: float | None = None) -> list[Doubt]:
    """Return what is unlikely about times, sessions and what is missing.

    Parameters
    ----------
    study
        A sound study.
    today
        Days since 1970; default: now.
    """
    now = datetime.now(UTC).timestamp() / 86400 if today is None else today
    return [
        *_dates(study, now),
        *_zero(study),
        *_spans(study),
        *_gaps(study),
        *_order(study),
        *_lengths(study),
        *_far_from_session(study),
        *_event_names(study),
    ]


def _moments(study: Study) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """Return file, column, times since 1970 or the study's own zero, and lines, of sessions and measurements."""
    found = []
    for file, column, table in (
        ("sessions.tsv", "start", study.sessions),
        ("measurements.tsv", "time", study.measurements),
    ):
        origin = table["dyad"].map(study.trace.origin).to_numpy(dtype=float)
        found.append((file, column, table[column].to_numpy(dtype=float) + origin, lines_of(study, file)))
    return found


def _dates(study: Study, now: float) -> list[Doubt]:
    found = []
    for file, column, times, lines in _moments(study) if study.trace.kind != DAYS else ():
        for what, odd in (("later than today", times > now + 1), ("before 1990", times < _OLDEST)):
            if odd.any():
                got = f"{date_text(float(times[odd][0]))}, {what}"
                found.append(doubt(file, lines[odd].tolist(), column, got, "a date of the study", "check the year"))
    return found if len(found) < 2 or found[0].file == found[-1].file else _without_repeats(found)


def _without_repeats(found: list[Doubt]) -> list[Doubt]:
    """Leave out measurements that are odd because their session is."""
    seen = {entry.got.split(",")[-1].split(" (")[0] for entry in found if entry.file == "sessions.tsv"}
    return [e for e in found if e.file == "sessions.tsv" or e.got.split(",")[-1].split(" (")[0] not in seen]


def _zero(study: Study) -> list[Doubt]:
    first = study.trace.first
    if study.trace.kind != DAYS or not first >= _LATEST_ZERO:
        return []
    got = f"times that begin at day {first:.6g}"
    remedy = f"if they are days since 1970 ({date_text(first)}), declare `times: {{unit: unix_days}}` in study.yaml"
    return [doubt("sessions.tsv", [], "start", got, "days from the study's own beginning", remedy)]


def _spans(study: Study) -> list[Doubt]:
    bound, found = study.info.times.longest_days, []
    sessions, lines = study.sessions, lines_of(study, "sessions.tsv")
    ends = sessions.groupby("dyad")["end"].max() if len(sessions) else pd.Series(dtype=float)
    values = study.measurements.groupby("dyad")["time"].max()
    spans = pd.concat([ends.astype(float), values.astype(float)]).groupby(level=0).max()
    long = spans[spans > bound]
    if len(long):
        last = sessions.reset_index(drop=True).groupby("dyad")["end"].idxmax()
        rows = [int(lines[last[dyad]]) for dyad in long.index if dyad in last.index]
        got = f"{float(long.max()):.4g} days ({float(long.max()) / 365.25:.3g} years) covered by {named(long.index)}"
        remedy = "check the last time and the unit, or declare `times: {longest_days: ...}` in study.yaml"
        found.append(doubt("sessions.tsv", rows, "start", got, f"at most {bound:g} days per dyad", remedy))
    return found


def _gaps(study: Study) -> list[Doubt]:
    sessions, lines = study.sessions, lines_of(study, "sessions.tsv")
    if len(sessions) < 2:
        return []
    gaps = sessions["start"].diff().where(sessions["dyad"].eq(sessions["dyad"].shift())).to_numpy(dtype=float)
    known = gaps[np.isfinite(gaps) & (gaps > 0)]
    if len(known) < 3:
        return []
    usual, found = float(np.median(known)), []
    odd = np.flatnonzero(gaps > max(_LONG_GAP, _TIMES_USUAL * usual))
    dyads = sessions["dyad"].iloc[odd].nunique()
    if dyads > max(1, _FEW_DYADS * sessions["dyad"].nunique()):  # a pause that many have belongs to the design
        odd = odd[gaps[odd] > _LONGEST_GAP]
    if len(odd):
        k = int(odd[np.argmax(gaps[odd])])
        where = f"session {sessions['session'].iloc[k]!r} of dyad {sessions['dyad'].iloc[k]!r}"
        got = f"{where} {gaps[k]:.4g} days after the one before"
        found.append(
            doubt("sessions.tsv", lines[odd].tolist(), "start", got, f"{usual:.3g} days, as usual", "check the date")
        )
    if not _FASTEST <= usual <= _SLOWEST:
        size = f"{usual:.3g} days" if usual > 1 else f"{usual * 1440:.2g} minutes"
        remedy = "check the unit; declare `times: {unit: ...}` in study.yaml where it is not days"
        got, expected = f"sessions that are usually {size} apart", "minutes to months"
        found.append(doubt("sessions.tsv", [], "start", got, expected, remedy))
    return found


def _order(study: Study) -> list[Doubt]:
    """Doubt sessions whose numbers do not rise with their times."""
    found, lines = [], lines_of(study, "sessions.tsv")
    split = study.sessions["session"].str.extract(r"^(.*?)(\d+)$")
    table = pd.DataFrame({"dyad": study.sessions["dyad"], "name": study.sessions["session"], "line": lines})
    table["prefix"], table["number"] = split[0], pd.to_numeric(split[1])
    for dyad, part in table.groupby("dyad", sort=False):
        numbers = part["number"].to_numpy(dtype=float)
        if np.isnan(numbers).any() or part["prefix"].nunique() > 1 or (np.diff(numbers) > 0).all():
            continue
        for k in _out_of_order(numbers):
            others = part["name"].to_numpy()
            near = others[k - 1] if k and numbers[k - 1] > numbers[k] else others[min(k + 1, len(others) - 1)]
            side = "after" if k and numbers[k - 1] > numbers[k] else "before"
            got = f"session {others[k]!r} of dyad {dyad!r} dated {side} session {near!r}"
            expected, remedy = "numbers that rise with time", "correct the date or the number; time decides the order"
            found.append(doubt("sessions.tsv", [int(part["line"].iloc[k])], "start", got, expected, remedy))
    return found


def _out_of_order(numbers: np.ndarray) -> list[int]:
    """Return the fewest places to leave out so that the others rise: those outside a longest rising run."""
    best: list[int] = []
    length, before = np.ones(len(numbers), int), np.full(len(numbers), -1)
    for k in range(len(numbers)):
        lower = np.flatnonzero(numbers[:k] < numbers[k])
        if len(lower):
            j = int(lower[np.argmax(length[lower])])
            length[k], before[k] = length[j] + 1, j
    k = int(np.argmax(length))
    while k >= 0:
        best.append(k)
        k = int(before[k])
    return sorted(set(range(len(numbers))) - set(best))


def _lengths(study: Study) -> list[Doubt]:
    minutes = (study.sessions["end"] - study.sessions["start"]).to_numpy(dtype=float) * 1440
    given, lines, found = minutes > 1e-6, lines_of(study, "sessions.tsv"), []
    if not given.any():
        return []
    usual = float(np.median(minutes[given]))
    for what, odd in (
        ("short", given & ((minutes < _SHORTEST) | (minutes * _LENGTH_RATIO < usual))),
        ("long", (minutes > _LONGEST) | (minutes > _LENGTH_RATIO * usual)),
    ):
        if odd.any():
            extreme = float(minutes[odd].min() if what == "short" else minutes[odd].max())
            got, expected = f"sessions as {what} as {extreme:.3g} minutes", f"minutes; {usual:.3g} are usual here"
            remedy = "check the unit and the number"
            found.append(doubt("sessions.tsv", lines[odd].tolist(), "length_min", got, expected, remedy))
    return found


def _far_from_session(study: Study) -> list[Doubt]:
    """Doubt values far from their own session and nearer to another one of the dyad."""
    values, lines = study.measurements, lines_of(study, "measurements.tsv")
    own = values.merge(study.sessions[["dyad", "session", "start", "end"]], on=["dyad", "session"], how="left")
    away = _distance(own["time"], own["start"], own["end"])
    odd = np.flatnonzero(away > _NEAR)
    if not len(odd):
        return []
    calendar = dict(tuple(study.sessions.groupby("dyad")))
    far = []
    for k in odd:
        others = calendar[own["dyad"].iloc[k]]
        if _distance(own["time"].iloc[k], others["start"], others["end"]).min() < away[k] - 1e-9:
            far.append(int(k))
    if not far:
        return []
    got = f"a time {away[far].max():.3g} days from its session, nearer to another one"
    remedy = "check the time and the session"
    expected = "a time near its session"
    return [doubt("measurements.tsv", lines[far].tolist(), "time", got, expected, remedy)]


def _distance(time: pd.Series | float, start: pd.Series, end: pd.Series) -> np.ndarray:
    return np.maximum(np.maximum(np.asarray(start - time, float), np.asarray(time - end, float)), 0.0)


def _event_names(study: Study) -> list[Doubt]:
    spelt: dict[str, dict[str, list[int]]] = {}
    for line, events in zip(lines_of(study, "sessions.tsv"), study.sessions["events"], strict=True):
        for name in events:
            bare = re.sub(r"[_\d]", "", name).casefold().removesuffix("s")
            spelt.setdefault(bare + "".join(re.findall(r"\d", name)), {}).setdefault(name, []).append(int(line))
    found = []
    for names in spelt.values():
        rarest = min(names, key=lambda name: len(names[name]))
        if len(names) > 1:
            got = f"{rarest!r} beside {', '.join(repr(n) for n in names if n != rarest)}"
            expected, remedy = "one spelling per event", "correct it, or rename one"
            found.append(doubt("sessions.tsv", names[rarest], "events", got, expected, remedy))
    return found


def covered(study: Study) -> tuple[str, str, float]:
    """Return the first and the last time of a study as people read them, and the days between."""
    trace = study.trace
    if math.isnan(trace.first):
        return "", "", math.nan
    return moment_text(trace.first, trace.kind), moment_text(trace.last, trace.kind), trace.last - trace.first
