"""What ``import.yaml`` may say: which column of which table is what. A question mark stands where it must be said."""

from collections.abc import Mapping as AnyMapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dyadloop.data.clock import TimeUnit
from dyadloop.data.schema import PARTICIPANT_COLUMNS

ASK = "?"
"""Stands in a mapping where nothing tells what to write."""

PARTICIPANT_RESERVED = (*PARTICIPANT_COLUMNS, "therapist")
"""Columns of participants.tsv that a mapping tells otherwise."""

Role = Literal["patient", "therapist", "partner", "peer", "other"]
Asked = Literal["?"]
Person = Literal["patient", "therapist", "partner", "peer", "other", "?"]


def _codes(value: object) -> object:
    """Return codes as texts, whether they were written as numbers, as one text with commas, or as ``none``."""
    if value is None or value == "none":
        return ()
    if isinstance(value, str) and value != ASK:
        return tuple(filter(None, (part.strip() for part in value.split(","))))
    entries = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(entry, bool) or not isinstance(entry, str | int | float) for entry in entries):
        return value
    texts = tuple(entry if isinstance(entry, str) else f"{entry:.15g}" for entry in entries)
    return ASK if texts == (ASK,) else texts


Codes = Annotated[tuple[str, ...], BeforeValidator(_codes)]
CodesOrAsked = Annotated[tuple[str, ...] | Asked, BeforeValidator(_codes)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Score(_Record):
    """One indicator: a column of scores, or the items of a questionnaire that is scored here."""

    column: str | None = None
    items: tuple[str, ...] = ()
    instrument: str | None = Field(default=None, description="id of a shipped questionnaire, or the path of its file")
    subscale: str = "total"
    turned: bool | None = Field(default=None, description="whether reversed items were turned in the file")
    indicator: str | None = Field(
        default=None, description="name of the indicator, where columns before and after the session are one measure"
    )
    person: Person = "patient"
    quantity: str
    unit: str = "points"
    scale: tuple[float, float] | None = Field(default=None, description="values outside are left out, and reported")
    reverse: bool = Field(default=False, description="turn a single item round: lowest and highest of its scale swap")
    transform: Literal["none", "log"] = "none"
    phase: Literal["before", "after", "?"] | None = Field(
        default=None, description="whether it was given before or after the session; without it, at the start"
    )
    recall_days: float | None = Field(default=None, gt=0, description="days that an answer is about, such as 14")
    reliability: float | None = None
    missing: CodesOrAsked = Field(default=(), description="codes of this column alone; -9..-1 is a range")
    limit: str | None = Field(default=None, description="column that says below or above, where a value is a limit")
    error: str | None = Field(default=None, description="column of the standard errors of the values")
    only: dict[str, str] = Field(
        default={}, description="rows that it is read from: column and entry, such as {indicator: phq9}"
    )
    use: bool = True
    reason: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> "Score":
        if (self.column is None) == (not self.items):
            raise ValueError("a score needs either `column` or `items`")
        if self.items and self.instrument is None:
            raise ValueError("`items` need an `instrument`, which says how they make a score")
        if self.items and (self.limit or self.error):
            raise ValueError("`limit` and `error` are for a single column; a questionnaire has errors of its own")
        if self.reverse and (self.items or self.scale is None):
            raise ValueError("`reverse` is for a single column with a `scale`; a questionnaire has its own key")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes that stand for no answer; none where that is open."""
        return () if self.missing == ASK else self.missing  # pyright: ignore[reportReturnType]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it is made of, that of its values first."""
        own = tuple(name for name in (self.column, self.limit, self.error) if name is not None)
        return (*(self.items or own), *self.only)


class CovariateColumn(_Record):
    """A covariate: a number of each session or of each person, from a column."""

    column: str
    of: Literal["session", "patient", "therapist", "partner", "peer", "other"] = "patient"
    per: float = 1.0
    on: tuple[str, ...] = ()
    reason: str = ""


class Table(_Record):
    """What the columns of one table are."""

    file: str
    sheet: str = ""
    format: str = "csv"
    settings: dict[str, Any] = Field(default={}, description="encoding, delimiter, header_row, fill_short_rows, sheet")
    holds: Literal["sessions", "persons", "nothing"] = Field(
        default="sessions", description="what a row is: a session (or its prompt), or a person"
    )
    wide: str | None = Field(
        default=None, description="pattern of columns that hold one session each, such as {name}_t{session}"
    )
    decimal: Literal[".", ",", "?"] = "."
    dates: Literal["dmy", "mdy", "ymd", "?"] = "ymd"
    missing: Codes = Field(default=(), description="words and codes that stand for no answer, in all columns")
    dyad: str
    person: str | None = None
    role: str | None = None
    roles: dict[str, Role | None] = Field(
        default={}, description="what the entries of `role` mean; null leaves rows out"
    )
    therapist: str | None = None
    session: str | None = None
    session_else: str | None = Field(default=None, description="column that names the session where `session` is empty")
    session_names: dict[str, str | None] = Field(
        default={}, description="other names of sessions; null leaves rows out"
    )
    date: str | None = None
    clock: str | None = Field(default=None, description="column of times of day beside `date`")
    day: str | None = Field(default=None, description="column of numbers of `unit` in place of dates")
    unit: TimeUnit = "days"
    every_days: float | Asked | None = Field(
        default=None, description="days from one session to the next, without dates"
    )
    length_min: float | str | None = Field(default=None, description="minutes of a session, or the column of them")
    moments: tuple[str, ...] = Field(default=(), description="sessions of length 0, such as a first assessment")
    scores: dict[str, Score] = {}
    persons: dict[str, str] = Field(default={}, description="further columns of participants.tsv, kept as they are")
    covariates: dict[str, CovariateColumn] = {}
    events: dict[str, str] = Field(default={}, description="events of sessions: name and column, a number or empty")
    left_out: dict[str, str] = Field(default={}, description="columns that are known and not taken, with the reason")


def _one_measure(scores: AnyMapping[str, Score]) -> None:
    """Refuse columns of one indicator that are not the same measure at another phase."""
    alike = ("quantity", "person", "unit", "scale", "transform", "recall_days")
    first: dict[str, list[str]] = {}
    for name, score in scores.items():
        first.setdefault(score.indicator or name, []).append(name)
    for indicator, names in first.items():
        parts = [scores[name] for name in names]
        if differ := [key for key in alike if any(getattr(p, key) != getattr(parts[0], key) for p in parts)]:
            raise ValueError(f"scores: {' and '.join(names)} are one indicator ({indicator}) and differ in {differ[0]}")
        phases = [part.phase for part in parts if part.phase != ASK]
        if len(set(phases)) < len(phases):
            raise ValueError(f"scores: {' and '.join(names)} are one indicator ({indicator}) and need a phase each")


class StudyPart(_Record):
    """What study.yaml says of the whole."""

    name: str
    title: str
    licence: str = "not stated"
    source: str = ""
    simulated: bool = False
    theory: str = "framework"
    randomised: tuple[str, ...] = ()
    trend_per_days: float | None = Field(default=None, description="a linear trend in time, per so many days")


class Mapping(_Record):
    """The content of import.yaml."""

    schema_version: Literal[1]
    study: StudyPart
    same_ids: dict[str, str] = Field(
        default={}, description="spellings of one dyad or person: what stands, what is meant"
    )
    twice: Literal["none", "first", "last", "mean"] = Field(
        default="none", description="which of several different values of one moment is taken, or their mean"
    )
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_once(self) -> "Mapping":
        for what in ("scores", "persons", "covariates"):
            names = [name for table in self.tables for name in getattr(table, what)]
            if twice := sorted({name for name in names if names.count(name) > 1 and what != "scores"}):
                raise ValueError(f"{what}: {', '.join(twice)} is named in two tables")
        for table in self.tables:
            _one_measure(table.scores)
        if reserved := sorted(
            {n for t in self.tables for n in (*t.persons, *t.covariates) if n in PARTICIPANT_RESERVED}
        ):
            raise ValueError(f"persons: {', '.join(reserved)} is a column of participants.tsv that is told elsewhere")
        return self


def unanswered(mapping: Mapping, reasons: AnyMapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Return what a mapping leaves open: where, and what has to be said.

    Parameters
    ----------
    mapping
        Mapping.
    reasons
        Why something is open, by its place, where that is known.
    """
    found = []
    lasting = any(table.holds == "sessions" and table.length_min not in (0, None) for table in mapping.tables)
    for number, table in enumerate(mapping.tables, start=1):
        if table.holds == "nothing":
            continue
        place = f"tables.{number}"
        if table.dyad == ASK:
            found.append((f"{place}.dyad", "the column that tells which dyad (patient, couple) a row is about"))
        if table.decimal == ASK:
            found.append((f"{place}.decimal", "the decimal mark: . or ,"))
        if table.dates == ASK:
            found.append((f"{place}.dates", "the order in dates: dmy, mdy or ymd"))
        for field, what in (
            ("date", "the column of dates (or null, and `every_days` or `day`)"),
            ("session", "the column of session numbers, or null"),
            ("every_days", "days from one session to the next, such as 7; or null beside a column of dates"),
            ("length_min", "minutes of a session, such as 50, or the column of them; 0 for a prompt"),
        ):
            if getattr(table, field) == ASK:
                found.append((f"{place}.{field}", what))
        for name, score in table.scores.items():
            if score.quantity == ASK:
                found.append((f"{place}.scores.{name}.quantity", "what it measures, such as trust or depression"))
            if score.person == ASK:
                found.append(
                    (f"{place}.scores.{name}.person", "who answers: patient, therapist, partner, peer or other")
                )
            if score.missing == ASK:
                where = f"{place}.scores.{name}.missing"
                why = (reasons or {}).get(where, "numbers apart from all others")
                found.append((where, f"{why}: write the codes for no answer, such as [-77], or none"))
            if score.phase == ASK and lasting:
                what = "before or after the session? (null where nobody knows; --set phase=after answers all of these)"
                found.append((f"{place}.scores.{name}.phase", what))
            if score.unit == ASK:
                found.append((f"{place}.scores.{name}.unit", "its unit, such as pg/ml or points"))
    return found
