"""The elements of a theory: variables, couplings, inputs, chance events, switches."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dyadloop.theory.forms import FORMS, JOINTS
from dyadloop.theory.numbers import Identifier, Quantity, Record, Role
from dyadloop.units import UnitError, days, per_day

Kind = Literal["oxytocin", "peripheral", "component", "symptom", "factor", "state"]


def _refuse(owner: str, faults: list[str]) -> None:
    if faults:
        raise ValueError("\n".join(f"{owner}.{fault}" for fault in faults))


def _needs_rate(unit: str) -> list[str]:
    try:
        per_day(1.0, unit)
    except UnitError as error:
        return [f"coefficient: {error}"]
    return []


class Shaped(Record):
    """A form of one source with its constants."""

    form: Identifier = "linear"
    constants: dict[Identifier, Quantity] = Field(default_factory=dict)

    def form_faults(self, source_unit: str | None) -> list[str]:
        """Return what is wrong with the constants, given the unit of the source where it is known."""
        if self.form not in FORMS:
            return [f"form {self.form!r} is not one of {', '.join(FORMS)}"]
        form = FORMS[self.form]
        if set(form.constants) != set(self.constants):
            return [
                f"constants are {sorted(self.constants)}; form {self.form!r} needs exactly {sorted(form.constants)}"
            ]
        faults = []
        for name, number in self.constants.items():
            unit = form.constants[name]
            if source_unit is not None and unit != "1":
                unit = source_unit if unit == "source" or source_unit == "1" else f"1/({source_unit})"
            known = unit if unit == "1" or source_unit is not None else None
            faults += number.needs(f"constants.{name}", known, positive=name in form.positive)
        return faults


class Variable(Record):
    """One quantity of the theory, for one or several persons.

    ``dynamics`` says what it is:

    - ``state``: x' = (level - x) / time_constant + arrows + noise. Without a level x is the deviation from the
      person's own mean; without a time constant nothing decays. With an ``activation`` form x follows it:
      x' = (level + activation(bias + gains) - x) / time_constant + rates.
    - ``definition``: x = level + arrows, or activation(bias + arrows), at every moment.
    - ``context``: x = level, a constant that differs between persons.

    ``link`` turns the state into the value that acts on others: itself, or the share 1 / (1 + exp(-x)).
    """

    id: Identifier
    kind: Kind
    label: str
    unit: str = Field(description="unit of the state; a state with a logistic link is in logits")
    persons: tuple[Role, ...]
    quantity: Identifier | None = Field(default=None, description="what a study's indicators call it; default: the id")
    dynamics: Literal["state", "definition", "context"] = "state"
    link: Literal["identity", "logistic"] = "identity"
    level: Quantity | None = Field(default=None, description="where the state rests without any arrow")
    time_constant: Quantity | None = None
    fluctuation: Quantity | None = Field(default=None, description="stationary sd within a person")
    between: Quantity | None = Field(default=None, description="sd of the person means, or levels")
    start: Quantity | None = Field(default=None, description="mean deviation from the level at the first time point")
    activation: Shaped | None = None
    bias: Quantity | None = Field(default=None, description="what enters the activation beside the arrows")
    lower: float | None = Field(default=None, description="floor that the state cannot pass")
    clamped: float | None = Field(default=None, description="value at which an intervention holds the state")
    group: Identifier | None = Field(default=None, description="switch that brings this variable in")
    made_of: tuple[Identifier, ...] = Field(
        default=(), description="states that it stands for, where it is a composite"
    )

    @property
    def measured_as(self) -> str:
        """Quantity that a study's indicators of this variable name."""
        return self.quantity or self.id

    @property
    def acting_unit(self) -> str:
        """Unit of the value that acts on other variables."""
        return "1" if self.link == "logistic" else self.unit

    @model_validator(mode="after")
    def _sound(self) -> "Variable":
        faults = []
        if self.time_constant is not None:
            try:
                days(1.0, self.time_constant.unit)
            except UnitError as error:
                faults.append(f"time_constant: {error}")
            faults += self.time_constant.needs("time_constant", positive=True)
        for name in ("fluctuation", "between"):
            if (number := getattr(self, name)) is not None:
                faults += number.needs(name, self.unit, positive=True)
        for name in ("level", "start"):
            if (number := getattr(self, name)) is not None:
                faults += number.needs(name, self.unit)
        if self.link == "logistic" and self.unit != "logit":
            faults.append(f"unit is {self.unit!r}; a state with a logistic link has the unit 'logit'")
        if not self.persons or len(set(self.persons)) != len(self.persons):
            faults.append(f"persons must name each role once, got {list(self.persons)}")
        faults += self._dynamics_faults()
        _refuse(self.id, faults)
        return self

    def _dynamics_faults(self) -> list[str]:
        faults = []
        if self.dynamics != "state":
            for name in ("time_constant", "fluctuation", "start", "lower", "clamped"):
                if getattr(self, name) is not None:
                    faults.append(f"{name} belongs to a state; a {self.dynamics} has no dynamics of its own")
        if self.dynamics == "definition" and self.between is not None:
            faults.append("between belongs to a state or a context; a definition follows from its arrows")
        if self.dynamics == "context" and (self.level is None or self.activation is not None):
            faults.append("level is needed, and no activation: a context is a constant")
        if self.fluctuation is not None and self.time_constant is None:
            faults.append("fluctuation needs a time_constant: without decay nothing is stationary")
        if self.activation is not None:
            faults += [f"activation.{fault}" for fault in self.activation.form_faults(None)]
            if self.dynamics == "state" and self.time_constant is None:
                faults.append("activation needs a time_constant")
        elif self.bias is not None:
            faults.append("bias needs an activation that it enters")
        return faults


