"""The evidence table: published effects as rows, each checked, each with where it was seen."""

import csv
import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dyadloop.data.wording import WHOLE, Wrong, wrongs
from dyadloop.errors import DataError, EvidenceError, Fault

CONCEPTS = (
    "oxytocin", "attachment", "empathy", "synchrony", "trust", "support",
    "alliance", "outcome", "depression", "stress", "fear",
)  # fmt: skip
"""Ends of an edge. Attachment is security, outcome is improvement, depression, stress and fear are symptom levels."""
METRICS = ("r", "d", "g", "OR", "F", "beta", "b", "null", "other")
POOLABLE = ("r", "d", "g", "OR")
DESIGNS = ("meta-analysis", "RCT", "observational", "systematic review", "registered replication", "animal")

Number = Annotated[float, Field(allow_inf_nan=False)]


class Effect(BaseModel):
    """One published effect.

    Attributes
    ----------
    edge_from, edge_to
        From what to what it leads.
    metric
        r, d, g, OR, F, beta (standardised), b (raw slope), null (a test without a number that found nothing), other.
    estimate, ci_low, ci_high, se, p_value, p_below
        As the source reports it; ``p_below``: the p is a bound.
    edge_sign
        1 where the estimate has the sign of the edge between levels, -1 where it is turned (a d for improvement of
        depression, an r with avoidance), 0 where it has none.
    direction
        Sign of the edge: +, -, 0, mixed.
    seen
        What was read, in few words; ``url_seen`` where. ``verified``: whether a number or direction was read there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,4}(-[A-Z]{2,4})?-\d{2,3}$")]
    edge_from: Literal[CONCEPTS]  # type: ignore[valid-type]
    edge_to: Literal[CONCEPTS]  # type: ignore[valid-type]
    design: Literal[DESIGNS]  # type: ignore[valid-type]
    population: str = ""
    metric: Literal[METRICS] | None = None  # type: ignore[valid-type]
    estimate: Number | None = None
    ci_low: Number | None = None
    ci_high: Number | None = None
    se: Annotated[Number, Field(gt=0)] | None = None
    n_participants: Annotated[int, Field(ge=1)] | None = None
    k_studies: Annotated[int, Field(ge=1)] | None = None
    p_value: Annotated[Number, Field(ge=0, le=1)] | None = None
    p_below: bool = False
    edge_sign: Literal[-1, 0, 1] = 0
    direction: Literal["+", "-", "0", "mixed", ""] = ""
    moderators: str = ""
    doi: Annotated[str, Field(pattern=r"^(10\.\d{4,9}/\S+)?$")] = ""
    citation: Annotated[str, Field(min_length=3)]
    url_seen: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    seen: str = ""
    verified: bool
    notes: str = ""

    @model_validator(mode="after")
    def _sound(self) -> "Effect":
        low, high, value = self.ci_low, self.ci_high, self.estimate
        if (low is None) != (high is None):
            raise ValueError("ci_low and ci_high: give both ends of the interval, or none")
        if low is not None and high is not None:
            if low >= high:
                raise ValueError(f"ci_low, ci_high: [{low:g}, {high:g}] is no interval; give the lower end first")
            if value is not None and not low <= value <= high:
                raise ValueError(f"estimate: {value:g} lies outside its interval [{low:g}, {high:g}]")
        if value is not None:
            if self.metric is None:
                raise ValueError("metric: missing for a number; say r, d, g, OR, F, beta, b or other")
            if self.metric == "r" and not -1 < value < 1:
                raise ValueError(f"estimate: a correlation of {value:g}; expected a number between -1 and 1")
            if self.metric in ("OR", "F") and value <= 0:
                raise ValueError(f"estimate: {self.metric} of {value:g}; expected a number above 0")
            if self.metric in POOLABLE and self.edge_sign == 0:
                raise ValueError("edge_sign: the sign convention is missing; say 1, or -1 where the number is turned")
        return self


COLUMNS = tuple(Effect.model_fields)


@cache
def _shipped() -> tuple[Effect, ...]:
    return tuple(read_effects(Path(str(files("dyadloop.evidence") / "library" / "effects.csv"))))


def read_effects(path: str | Path) -> list[Effect]:
    """Read a table of effects, or say everything that is wrong with it.

    Parameters
    ----------
    path
        CSV with the columns of :class:`Effect`.

    Raises
    ------
    DataError
        If a row is unsound; all faults at once, each with row, column and remedy.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(
            str(path), [Fault(file.name, None, None, "no such file", "a table of effects", "check the path")]
        )
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        header, records = list(reader.fieldnames or []), list(reader)
    faults = [
        Fault(file.name, 1, name, "an unknown column", f"only {', '.join(COLUMNS)}", "rename or remove it")
        for name in header
        if name not in COLUMNS
    ]
    faults += [
        Fault(file.name, 1, name, "no such column", f"a column {name!r}", "add it")
        for name in ("id", "edge_from", "edge_to", "design", "citation", "verified")
        if name not in header
    ]
    if faults:
        raise DataError(str(path), faults)
    found: list[Effect] = []
    seen: dict[str, int] = {}
    for row, record in enumerate(records, start=2):
        effect, wrong = _parsed(record, file.name, row)
        faults += wrong
        if record["id"] in seen:
            got = f"{record['id']!r}, already in row {seen[record['id']]}"
            faults.append(Fault(file.name, row, "id", got, "each id once", "remove or renumber one"))
        seen.setdefault(record["id"], row)
        if effect is not None:
            found.append(effect)
    if faults:
        raise DataError(str(path), faults)
    return found


