"""A study as a BIDS folder: participants, sessions, and one table of behaviour per session."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from dyadloop.data import Study
from dyadloop.data.clock import DAYS
from dyadloop.exchange.exports.tables import dictionary, wide_table
from dyadloop.exchange.keys import plain

VERSION = "1.10.0"
TASK = "process"
_PRIVATE = 89  # ages above are not to be published


def write_bids(study: Study, out: Path) -> list[Path]:
    """Write the folder; one participant of BIDS is a dyad, for values of both persons stand in one table.

    Values of a person stand in ``beh`` tables, one per session, not in ``phenotype``, where a person has one row.
    """
    table = wide_table(study)
    subjects, sessions = labels(study.dyads), _session_labels(table)
    written = [_json(out / "dataset_description.json", _description(study))]
    written += _participants(study, subjects, out)
    for dyad, rows in table.groupby("dyad", sort=False):
        subject = f"sub-{subjects[str(dyad)]}"
        moments = []
        for session, part in rows.groupby("session", sort=False):
            name = f"{subject}_ses-{sessions[str(dyad), str(session)]}"
            folder = out / subject / name.split("_")[1] / "beh"
            folder.mkdir(parents=True, exist_ok=True)
            moments.append({"session_id": name.split("_")[1], "session": session, "acq_time": _moment(study, part)})
            beh = folder / f"{name}_task-{TASK}_beh.tsv"
            written.append(_tsv(part.drop(columns=[c for c in ("dyad", "therapist", "session") if c in part]), beh))
        written.append(_tsv(pd.DataFrame(moments), out / subject / f"{subject}_sessions.tsv"))
    columns = [name for name in table.columns if name not in ("dyad", "therapist", "session")]
    written.append(_json(out / f"task-{TASK}_beh.json", {"TaskName": TASK} | _described(study, columns)))
    told = {
        "session": {"Description": "name of the session in the study"},
        "acq_time": {
            "Description": "start of the session; the time of day is 00:00:00 where the study knows the date alone"
        },
    }
    written.append(_json(out / "sessions.json", told))
    (out / "README").write_text(f"{study.info.title}\n\nLicence: {study.info.licence}\n", encoding="utf-8")
    return [*written, out / "README"]


def labels(names: list[str]) -> dict[str, str]:
    """Return labels of letters and digits alone, each once."""
    found: dict[str, str] = {}
    for name in names:
        bare = re.sub(r"[^A-Za-z0-9]", "", name) or "x"
        label, number = bare, 2
        while label.lower() in {other.lower() for other in found.values()}:
            label, number = f"{bare}x{number}", number + 1
        found[name] = label
    return found


def _session_labels(table: pd.DataFrame) -> dict[tuple[str, str], str]:
    return {
        (str(dyad), name): label
        for dyad, rows in table.groupby("dyad", sort=False)
        for name, label in labels(list(dict.fromkeys(rows["session"]))).items()
    }


def _description(study: Study) -> dict[str, Any]:
    told = {
        "Name": study.info.title,
        "BIDSVersion": VERSION,
        "DatasetType": "raw",
        "License": study.info.licence,
        "GeneratedBy": [{"Name": "dyadloop"}],
    }
    return told | ({"Acknowledgements": study.info.attribution} if study.info.attribution else {})


def _participants(study: Study, subjects: dict[str, str], out: Path) -> list[Path]:
    """Write one row per dyad; what is known of its persons stands in columns with their role."""
    people = pd.read_csv(Path(study.path) / "participants.tsv", sep="\t", dtype=str, keep_default_na=False)
    rows, told = {dyad: {"participant_id": f"sub-{subjects[dyad]}", "dyad": dyad} for dyad in study.dyads}, {}
    number = people.groupby(["dyad", "role"]).cumcount() + 1
    for record, place in zip(people.to_dict("records"), number, strict=True):
        role = str(record["role"]) + (f"{place}" if place > 1 else "")
        for key, value in record.items():
            if key not in ("dyad", "role") and value != "":
                name = "therapist" if key == "therapist" else f"{role}_{key}".replace("_participant_id", "_id")
                rows[str(record["dyad"])][name] = _private(str(key), str(value))
                told[name] = {"Description": f"{key} of the {role}" if key != "therapist" else "who treats the dyad"}
    table = pd.DataFrame(list(rows.values())).fillna("")
    told = {"dyad": {"Description": "name of the dyad in the study"}} | told
    return [_tsv(table, out / "participants.tsv"), _json(out / "participants.json", told)]


def _private(key: str, value: str) -> str:
    """Return an entry; ages above 89 are published as 89+."""
    try:
        return "89+" if key.lower() in ("age", "alter") and float(value) > _PRIVATE else value
    except ValueError:
        return value


def _described(study: Study, columns: list[str]) -> dict[str, Any]:
    found = {}
    for row in dictionary(study, columns).to_dict("records"):
        entry = {"Description": row["meaning"]} | ({"Units": row["unit"]} if row["unit"] else {})
        if row["lowest"] != "":
            entry |= {"Minimum": float(row["lowest"]), "Maximum": float(row["highest"])}
        found[str(row["column"])] = entry
    return found


def _moment(study: Study, part: pd.DataFrame) -> str:
    """Return the start of a session as a date and time, n/a where the study counts days."""
    start = str(part["start"].iloc[0])
    if study.trace.kind == DAYS or not re.match(r"\d{4}-", start):
        return "n/a"
    start = start.replace(" ", "T")
    if "T" not in start:
        return f"{start}T00:00:00"
    return start if len(start.split("T")[1]) > 5 else f"{start}:00"


def _tsv(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(map(str, table.columns))]
    lines += ["\t".join(plain(str(value)) or "n/a" for value in row) for row in table.to_numpy(dtype=object)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _json(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
