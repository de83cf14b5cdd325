"""A design file from a study that is there: who was measured when, as far as its tables tell."""

import numpy as np
import pandas as pd

from dyadloop.data import Study
from dyadloop.design.reader import design_of
from dyadloop.design.schema import Design
from dyadloop.errors import DataError, Fault
from dyadloop.theory import linear_form, read_theory

_MINUTES = 1440
_USUAL = 0.5  # share of dyads with a value from which a session counts as one with this measure
_BESIDE_DAYS = 0.1  # what is measured so near to a session belongs to it
_PHASES = ("before", "within", "after", "between")


def draft(study: Study) -> Design:
    """Return a design like that of a study: numbers, rhythm, measures, events and what is missing.

    What tables do not tell, such as costs and reliabilities, is left at its default and named under ``assumed``.

    Parameters
    ----------
    study
        Result of :func:`dyadloop.read_study`.

    Raises
    ------
    DataError
        If the study has no sessions with a length, or measures nothing of its theory.
    """
    calendar = study.sessions
    counts = calendar.groupby("dyad").size()
    lengths = (calendar["end"] - calendar["start"]).to_numpy(dtype=float)
    gaps = calendar.sort_values(["dyad", "start"]).groupby("dyad")["start"].diff().dropna()
    if not len(gaps) or not (lengths > 0).any():
        got, remedy = "no two sessions with a length", "take a shipped design as a start: dyadloop design show haifa"
        raise DataError(study.path, [Fault("sessions.tsv", None, None, got, "sessions", remedy)])
    count = int(counts.median())
    theory = linear_form(read_theory(study.info.theory, study.path))
    quantities = {variable.measured_as for variable in theory.variables if variable.kind != "factor"}
    happenings = {entry.event for entry in theory.inputs if entry.kind == "event"}
    used = {
        name: entry
        for name, entry in study.info.indicators.items()
        if entry.quantity in quantities and entry.use and entry.person in ("patient", "therapist")
    }
    table = _placed(study)
    measures = {name: _measure(study, table, name, count) for name in used}
    content = {
        "schema_version": 1,
        "name": f"like {study.info.name}"[:60],
        "title": f"A study like {study.info.title}",
        "assumed": ["drafted from tables: reliabilities, assays, costs and what was randomised are to be checked"],
        "dyads": max(2, len(study.dyads)),
        "sessions": {
            "count": count,
            "every": f"{gaps.median():.6g} d",
            "length": f"{np.median(lengths[lengths > 0]) * _MINUTES:.6g} min",
        },
        "measures": measures,
        "events": {
            name: given for name, given in _events(study).items() if name in happenings
        },
        "missing": {"values": _lost(table, measures, len(study.dyads), count)},
        "analysis": {"theory": study.info.theory},
    }  # fmt: skip
    therapists = {name for name in study.therapists if name}
    if therapists:
        content["therapists"] = len(therapists)
    return design_of(content, f"draft of {study.info.name}")


def _placed(study: Study) -> pd.DataFrame:
    """Return the measurements with the nearest session, counted within its dyad, and the phase of it."""
    ordered = study.sessions.sort_values(["dyad", "start"])
    edges = {dyad: group[["start", "end"]].to_numpy(dtype=float) for dyad, group in ordered.groupby("dyad")}
    phases, numbers = [], []
    for dyad, time in zip(study.measurements["dyad"], study.measurements["time"], strict=True):
        rows = edges.get(dyad, np.zeros((0, 2)))
        place = int(np.argmin(np.abs(rows - time).min(axis=1))) if len(rows) else -1
        phases.append(_phase(rows[place], float(time)) if len(rows) else "between")
        numbers.append(place + 1)
    return study.measurements.assign(phase=phases, number=numbers)


def _phase(session: np.ndarray, time: float) -> str:
    start, end = session
    if not start - _BESIDE_DAYS <= time <= end + _BESIDE_DAYS:
        return "between"
    return "within" if start < time < end else "before" if time <= start else "after"


def _measure(study: Study, table: pd.DataFrame, name: str, count: int) -> dict:
    entry, mine = study.info.indicators[name], table[table["indicator"] == name]
    shares = mine["phase"].value_counts(normalize=True)
    phases = [phase for phase in _PHASES if shares.get(phase, 0.0) > 0.1]
    found: dict = {"quantity": entry.quantity, "person": entry.person, "when": phases}
    dyads = mine["dyad"].nunique()
    usual = [n for n in range(1, count + 1) if mine.loc[mine["number"] == n, "dyad"].nunique() >= _USUAL * dyads]
    if 0 < len(usual) < count and "between" not in phases:
        found["sessions"] = usual
    if "between" in phases:
        apart = len(mine[mine["phase"] == "between"]) / max(dyads * count, 1)
        found["per_interval"] = int(np.clip(round(apart), 1, 200))
    if entry.quantity == "oxytocin":
        return found | {"assay": {"method": "immunoassay_extracted"}}
    if entry.reliability is not None:
        found["reliability"] = entry.reliability
    if entry.scale is not None:
        found["scale"] = list(entry.scale)
    return found


def _events(study: Study) -> dict[str, dict]:
    """Return each event with its usual amount, and how it was given."""
    found = {}
    for name in sorted({name for entry in study.sessions["events"] for name in entry}):
        amounts = [entry.get(name, 0.0) for entry in study.sessions["events"]]
        given = pd.Series(amounts, index=study.sessions.index)
        share = (given != 0).groupby(study.sessions["dyad"]).mean()
        by = "dyad" if ((share == 0) | (share == 1)).all() else "session"
        rate = float((share == 1).mean() if by == "dyad" else share.mean())
        randomised = name in study.info.randomised and rate < 1
        found[name] = {"amount": float(given[given != 0].median()), "by": by, "share": rate, "randomised": randomised}
    return found


def _lost(table: pd.DataFrame, measures: dict[str, dict], n_dyads: int, count: int) -> float:
    """Return the share of planned values that are not there."""
    planned = 0
    for entry in measures.values():
        sessions = len(entry.get("sessions", range(count)))
        planned += (
            n_dyads * sessions * sum(entry.get("per_interval", 1) if p == "between" else 1 for p in entry["when"])
        )
    there = int(table["indicator"].isin(list(measures)).sum())
    return float(np.clip(1 - there / planned, 0.0, 0.95)) if planned else 0.0
