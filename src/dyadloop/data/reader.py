"""Read a study folder strictly: all faults at once, or a checked study."""

import hashlib
from pathlib import Path

import pandas as pd

from dyadloop.data.assembly import assembled
from dyadloop.data.clock import Clock
from dyadloop.data.measurement_checks import check_measurements
from dyadloop.data.schema import (
    LINE,
    MEASUREMENT_COLUMNS,
    PARTICIPANT_COLUMNS,
    SESSION_COLUMNS,
    SESSION_EXTRAS,
    Study,
    StudyInfo,
    measurement_extras,
)
from dyadloop.data.study_file import read_info
from dyadloop.data.table import Table, read_table
from dyadloop.data.validation import Folder, check_participants, check_sessions
from dyadloop.errors import DataError, Fault

FILES = ("study.yaml", "participants.tsv", "sessions.tsv", "measurements.tsv")
"""Files that make a study folder."""


def read_study(path: str | Path, measured: bool = True) -> Study:
    """Read and check a study folder.

    Parameters
    ----------
    path
        Folder with study.yaml, participants.tsv, sessions.tsv and measurements.tsv.
    measured
        Whether measurements.tsv must be there; without it a study holds no values yet.

    Returns
    -------
    Study
        The study, with times in days from each dyad's first time.

    Raises
    ------
    DataError
        If anything is wrong; ``faults`` lists everything with file, row, column and remedy.

    Examples
    --------
    >>> study = dl.read_study("examples/survival")
    >>> print(study.info.title)
    Motion energy of 12 pairs of students in a desert-survival task
    >>> study.dyads[:3]
    ['dyad_0016', 'dyad_0017', 'dyad_0018']
    """
    root, faults = Path(path), []
    if not root.is_dir():
        raise DataError(str(path), [Fault(str(path), None, None, "no such folder", "a study folder", "check the path")])
    info = read_info(root / "study.yaml", faults)
    folder = Folder(
        read_table(root / "participants.tsv", PARTICIPANT_COLUMNS, faults, None),
        read_table(root / "sessions.tsv", SESSION_COLUMNS, faults, _session_extras(info)),
        _measurements(root / "measurements.tsv", faults, measured, bool(info and info.measures)),
        info,
        Clock([]) if info is None else Clock(faults, info.times.unit),  # without study.yaml no unit is known
        faults,
    )
    participants = check_participants(folder)
    calendar = check_sessions(folder)
    measurements = check_measurements(folder, calendar)
    sessions = calendar.found.emptied()
    folder.clock.close()
    events = {name for entry in sessions["events"] for name in entry}
    for name in sorted(set(info.randomised) - events - set(info.covariates) if info else ()):
        got = f"{name!r}, an event of no session and no covariate"
        expected = "events of sessions.tsv or covariates"
        faults.append(Fault("study.yaml", None, "randomised", got, expected, "correct the name"))
    if faults or info is None:
        ordered = sorted(faults, key=lambda f: (FILES.index(f.file) if f.file in FILES else -1, f.row or 0))
        rows = (participants, sessions, measurements)
        raise DataError(str(path), ordered, None if info is None else _sound(root, folder, info, *rows))
    for table in (folder.participants, folder.sessions, folder.measurements):
        table.release()
    del calendar
    return assembled(root, digest(root), folder, info, participants, sessions, measurements)


def _sound(
    root: Path, folder: Folder, info: StudyInfo, participants: list, sessions: pd.DataFrame, measurements: pd.DataFrame
) -> Study | None:
    """Return the study that the rows without a fault make, None where they make none."""
    faulty = {(fault.file, fault.row) for fault in folder.faults}
    people = [record for record in participants if (folder.participants.file, record[LINE]) not in faulty]
    known = {record["dyad"] for record in people}
    calendar, values = (
        frame[frame["dyad"].isin(known) & ~frame[LINE].isin([row for file, row in faulty if file == table.file])]
        for table, frame in ((folder.sessions, sessions), (folder.measurements, measurements))
    )
    return assembled(root, "", folder, info, people, calendar, values) if people and len(calendar) else None


def _session_extras(info: StudyInfo | None) -> tuple[str, ...] | None:
    """Return the further columns that sessions may have; any where study.yaml does not tell."""
    return None if info is None else (*SESSION_EXTRAS, *info.covariates_of("session"))


def _measurements(path: Path, faults: list[Fault], needed: bool, declared: bool) -> Table:
    if not path.exists() and (declared or not needed):
        if needed:
            remedy = f"its raw files are declared under `measures`: run `dyadloop measure {path.parent}` first"
            faults.append(Fault(path.name, None, None, "no such file", f"a file {path.name}", remedy))
        return Table(path.name)
    return read_table(path, MEASUREMENT_COLUMNS, faults, measurement_extras())


def digest(path: str | Path) -> str:
    """Return the SHA-256 of the files of a study folder, in a fixed order."""
    total = hashlib.sha256()
    for name in FILES:
        file = Path(path) / name
        content = file.read_bytes() if file.exists() else b""
        total.update(name.encode() + b"\x00" + hashlib.sha256(content).digest())
    return total.hexdigest()