class Term(Shaped):
    """One source of a coupling: a variable, how it acts, and whether as a deviation from where it rests."""

    source: Identifier = Field(alias="of")
    centred: bool = False


class Coupling(Shaped):
    """One arrow: ``from`` changes ``to``.

    A coefficient with unit ``1`` is a gain: the lasting change of the target per lasting unit of what acts. A
    coefficient with unit ``1/h`` (or another rate) is a push per hour. ``sign`` is -1 where a positive coefficient
    lowers the target (relief). ``centred`` takes the source as a deviation from where it rests. Several sources act
    through ``form: product`` or ``weakest_link``. ``transfer`` takes from the source what it gives to the target.
    """

    id: Identifier
    source: Identifier | tuple[Term, ...] = Field(alias="from")
    target: Identifier = Field(alias="to")
    gate: Literal["always", "session"]
    sign: Literal[1, -1] = 1
    coefficient: Quantity
    centred: bool = False
    transfer: bool = False
    group: Identifier | None = Field(default=None, description="switch that brings this arrow in")

    @property
    def terms(self) -> tuple[Term, ...]:
        """The sources, each with its form."""
        if isinstance(self.source, str):
            return (
                Term.model_construct(
                    source=self.source, form=self.form, constants=self.constants, centred=self.centred
                ),
            )
        return self.source

    @property
    def joint(self) -> str | None:
        """Name of the joint form of several sources, None for a single one."""
        return None if isinstance(self.source, str) else self.form

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources, in order."""
        return tuple(term.source for term in self.terms)

    @property
    def signs(self) -> dict[str, int]:
        """Whether each source raises (1) or lowers (-1) the target when the others are positive."""
        return {term.source: self.sign * (FORMS[term.form].shape.monotone or 1) for term in self.terms}

    @property
    def is_linear(self) -> bool:
        """Whether the arrow is linear in a single source."""
        return self.joint is None and self.form == "linear"

    def moderated(self, contexts: Collection[str]) -> bool:
        """Say whether this is the product of a source that acts linearly and of a context, which moderates it."""
        kinds = sorted(term.source in contexts for term in self.terms)
        return self.joint == "product" and kinds == [False, True] and all(term.form == "linear" for term in self.terms)

    @property
    def is_gain(self) -> bool:
        """Whether the coefficient is a gain rather than a rate."""
        return self.coefficient.unit == "1"

    @model_validator(mode="after")
    def _sound(self) -> "Coupling":
        faults = [] if self.is_gain else _needs_rate(self.coefficient.unit)
        if isinstance(self.source, str):
            if self.source == self.target:
                faults.append(f"from couples {self.source} to itself; its own decay is the time_constant")
            if self.form in JOINTS:
                faults.append(f"form {self.form!r} needs a list of several sources under `from`")
            else:
                faults += self.form_faults(None)
        else:
            faults += self._joint_faults()
        if self.transfer and (self.is_gain or not self.is_linear or self.centred):
            faults.append("transfer needs a linear arrow, not centred, whose coefficient is a rate such as 1/h")
        _refuse(self.id, faults)
        return self

    def _joint_faults(self) -> list[str]:
        faults = []
        if len(self.source) < 2 or self.form not in JOINTS:
            faults.append(f"form {self.form!r} with {len(self.source)} sources; several act by {', '.join(JOINTS)}")
        if self.constants or self.centred:
            faults.append("constants and centred belong to each source of a joint form")
        for term in self.terms:
            faults += [f"from.{term.source}.{fault}" for fault in term.form_faults(None)]
        if set(self.sources) == {self.target}:
            faults.append(f"from couples {self.target} to itself; its own decay is the time_constant")
        return faults


class Composite(Record):
    """A quantity that several states make up and that a study may measure in their place, such as the alliance."""

    id: Identifier
    label: str
    of: Annotated[tuple[Identifier, ...], Field(min_length=2, description="the states that make it up")]
    assumed: Annotated[str, Field(min_length=1, description="why these make it up")]


class Input(Record):
    """A push from outside: during every session, or a jump at the moment of an event."""

    id: Identifier
    target: Identifier = Field(alias="to")
    kind: Literal["session", "event"]
    person: Role | None = Field(default=None, description="the only person it acts on; default: every person")
    event: str | None = Field(default=None, description="name of the event in sessions.tsv")
    per: Annotated[float, Field(gt=0)] = Field(default=1.0, description="event amount that counts as one unit")
    coefficient: Quantity
    group: Identifier | None = Field(default=None, description="switch that brings this input in")

    @model_validator(mode="after")
    def _sound(self) -> "Input":
        if (self.kind == "event") != (self.event is not None):
            raise ValueError(f"{self.id}: an input of kind 'event' names its event, one of kind 'session' does not")
        return self


class Correlations(Record):
    """Correlations that no arrow explains: of person means, and of the noise of different variables.

    One parameter per pair of states, the Fisher z of the partial correlation given the states before it. Without
    them a coupling would have to explain why persons who score high on one scale score high on another.
    """

    between: Quantity
    noise: Quantity


class Ruptures(Record):
    """Ruptures that strike by chance at the start of a session, and their repair in a later one.

    Chance in a session: 1 - exp(-hazard exp(-protection x)), x the acting value of ``target``. A rupture lowers the
    state by ``depth``; each later session repairs it with ``repair_probability`` by (1 + overshoot) depth.
    """

    target: Identifier
    hazard: Quantity
    protection: Quantity
    depth: Quantity
    repair_probability: Quantity
    overshoot: Quantity
    group: Identifier | None = None


class Dropout(Record):
    """Dropping out by chance after a session: 1 - exp(-hazard exp(-protection x + burden y)) per session.

    x is the acting value of ``alliance``, y that of ``symptom``.
    """

    alliance: Identifier
    symptom: Identifier
    hazard: Quantity
    protection: Quantity
    burden: Quantity
    group: Identifier | None = None


class Switch(Record):
    """A part of a theory that is off unless it is switched on, or a hypothesis includes it."""

    id: Identifier
    title: str
