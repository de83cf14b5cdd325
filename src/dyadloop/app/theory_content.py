"""What a page shows of a theory: variables, arrows with equation, prior and evidence, equations, claims, sliders."""

import math
import re
from functools import lru_cache
from typing import Any

from dyadloop.evidence import published_effects
from dyadloop.theory import Claim, Coupling, Quantity, Theory, Variable, read_theory
from dyadloop.theory.equations import arrow_effects, equations
from dyadloop.theory.listing import rows
from dyadloop.theory.nodes import coupling_numbers, nodes_of

_GREEK = {"tau": "τ", "gamma": "γ", "kappa": "κ", "rho": "ρ"}
_POWER = re.compile(r"\*\*")


def described(theory: Theory) -> dict[str, Any]:
    """Return all that the pages show of a theory; what is switched off is left out."""
    active = theory.active()
    written = _written(theory.model_dump_json(by_alias=True))
    return {
        "id": theory.id,
        "title": theory.title,
        "source": theory.source,
        "explanation": theory.explanation,
        "hypothesis": theory.hypothesis,
        "variables": [_variable(variable) for variable in active.variables],
        "nodes": [
            {"id": node.id, "variable": node.variable.id, "label": node.variable.label, "kind": node.variable.kind}
            | {"person": node.person, "dynamics": dynamics, "unit": node.variable.acting_unit}
            for dynamics in ("state", "definition")
            for node in nodes_of(active, dynamics)
        ],
        "arrows": [_arrow(coupling, written["arrows"].get(coupling.id, "")) for coupling in active.couplings],
        "equations": written["equations"],
        "hypotheses": [{"id": h.id, "name": h.name, "title": h.title} for h in theory.hypotheses],
        "switches": [{"id": s.id, "title": s.title, "on": s.id in theory.switched_on} for s in theory.switches],
        "claims": [_claim(claim) for claim in _claims(theory)],
        "parameters": parameters(theory),
        "events": [
            {"event": entry.event, "target": entry.target, "unit": entry.coefficient.unit, "per": entry.per}
            for entry in active.inputs
            if entry.kind == "event"
        ],
        "protocol": theory.protocol.model_dump() if theory.protocol else None,
    }


def _claims(theory: Theory) -> tuple[Claim, ...]:
    """Return the claims of a theory, which may stand in the linear form that is fitted."""
    return theory.claims if theory.claims or theory.linear_form is None else read_theory(theory.linear_form).claims


def _claim(claim: Claim) -> dict[str, Any]:
    letter = "m" if claim.for_each == "symptom" else "k"

    def told(text: str) -> str:
        return text.replace("{label}", f"each {claim.for_each}").replace("{id}", letter)

    statement = told(claim.statement)

    return {
        "id": told(claim.id),
        "statement": statement[:1].upper() + statement[1:],
        "estimand": f"{claim.estimand.replace('_', ' ')}: {told(claim.formula)}",
        "unit": claim.unit,
        "rope": [claim.rope.low, claim.rope.high],
        "assumed": claim.rope.assumed,
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "id": variable.id,
        "label": variable.label,
        "kind": variable.kind,
        "dynamics": variable.dynamics,
        "unit": variable.unit,
        "acting_unit": variable.acting_unit,
        "persons": variable.persons,
        "time_constant": _number(variable.time_constant),
    }


def _arrow(coupling: Coupling, equation: str) -> dict[str, Any]:
    return {
        "id": coupling.id,
        "sources": coupling.sources,
        "target": coupling.target,
        "signs": [coupling.signs[source] for source in coupling.sources],
        "gate": coupling.gate,
        "form": coupling.joint or coupling.form,
        "number": _number(coupling.coefficient),
        "equation": equation,
    }


def _number(quantity: Quantity | None) -> dict[str, Any] | None:
    """Return a number with its prior and the rows of the evidence table it rests on."""
    if quantity is None:
        return None
    return {
        "value": quantity.value,
        "unit": quantity.unit,
        "prior": quantity.prior.model_dump() if quantity.prior else None,
        "assumed": quantity.assumed,
        "evidence": [_evidence(name) for name in quantity.evidence],
    }


