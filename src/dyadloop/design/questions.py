"""A design from answers to a few questions, for a study of which no folder exists yet."""

from collections.abc import Callable

from dyadloop.design.reader import design_of
from dyadloop.design.schema import Design
from dyadloop.theory import linear_form, read_theory
from dyadloop.yaml_files import load_yaml

Answer = Callable[[str, str], str]
"""Returns the answer to a question, given its text and what is assumed without one."""
_SAMPLE = {"method": "immunoassay_extracted"}


def asked(answer: Answer, name: str = "my-design", theory: str = "framework") -> Design:
    """Return the design that answers describe.

    Parameters
    ----------
    answer
        Called with a question and its default, returns the answer as text.
    name
        Name of the design.
    theory
        Theory of its analysis, a preset or the path of a file.

    Raises
    ------
    DataError
        If answers make no sound design; the error names all faults at once.

    Notes
    -----
    Only what matters most is asked. The file that is written holds the rest at its defaults, to be changed there.
    """
    fitted = linear_form(read_theory(theory))
    quantities = list(dict.fromkeys(v.measured_as for v in fitted.variables if v.kind != "factor"))
    happenings = [entry.event for entry in fitted.inputs if entry.kind == "event" and entry.event]
    dyads = _number(answer("How many dyads?", "40"))
    sessions = {
        "count": _number(answer("How many sessions has each dyad?", "16")),
        "every": answer("How far apart are sessions?", "7 d"),
        "length": answer("How long is a session?", "50 min"),
    }
    measured = _listed(answer(f"What is measured? Known: {', '.join(quantities)}", _first(quantities)))
    measures = {quantity: _measure(answer, quantity) for quantity in measured}
    chosen = _listed(answer(f"Which events are randomised? Known: {', '.join(happenings) or 'none'}", "none"))
    events = {event: _event(answer, event) for event in chosen if event != "none"}
    missing = {
        "values": _number(answer("What share of values is lost?", "0.05")),
        "dropout": _number(answer("What share of dyads ends before the last session?", "0.1")),
    }
    costs = {
        f"per_{what}": _number(answer(f"What does a {what} cost?", "0"))
        for what in ("dyad", "session", *(["sample"] if "oxytocin" in measured else []))
    }
    return design_of(
        {
            "schema_version": 1, "name": name, "title": f"{dyads} dyads, {sessions['count']} sessions",
            "assumed": ["drafted from answers: reliabilities, assays and losses are guesses until they are checked"],
            "dyads": dyads, "sessions": sessions, "measures": measures, "events": events, "missing": missing,
            "costs": costs, "analysis": {"theory": theory},
        },
        "answers",
    )  # fmt: skip


def _measure(answer: Answer, quantity: str) -> dict:
    when = _listed(answer(f"When is {quantity} measured? before, within, after a session, or between", "before"))
    sessions = answer(f"In which sessions is {quantity} measured? all, or numbers such as 4, 8, 12, 16", "all")
    found: dict = {"quantity": quantity, "when": when}
    if sessions != "all":
        found["sessions"] = [_number(part) for part in _listed(sessions)]
    if quantity == "oxytocin":
        return found | {"assay": {"method": answer("How are samples analysed?", _SAMPLE["method"])}}
    return found | {"reliability": _number(answer(f"How reliable are changes of {quantity} within a person?", "0.7"))}


def _event(answer: Answer, event: str) -> dict:
    by = answer(f"Is {event} drawn for each session or for each dyad? session, dyad", "session")
    return {"by": by, "share": _number(answer(f"In what share of them is {event} given?", "0.5"))}


def _first(quantities: list[str]) -> str:
    """Return what is measured without an answer: an outcome beside the first quantity that is none."""
    return ", ".join(name for name in ("trust", "depression") if name in quantities) or quantities[0]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> object:
    """Return a number as YAML reads it, or the text itself, which the check of the design then names."""
    return load_yaml(text)
