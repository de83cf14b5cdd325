"""REDCap: a CSV export, raw or with labels, and its data dictionary."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.delimited import decoded, place_of, split_rows
from dyadloop.exchange.formats.format import Format, Settings, refusal
from dyadloop.exchange.formats.headings import first_headings
from dyadloop.exchange.formats.rows import shaped
from dyadloop.exchange.grid import Grid

FIELD, TYPE, LABEL = "Variable / Field Name", "Field Type", "Field Label"
CHOICES, CHECK, LOW, HIGH = (
    "Choices, Calculations, OR Slider Labels", "Text Validation Type OR Show Slider Number", "Text Validation Min",
    "Text Validation Max",
)  # fmt: skip
IDENTIFIER = "Identifier?"
_EVENT, _INSTRUMENT, _INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
_LABELLED = {"Event Name": _EVENT, "Repeat Instrument": _INSTRUMENT, "Repeat Instance": _INSTANCE}
_OWN = ("redcap_data_access_group", "redcap_survey_identifier", _INSTRUMENT)
_SLIDER = (0.0, 100.0)


def is_dictionary(path: Path) -> bool:
    """Return whether a file is a data dictionary of REDCap."""
    names = first_headings(path)
    return FIELD in names and CHOICES in names


def is_redcap(path: Path) -> bool:
    """Return whether a file is an export of records from REDCap."""
    names = first_headings(path)
    told = {_EVENT, _INSTANCE, *list(_LABELLED)[:1], *list(_LABELLED)[2:]} & set(names)
    complete = any(name.endswith("_complete") for name in names)
    return bool(told) or (complete and bool(names) and names[0].endswith("id") and not is_dictionary(path))


def read_redcap(path: Path, settings: Settings) -> list[Grid]:
    """Return the records; ``settings`` may say ``dictionary``, the path of the data dictionary.

    Raises
    ------
    DataError
        If the file is no table, or the dictionary none of REDCap.
    """
    text, told = decoded(path, settings)
    rows, lines, told = split_rows(path, text, settings, told)
    grid = shaped(place_of(path, settings), rows, lines, told)
    fields = _dictionary(Path(str(settings["dictionary"]))) if settings.get("dictionary") else {}
    grid = _raw(grid, fields)
    labels, choices, scales, kinds = {}, {}, {}, {}
    for name in grid.table.columns:
        field = fields.get(name) or fields.get(name.split("___")[0])
        if field is None:
            continue
        labels[name] = field[LABEL]
        if "___" in name:
            code = name.split("___")[1]
            labels[name] = f"{field[LABEL]}: {_choices(field).get(code, code)}"
            choices[name] = {"0": "not ticked", "1": "ticked"}
            continue
        if field[TYPE] in ("radio", "dropdown", "yesno", "truefalse"):
            choices[name] = _choices(field)
        if (ends := _scale(field)) is not None:
            scales[name] = ends
        if field[CHECK].startswith(("date", "datetime")):
            kinds[name] = "date"
    hints = _hints(grid, fields)
    return [replace(grid, labels=labels, choices=choices, scales=scales, kinds=kinds, hints=hints)]


def _dictionary(path: Path) -> dict[str, dict[str, str]]:
    """Return the fields of a data dictionary by name."""
    text, told = decoded(path, {})
    rows, lines, _ = split_rows(path, text, {}, told)
    table = shaped(place_of(path, {}, 1), rows, lines, told).table
    if FIELD not in table or TYPE not in table:
        raise refusal(path, "a table without its headings", "a data dictionary of REDCap", "download it again")
    for column in (LABEL, CHOICES, CHECK, LOW, HIGH, IDENTIFIER):
        if column not in table:
            table[column] = ""
    return {record[FIELD]: record for record in table.to_dict("records")}  # pyright: ignore[reportReturnType]


def _choices(field: dict[str, str]) -> dict[str, str]:
    """Return the codes of a field and their labels."""
    if field[TYPE] == "yesno":
        return {"1": "Yes", "0": "No"}
    if field[TYPE] == "truefalse":
        return {"1": "True", "0": "False"}
    parts = (part.partition(",") for part in field[CHOICES].split("|"))
    return {code.strip(): re.sub(r"<[^>]*>", "", word).strip() for code, comma, word in parts if comma}


def _scale(field: dict[str, str]) -> tuple[float, float] | None:
    """Return the lowest and highest answer of a field, where the dictionary tells both."""
    if field[TYPE] == "slider" and not (field[LOW] and field[HIGH]):
        return _SLIDER
    try:
        ends = float(field[LOW]), float(field[HIGH])
    except ValueError:
        return None
    return ends if ends[0] < ends[1] else None


def _raw(grid: Grid, fields: dict[str, dict[str, str]]) -> Grid:
    """Return an export with labels as a raw one: headings and entries by the dictionary, where they are unique."""
    names = {**_LABELLED}
    words = [field[LABEL] for field in fields.values()]
    names |= {field[LABEL]: name for name, field in fields.items() if words.count(field[LABEL]) == 1}
    known = [name for name in grid.table.columns if name in names and name not in fields]
    if not known:
        return grid
    taken = set(grid.table.columns)
    renamed = {name: names[name] for name in known if names[name] not in taken}
    table = grid.table.rename(columns=renamed)
    turned = []
    for name in renamed.values():
        codes = {word: code for code, word in _choices(fields[name]).items()} if name in fields else {}
        if codes and set(table[name]) - {""} <= set(codes):
            table[name] = pd.Series([codes.get(text, text) for text in table[name]], dtype=object)
            turned.append(name)
    told = grid.told | {
        "labels": f"headings turned into names; answers of {', '.join(turned) or 'no field'} into codes"
    }
    return replace(grid, table=table, told=told)


def _hints(grid: Grid, fields: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return what REDCap tells of the keys."""
    names = list(grid.table.columns)
    hints: dict[str, Any] = {"format": "REDCap", "dyad": names[0]}
    hidden = [n for n in names if n in _OWN or n.endswith(("_complete", "_timestamp")) or "___" in n]
    secret = [n for n in names if fields.get(n, {}).get(IDENTIFIER, "").lower() == "y"]
    hints["not_scores"] = tuple([*hidden, *secret])
    instances = grid.column(_INSTANCE) if _INSTANCE in names else np.array([], dtype=object)
    if (instances != "").any():
        hints["session"] = _INSTANCE
        if _EVENT in names:
            hints["session_else"] = _EVENT
    elif _EVENT in names:
        hints["session"] = _EVENT
    if _EVENT in names:
        events = list(dict.fromkeys(text for text in grid.column(_EVENT) if text))
        hints["session_names"] = _session_names(events)
        without = [name for event, name in hints["session_names"].items() if not name.isdigit()]
        alone = (
            [e for e in events if not (instances[grid.column(_EVENT) == e] != "").any()] if len(instances) else events
        )
        hints["moments"] = [name for name in without if name in {_bare(event) for event in alone}]
    return hints


def _bare(event: str) -> str:
    return re.sub(r"( \(Arm \d+.*\)|_arm_\d+)$", "", event, flags=re.IGNORECASE)


def _session_names(events: list[str]) -> dict[str, str]:
    """Return the number of each event, or its name without the arm where it has none."""
    bare = {event: _bare(event) for event in events}
    numbers = {event: re.findall(r"\d+", name) for event, name in bare.items()}
    stems = {event: re.sub(r"\d+", "#", name) for event, name in bare.items()}
    usual = max(stems.values(), key=list(stems.values()).count) if stems else ""
    found = {}
    for event, name in bare.items():
        numbered = len(numbers[event]) == 1 and stems[event] == usual and "#" in usual
        found[event] = str(int(numbers[event][0])) if numbered else name
    return found


FORMAT = Format(
    id="redcap",
    title="REDCap",
    endings=(),
    reads="raw exports and exports with labels, with the dictionary: events, repeated instruments, ranges, labels, "
    "fields that identify (left out)",
    leaves="ticks of checkboxes, branching logic; codes for missing data are guessed, for no export declares them",
    library="",
    truth="an export and its dictionary, made as the REDCap manual describes them",
    read=read_redcap,
    recognises=is_redcap,
)
