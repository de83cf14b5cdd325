"""The content of a theory file as a theory, or everything that is wrong with it."""

from typing import Any

from pydantic import BaseModel, ValidationError

from dyadloop.data.names import known_names
from dyadloop.data.wording import WHOLE, wrongs
from dyadloop.errors import Fault, TheoryError, number_of
from dyadloop.theory.consistency import Parts, faults
from dyadloop.theory.elements import Coupling, Dropout, Input, Ruptures, Switch, Variable
from dyadloop.theory.judgement import Claim, Hypothesis
from dyadloop.theory.references import dangling
from dyadloop.theory.schema import Theory

PRESETS = (
    "affect",
    "alliance",
    "couple",
    "framework",
    "framework_linear",
    "hub",
    "love",
    "marriage",
    "oxytocin_pk",
    "panic",
    "panic_core",
    "peacemath",
    "rat_plasma",
    "therapist_client",
    "therapy_dyad",
)
"""Names of the shipped theories."""


def sound_theory(content: Any, source: str, unread: list[Fault]) -> Theory:  # noqa: ANN401 - whatever a file holds
    """Return the theory of a file's content, or raise everything that is wrong with it."""
    if unread:
        raise TheoryError("\n".join(map(str, unread)))
    try:
        theory = Theory.model_validate(content)
    except ValidationError as error:
        raise TheoryError(_explain(source, content, error)) from None
    whole = theory.hypothesis is None and not theory.reduced
    if lines := [f"  {WHOLE}: {fault}" for fault in [*_unknown(theory), *(dangling(_parts(theory)) if whole else ())]]:
        raise TheoryError(_counted(source, lines))
    return theory


def _unknown(theory: Theory) -> list[str]:
    """Return what a file says it is, by the names of its own hypotheses, switches and of the presets."""
    rivals, switches = {rival.name for rival in theory.hypotheses}, {switch.id for switch in theory.switches}
    found = [f"switched_on names {name!r}, which is no switch" for name in theory.switched_on if name not in switches]
    if theory.hypothesis is not None and theory.hypothesis not in rivals:
        found.append(f"hypothesis is {theory.hypothesis!r}; known: {known_names(sorted(rivals), theory.hypothesis)}")
    if theory.linear_form is not None and theory.linear_form not in PRESETS:
        known = known_names(PRESETS, theory.linear_form)
        found.append(f"linear_form is {theory.linear_form!r}, which is no preset; known: {known}")
    return found


def _parts(theory: Theory) -> Parts:
    chances = tuple(chance for chance in (theory.ruptures, theory.dropout) if chance is not None)
    return Parts(
        theory.variables,
        theory.couplings,
        theory.inputs,
        chances,
        theory.switches,
        theory.hypotheses,
        claims=theory.claims,
        protocol=theory.protocol,
        varies=theory.varies,
        varies_by_therapist=theory.varies_by_therapist,
        restricted=theory.hypothesis is not None,
        composites=theory.composites,
    )


def _counted(source: str, lines: list[str]) -> str:
    return "\n".join([f"{source}: {number_of(len(lines), 'fault')} in the theory", *lines])


def _explain(source: str, content: Any, error: ValidationError) -> str:  # noqa: ANN401 - whatever a file holds
    """Return every fault of a theory file: those of single elements and those among the sound ones."""
    lines = [f"  {wrong}" for wrong in wrongs(error, content, Theory)]
    places = [item["loc"] for item in error.errors()]
    # where elements have no names, what they disagree on is no news
    lost = any(loc[:1] == ("variables",) and (len(loc) == 1 or loc[-1] == "id") for loc in places)
    if all(places) and not lost and isinstance(content, dict):
        parts = _sound_parts(content)
        lines += [f"  {WHOLE}: {fault}" for fault in (*faults(parts), *dangling(parts))]
    return _counted(source, lines)


def _sound_parts(content: dict) -> Parts:
    """Return the elements of a broken file that are sound by themselves."""
    broken: set[str] = set()

    def sound(key: str, model: type[BaseModel]) -> list[Any]:
        kept = []
        items = content.get(key)
        for item in items if isinstance(items, list) else []:
            try:
                kept.append(model.model_validate(item))
            except ValidationError:
                if isinstance(item, dict) and isinstance(item.get("id"), str):
                    broken.add(item["id"])
        return kept

    variables, couplings = sound("variables", Variable), sound("couplings", Coupling)
    inputs, switches, rivals = sound("inputs", Input), sound("switches", Switch), sound("hypotheses", Hypothesis)
    chances = []
    for key, model in (("ruptures", Ruptures), ("dropout", Dropout)):
        try:
            chances += [model.model_validate(content[key])] if key in content else []
        except ValidationError:
            broken.add(key)
    return Parts(
        variables, couplings, inputs, chances, switches, rivals, frozenset(broken), claims=sound("claims", Claim)
    )
