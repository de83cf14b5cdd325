"""From grids and a mapping to the tables of a study, with the account of every cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyadloop.data.schema import Covariate, Indicator, StudyInfo, Times
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.calendar import calendar_of, number_sessions, one_clock, ordered
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.keys import Part, check_columns, mapped, tell_keys, unit_of
from dyadloop.exchange.ledger import Ledger
from dyadloop.exchange.mapping import Mapping
from dyadloop.exchange.missing import is_missing
from dyadloop.exchange.numbers import told
from dyadloop.exchange.people import add_columns, people_of, unique_persons
from dyadloop.exchange.values import values_of
from dyadloop.exchange.view import view_of


@dataclass
class Built:
    """The tables of a study, and the accounts of the grids that they are from."""

    info: StudyInfo
    participants: pd.DataFrame
    sessions: pd.DataFrame
    values: pd.DataFrame
    ledgers: list[Ledger]

    def release(self) -> None:
        """Forget the rows, which stand in files: the study that is read from these takes as much memory again."""
        self.sessions, self.values = self.sessions.iloc[:0].copy(), self.values.iloc[:0].copy()


def built(mapping: Mapping, grids: Sequence[Grid]) -> Built:
    """Return the study that a mapping makes of grids, table by table in the same order.

    Raises
    ------
    DataError
        If the mapping names columns that are not there, or nothing of the tables reaches the study.
    """
    ledgers = [Ledger(grid) for grid in grids]
    parts = [
        Part(number, table, ledger, view_of(ledger.grid, table.wide))
        for number, (table, ledger) in enumerate(zip(mapping.tables, ledgers, strict=True))
        if table.holds != "nothing"
    ]
    for part in parts:
        check_columns(part.table, part.view)
        tell_keys(part, mapping)
    _report_unmapped(parts, mapping, ledgers)
    number_sessions(parts)
    one_clock(parts)
    calendar = calendar_of(parts)
    frames = [frame for frame in (values_of(part) for part in parts if part.table.holds == "sessions") if len(frame)]
    if not frames:
        expected = "values of at least one indicator"
        found = "; ".join(dict.fromkeys(r.why for ledger in ledgers for r in ledger.remarks)) or "no scores"
        remedy = "correct the mapping: dyad, session, date and scores"
        raise DataError(
            grids[0].file, [Fault(grids[0].file, None, None, f"no value ({found[:300]})", expected, remedy)]
        )
    values = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    values = _once(values, parts, mapping.twice)
    values["participant"] = unique_persons(values)
    people, why = people_of(values, parts)
    values = _left(values, why, parts)
    sessions = _with_columns(ordered(calendar), parts)
    people = add_columns(people, parts)
    _use(values, people, calendar, parts)
    values = _of_indicators(values, parts)
    for ledger in ledgers:
        ledger.close()
    known = set(people["dyad"])
    sessions = sessions[sessions["dyad"].isin(known)].reset_index(drop=True)
    return Built(_info(mapping, parts), people, sessions, values, ledgers)


def _report_unmapped(parts: list[Part], mapping: Mapping, ledgers: list[Ledger]) -> None:
    for part in parts:
        taken = set(mapped(part.table))
        places = {int(k) for name in taken for k in np.unique(part.view.places[name]) if k >= 0}
        for place, name in enumerate(part.ledger.names):
            if place not in places:
                why = part.table.left_out.get(name) or "a column that the mapping does not name"
                part.ledger.report_column(name, "not mapped", why)
    for table, ledger in zip(mapping.tables, ledgers, strict=True):
        for name in ledger.names if table.holds == "nothing" else ():
            ledger.report_column(name, "not mapped", "the mapping takes nothing of this table")


def _report(values: pd.DataFrame, parts: Sequence[Part], kind: str, why: Sequence[str]) -> None:
    """Report the cells of values that are not taken."""
    by_number = {part.number: part for part in parts}
    rows = zip(values["part"], values["row"], values["indicator"], why, strict=True)
    for number, row, indicator, reason in rows:
        part = by_number[number]
        for column in part.table.scores[indicator].columns:
            part.ledger.report(*part.place(column, np.array([row])), kind, reason)


def _once(values: pd.DataFrame, parts: Sequence[Part], which: str) -> pd.DataFrame:
    """Keep one value per person, indicator and session; repeats and contradictions are reported."""
    key = ["dyad", "participant", "indicator", "session"]
    again = values.duplicated(key, keep=False)
    if not again.any():
        return values
    if which == "mean":
        return _averaged(values, again, key, parts)
    group = values[again].groupby(key, sort=False)
    different = group["value"].transform("nunique") > 1
    place = group.cumcount() if which != "last" else group.cumcount(ascending=False)
    conflict = different & ((place > 0) if which != "none" else True)
    twice = ~different & (group.cumcount() > 0)
    rival = group["value"].transform(lambda part: " and ".join(f"{v:g}" for v in dict.fromkeys(part)))
    rows = values.loc[conflict.index[conflict]]
    chosen = {"none": "neither is taken", "first": "the first is taken", "last": "the last is taken"}[which]
    why = [f"{rival[k]} of one person, indicator and session; {chosen}" for k in rows.index]
    _report(rows, parts, "conflict", why)
    repeats = values.loc[twice.index[twice]]
    _report(repeats, parts, "twice", ["repeats the same value of the same person and session"] * len(repeats))
    return values.drop(index=[*rows.index, *repeats.index]).reset_index(drop=True)


def _averaged(values: pd.DataFrame, again: pd.Series, key: list[str], parts: Sequence[Part]) -> pd.DataFrame:
    """Put the mean in place of several values of one person, indicator and session; all their cells are used.

    A value beyond a limit has no mean with others: where there is one, none of them is taken.
    """
    group = values[again].groupby(key, sort=False)
    beyond = values[again]["limit"].ne("").groupby([values[again][name] for name in key]).transform("any")
    lost = values.loc[beyond.index[beyond]]
    _report(lost, parts, "conflict", ["several values, one of them beyond a limit: they have no mean"] * len(lost))
    mean, count, first = group["value"].transform("mean"), group["value"].transform("count"), group.cumcount() == 0
    kept = values.loc[first.index[first & ~beyond]]
    by_number = {part.number: part for part in parts}
    merged = values.loc[first.index[~beyond]]
    for part in parts:
        mine = merged[merged["part"] == part.number]
        for indicator, rows in mine.groupby("indicator", sort=False)["row"]:
            for column in part.table.scores[str(indicator)].columns:
                part.use(column, rows.to_numpy(dtype=int))
    for place, number, row, indicator in zip(kept.index, kept["part"], kept["row"], kept["indicator"], strict=True):
        part = by_number[number]
        at, column = part.place(part.table.scores[indicator].columns[0], np.array([row]))
        part.ledger.change(int(at[0]), int(column[0]), f"the mean of {count[place]} values: {mean[place]:.6g}")
    values = values.assign(value=values["value"].where(~again, mean.reindex(values.index)))
    return values.drop(index=first.index[~first | beyond]).reset_index(drop=True)


def _left(values: pd.DataFrame, why: pd.Series, parts: Sequence[Part]) -> pd.DataFrame:
    odd = why != ""
    if not odd.any():
        return values
    _report(values[odd], parts, "conflict", why[odd].tolist())
    return values[~odd].reset_index(drop=True)


def _with_columns(sessions: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Add events and covariates of sessions."""
    events: dict[tuple[str, str], dict[str, float]] = {}
    covariates: dict[str, dict[tuple[str, str], float]] = {}
    for part in parts:
        for name, column in part.table.events.items():
            for key, value in _numbers(part, column).items():
                if value:
                    events.setdefault(key, {})[name] = value
        for name, entry in part.table.covariates.items():
            if entry.of == "session":
                covariates[name] = _numbers(part, entry.column)
    if not events and not covariates:
        return sessions.assign(events="")
    keys = list(zip(sessions["dyad"], sessions["session"], strict=True))
    told_events = ["; ".join(f"{n}={v:g}" if v != 1 else n for n, v in events.get(key, {}).items()) for key in keys]
    sessions = sessions.assign(events=told_events)
    for name, found in covariates.items():
        sessions[name] = [f"{found[key]:.15g}" if key in found else "" for key in keys]
    return sessions


