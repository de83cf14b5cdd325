"""The schema of ``study.yaml`` and the study as it lies in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from dyadloop.data.clock import TimeUnit
from dyadloop.data.sources import Source
from dyadloop.observation.kinds import Kind, kinds

ROLES = ("patient", "therapist", "partner", "peer", "other")
PHASES = ("before", "within", "after", "between")
LIMITS = ("below", "above")

PARTICIPANT_COLUMNS = ("participant_id", "dyad", "role")
SESSION_COLUMNS = ("dyad", "session", "start", "length_min")
SESSION_EXTRAS = ("events",)
MEASUREMENT_COLUMNS = ("dyad", "participant_id", "session", "time", "phase", "indicator", "value", "limit")

CALENDAR = ("time", "time_of_day", "weekend")
"""Covariates that follow from the times of a study and need no column."""

LINE = "_line"
"""Column of a record that holds its line in the file."""
LONGEST_DAYS = 1100.0
"""A longer course of a dyad is doubted [d]; study.yaml may declare another bound."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Indicator(_Record):
    """What one indicator measures, in whom and on which scale; kinds of observation add keys of their own."""

    quantity: str
    person: Literal["patient", "therapist", "partner", "peer", "other"]
    unit: str
    scale: tuple[float, float] | None = None
    transform: str = "none"
    reliability: Annotated[float, Field(gt=0, lt=1)] | None = None
    sd_within: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="raw points that count as one SD within persons; default: as found in the study"
    )
    recall_days: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="days that an answer is about; default: what the published form asks, else the moment"
    )
    use: bool = True
    reason: str = ""

    @model_validator(mode="after")
    def _scale_is_sound(self) -> "_Indicator":
        if self.scale is not None and self.scale[0] >= self.scale[1]:
            raise ValueError(f"scale must be [lowest, highest], got {list(self.scale)}")
        if self.transform == "log" and self.scale is not None and self.scale[0] <= 0:
            raise ValueError("a logarithm needs a scale above 0")
        if self.transform == "log" and self.sd_within is not None:
            raise ValueError("a logarithm keeps its unit; sd_within has no effect and must be absent")
        return self


@cache
def _with_keys(known: tuple[Kind, ...]) -> type[_Indicator]:
    """Return the schema of an indicator with the keys and transforms of some kinds of observation."""
    words = ("none", "log", *(word for kind in known for word in kind.transforms))
    transform: Any = Literal[words]
    bases: Any = (*(kind.keys for kind in known if kind.keys is not None), _Indicator)
    # a check or a key of one name would replace that of another kind without a word
    names = [name for base in bases for name in (*base.model_fields, *base.__pydantic_decorators__.model_validators)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"kinds of observation share the key or check {', '.join(twice)}; rename one of them")
    made: Any = create_model("Indicator", __base__=bases, __module__=__name__, transform=(transform, "none"))
    return made


if TYPE_CHECKING:

    class Indicator(_Indicator):
        """An indicator; its other attributes are the keys of the kinds of observation."""

        def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401

else:
    Indicator = _with_keys(kinds())


def measurement_extras() -> tuple[str, ...]:
    """Return the columns that measurements.tsv may have beyond those that it must."""
    return ("error", "plate", *(column for kind in kinds() for column in kind.columns))


class StudyPrior(_Record):
    """A prior that this study declares in place of the theory's, in the same unit, with its reason."""

    family: Literal["normal", "lognormal"]
    location: float
    scale: Annotated[float, Field(gt=0)]
    assumed: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _positive_median(self) -> "StudyPrior":
        if self.family == "lognormal" and self.location <= 0:
            raise ValueError(f"a lognormal prior needs a median > 0, got {self.location}")
        return self


class Covariate(_Record):
    """A number of each session or person on which the level of quantities may depend, such as the arm of a trial.

    Values are centred at their mean, over sessions or persons, and divided by ``per``. Three need no column: one of
    ``time`` is the number of days since the dyad's first moment, so that levels may follow a linear trend; one of
    ``time_of_day`` a course over the 24 hours, the same in all dyads, of ``harmonics`` waves; one of ``weekend`` says
    which moments lie on a Saturday or Sunday.
    """

    of: Literal["session", "patient", "therapist", "partner", "peer", "other", "time", "time_of_day", "weekend"] = (
        "session"
    )
    per: Annotated[float, Field(gt=0)] = 1.0
    harmonics: Annotated[int, Field(ge=1, le=4)] = Field(
        default=2, description="waves of a course over the day: of 24, 12, 8 and 6 hours"
    )
    on: tuple[str, ...] = Field(default=(), description="quantities whose level it may shift; default: all")
    reason: str = ""


class Times(_Record):
    """What times that are numbers mean, and how long the course of a dyad may be before it is doubted.

    ``first_day`` is the weekday of day 0 where times count from the study's own zero, which is taken for a midnight.
    """

    unit: TimeUnit = "days"
    longest_days: Annotated[float, Field(gt=0)] = LONGEST_DAYS
    first_day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None


