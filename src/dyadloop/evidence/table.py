"""The evidence table: published effects as rows, each checked, each with where it was seen."""

import csv
import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dyadloop.data import read_records
from dyadloop.data.wording import WHOLE, Wrong, wrongs
from dyadloop.errors import DataError, EvidenceError, Fault
from dyadloop.evidence.contradictions import contradictions

CONCEPTS = (
    "oxytocin", "attachment", "empathy", "synchrony", "trust", "support",
    "alliance", "outcome", "depression", "stress", "fear",
)  # fmt: skip
"""Ends of an edge. Attachment is security, outcome is improvement, depression, stress and fear are symptom levels."""
METRICS = ("r", "d", "g", "OR", "F", "beta", "b", "null", "other")
DESIGNS = ("meta-analysis", "RCT", "observational", "systematic review", "registered replication", "animal")

_LARGEST = 1e12
Number = Annotated[float, Field(allow_inf_nan=False, ge=-_LARGEST, le=_LARGEST)]


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
    n_participants: Annotated[int, Field(ge=1, le=10**10)] | None = None
    k_studies: Annotated[int, Field(ge=1, le=10**6)] | None = None
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
        found = contradictions(self.model_dump())
        if found:
            raise ValueError("\n".join(found))
        return self


COLUMNS = tuple(Effect.model_fields)
_NUMBERS = dict.fromkeys(("estimate", "ci_low", "ci_high", "se", "n_participants", "k_studies", "p_value"), float)
REQUIRED = ("id", "edge_from", "edge_to", "design", "citation", "verified")
"""Columns that every table has."""


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
    records = read_records(file, REQUIRED, allowed=COLUMNS).to_dict("records")
    faults: list[Fault] = []
    found: list[Effect] = []
    seen: dict[str, int] = {}
    for row, record in enumerate(records, start=2):
        effect, wrong = _parsed({str(name): value for name, value in record.items()}, file.name, row)
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


def _parsed(record: dict[str, str], name: str, row: int | None) -> tuple[Effect | None, list[Fault]]:
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
        return None, [fault for wrong in wrongs(error, content, Effect) for fault in _faults(wrong, name, row)]


_REMEDIES = {
    "doi": "write it as 10.1234/abc, without an address before it",
    "edge_from": "use a concept of the theory",
    "edge_to": "use a concept of the theory",
}
_SOURCE = "correct it against the source"


def _faults(wrong: Wrong, name: str, row: int | None) -> list[Fault]:
    if not (wrong.own and wrong.place == WHOLE):
        return [Fault(name, row, wrong.place, wrong.got, wrong.expected, _REMEDIES.get(wrong.place, _SOURCE))]
    found = []
    for line in wrong.expected.split("\n"):  # our own messages name their columns
        column, _, rest = line.partition(": ")
        got, expected, remedy = (*rest.split("; ", 2), _SOURCE)[:3]
        found.append(Fault(name, row, column, got, expected, remedy))
    return found


def published_effects(
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
        One row per effect, with the columns of :class:`Effect`; missing numbers are NaN, missing texts empty.

    Raises
    ------
    DataError
        If an own table is unsound.

    Examples
    --------
    >>> rows = dl.published_effects(edge=("oxytocin", "trust"), verified=True)
    >>> len(rows), rows["id"].tolist()[:3]
    (5, ['OT-TRU-01', 'OT-TRU-02', 'OT-TRU-04'])
    """
    effects = _shipped() if path is None else read_effects(path)
    table = pd.DataFrame([effect.model_dump() for effect in effects], columns=list(COLUMNS)).astype(_NUMBERS)
    table["metric"] = table["metric"].fillna("").astype(object)
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
    effect, faults = _parsed({"id": "", **record}, f"{file.name}, the new row", None)
    known = [other.id for other in read_effects(file)] if file.is_file() else []
    if effect is not None and effect.id in known:
        faults.append(Fault(file.name, None, "id", repr(effect.id), "an id that is not taken", "choose another"))
    if faults or effect is None:
        raise DataError(str(path), faults)
    cells = {column: _text(value) for column, value in effect.model_dump().items()}
    records = [] if not file.is_file() else read_records(file, REQUIRED).to_dict("records")
    header = list(COLUMNS) if not records else [str(name) for name in records[0]]
    header += [column for column, text in cells.items() if text and column not in header]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*records, cells])  # pyright: ignore[reportArgumentType] - texts by column
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
