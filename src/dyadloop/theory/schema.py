"""The schema of a theory file: what a person writes, checked on reading.

Every number says where it comes from: ``evidence`` ids or ``assumed`` with a reason.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dyadloop.units import days, per_day

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Role = Literal["patient", "therapist", "dyad"]


class Record(BaseModel):
    """Frozen record that rejects keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Prior(Record):
    """Prior distribution of one parameter, in the parameter's own unit.

    ``lognormal`` takes the median as ``location`` and the sd of the logarithm as ``scale``.
    """

    family: Literal["normal", "lognormal"]
    location: float
    scale: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _positive_median(self) -> "Prior":
        if self.family == "lognormal" and self.location <= 0:
            raise ValueError(f"a lognormal prior needs a median > 0, got {self.location}")
        return self


class Quantity(Record):
    """A number with its unit, its prior and its source."""

    value: float
    unit: str
    prior: Prior
    evidence: tuple[str, ...] = ()
    assumed: str = ""

    @model_validator(mode="after")
    def _has_source(self) -> "Quantity":
        if not self.evidence and not self.assumed:
            raise ValueError("a number needs a source: list `evidence` ids or say why it is `assumed`")
        return self

    @property
    def source(self) -> str:
        """The assumption in words and the evidence ids, whichever there are."""
        parts = [f"assumed: {self.assumed}"] if self.assumed else []
        return "; ".join([*parts, *([f"evidence: {', '.join(self.evidence)}"] if self.evidence else [])])


class Variable(Record):
    """One quantity of the theory, for one or several persons.

    Its own dynamics: x' = -x / time_constant + noise, in deviations from the person's mean.
    """

    id: Identifier
    kind: Literal["oxytocin", "component", "symptom"]
    label: str
    unit: str
    persons: tuple[Role, ...]
    time_constant: Quantity
    fluctuation: Quantity = Field(description="stationary sd within a person")
    between: Quantity = Field(description="sd of the person means")
    start: Quantity | None = Field(default=None, description="mean deviation at the first time point")

    @model_validator(mode="after")
    def _sound(self) -> "Variable":
        days(1.0, self.time_constant.unit)
        for name in ("time_constant", "fluctuation", "between"):
            if getattr(self, name).prior.family != "lognormal" or getattr(self, name).value <= 0:
                raise ValueError(f"{self.id}.{name} must be positive with a lognormal prior")
        if not self.persons or len(set(self.persons)) != len(self.persons):
            raise ValueError(f"{self.id}.persons must name each role once, got {list(self.persons)}")
        return self


class Coupling(Record):
    """One arrow: ``source`` changes ``target``.

    A coefficient with unit ``1`` is a gain: the lasting change of the target per lasting unit of the source.
    A coefficient with unit ``1/h`` (or another rate) is a push per hour. ``sign`` is -1 where a positive
    coefficient lowers the target (relief).
    """

    id: Identifier
    source: Identifier = Field(alias="from")
    target: Identifier = Field(alias="to")
    gate: Literal["always", "session"]
    form: Literal["linear"]
    sign: Literal[1, -1] = 1
    coefficient: Quantity

    @property
    def is_gain(self) -> bool:
        """Whether the coefficient is a gain rather than a rate."""
        return self.coefficient.unit == "1"

    @model_validator(mode="after")
    def _sound(self) -> "Coupling":
        if self.source == self.target:
            raise ValueError(f"{self.id} couples {self.source} to itself; its own decay is the time_constant")
        if not self.is_gain:
            per_day(1.0, self.coefficient.unit)
        return self


class Input(Record):
    """A push from outside: during every session, or a jump at the start of a session with an event."""

    id: Identifier
    target: Identifier = Field(alias="to")
    kind: Literal["session", "event"]
    person: Role | None = Field(default=None, description="the only person it acts on; default: every person")
    event: str | None = Field(default=None, description="name of the event in sessions.tsv")
    per: Annotated[float, Field(gt=0)] = Field(default=1.0, description="event amount that counts as one unit")
    coefficient: Quantity

    @model_validator(mode="after")
    def _sound(self) -> "Input":
        if (self.kind == "event") != (self.event is not None):
            raise ValueError(f"{self.id}: an input of kind 'event' names its event, one of kind 'session' does not")
        return self


class Protocol(Record):
    """Default calendar of sessions."""

    sessions: Annotated[int, Field(ge=1)]
    every_days: Annotated[float, Field(gt=0)]
    length_minutes: Annotated[float, Field(gt=0)]


class Correlations(Record):
    """Correlations that no arrow explains: of person means, and of the noise of different variables.

    One parameter per pair of states, the Fisher z of the partial correlation given the states before it. Without
    them a coupling would have to explain why persons who score high on one scale score high on another.
    """

    between: Quantity
    noise: Quantity


class Hypothesis(Record):
    """A named restriction: the couplings whose ids match ``without`` are absent."""

    id: Annotated[str, Field(pattern=r"^M\d+(\+M\d+)?$")]
    name: Identifier
    title: str
    without: tuple[str, ...]


class Rope(Record):
    """Region of practical equivalence, declared before any data are seen; no ``low`` means unbounded below."""

    low: float | None
    high: float
    assumed: str

    @model_validator(mode="after")
    def _ordered(self) -> "Rope":
        if self.low is not None and self.low > self.high:
            raise ValueError(f"ROPE low {self.low} is above high {self.high}")
        return self


class Claim(Record):
    """One claim of the paper and how it is judged.

    ``for_each`` repeats the claim for every variable of a kind; ``{id}`` and ``{label}`` are replaced.
    ``pushes`` names the quantities that an experiment must move before a positive finding can support the claim.
    """

    id: str
    statement: str
    estimand: Identifier
    formula: str
    unit: str
    rope: Rope
    for_each: Literal["component", "symptom"] | None = None
    pushes: tuple[str, ...] = ()


class Theory(Record):
    """A theory: variables, couplings, inputs, protocol, rivals and claims."""

    schema_version: Literal[1]
    id: Identifier
    title: str
    source: str
    hypothesis: str | None = None
    variables: tuple[Variable, ...]
    couplings: tuple[Coupling, ...]
    inputs: tuple[Input, ...] = ()
    correlations: Correlations
    protocol: Protocol
    hypotheses: tuple[Hypothesis, ...] = ()
    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Theory":
        known = {variable.id for variable in self.variables}
        ids = [*(v.id for v in self.variables), *(c.id for c in self.couplings), *(i.id for i in self.inputs)]
        problems = [f"id {name!r} is used twice" for name in sorted({n for n in ids if ids.count(n) > 1})]
        ends = [(c.id, end) for c in self.couplings for end in (c.source, c.target)]
        ends += [(i.id, i.target) for i in self.inputs]
        problems += [
            f"{owner} names the variable {end!r}, which does not exist; known: {', '.join(sorted(known))}"
            for owner, end in ends
            if end not in known
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def variable(self, name: str) -> Variable:
        """Return the variable with this id."""
        return next(variable for variable in self.variables if variable.id == name)

    def of_kind(self, kind: str) -> tuple[Variable, ...]:
        """Return the variables of one kind, in file order."""
        return tuple(variable for variable in self.variables if variable.kind == kind)