def _numbers(part: Part, column: str) -> dict[tuple[str, str], float]:
    """Return the number of each session in a column; what contradicts or is none is reported."""
    found: dict[tuple[str, str], float] = {}
    texts = part.view.texts(column)
    for row in np.flatnonzero(part.keys["alive"].to_numpy(dtype=bool)):
        place, text = part.place(column, np.array([row])), texts[row]
        number = told(text, part.table.decimal)
        if is_missing(text, part.table.missing, part.table.decimal):
            part.ledger.report(*place, "missing", "stands for no answer")
        elif text and (number is None or number.limit):
            part.ledger.report(*place, "unreadable", "not a number")
        elif number is not None:
            key = (part.entry(int(row), "dyad"), part.entry(int(row), "session"))
            if found.setdefault(key, number.value) != number.value:
                part.ledger.report(*place, "conflict", f"{found[key]:g} stands in another row of this session")
            else:
                part.ledger.use(*place)
    return found


def _use(values: pd.DataFrame, people: pd.DataFrame, calendar: dict, parts: Sequence[Part]) -> None:
    """Enter the cells of what the study holds as used: values, and the keys of their rows."""
    known = set(people["dyad"])
    for part in parts:
        mine = values[values["part"] == part.number]
        for indicator, rows in mine.groupby("indicator", sort=False)["row"]:
            for column in part.table.scores[str(indicator)].columns:
                part.use(column, rows.to_numpy(dtype=int))
        pairs = zip(part.keys["dyad"], part.keys["session"], part.keys["alive"], strict=True)
        of_session = part.table.holds == "sessions"
        rows = np.array([a and d in known and (not of_session or (d, s) in calendar) for d, s, a in pairs], dtype=bool)
        table = part.table
        length = table.length_min if isinstance(table.length_min, str) else None
        for column in (
            table.dyad,
            table.person,
            table.role,
            table.session,
            table.session_else,
            table.date,
            table.clock,
            table.day,
            length,
        ):
            part.use(column, np.flatnonzero(rows))


