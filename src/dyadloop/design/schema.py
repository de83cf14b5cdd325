"""The schema of a design file: who is measured when with what, which events are given to whom, and what it costs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dyadloop.errors import UnitError
from dyadloop.units import duration

Phase = Literal["before", "within", "after", "between"]
Person = Literal["patient", "therapist"]
Share = Annotated[float, Field(ge=0, le=1)]
Cost = Annotated[float, Field(ge=0)]
Sessions = Literal["all"] | tuple[Annotated[int, Field(ge=1)], ...]
SCHEMA_VERSION = 1

ASSAY_ERROR = {"immunoassay_extracted": 0.25, "immunoassay_unextracted": 0.35, "mass_spectrometry": 0.15}
"""Error of one value on the log scale by class of assay, an assumption; duplicates divide it by the root of two."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionPlan(_Record):
    """How many sessions there are, how far apart and how long."""

    count: Annotated[int, Field(ge=1, le=500)]
    every: str = Field(default="7 d", description="distance of the starts of sessions, such as 7 d")
    length: str = Field(default="50 min", description="length of a session, such as 50 min")

    @property
    def every_days(self) -> float:
        """Distance of the starts of two sessions [d]."""
        return duration(self.every)

    @property
    def length_days(self) -> float:
        """Length of a session [d]."""
        return duration(self.length)

    @model_validator(mode="after")
    def _apart(self) -> "SessionPlan":
        try:
            if self.every_days <= self.length_days or self.length_days <= 0:
                raise ValueError(f"a session of {self.length} every {self.every} leaves no time between sessions")
        except UnitError as error:
            raise ValueError(str(error)) from None
        return self


class Assay(_Record):
    """How samples are analysed."""

    method: Literal["immunoassay_extracted", "immunoassay_unextracted", "mass_spectrometry"]
    duplicates: bool = True
    error: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="error of one value on the log scale; default: that of the class of the assay"
    )
    limit_pg_ml: Annotated[float, Field(gt=0)] | None = Field(default=None, description="detection limit [pg/ml]")
    typical_pg_ml: Annotated[float, Field(gt=0)] = Field(default=6.0, description="median of all samples [pg/ml]")
    plates: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="number of plates, filled dyad by dyad; default: differences of plates play no role"
    )

    @property
    def error_sd(self) -> float:
        """Error of a value on the log scale [log ratio]."""
        single = ASSAY_ERROR[self.method] if self.error is None else self.error
        return single / 2**0.5 if self.duplicates else single


class Measure(_Record):
    """One indicator: what it measures, in whom, and when."""

    quantity: str
    person: Person = "patient"
    when: Phase | tuple[Phase, ...] = "after"
    sessions: Sessions = Field(default="all", description="sessions with this indicator; for between: those before it")
    per_interval: Annotated[int, Field(ge=1, le=200)] = Field(
        default=1, description="prompts between two sessions, at equal distances"
    )
    reliability: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="share of the variance within persons that is true change; default: half, estimated"
    )
    scale: tuple[float, float] | None = None
    step: Annotated[float, Field(gt=0)] | None = None
    sd_within: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="SD within persons [points of the scale]"
    )
    assay: Assay | None = None
    spoilt_by: tuple[str, ...] = Field(
        default=(), description="events after which a sample of the same session tells nothing, such as a nasal dose"
    )

    @property
    def phases(self) -> tuple[Phase, ...]:
        """When it is measured, as a list."""
        return (self.when,) if isinstance(self.when, str) else self.when

    @property
    def is_sample(self) -> bool:
        """Whether it is analysed in a laboratory."""
        return self.assay is not None

    @model_validator(mode="after")
    def _sound(self) -> "Measure":
        faults = []
        if self.quantity == "oxytocin" and self.assay is None:
            faults.append("oxytocin needs an assay, such as assay: {method: immunoassay_extracted}")
        if self.assay is not None and (self.reliability or self.step or self.scale):
            faults.append("a sample has an assay, and no reliability, scale or step")
        if self.step is not None and self.sd_within is None:
            faults.append("a step needs sd_within, the SD within persons in points")
        if self.scale is not None and self.scale[0] >= self.scale[1]:
            faults.append(f"scale [{self.scale[0]:g}, {self.scale[1]:g}] goes down; give the lowest value first")
        if len(set(self.phases)) < len(self.phases) or not self.phases:
            faults.append("when names each moment once, and at least one")
        if self.per_interval > 1 and "between" not in self.phases:
            faults.append("per_interval counts prompts between sessions; it needs when: between")
        if faults:
            raise ValueError("\n".join(faults))
        return self


class Given(_Record):
    """An event of the theory that the study brings about, such as a dose or work on a component."""

    amount: Annotated[float, Field(gt=0)] = 1.0
    sessions: Sessions = Field(default="all", description="sessions in which it may be given")
    by: Literal["session", "dyad"] = Field(
        default="session", description="whether each dyad has it in some sessions, or some dyads in all of them"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(default=0.5, description="share of sessions, or of dyads")
    randomised: bool = True

    @model_validator(mode="after")
    def _contrast(self) -> "Given":
        if self.randomised and self.share == 1:
            raise ValueError("what everybody has in all sessions is not randomised; set randomised: false or a share")
        return self


class Missing(_Record):
    """What is lost."""

    values: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.0, description="share of values lost by chance")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="share of dyads that end before the last session"
    )
    dropout_alliance: float = Field(
        default=0.0, description="log hazard of dropping out per SD by which the last rated alliance is lower"
    )


class Costs(_Record):
    """What the study costs."""

    currency: str = "EUR"
    fixed: Cost = 0.0
    per_dyad: Cost = 0.0
    per_session: Cost = 0.0
    per_sample: Cost = 0.0
    per_event: dict[str, Cost] = {}


class Analysis(_Record):
    """How the study will be analysed."""

    theory: str = "framework"
    hypothesis: str = Field(default="", description="hypothesis that is fitted; default: as dyadloop run chooses it")
    priors: Literal["sceptical", "evidence", "flat"] = "sceptical"


class Design(_Record):
    """The content of a design file."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^\w[\w .-]*$")]
    title: str
    source: str = Field(default="", description="DOI of the published design; empty for one of our own")
    assumed: tuple[str, ...] = Field(default=(), description="what the source does not tell, in words")
    question: str = ""
    dyads: Annotated[int, Field(ge=2, le=5000)]
    therapists: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="therapists, with about equally many dyads each; default: one of its own for each"
    )
    sessions: SessionPlan
    measures: Annotated[dict[str, Measure], Field(min_length=1)]
    events: dict[str, Given] = {}
    missing: Missing = Missing()
    costs: Costs = Costs()
    analysis: Analysis = Analysis()

    def of_sessions(self, chosen: Sessions) -> tuple[int, ...]:
        """Return sessions by number."""
        return tuple(range(1, self.sessions.count + 1)) if chosen == "all" else tuple(sorted(set(chosen)))

    @property
    def randomised(self) -> tuple[str, ...]:
        """Events whose place is drawn at random."""
        return tuple(name for name, given in self.events.items() if given.randomised)
