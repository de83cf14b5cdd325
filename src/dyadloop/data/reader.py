"""Read a study folder strictly: all faults at once, or a checked study."""

import hashlib
from pathlib import Path

import pandas as pd
import yaml
from pydantic import ValidationError

from dyadloop.data.checks import Folder, check_measurements, check_participants, check_sessions
from dyadloop.data.clock import Clock
from dyadloop.data.schema import (
    MEASUREMENT_COLUMNS,
    MEASUREMENT_EXTRAS,
    PARTICIPANT_COLUMNS,
    SESSION_COLUMNS,
    SESSION_EXTRAS,
    Study,
    StudyInfo,
)
from dyadloop.data.table import Table, read_table
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
    """
    root, faults = Path(path), []
    if not root.is_dir():
        raise DataError(str(path), [Fault(str(path), None, None, "no such folder", "a study folder", "check the path")])
    info = _read_info(root / "study.yaml", faults)
    folder = Folder(
        read_table(root / "participants.tsv", PARTICIPANT_COLUMNS, faults, None),
        read_table(root / "sessions.tsv", SESSION_COLUMNS, faults, _session_extras(info)),
        _measurements(root / "measurements.tsv", faults, measured, bool(info and info.measures)),
        info,
        Clock(faults),
        faults,
    )
    participants = check_participants(folder)
    sessions = check_sessions(folder)
    measurements = check_measurements(folder, sessions)
    events = {name for session in sessions for name in session["events"]}
    for name in sorted(set(info.randomised) - events - set(info.covariates) if info else ()):
        got = f"{name!r}, an event of no session and no covariate"
        expected = "events of sessions.tsv or covariates"
        faults.append(Fault("study.yaml", None, "randomised", got, expected, "correct the name"))
    if faults or info is None:
        raise DataError(
            str(path), sorted(faults, key=lambda f: (FILES.index(f.file) if f.file in FILES else -1, f.row or 0))
        )
    return _assemble(root, info, participants, sessions, measurements)


def _session_extras(info: StudyInfo | None) -> tuple[str, ...] | None:
    """Return the further columns that sessions may have; any where study.yaml does not tell."""
    return None if info is None else (*SESSION_EXTRAS, *info.covariates_of("session"))


def _measurements(path: Path, faults: list[Fault], needed: bool, declared: bool) -> Table:
    if not path.exists() and (declared or not needed):
        if needed:
            remedy = f"its raw files are declared under `measures`: run `dyadloop measure {path.parent}` first"
            faults.append(Fault(path.name, None, None, "no such file", f"a file {path.name}", remedy))
        return Table(path.name)
    return read_table(path, MEASUREMENT_COLUMNS, faults, MEASUREMENT_EXTRAS)


class _UniqueKeys(yaml.SafeLoader):
    """Safe loader that refuses a key given twice instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return the mapping of a node whose keys are all different."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r} is given twice, line {node.start_mark.line + 1} or below")
        return super().construct_mapping(node, deep)


def _read_info(path: Path, faults: list[Fault]) -> StudyInfo | None:
    if not path.is_file():
        faults.append(
            Fault(path.name, None, None, "no such file", "a file study.yaml", "add it; see the documentation")
        )
        return None
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append(
            Fault(path.name, None, None, "unreadable YAML", " ".join(str(error).split()), "correct the syntax")
        )
        return None
    try:
        return StudyInfo.model_validate(content)
    except ValidationError as error:
        for item in error.errors():
            place = ".".join(str(part) for part in item["loc"])
            faults.append(Fault(path.name, None, place, repr(item["input"])[:80], item["msg"], "correct this entry"))
        return _without_unknown_keys(content, error)


def _without_unknown_keys(content: object, error: ValidationError) -> StudyInfo | None:
    """Return the rest of study.yaml where only unknown keys are wrong, so that the tables can be checked too."""
    if not isinstance(content, dict) or any(item["type"] != "extra_forbidden" for item in error.errors()):
        return None
    for item in error.errors():
        *path, last = item["loc"]
        holder = content
        for part in path:
            holder = holder[part]
        del holder[last]
    return StudyInfo.model_validate(content)


def _assemble(root: Path, info: StudyInfo, participants: list, sessions: list, measurements: list) -> Study:
    people = pd.DataFrame(participants).sort_values(["dyad", "participant_id"], ignore_index=True)
    calendar = pd.DataFrame(
        sessions, columns=["dyad", "session", "start", "end", "events", *info.covariates_of("session")]
    )
    values = pd.DataFrame(
        measurements,
        columns=[
            "dyad",
            "participant_id",
            "role",
            "session",
            "time",
            "indicator",
            "value",
            "limit",
            *MEASUREMENT_EXTRAS,
        ],
    )
    first_times = [calendar.groupby("dyad")["start"].min(), values.groupby("dyad")["time"].min()]
    origin = (
        pd.concat([times.astype(float) for times in first_times if len(times)] or first_times).groupby(level=0).min()
    )
    calendar[["start", "end"]] = calendar[["start", "end"]].sub(calendar["dyad"].map(origin), axis=0)
    values["time"] = values["time"] - values["dyad"].map(origin)
    calendar = calendar.sort_values(["dyad", "start"], ignore_index=True)
    values = values.sort_values(["dyad", "time", "indicator", "participant_id"], ignore_index=True)
    return Study(str(root), info, people, calendar, values, digest(root))


def digest(path: str | Path) -> str:
    """Return the SHA-256 of the files of a study folder, in a fixed order."""
    total = hashlib.sha256()
    for name in FILES:
        file = Path(path) / name
        content = file.read_bytes() if file.exists() else b""
        total.update(name.encode() + b"\x00" + hashlib.sha256(content).digest())
    return total.hexdigest()