class StudyInfo(_Record):
    """The content of ``study.yaml``."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^\w[\w .-]*$")]
    title: str
    licence: str
    source: str = ""
    attribution: str = ""
    simulated: bool
    theory: str = "framework"
    randomised: tuple[str, ...] = ()
    times: Times = Times()
    indicators: dict[str, Indicator]
    covariates: dict[str, Covariate] = {}
    shared_errors: Literal["auto", "none"] | tuple[tuple[str, ...], ...] = Field(
        default="auto",
        description="groups of indicators that are rated together, so that their errors may go together; auto: the "
        "answers of each person",
    )
    exchangeable: tuple[tuple[str, str], ...] = Field(
        default=(),
        description="pairs of indicators that measure the same in two partners whom nothing tells apart: their "
        "parameters are one, and which of the two is named first changes nothing",
    )
    measures: dict[str, Source] = {}
    priors: dict[str, StudyPrior] = {}

    @model_validator(mode="after")
    def _declared(self) -> "StudyInfo":
        unknown = sorted(set(self.measures) - set(self.indicators))
        if unknown:
            raise ValueError(f"measures: {', '.join(unknown)} is no indicator; declare it under indicators")
        groups = [] if isinstance(self.shared_errors, str) else self.shared_errors
        rated = [name for group in groups for name in group]
        if strange := sorted({name for name in rated if name not in self.indicators or rated.count(name) > 1}):
            raise ValueError(f"shared_errors: {', '.join(strange)} is no indicator, or is named twice")
        self._check_partners()
        known = {entry.quantity for entry in self.indicators.values()}
        for name, covariate in self.covariates.items():
            strange = sorted(set(covariate.on) - known)
            if strange:
                raise ValueError(f"covariates: {name} acts on {', '.join(strange)}, which no indicator measures")
            if not name.isidentifier() or name in (*PARTICIPANT_COLUMNS, *SESSION_COLUMNS, *SESSION_EXTRAS):
                raise ValueError(f"covariates: {name!r} cannot be the name of a column of numbers")
        return self

    def _check_partners(self) -> None:
        """Refuse partners whose indicators differ in more than their quantity."""
        named = [name for pair in self.exchangeable for name in pair]
        if strange := sorted({name for name in named if name not in self.indicators or named.count(name) > 1}):
            raise ValueError(f"exchangeable: {', '.join(strange)} is no indicator, or is named twice")
        for first, second in self.exchangeable:
            here, there = (self.indicators[name].model_dump(exclude={"quantity", "reason"}) for name in (first, second))
            differ = [key for key in here if here[key] != there[key]]
            if differ:
                raise ValueError(
                    f"exchangeable: {first} and {second} differ in {', '.join(differ)}; declare them alike"
                )

    def counterpart(self, name: str) -> str:
        """Return the indicator that measures the same in the other partner, empty where there is none."""
        swap = {name: other for pair in self.exchangeable for name, other in (pair, pair[::-1])}
        return swap.get(name, "")

    def covariates_of(self, *kinds: str) -> list[str]:
        """Return the covariates that sessions or persons of some roles have."""
        return [name for name, covariate in self.covariates.items() if covariate.of in kinds]


def study_schema() -> type[StudyInfo]:
    """Return the schema of ``study.yaml`` with the keys of all kinds of observation that are registered now."""
    return _study_schema(kinds())


@cache
def _study_schema(known: tuple[Kind, ...]) -> type[StudyInfo]:
    indicator = _with_keys(known)
    if indicator is Indicator:
        return StudyInfo
    indicators: Any = dict[str, indicator]
    return create_model("StudyInfo", __base__=StudyInfo, __module__=__name__, indicators=(indicators, ...))


@dataclass(frozen=True)
class Trace:
    """Where the rows of a study stand in its files, and what its clock was.

    Attributes
    ----------
    kind
        Clock of the study, such as ``days``; empty where it has no time.
    origin
        First time of each dyad [d], since 1970 or since the study's own zero.
    first, last
        First and last time of the study on that clock [d].
    lines
        Line of each row of ``participants``, ``sessions`` and ``measurements``, by file.
    empty
        Lines of measurements.tsv without a value.
    unplaced
        Lines of measurements.tsv of sessions that last, with neither a phase nor a time, by indicator.
    cut
        Files whose last row is not ended.
    """

    kind: str
    origin: dict[str, float]
    first: float
    last: float
    lines: dict[str, Sequence[int]]
    empty: tuple[int, ...] = ()
    unplaced: Mapping[str, Sequence[int]] = field(default_factory=dict)
    cut: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """A checked study folder.

    ``sessions`` has the columns dyad, session, start [d], end [d], events (dict) and one per covariate of sessions;
    ``participants`` has a column of numbers per covariate of persons; ``measurements`` has
    dyad, participant_id, role, session, time [d], indicator, value, limit, error (NaN where none is given), plate
    (empty where none is given) and the columns of kinds of observation. Times count from each dyad's first.

    Examples
    --------
    >>> study = dl.read_study("results/example-study")
    >>> len(study.dyads), len(study.sessions), sorted(study.measurements["indicator"].unique())
    (20, 320, ['alliance', 'depression', 'saliva_patient', 'saliva_therapist', 'trust'])
    """

    path: str
    info: StudyInfo
    participants: pd.DataFrame
    sessions: pd.DataFrame
    measurements: pd.DataFrame
    digest: str
    trace: Trace = field(repr=False)

    @property
    def dyads(self) -> list[str]:
        """Dyad ids in sorted order."""
        return sorted(self.participants["dyad"].unique())

    @property
    def therapists(self) -> list[str]:
        """Therapist of each dyad, in their order; empty where the column ``therapist`` names none."""
        named = self.participants.groupby("dyad")["therapist"].max()  # the others of a dyad may leave it empty
        return [str(name) for name in named[self.dyads]]
