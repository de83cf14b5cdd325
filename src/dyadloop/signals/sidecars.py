"""JSON sidecars beside a recording and, as in BIDS, in the folders above it; what contradicts the file is a fault.

The inheritance principle of BIDS: a sidecar applies to every file below it whose name has its suffix and all of its
entities; the nearer and the more specific one wins, key by key.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dyadloop.data.text import read_text
from dyadloop.errors import Fault
from dyadloop.signals.faults import refuse
from dyadloop.signals.text import split, text_of

_ENDINGS = (".gz", ".tsv", ".csv", ".txt")
_ROOTS = ("dataset_description.json", "study.yaml")
_DEEPEST = 6  # folders between a file and the root of its data set
_HEADERLESS = ("physio", "stim", "physioevents")


@dataclass
class Sidecar:
    """What the sidecars of a file say; each key with the name of the sidecar that says it."""

    keys: dict[str, Any] = field(default_factory=dict)
    told_by: dict[str, str] = field(default_factory=dict)
    columns: list[str] | None = None
    columns_from: str = ""
    headerless: bool = False

    def number(self, key: str, positive: bool, faults: list[Fault]) -> float | None:
        """Return a number that the sidecars tell, or None; anything else is a fault."""
        if key not in self.keys:
            return None
        value = self.keys[key]
        plain = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if plain and (value > 0 or not positive):
            return float(value)
        wanted = "samples per second, a number > 0" if positive else "a number of seconds"
        remedy = "write the number without quotes, or remove the key where it is unknown"
        faults.append(Fault(_place(self.told_by[key], key), None, None, repr(value), wanted, remedy))
        return None

    def gap_values(self, faults: list[Fault]) -> list[float]:
        """Return the values that stand for gaps."""
        value = self.keys.get("GapValues", [])
        listed = value if isinstance(value, list) else [value]
        if all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in listed):
            return [float(v) for v in listed]
        remedy = 'write such as "GapValues": [0]'
        place = _place(self.told_by["GapValues"], "GapValues")
        faults.append(Fault(place, None, None, repr(value), "a list of numbers", remedy))
        return []


def sidecar_of(file: Path) -> Sidecar:
    """Return what the sidecars of a recording say, the most specific one last.

    Raises
    ------
    MeasureError
        If a sidecar is no JSON object, or two of one folder apply and neither is the more specific.
    """
    found = Sidecar()
    name = _stem(file)
    entities, suffix = _entities(name)
    for folder in reversed(_folders(file, entities)):
        for path in _applying(folder, name, entities, suffix, ".json"):
            for key, value in _object(path).items():
                found.keys[key], found.told_by[key] = value, path.name
    found.headerless = entities is not None and suffix in _HEADERLESS and ".tsv" in file.name
    _name_columns(found, file, name, entities, suffix)
    return found


def _name_columns(found: Sidecar, file: Path, name: str, entities: dict[str, str] | None, suffix: str) -> None:
    """Take the names of the columns from the sidecar or, as BIDS motion has it, from a table of channels."""
    if "Columns" in found.keys:
        columns = found.keys["Columns"]
        found.columns_from = found.told_by["Columns"]
        if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
            place = _place(found.columns_from, "Columns")
            refuse([Fault(place, None, None, repr(columns), "a list of names", "correct it")])
        if len(set(columns)) < len(columns):
            place = _place(found.columns_from, "Columns")
            refuse([Fault(place, None, None, "a name twice", "unique names", "rename one")])
        found.columns = columns
        return
    tables = [file.with_name(f"{name.removesuffix('_motion')}_channels.tsv")]
    for folder in _folders(file, entities) if suffix == "motion" else []:
        tables += _applying(folder, name, entities, "channels", ".tsv")[::-1]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        return
    header, *rows = [split(line, "\t") for line in text_of(table).split("\n")]
    found.columns_from = table.name
    if "name" not in header:
        refuse([Fault(table.name, 1, "name", "no such column", "the names of the channels", "add it")])
    place = header.index("name")
    found.columns = [row[place] if place < len(row) else "" for row in rows]
    found.headerless = suffix == "motion"


def _place(sidecar: str, key: str) -> str:
    return f"{sidecar}, key {key!r}"


def _stem(file: Path) -> str:
    name = file.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def _entities(name: str) -> tuple[dict[str, str] | None, str]:
    """Return the entities and the suffix of a BIDS name; no entities where it is none."""
    *parts, suffix = name.split("_")
    pairs = [part.partition("-") for part in parts]
    if not all(sign and key and value for key, sign, value in pairs):
        return None, name
    return {key: value for key, _, value in pairs}, suffix


def _folders(file: Path, entities: dict[str, str] | None) -> list[Path]:
    """Return the folders whose sidecars apply, the nearest first: up to the root of the data set."""
    here = file.absolute().parent
    if entities is None:
        return [here]
    above = [here, *here.parents][:_DEEPEST]
    for depth, folder in enumerate(above):
        if any((folder / mark).is_file() for mark in _ROOTS):
            return above[: depth + 1]
    subjects = [depth for depth, folder in enumerate(above) if folder.name.startswith("sub-")]
    return above[: subjects[-1] + 2] if subjects else [here]


def _applying(folder: Path, name: str, entities: dict[str, str] | None, suffix: str, ending: str) -> list[Path]:
    """Return the sidecars of a folder that apply to a file, the most general first."""
    if entities is None:
        own = folder / f"{name}{ending}"
        return [own] if own.is_file() else []
    found: list[tuple[int, Path]] = []
    for path in sorted(folder.glob(f"*{ending}")):
        theirs, kind = _entities(path.name.removesuffix(ending))
        if theirs is not None and kind == suffix and theirs.items() <= entities.items():
            found.append((len(theirs), path))
    return [path for _, path in sorted(found, key=lambda entry: entry[0])]


def _object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds."""
    found: Any = None
    try:
        faults: list[Fault] = []
        text = read_text(path, path.name, faults)
        refuse(faults)
        found = json.loads(text or "")
    except (json.JSONDecodeError, RecursionError) as error:
        refuse([Fault(path.name, None, None, f"no JSON ({error})", "a JSON object", "correct the sidecar")])
    if not isinstance(found, dict):
        got, wanted = type(found).__name__, "an object with SamplingFrequency, StartTime and Columns"
        refuse([Fault(path.name, None, None, f"a {got}", wanted, "correct the sidecar")])
    return found
