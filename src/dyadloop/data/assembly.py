"""From checked rows to the study in memory: times from each dyad's first, rows in a fixed order."""

import math
from array import array
from pathlib import Path

import pandas as pd

from dyadloop.data.schema import LINE, Study, StudyInfo, Trace, measurement_extras
from dyadloop.data.validation import Folder

_CALENDAR = ("dyad", "session", "start", "end", "events")
_VALUES = ("dyad", "participant_id", "role", "session", "time", "indicator", "value", "limit")


def assembled(
    root: Path, digest: str, folder: Folder, info: StudyInfo, participants: list, sessions: pd.DataFrame,
    measurements: pd.DataFrame,
) -> Study:  # fmt: skip
    """Return the study that sound rows make."""
    people = pd.DataFrame(participants).sort_values(["dyad", "participant_id"], ignore_index=True)
    calendar, values = sessions, measurements
    times = [part for part in (calendar["start"], calendar["end"], values["time"]) if len(part)]
    first_times = [calendar.groupby("dyad")["start"].min(), values.groupby("dyad")["time"].min()]
    origin = (
        pd.concat([times.astype(float) for times in first_times if len(times)] or first_times).groupby(level=0).min()
    )
    columns = [*_CALENDAR, *info.covariates_of("session"), LINE]
    calendar = _ordered(calendar, columns, ("start", "end"), origin, ["dyad", "start"])
    columns = [*_VALUES, *measurement_extras(), LINE]
    values = _ordered(values, columns, ("time",), origin, ["dyad", "time", "indicator", "participant_id"])
    frames = {"participants.tsv": people, "sessions.tsv": calendar, "measurements.tsv": values}
    trace = Trace(
        kind=folder.clock.kind or "",
        origin={str(dyad): float(first) for dyad, first in origin.items()},
        first=float(min((part.min() for part in times), default=math.nan)),
        last=float(max((part.max() for part in times), default=math.nan)),
        lines={name: array("q", frame.pop(LINE).to_numpy(dtype="int64").tobytes()) for name, frame in frames.items()},
        empty=tuple(folder.empty),
        unplaced=dict(folder.unplaced),
        cut=tuple(t.file for t in (folder.participants, folder.sessions, folder.measurements) if not t.whole),
    )
    return Study(str(root), info, people, calendar, values, digest, trace)


def _ordered(
    table: pd.DataFrame, columns: list[str], times: tuple[str, ...], origin: pd.Series, by: list[str]
) -> pd.DataFrame:
    """Return some columns of a table in the order of others, with times from each dyad's first.

    Columns are taken out of the table one by one, so that no more than one is held twice.
    """
    zero = table["dyad"].map(origin).to_numpy(dtype=float)
    shifted = {name: table[name].to_numpy(dtype=float) - zero for name in times}
    keys = pd.DataFrame({name: shifted.get(name, table[name].to_numpy()) for name in by}, copy=False)
    order = keys.sort_values(by).index.to_numpy()
    made = {}
    for name in columns:
        column = table.pop(name).to_numpy()
        made[name] = shifted.pop(name, column)[order]
    return pd.DataFrame(made, copy=False)
