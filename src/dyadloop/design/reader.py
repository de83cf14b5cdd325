"""Read and write design files: presets by name, own files by path, every fault at once."""

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dyadloop.data.wording import faults_in, nearest, parsed_yaml, read_yaml
from dyadloop.design.schema import Design
from dyadloop.errors import DataError, Fault
from dyadloop.theory import PRESETS, Theory, linear_form, read_theory
from dyadloop.yaml_files import dump_yaml

DESIGNS = ("haifa", "bar_ilan", "single_dose", "inpatient_doses", "group_doses", "diary", "proposed")
"""Names of the shipped designs."""


def read_design(source: str | Path) -> Design:
    """Read a design from the name of a shipped one or a YAML file.

    Parameters
    ----------
    source
        Name, such as ``haifa``, or path.

    Raises
    ------
    DataError
        If there is no such design, or it has faults; all of them are named, with what to do.

    Examples
    --------
    >>> design = dl.read_design("haifa")
    >>> design.dyads, design.sessions.count
    (37, 16)
    """
    faults: list[Fault] = []
    name = str(source)
    if name in DESIGNS:
        text = resources.files("dyadloop.design").joinpath("library", f"{name}.yaml").read_text(encoding="utf-8")
        content = parsed_yaml(text, name, faults)
    elif Path(source).is_file():
        content = read_yaml(Path(source), Path(source).name, faults)
    else:
        remedy = nearest(name, DESIGNS) or "give one of these names, or the path of a YAML file that exists"
        raise DataError(name, [Fault(name, None, None, "no such design", f"one of {', '.join(DESIGNS)}", remedy)])
    if faults:
        raise DataError(name, faults)
    return design_of(content, name)


def design_of(content: Any, name: str = "design") -> Design:  # noqa: ANN401 - whatever a file holds
    """Return the design that some content describes.

    Raises
    ------
    DataError
        If it has faults.
    """
    faults: list[Fault] = []
    design = None
    try:
        design = Design.model_validate(content)
    except ValidationError as error:
        faults += faults_in(error, content, Design, Path(name).name)
    if isinstance(content, dict):
        faults += _between_entries(content, Path(name).name)
    if faults or design is None:
        raise DataError(name, faults)
    return design


def design_text(design: Design) -> str:
    """Return a design as YAML, without what it leaves at its default."""
    content = design.model_dump(mode="json", exclude_defaults=True)
    return dump_yaml({"schema_version": design.schema_version} | content)


def theory_of(design: Design) -> Theory:
    """Return the theory that a design is analysed with, in the form that is fitted."""
    return _linear(design.analysis.theory)


@lru_cache(maxsize=8)
def _shipped(name: str) -> Theory:
    return linear_form(read_theory(name))  # reading it takes a second


def _linear(name: str) -> Theory:
    return _shipped(name) if name in PRESETS else linear_form(read_theory(name))


def _between_entries(content: dict, file: str) -> list[Fault]:
    """Return what entries get wrong about each other, from whatever of them can be read."""
    faults: list[Fault] = []
    sessions = _part(content, "sessions").get("count")
    events = _part(content, "events")
    for kind in ("measures", "events"):
        for name, entry in _part(content, kind).items():
            chosen = entry.get("sessions") if isinstance(entry, dict) else None
            if isinstance(sessions, int) and isinstance(chosen, list):
                late = [number for number in chosen if isinstance(number, int) and number > sessions]
                if late:
                    got = f"session {', '.join(map(str, late))} of {sessions}"
                    remedy = "leave these out, or raise sessions.count"
                    faults.append(Fault(file, None, f"{kind}.{name}.sessions", got, f"1 to {sessions}", remedy))
    for name, entry in _part(content, "measures").items():
        for event in (entry.get("spoilt_by") or []) if isinstance(entry, dict) else []:
            if event not in events:
                remedy = nearest(event, list(events)) or "declare it under events, or remove it"
                faults.append(Fault(file, None, f"measures.{name}.spoilt_by", repr(event), "an event", remedy))
    for event in _part(_part(content, "costs"), "per_event"):
        if event not in events:
            remedy = nearest(event, list(events)) or "declare it under events, or remove it"
            faults.append(Fault(file, None, "costs.per_event", repr(event), "an event of the design", remedy))
    therapists, dyads = content.get("therapists"), content.get("dyads")
    if isinstance(therapists, int) and isinstance(dyads, int) and therapists > dyads:
        faults.append(Fault(file, None, "therapists", str(therapists), f"at most {dyads}", "give at most one per dyad"))
    return faults + _beside_theory(content, file)


def _beside_theory(content: dict, file: str) -> list[Fault]:
    """Return the quantities and events that the theory does not know."""
    named = _part(content, "analysis").get("theory", "framework")
    if named not in PRESETS and not Path(str(named)).is_file():
        remedy = nearest(named, PRESETS) or "give a shipped theory or the path of a file"
        return [Fault(file, None, "analysis.theory", repr(named), f"one of {', '.join(PRESETS)}", remedy)]
    theory = _linear(str(named))
    quantities = sorted({v.measured_as for v in theory.variables if v.kind != "factor"})
    happenings = sorted({entry.event for entry in theory.inputs if entry.kind == "event" and entry.event})
    hypotheses = [entry.name for entry in theory.hypotheses]
    faults = []
    for name, entry in _part(content, "measures").items():
        quantity = entry.get("quantity") if isinstance(entry, dict) else None
        if isinstance(quantity, str) and quantity not in quantities:
            place, expected = f"measures.{name}.quantity", f"one of {', '.join(quantities)}"
            remedy = nearest(quantity, quantities) or f"take what the theory {named!r} speaks of"
            faults.append(Fault(file, None, place, repr(quantity), expected, remedy))
    for name in _part(content, "events"):
        if name not in happenings:
            remedy = nearest(name, happenings) or "take an event of the theory"
            expected = f"one of {', '.join(happenings)}"
            faults.append(Fault(file, None, f"events.{name}", "an event that the theory lacks", expected, remedy))
    rival = _part(content, "analysis").get("hypothesis")
    if rival and rival not in hypotheses:
        remedy = nearest(rival, hypotheses) or "take one of them"
        faults.append(Fault(file, None, "analysis.hypothesis", repr(rival), f"one of {', '.join(hypotheses)}", remedy))
    return faults


def _part(content: dict, key: str) -> dict:
    """Return an entry that holds others, or nothing where it is something else."""
    found = content.get(key)
    return found if isinstance(found, dict) else {}
