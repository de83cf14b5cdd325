"""Doubts about what is not there: a file cut off, persons and sessions without a value, rows without a number."""

import numpy as np

from dyadloop.data.doubts import Doubt, doubt, lines_of, named
from dyadloop.data.schema import Study

_MOSTLY = 0.95  # what nearly all have, a few should not lack


def absence_doubts(study: Study) -> list[Doubt]:
    """Return what is missing where nearly everything else is there."""
    return [*_unended(study), *_absent(study), *_unplaced(study)]


def _unended(study: Study) -> list[Doubt]:
    remedy = "compare the number of rows with the source, and end the last one with a line end"
    return [doubt(name, [], None, "a last row without a line end", "a whole file", remedy) for name in study.trace.cut]


def _unplaced(study: Study) -> list[Doubt]:
    """Doubt values of sessions of which nobody says whether they were given before or after, where order matters.

    It does where two quantities or more are fitted: what was given before the session cannot follow what came after.
    """
    fitted = {name: entry.quantity for name, entry in study.info.indicators.items() if entry.use}
    if len(set(fitted.values())) < 2:
        return []
    mine = {name: lines for name, lines in study.trace.unplaced.items() if name in fitted}
    rows = sorted(line for lines in mine.values() for line in lines)
    if not rows:
        return []
    got = f"an empty field for {named(mine)}: such values stand at the start of the session"
    expected = "before or after, for what was answered after a session can only precede what comes with the next"
    remedy = "fill in the phase (in import.yaml, `phase` of the score, and import again)"
    return [doubt("measurements.tsv", rows, "phase", got, expected, remedy)]


def _absent(study: Study) -> list[Doubt]:
    """Doubt persons, sessions and rows without a value where nearly all others have one."""
    found, values, people = [], study.measurements, study.participants
    if not len(values):
        return []
    roles = {entry.person for entry in study.info.indicators.values()}
    lines = lines_of(study, "participants.tsv")
    heard = set(zip(values["dyad"], values["role"], strict=True))  # of two peers one may answer for both
    known = zip(people["dyad"], people["role"], strict=True)
    silent = np.array([role in roles and (dyad, role) not in heard for dyad, role in known], dtype=bool)
    if silent.any():
        got = f"{named(people['participant_id'][silent])} without any value"
        remedy = "check that measurements.tsv is whole"
        found.append(doubt("participants.tsv", lines[silent].tolist(), None, got, "values of every person", remedy))
    known_sessions = set(zip(values["dyad"], values["session"], strict=True))
    keys = list(zip(study.sessions["dyad"], study.sessions["session"], strict=True))
    without = np.array([key not in known_sessions for key in keys], dtype=bool)
    if without.any() and without.mean() < 1 - _MOSTLY:
        got, remedy = "sessions without any value", "check that measurements.tsv is whole"
        rows = lines_of(study, "sessions.tsv")[without].tolist()
        found.append(doubt("sessions.tsv", rows, None, got, "values in every session, as elsewhere", remedy))
    empty = list(study.trace.empty)
    if empty and len(empty) < (1 - _MOSTLY) * (len(empty) + len(values)):
        got, expected = "rows without a value", "a value, as in nearly all rows"
        remedy = "check that the column has not slipped by a row"
        found.append(doubt("measurements.tsv", empty, "value", got, expected, remedy))
    return found