def _evidence(name: str) -> dict[str, Any]:
    if ":" in name:
        kind, _, number = name.partition(":")
        return {"id": name, "doi": number if kind == "doi" else "", "citation": "", "estimate": None}
    row = _effects().get(name)
    if row is None:
        return {"id": name, "doi": "", "citation": "not in the evidence table", "estimate": None}
    return {
        key: row[key] for key in ("id", "doi", "citation", "design", "metric", "estimate", "n_participants", "seen")
    }


@lru_cache(1)
def _effects() -> dict[str, dict[str, Any]]:
    return {
        str(row["id"]): {str(key): value for key, value in row.items()}
        for row in published_effects().to_dict(orient="records")
    }


def parameters(theory: Theory) -> list[dict[str, Any]]:
    """Return what can be moved by a slider: each number of the theory with unit, range and meaning."""
    active = theory.active()
    known = {row["element"]: row["meaning"] for row in rows(active)}
    found: dict[str, tuple[str, Quantity]] = {}
    for variable in active.variables:
        for name in ("time_constant", "level", "bias", "fluctuation", "between", "start"):
            if (number := getattr(variable, name)) is not None:
                short = {"time_constant": "tau", "fluctuation": "sd"}.get(name, name)
                found[f"{short}_{variable.id}"] = (_GROUPS[name], number)
    for coupling in active.couplings:
        for name, number in coupling_numbers(coupling).items():
            found[name] = ("coefficients" if name == coupling.id else "constants of forms", number)
    for entry in active.inputs:
        found[entry.id] = ("inputs", entry.coefficient)
    return [
        {"id": name, "group": group, "meaning": known.get(name, name), "value": number.value, "unit": number.unit}
        | dict(zip(("low", "high", "step"), _range(name, number), strict=True))
        for name, (group, number) in found.items()
    ]


_GROUPS = {
    "time_constant": "time constants",
    "level": "levels",
    "bias": "levels",
    "fluctuation": "noise",
    "between": "differences between dyads",
    "start": "starts",
}


def _range(name: str, number: Quantity) -> tuple[float, float, float]:
    """Return the range of a slider: what its prior holds possible, the number of the file and 0 included."""
    value, prior = number.value, number.prior
    if prior is not None and prior.family == "lognormal":
        low, high = prior.location / math.exp(2.5 * prior.scale), prior.location * math.exp(2.5 * prior.scale)
    elif prior is not None:
        low, high = prior.location - 2.5 * prior.scale, prior.location + 2.5 * prior.scale
    else:
        low, high = (value / 5, value * 5) if value > 0 else (min(5 * value, -1.0), max(-5 * value, 1.0))
    is_positive = name.startswith(("tau_", "sd_", "between_"))
    low, high = min(low, value), max(high, value)
    if not is_positive:
        low = min(low, 0.0)
    step = 10.0 ** round(_magnitude((high - low) / 400))
    low = max(low, step) if is_positive else low
    return float(f"{low:.3g}"), float(f"{high:.3g}"), step


def _magnitude(number: float) -> float:
    return math.log10(number) if number > 0 else -2.0


@lru_cache(32)
def _written(text: str) -> dict[str, Any]:
    """Return the equations of a theory as lines of readable text, whole and of each arrow."""
    theory = Theory.model_validate_json(text)
    found = equations(theory, floors=False)
    listed = [
        {"left": f"d {name} / dt", "right": readable(str(right)), "unit": f"{found.nodes[name].variable.unit}/d"}
        for name, right in found.rates.items()
    ]
    listed += [
        {"left": name, "right": readable(str(right)), "unit": found.nodes[name].variable.unit}
        for name, right in found.definitions.items()
    ]
    return {"equations": listed, "arrows": {k: readable(str(v)) for k, v in arrow_effects(theory).items()}}


def readable(text: str) -> str:
    """Return an expression of SymPy as a person writes it on one line."""
    text = _POWER.sub("^", text).replace("*", " · ").replace("/", " / ")
    for name, sign in _GREEK.items():
        text = re.sub(rf"\b{name}_", f"{sign}_", text)
    return text
