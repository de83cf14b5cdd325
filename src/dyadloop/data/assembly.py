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
    calendar = sessions[[*_CALENDAR, *info.covariates_of("session"), LINE]]
    values = measurements[[*_VALUES, *measurement_extras(), LINE]]
    times = [part for part in (calendar["start"], calendar["end"], values["time"]) if len(part)]
    first_times = [calendar.groupby("dyad")["start"].min(), values.groupby("dyad")["time"].min()]
    origin = (
        pd.concat([times.astype(float) for times in first_times if len(times)] or first_times).groupby(level=0).min()
    )
    zero = calendar["dyad"].map(origin)
    calendar = calendar.assign(start=calendar["start"] - zero, end=calendar["end"] - zero)
    values = values.assign(time=values["time"] - values["dyad"].map(origin))
    calendar = calendar.sort_values(["dyad", "start"], ignore_index=True)
    values = values.sort_values(["dyad", "time", "indicator", "participant_id"], ignore_index=True)
    frames = {"participants.tsv": people, "sessions.tsv": calendar, "measurements.tsv": values}
    trace = Trace(
        kind=folder.clock.kind or "",
        origin={str(dyad): float(first) for dyad, first in origin.items()},
        first=float(min((part.min() for part in times), default=math.nan)),
        last=float(max((part.max() for part in times), default=math.nan)),
        lines={name: array("q", frame.pop(LINE).to_numpy(dtype="int64").tobytes()) for name, frame in frames.items()},
        empty=tuple(folder.empty),
        cut=tuple(t.file for t in (folder.participants, folder.sessions, folder.measurements) if not t.whole),
    )
    return Study(str(root), info, people, calendar, values, digest, trace)
