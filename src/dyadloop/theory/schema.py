"""The schema of a theory file: what a person writes, checked on reading.

Every number says where it comes from: ``evidence`` ids or ``assumed`` with a reason.
"""

from typing import Literal

from pydantic import model_validator

from dyadloop.theory.calendar import Protocol
from dyadloop.theory.consistency import Parts, faults
from dyadloop.theory.elements import Composite, Correlations, Coupling, Dropout, Input, Ruptures, Switch, Variable
from dyadloop.theory.judgement import Claim, Hypothesis
from dyadloop.theory.numbers import Identifier, Record


class Theory(Record):
    """A theory: variables, couplings, inputs, chance events, protocol, switches, rivals and claims.

    ``varies`` names parameters that differ between dyads in a fit, such as ``w_trust`` or ``tau_trust``, and
    ``varies_by_therapist`` those that differ between therapists. ``excluded`` holds the couplings that the hypothesis
    sets to zero: randomised events are asked about them all the same. ``reduced`` says that variables were taken away,
    so that claims and rivals may speak of what is gone.

    Examples
    --------
    >>> theory = dl.framework()
    >>> theory.id, len(theory.variables), len(theory.active().couplings), theory.linear_form
    ('framework', 18, 50, 'framework_linear')
    """

    schema_version: Literal[1]
    id: Identifier
    title: str
    source: str
    explanation: str = ""
    linear_form: Identifier | None = None
    hypothesis: str | None = None
    reduced: bool = False
    switched_on: tuple[Identifier, ...] = ()
    varies: tuple[str, ...] = ()
    varies_by_therapist: tuple[str, ...] = ()
    variables: tuple[Variable, ...]
    couplings: tuple[Coupling, ...]
    excluded: tuple[Coupling, ...] = ()
    inputs: tuple[Input, ...] = ()
    ruptures: Ruptures | None = None
    dropout: Dropout | None = None
    correlations: Correlations | None = None
    composites: tuple[Composite, ...] = ()
    protocol: Protocol | None = None
    switches: tuple[Switch, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Theory":
        chances = tuple(chance for chance in (self.ruptures, self.dropout) if chance is not None)
        parts = Parts(
            self.variables, self.couplings, self.inputs, chances, self.switches, self.hypotheses,
            composites=self.composites,
        )  # fmt: skip
        if problems := faults(parts):
            raise ValueError("\n".join(problems))
        return self

    def variable(self, name: str) -> Variable:
        """Return the variable with this id."""
        return next(variable for variable in self.variables if variable.id == name)

    def of_kind(self, kind: str) -> tuple[Variable, ...]:
        """Return the variables of one kind, in file order."""
        return tuple(variable for variable in self.variables if variable.kind == kind)

    @property
    def nonlinear(self) -> list[str]:
        """What keeps this theory from being linear in deviations from the person's own mean, in words."""
        bent = [f"{c.id} ({c.joint or c.form})" for c in self.couplings if not c.is_linear]
        return list(dict.fromkeys([*bent, *self.unfit]))

    @property
    def unfit(self) -> list[str]:
        """What keeps this theory from being fitted, in words: it must be stated in deviations from the own mean."""
        contexts = {variable.id for variable in self.variables if variable.dynamics == "context"}
        found = [
            f"{c.id} (not centred)"
            for c in self.couplings
            if any(not t.centred for t in c.terms if t.source not in contexts)
        ]
        found += [f"{c.id} (transfer)" for c in self.couplings if c.transfer]
        found += [
            f"{c.id} (context)" for c in self.couplings if contexts & set(c.sources) and not c.moderated(contexts)
        ]
        for variable in self.variables:
            # nobody measures a factor, so its mean has no meaning
            needed = ("time_constant", "fluctuation") + (() if variable.kind == "factor" else ("between",))
            missing = [name for name in needed if getattr(variable, name) is None]
            if variable.dynamics == "context":
                continue
            if variable.dynamics != "state" or variable.link != "identity" or variable.activation or missing:
                why = variable.dynamics if variable.dynamics != "state" else f"no {missing[0]}" if missing else "link"
                found.append(f"{variable.id} ({why})")
        found += [name for name in ("ruptures", "dropout") if getattr(self, name) is not None]
        return (
            found
            if self.correlations is not None
            else [*found, "no correlations (add a block `correlations:` with `between` and `noise`)"]
        )

    def active(self) -> "Theory":
        """Return the theory without what is switched off."""

        def on(entry: Variable | Coupling | Input | Ruptures | Dropout | None) -> bool:
            return entry is not None and (entry.group is None or entry.group in self.switched_on)

        variables = tuple(entry for entry in self.variables if on(entry))
        names = {variable.id for variable in variables}
        return self.model_copy(
            update={
                "variables": variables,
                "couplings": tuple(c for c in self.couplings if on(c) and {*c.sources, c.target} <= names),
                "inputs": tuple(entry for entry in self.inputs if on(entry) and entry.target in names),
                "ruptures": self.ruptures if on(self.ruptures) else None,
                "dropout": self.dropout if on(self.dropout) else None,
            }
        )
