"""Scores: the measurements of a study on the scale and the time line that a fit uses.

An indicator is centred at its grand mean and divided by its pooled within-person SD, so that one unit of every
component and symptom is one within-person SD; logarithms keep their unit (log ratio).
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import BaseModel

from dyadloop.data import Study
from dyadloop.data.schema import CALENDAR
from dyadloop.errors import DataError, Fault
from dyadloop.measures.questionnaires import instruments
from dyadloop.observation.calendar_covariates import calendar_columns, columns_of, origins
from dyadloop.observation.kinds import kinds

FEWEST_PERSONS = 3
"""Persons with one value each, such as a score at the end of therapy, from whom an indicator can be scaled."""


def scale_scores(study: Study) -> xr.Dataset:
    """Return the scores of a study, one row per dyad and moment.

    Moments are the times of measurement and the starts and ends of sessions; dyads with fewer moments are padded
    at the end with NaN.

    An indicator with one value per person, such as a score at the end of therapy, is divided by its SD between persons.

    Returns
    -------
    xarray.Dataset
        ``score`` (dyad, time, indicator) [SD within persons, or log ratio], NaN where missing; ``error``, its own
        standard error in the same unit, NaN where none is known; ``days`` (dyad,
        time) [d]; ``in_session`` (dyad, time), whether the interval before a moment lies in a session; ``session``
        (dyad, time), number of the nearest session, 0 where padded or none; ``amount`` (dyad, time, event), the
        amount of an event at a moment; ``covariate_value`` (dyad, time, covariate), each covariate at a moment, that of
        the nearest session where it is one of sessions, centred and divided by its ``per``, a course over the day with
        two columns per wave; ``kind`` (dyad, time, indicator), the kind of observation of each value, as its place
        among the names of the attribute ``kinds``, and the variables that these kinds have by value; ``plate`` (dyad,
        time, indicator), number of the plate that a value was read on, -1 where none is named. Per dyad:
        ``therapist``, empty where none is named, and ``origin``, its first time [d]. Per indicator: ``quantity``,
        ``person``, ``center``, ``scale`` (raw units, after a logarithm), ``error_sd`` (NaN where no reliability is
        declared), ``shared_error``, the group whose errors may correlate (-1 for none), ``shared_session``, the number
        of the quantity whose errors may go with those of another person (-1 for none), ``recall_days``, the days that
        an answer is about (NaN for its moment), and the variables that kinds have by indicator. Per covariate:
        ``covariate_of``, ``covariate_declared``, its name in study.yaml, ``acts_on`` and ``covariate_randomised``.

    Raises
    ------
    DataError
        If an indicator has no values, does not vary within persons, or has two values at one moment of a dyad.

    Examples
    --------
    >>> scores = dl.scale_scores(dl.read_study("results/example-study"))
    >>> dict(scores["score"].sizes)
    {'dyad': 20, 'time': 32, 'indicator': 5}
    """
    names = list(study.info.indicators)
    table = study.measurements.assign(y=_transformed(study))
    _refuse_doubles(study, table)
    center, scale, error_sd = _scaling(study, table)
    lines = {dyad: _moments(calendar, table, dyad) for dyad, calendar in _calendars(study)}
    n_moments = max(len(moments) for moments in lines.values())
    shape = (len(lines), n_moments, len(names))
    score, error = np.full(shape, np.nan), np.full(shape, np.nan)
    plate = np.full(shape, -1, dtype=np.int32)
    days = np.full(shape[:2], np.nan)
    for row, moments in enumerate(lines.values()):
        days[row, : len(moments)] = moments
    rows = table["dyad"].map({dyad: row for row, dyad in enumerate(lines)}).to_numpy()
    columns = np.array(
        [np.searchsorted(lines[d], t) for d, t in zip(table["dyad"], table["time"], strict=True)], dtype=int
    )
    layers = table["indicator"].map({name: layer for layer, name in enumerate(names)}).to_numpy()
    score[rows, columns, layers] = (table["y"].to_numpy() - center[layers]) / scale[layers]
    error[rows, columns, layers] = table["error"].to_numpy(dtype=float) / scale[layers]
    known = _of_kinds(study, table)
    by_kind = {name: np.zeros(shape, dtype=column.dtype) for name, column in known.items()}
    for name, column in known.items():
        by_kind[name][rows, columns, layers] = column
    plates = table["plate"].to_numpy(dtype=str)
    plate[rows, columns, layers] = np.where(plates == "", -1, np.unique(plates, return_inverse=True)[1])
    in_session, session, event, event_names = _sessions(study, lines, shape[:2])
    covariates = _covariates(study, session, days)
    return xr.Dataset(
        {
            "score": (("dyad", "time", "indicator"), score, {"units": "SD within persons, or log ratio"}),
            "error": (("dyad", "time", "indicator"), error, {"units": "as score; standard error of each"}),
            "days": (("dyad", "time"), days, {"units": "d"}),
            "in_session": (("dyad", "time"), in_session, {"units": "1"}),
            "session": (("dyad", "time"), session, {"units": "1"}),
            "amount": (("dyad", "time", "event"), event, {"units": "as in sessions.tsv"}),
            "plate": (("dyad", "time", "indicator"), plate, {"units": "1"}),
            **{name: (("dyad", "time", "indicator"), values, {"units": "1"}) for name, values in by_kind.items()},
            "covariate_value": (("dyad", "time", "covariate"), covariates, {"units": "as declared by `per`"}),
        },
        coords={
            "dyad": list(lines),
            "therapist": ("dyad", np.array(study.therapists, dtype=str)),
            "indicator": names,
            "event": event_names,
            "event_randomised": ("event", np.isin(event_names, study.info.randomised).astype(np.int8)),
            "origin": ("dyad", origins(study), {"units": "d"}),
            **_about_covariates(study),
            **{name: ("indicator", values) for name, values in _about(study, center, scale, error_sd).items()},
        },
        attrs={
            "study": study.info.name,
            "simulated": int(study.info.simulated),
            "digest": study.digest,
            "kinds": " ".join(kind.name for kind in kinds()),
        },
    )


def _about(
    study: Study, center: np.ndarray, scale: np.ndarray, error_sd: np.ndarray
) -> dict[str, np.ndarray | list[str]]:
    """Return what is known of each indicator, by name."""
    declared = list(study.info.indicators.values())
    return {
        "quantity": [d.quantity for d in declared],
        "person": [d.person for d in declared],
        "unit": ["log ratio" if d.transform == "log" else "SD within persons" for d in declared],
        "use": np.array([d.use for d in declared], dtype=np.int8),
        "center": center,
        "scale": scale,
        "error_sd": error_sd,
        "shared_error": _raters(study),
        "shared_session": _rated_quantities(study),
        "recall_days": _recall(study),
        "counterpart": [study.info.counterpart(name) for name in study.info.indicators],
        "given_by": _givers(study),
        **_of_indicators(declared, scale),
    }


def _of_indicators(declared: Sequence[BaseModel], scale: np.ndarray) -> dict[str, np.ndarray]:
    """Return the variables that kinds of observation have by indicator."""
    found: dict[str, np.ndarray] = {}
    for kind in kinds():
        own = [kind.by_indicator(entry, unit) for entry, unit in zip(declared, scale.tolist(), strict=True)]
        for name, default in kind.per_indicator.items():
            found[name] = np.array([row.get(name, default) for row in own])
    return found


def _about_covariates(study: Study) -> dict[str, tuple[str, np.ndarray]]:
    """Return what is known of each column of a covariate, by name."""
    columns = [(column, name) for name, c in study.info.covariates.items() for column in columns_of(name, c)]
    declared = [study.info.covariates[name] for _, name in columns]
    found: dict[str, list] = {
        "covariate": [column for column, _ in columns],
        "covariate_declared": [name for _, name in columns],
        "covariate_of": [entry.of for entry in declared],
        "acts_on": [",".join(entry.on) for entry in declared],
    }
    randomised = np.isin([name for _, name in columns], study.info.randomised).astype(np.int8)
    about = {name: ("covariate", np.array(values, dtype=str)) for name, values in found.items()}
    return about | {"covariate_randomised": ("covariate", randomised)}


def _givers(study: Study) -> list[str]:
    """Return, for each indicator, the first one that the same person gives in every dyad."""
    table = study.measurements[["dyad", "indicator", "participant_id"]].drop_duplicates()
    given = {
        name: dict(zip(part["dyad"], part["participant_id"], strict=True)) for name, part in table.groupby("indicator")
    }
    found: list[str] = []
    for name in study.info.indicators:
        own = given.get(name, {})
        alike = (
            other
            for other in found
            if all(given.get(other, {}).get(dyad, person) == person for dyad, person in own.items())
            and set(own) & set(given.get(other, {}))
        )
        found.append(next(alike, name))
    return found


def _raters(study: Study) -> np.ndarray:
    """Return the number of the group of answers that each indicator belongs to, -1 where it belongs to none.

    Unless study.yaml names groups, the answers of one person form one. What is read from recordings, assays and games,
    and what has a logarithm or counts trials, is no answer.
    """
    info, names = study.info, list(study.info.indicators)
    found = np.full(len(names), -1, dtype=np.int32)
    if info.shared_errors == "none":
        return found
    if info.shared_errors != "auto":
        for number, group in enumerate(info.shared_errors):
            found[[names.index(name) for name in group]] = number
        return found
    sides = {name: side for pair in info.exchangeable for side, name in enumerate(pair)}
    persons = sorted({(entry.person, sides.get(name, 0)) for name, entry in info.indicators.items()})
    for j, (name, entry) in enumerate(info.indicators.items()):
        source = info.measures.get(name)
        if entry.transform == "none" and (source is None or source.kind == "questionnaire"):
            found[j] = persons.index((entry.person, sides.get(name, 0)))
    return found


def _rated_quantities(study: Study) -> np.ndarray:
    """Return the number of the quantity of each answer whose error may go with that of another person, else -1."""
    info = study.info
    found = np.full(len(info.indicators), -1, dtype=np.int32)
    if isinstance(info.shared_errors, str):
        quantities = sorted({entry.quantity for entry in info.indicators.values()})
        places = [quantities.index(entry.quantity) for entry in info.indicators.values()]
        found = np.where(_raters(study) >= 0, places, -1).astype(np.int32)
    return found


def _recall(study: Study) -> np.ndarray:
    """Return how many days an answer to each indicator is about, NaN where it is about its moment.

    Where study.yaml does not say, it is what the published form of the instrument of that name asks.
    """
    return np.array([_recall_of(study, name) for name in study.info.indicators])


def _recall_of(study: Study, name: str) -> float:
    declared, source = study.info.indicators[name].recall_days, study.info.measures.get(name)
    if declared is not None:
        return declared
    if source is not None and source.kind == "questionnaire":
        form = source.instrument
    else:
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        form = next((known for known in instruments() if plain.startswith(known.replace("_", ""))), "")
    asked = instruments()[form].recall_days if form in instruments() else None
    return np.nan if asked is None else asked


def _covariates(study: Study, session: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return each covariate at each moment (dyad, time, covariate), centred and in units of its ``per``."""
    parts = [np.zeros((*session.shape, 0))]
    for name, declared in study.info.covariates.items():
        if declared.of in CALENDAR:
            parts.append(calendar_columns(study, name, declared, days) / declared.per)
            continue
        column = np.zeros(session.shape)
        if declared.of == "session":
            _refuse_lone(study, name)
            middle = float(study.sessions[name].mean())
            for row, (_, calendar) in enumerate(_calendars(study)):
                values = np.concatenate([[middle], calendar[name].to_numpy(dtype=float)])
                column[row] = values[session[row]] - middle
        else:
            people = study.participants[study.participants["role"] == declared.of].set_index("dyad")[name]
            own = people.groupby(level=0).mean()
            column += (own[study.dyads].to_numpy(dtype=float) - own.mean())[:, None]
        parts.append(column[..., None] / declared.per)
    return np.concatenate(parts, axis=2)