def _of_indicators(values: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Return values under the names of their indicators; columns before and after the session may share one."""
    named = {n: s.indicator for part in parts for n, s in part.table.scores.items() if s.indicator is not None}
    return values.assign(indicator=values["indicator"].replace(named)) if named else values


def _info(mapping: Mapping, parts: Sequence[Part]) -> StudyInfo:
    indicators, covariates = {}, {}
    for part in parts:
        for name, score in part.table.scores.items():
            fields = {"quantity", "person", "unit", "scale", "transform", "recall_days", "reliability", "use", "reason"}
            told_of = score.model_dump(include=fields, exclude_defaults=True) | {
                "unit": score.unit,
                "person": score.person,
            }
            if score.reverse:
                told_of["reason"] = "; ".join(filter(None, (score.reason, "turned round, as import.yaml says")))
            indicators.setdefault(score.indicator or name, Indicator.model_validate(told_of))
        for name, entry in part.table.covariates.items():
            covariates[name] = Covariate.model_validate(
                entry.model_dump(exclude={"column"}, exclude_defaults=True) | {"of": entry.of}
            )
    study = mapping.study
    if study.trend_per_days:
        covariates["trend"] = Covariate(
            of="time", per=study.trend_per_days, reason="what changes in everybody with time"
        )
    return StudyInfo(
        schema_version=1, name=study.name, title=study.title, licence=study.licence, source=study.source,
        simulated=study.simulated, theory=study.theory, randomised=study.randomised, indicators=indicators,
        covariates=covariates, times=Times(unit=unit_of(parts)),
    )  # fmt: skip