def _parsed(record: dict[str, str], name: str, row: int) -> tuple[Effect | None, list[Fault]]:
    content: dict[str, Any] = {
        key: value.strip() for key, value in record.items() if key is not None and value is not None
    }
    content = {key: value for key, value in content.items() if value != ""}
    for flag in ("verified", "p_below"):
        if flag in content:
            content[flag] = {"yes": True, "no": False, "True": True, "False": False}.get(content[flag], content[flag])
    if content.get("edge_sign") in ("-1", "0", "1"):
        content["edge_sign"] = int(content["edge_sign"])
    try:
        return Effect.model_validate(content), []
    except ValidationError as error:
        return None, [_fault(wrong, name, row) for wrong in wrongs(error, content, Effect)]


_REMEDIES = {
    "doi": "write it as 10.1234/abc, without an address before it",
    "edge_from": "use a concept of the theory",
    "edge_to": "use a concept of the theory",
    "edge_sign": "compare the number with the coding of levels",
}


def _fault(wrong: Wrong, name: str, row: int) -> Fault:
    column, got, expected = wrong.place, wrong.got, wrong.expected
    if wrong.own and column == WHOLE:  # our own messages name their columns
        column, _, expected = expected.partition(": ")
        got = expected.split(";")[0]
    remedy = _REMEDIES.get(column.split(",")[0], "correct it against the source")
    return Fault(name, row, column, got, expected, remedy)


def evidence(
    path: str | Path | None = None, *, edge: tuple[str, str] | None = None, verified: bool = False
) -> pd.DataFrame:
    """Return the evidence table: what published studies say about each arrow of the theory.

    Parameters
    ----------
    path
        Own table of the same columns; default: the shipped one.
    edge
        (from, to); default: all.
    verified
        Only rows whose number or direction was read at the source.

    Returns
    -------
    pandas.DataFrame
        One row per effect, with the columns of :class:`Effect`.

    Raises
    ------
    DataError
        If an own table is unsound.
    """
    effects = _shipped() if path is None else read_effects(path)
    table = pd.DataFrame([effect.model_dump() for effect in effects], columns=list(COLUMNS))
    if edge is not None:
        table = table[(table["edge_from"] == edge[0]) & (table["edge_to"] == edge[1])]
    return (table[table["verified"]] if verified else table).reset_index(drop=True)


def add_effect(path: str | Path, **values: Any) -> Effect:  # noqa: ANN401 - the columns of an effect
    """Append one effect to a table; a new table is made with a header.

    Raises
    ------
    DataError
        If the effect is unsound, or its id is in the table already.
    """
    file = Path(path)
    record = {key: "" if value is None else str(value) for key, value in values.items()}
    effect, faults = _parsed({"id": "", **record}, file.name, 0)
    known = [other.id for other in read_effects(file)] if file.is_file() else []
    if effect is not None and effect.id in known:
        faults.append(Fault(file.name, None, "id", repr(effect.id), "an id that is not taken", "choose another"))
    if faults or effect is None:
        raise DataError(str(path), faults)
    lines = [] if file.is_file() else [list(COLUMNS)]
    lines.append([_text(value) for value in effect.model_dump().values()])
    with file.open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)
    return effect


def _text(value: Any) -> str:  # noqa: ANN401 - a cell
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def duplicates(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Refuse effects that are entered twice: the same in all of ``columns``.

    Raises
    ------
    EvidenceError
        Naming the rows (line numbers of the table, the header being 1).
    """
    twice = table[table.duplicated(list(columns), keep=False)]
    if len(twice):
        groups = twice.groupby(list(columns), sort=False, dropna=False).groups.values()
        rows = "; ".join(", ".join(str(int(index) + 2) for index in group) for group in groups)
        raise EvidenceError(f"{len(groups)} effects are entered more than once (rows {rows}); keep one of each")