def _refuse_lone(study: Study, covariate: str) -> None:
    lone = sorted(set(study.dyads) - set(study.sessions["dyad"]))
    if lone:
        got, remedy = f"dyads without a session: {', '.join(lone)}", "add their sessions or remove the covariate"
        raise DataError(study.path, [Fault("sessions.tsv", None, covariate, got, "a session in every dyad", remedy)])


def _of_kinds(study: Study, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the number of the kind of each value, and the variables that kinds have by value."""
    found = {"kind": np.zeros(len(table), dtype=np.int8)}
    found |= {name: np.full(len(table), default) for kind in kinds() for name, default in kind.per_value.items()}
    for indicator, entry in study.info.indicators.items():
        rows = np.flatnonzero(table["indicator"].to_numpy() == indicator)
        part, free = table.iloc[rows], np.ones(len(rows), dtype=bool)
        for number, kind in enumerate(kinds()):
            here = kind.claims(entry, part) & free
            found["kind"][rows[here]], free = number, free & ~here
            for name, column in kind.by_value(entry, part).items():
                found[name][rows] = column
    return found


def _transformed(study: Study) -> np.ndarray:
    """Return values after a logarithm, and as their kinds have them scaled."""
    table = study.measurements
    found = table["value"].to_numpy(dtype=float).copy()
    for indicator, entry in study.info.indicators.items():
        rows = np.flatnonzero(table["indicator"].to_numpy() == indicator)
        part, y = table.iloc[rows], found[rows]
        y = np.log(y) if entry.transform == "log" else y
        for kind in kinds():
            y = kind.raw(entry, part, y)
        found[rows] = y
    return found


def _refuse_doubles(study: Study, table: pd.DataFrame) -> None:
    doubles = table[table.duplicated(["dyad", "time", "indicator"])]
    if len(doubles):
        first = doubles.iloc[0]
        got = f"two values of {first['indicator']!r} in dyad {first['dyad']!r} at one moment"
        remedy = "give each person's rating an indicator of its own in study.yaml"
        raise DataError(study.path, [Fault("measurements.tsv", None, "indicator", got, "one value", remedy)])


def _scaling(study: Study, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    center, scale, error_sd, faults = [], [], [], []
    for name, declared in study.info.indicators.items():
        part = table[table["indicator"].isin([name, study.info.counterpart(name)])]
        groups = part.groupby("participant_id")["y"]
        spread = float(((part["y"] - groups.transform("mean")) ** 2).sum())
        freedom = len(part) - groups.ngroups
        if freedom < 1 and len(part) >= FEWEST_PERSONS:  # one score per person: the SD between persons is its unit
            spread, freedom = float(((part["y"] - part["y"].mean()) ** 2).sum()), len(part) - 1
        if not declared.use and (freedom < 1 or spread == 0.0):
            center.append(float(part["y"].mean()) if len(part) else 0.0)
            scale.append(1.0)
            error_sd.append(np.nan)
            continue
        if freedom < 1 or spread == 0.0:
            got = f"{len(part)} values of {name!r} that do not vary within persons"
            remedy = "set `use: false` in study.yaml"
            if not len(part) and name in study.info.measures:
                remedy = f"its raw files are declared under `measures`: run `dyadloop measure {study.path}` first"
            faults.append(Fault("measurements.tsv", None, "value", got, "values that vary", remedy))
            continue
        unit = 1.0 if declared.transform == "log" else declared.sd_within or (spread / freedom) ** 0.5
        center.append(float(part["y"].mean()))
        scale.append(unit)
        noise = np.nan if declared.reliability is None else ((1 - declared.reliability) * float(part["y"].var())) ** 0.5
        if declared.reliability is not None and bool(part["error"].notna().any()):
            got = f"a reliability of {name!r} and standard errors of its values"
            remedy = "remove the reliability; the errors say it better"
            faults.append(Fault("study.yaml", None, f"indicators.{name}", got, "one of the two", remedy))
        if noise >= (spread / freedom) ** 0.5:
            got = f"reliability {declared.reliability:g} of {name!r}, an error SD above the SD within persons"
            remedy = "give the reliability of changes within persons, or none"
            faults.append(Fault("study.yaml", None, f"indicators.{name}", got, "a smaller error", remedy))
        error_sd.append(noise / unit)
    if faults:
        raise DataError(study.path, faults)
    return np.array(center), np.array(scale), np.array(error_sd)


def _calendars(study: Study) -> list[tuple[str, pd.DataFrame]]:
    groups = dict(iter(study.sessions.groupby("dyad")))
    empty = study.sessions.iloc[:0]
    return [(dyad, groups.get(dyad, empty)) for dyad in study.dyads]


def _moments(calendar: pd.DataFrame, table: pd.DataFrame, dyad: str) -> np.ndarray:
    edges = calendar[["start", "end"]].to_numpy(dtype=float).ravel()
    return np.unique(np.concatenate([edges, table.loc[table["dyad"] == dyad, "time"].to_numpy(dtype=float)]))


def _sessions(
    study: Study, lines: dict[str, np.ndarray], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    event_names = sorted({name for entry in study.sessions["events"] for name in entry})
    in_session, session = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=int)
    event = np.zeros((*shape, len(event_names)))
    for row, (dyad, calendar) in enumerate(_calendars(study)):
        moments = lines[dyad]
        starts, ends = (calendar[edge].to_numpy(dtype=float) for edge in ("start", "end"))
        borders = (starts[1:] + ends[:-1]) / 2  # what is measured before a session belongs to it
        session[row, : len(moments)] = np.searchsorted(borders, moments, side="right") + 1 if len(starts) else 0
        middles = (moments[1:] + moments[:-1]) / 2
        in_session[row, 1 : len(moments)] = ((middles[:, None] > starts) & (middles[:, None] < ends)).any(axis=1)
        for start, entry in zip(starts, calendar["events"], strict=True):
            for name, amount in entry.items():
                event[row, np.searchsorted(moments, start), event_names.index(name)] += amount
    return in_session, session, event, event_names
