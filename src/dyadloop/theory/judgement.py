"""Hypotheses and claims: what a theory is compared with and how it is judged."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dyadloop.theory.numbers import Identifier, Record


class Hypothesis(Record):
    """A named restriction: couplings whose ids match ``without`` are absent, the switches in ``including`` are on."""

    id: Annotated[str, Field(pattern=r"^M\d+(\+M\d+)?$")]
    name: Identifier
    title: str
    without: tuple[str, ...] = ()
    including: tuple[Identifier, ...] = ()


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
    ``randomised_on`` names the quantities that an experiment must move before a positive finding can support the claim.
    """

    id: str
    statement: str
    estimand: Identifier
    formula: str
    unit: str
    rope: Rope
    for_each: Literal["component", "symptom"] | None = None
    randomised_on: tuple[str, ...] = ()
