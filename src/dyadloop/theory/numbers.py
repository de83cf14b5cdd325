"""Numbers of a theory file: each with its unit, its prior and where it comes from."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Role = Literal["patient", "therapist", "dyad"]
PARTNERS = ("patient", "therapist", "partner")
"""Roles of those whose view of a dyad measures what the dyad has."""


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
    """A number with its unit and its source; without a ``prior`` it is a fixed number of a published model.

    ``evidence`` lists ids of the evidence table, or ``doi:...`` and ``pmid:...`` of the paper it was taken from.
    """

    value: float
    unit: str
    prior: Prior | None = None
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

    def needs(self, name: str, unit: str | None = None, *, positive: bool = False) -> list[str]:
        """Return what is wrong with this number as ``name``: its unit, or that it must be positive."""
        wrong = []
        if unit is not None and self.unit != unit:
            wrong.append(f"{name} has the unit {self.unit!r}; expected {unit!r}")
        if positive and (self.value <= 0 or (self.prior is not None and self.prior.family != "lognormal")):
            wrong.append(f"{name} is {self.value:g}; it must be positive, and so must its prior (lognormal)")
        return wrong
