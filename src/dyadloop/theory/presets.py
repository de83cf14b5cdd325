"""Theories that ship with the package, reading one from a file, and restricting one."""

from fnmatch import fnmatch
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from dyadloop.data.names import known_names
from dyadloop.data.wording import parsed_yaml, read_yaml
from dyadloop.errors import Fault, TheoryError
from dyadloop.theory.reading import PRESETS, sound_theory
from dyadloop.theory.schema import Theory


def read_theory(source: str | Path, folder: str | Path = ".") -> Theory:
    """Read a theory from a preset name or a YAML or JSON file, whose path may be relative to ``folder``.

    Raises
    ------
    TheoryError
        If there is no such theory, or the file breaks the schema; the message lists every broken element.

    Examples
    --------
    >>> hub = dl.read_theory("hub")
    >>> [variable.id for variable in hub.variables]
    ['oxytocin', 'attachment', 'empathy', 'synchrony', 'trust', 'support']
    """
    if str(source) in PRESETS:
        return _shipped(str(source))
    if not (Path(folder) / source).is_file():
        raise TheoryError(
            f"{source}: no such theory; expected the path of a YAML or JSON file that exists, or one of "
            f"{known_names(PRESETS, source)}"
        )
    unread: list[Fault] = []
    content = read_yaml(Path(folder) / source, str(source), unread)
    return sound_theory(content, str(source), unread)


@cache
def _shipped(name: str) -> Theory:
    """Return a theory of the package, which is read once: reading one takes up to a second, and it cannot change."""
    preset = resources.files("dyadloop.theory").joinpath("library", f"{name}.yaml")
    return parse_theory(preset.read_text(encoding="utf-8"), name)


def parse_theory(text: str, name: str) -> Theory:
    """Read a theory from the text of a YAML or JSON file; ``name`` is what messages call it.

    Raises
    ------
    TheoryError
        If the text breaks the schema; the message lists every broken element.
    """
    unread: list[Fault] = []
    return sound_theory(parsed_yaml(text, name, unread), name, unread)


def framework() -> Theory:
    """Return the framework of Eckert & Schandro (2025): nonlinear, gated by sessions, patient and therapist.

    A fit uses its linear form, the preset ``framework_linear``.

    References
    ----------
    .. [1] Eckert & Schandro (2025). doi:10.3389/fpsyt.2025.1659841

    Examples
    --------
    >>> print(dl.framework().title)
    Oxytocin and five components of the therapeutic alliance: a self-reinforcing cycle
    """
    return read_theory("framework")


def linear_form(theory: Theory) -> Theory:
    """Return the theory that stands for a theory in a fit: itself, or the preset that it names.

    It is stated in deviations from the person's own mean, and linear unless its hypothesis says otherwise.

    Raises
    ------
    TheoryError
        If the theory is not in deviations and names no linear form, or holds a state or has a switch on that the
        linear form would drop; the message lists what stands in the way.
    """
    included = {name for rival in theory.hypotheses if rival.name == theory.hypothesis for name in rival.including}
    dropped = [f"{variable.id} held" for variable in theory.variables if variable.clamped is not None]
    if theory.linear_form is not None:
        dropped += [f"{name} switched on" for name in theory.switched_on if name not in included]
    if dropped:
        raise TheoryError(f"theory {theory.id!r} with {', '.join(dropped)} has no linear form, so a fit cannot use it")
    if theory.linear_form is None:
        if reasons := theory.active().unfit:
            raise TheoryError(
                f"theory {theory.id!r} is not stated in deviations from the person's own mean: "
                f"{', '.join(reasons[:6])}{' ...' if len(reasons) > 6 else ''}; "
                "fit a theory such as framework_linear, or name one under `linear_form`"
            )
        return theory
    whole = read_theory(theory.linear_form)
    linear = whole if theory.hypothesis is None else hypothesis(theory.hypothesis, whole)
    names, arrows = {v.id for v in theory.variables}, {c.id for c in theory.couplings}
    left = keep(linear, [variable.id for variable in linear.variables if variable.id in names])
    kept = tuple(c for c in left.couplings if c.id in arrows)
    chosen = {"varies": theory.varies, "varies_by_therapist": theory.varies_by_therapist}
    return left.model_copy(update={"couplings": kept, **chosen})


def hypothesis(name: str, theory: Theory | None = None) -> Theory:
    """Return a theory restricted to one of its rivals, by id (``M1``) or name (``biomarker``).

    Raises
    ------
    TheoryError
        If the theory has no such hypothesis; the message lists those it has.

    Examples
    --------
    >>> biomarker = dl.hypothesis("biomarker")
    >>> [coupling.id for coupling in biomarker.active().couplings if coupling.id in ("a_trust", "w_trust")]
    ['a_trust']
    """
    theory = framework() if theory is None else theory
    for rival in theory.hypotheses:
        if name in (rival.id, rival.name):
            kept = tuple(c for c in theory.couplings if not any(fnmatch(c.id, glob) for glob in rival.without))
            gone = (*theory.excluded, *(c for c in theory.couplings if c not in kept))
            left = theory.model_copy(update={"couplings": kept, "excluded": gone, "hypothesis": rival.name})
            return switch_on(left, *rival.including)
    known = [text for rival in theory.hypotheses for text in (rival.name, rival.id)]
    raise TheoryError(f"hypothesis {name!r} is not one of the theory {theory.id!r}; known: {known_names(known, name)}")


def switch_on(theory: Theory, *names: str) -> Theory:
    """Return a theory with some of its optional parts switched on, such as ``habituation``.

    Raises
    ------
    TheoryError
        If the theory has no such switch; the message lists those it has.

    Examples
    --------
    >>> theory = dl.switch_on(dl.framework(), "habituation")
    >>> theory.switched_on
    ('habituation',)
    """
    known = {switch.id for switch in theory.switches}
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(f"{switch.id} ({switch.title})" for switch in theory.switches) or "none"
        raise TheoryError(f"{', '.join(unknown)}: no switch of the theory {theory.id!r}; known: {listed}")
    return theory.model_copy(update={"switched_on": tuple(dict.fromkeys((*theory.switched_on, *names)))})


def vary(theory: Theory, *names: str, by: Literal["dyad", "therapist"] = "dyad") -> Theory:
    """Return a theory in which some parameters differ between dyads, or therapists, when it is fitted.

    A parameter with a lognormal prior, such as a time constant, varies by a factor, any other by an amount. What it is
    in a dyad of the middle keeps its name; its sd between dyads is ``spread_`` and the name, that between therapists
    ``spread_therapists_`` and the name. A simulation takes sds between dyads as its argument ``spread``.

    Parameters
    ----------
    theory
        Any theory.
    names
        Parameters, such as ``"w_trust"`` or ``"tau_trust"``.
    by
        Whether they differ from dyad to dyad or from therapist to therapist; one may do both.

    Raises
    ------
    TheoryError
        If neither the theory nor its linear form has such a parameter.

    Examples
    --------
    >>> dl.vary(dl.read_theory("framework_linear"), "w_trust").varies
    ('w_trust',)
    """
    forms = [theory] if theory.linear_form is None else [theory, read_theory(theory.linear_form)]
    known = {c.id for form in forms for c in form.couplings} | {entry.id for form in forms for entry in form.inputs}
    for variable in (v for form in forms for v in form.variables):
        parts = {"tau": variable.time_constant, "sd": variable.fluctuation, "start": variable.start}
        known |= {f"{prefix}_{variable.id}" for prefix, number in parts.items() if number is not None}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise TheoryError(
            f"{', '.join(unknown)}: no parameter of the theory {theory.id!r} that can vary; known: "
            f"{known_names(sorted(known), *unknown)}"
        )
    field = "varies" if by == "dyad" else "varies_by_therapist"
    return theory.model_copy(update={field: tuple(dict.fromkeys((*getattr(theory, field), *names)))})


def cut(theory: Theory, *globs: str) -> Theory:
    """Return a theory without the couplings whose ids match, such as ``"w_*"``: an intervention, or a rival.

    Raises
    ------
    TheoryError
        If a pattern fits no coupling.

    Examples
    --------
    >>> hub = dl.read_theory("hub")
    >>> len(hub.couplings), len(dl.cut(hub, "w_*").couplings)
    (11, 6)
    """
    idle = [glob for glob in globs if not any(fnmatch(c.id, glob) for c in theory.couplings)]
    if idle:
        known = known_names([c.id for c in theory.couplings], *idle)
        raise TheoryError(f"{', '.join(idle)}: fits no coupling of the theory {theory.id!r}; known: {known}")
    kept = tuple(c for c in theory.couplings if not any(fnmatch(c.id, glob) for glob in globs))
    return theory.model_copy(update={"couplings": kept})


def clamp(theory: Theory, **values: float) -> Theory:
    """Return a theory in which some states are held at a value, whatever acts on them: a do-operation.

    Parameters
    ----------
    theory
        Any theory.
    values
        Value of the state by variable id [unit of the state: logit where the link is logistic].

    Raises
    ------
    TheoryError
        If a name is no state of the theory.

    Examples
    --------
    >>> hub = dl.clamp(dl.read_theory("hub"), trust=1.0)
    >>> hub.variable("trust").clamped
    1.0
    """
    states = {variable.id for variable in theory.variables if variable.dynamics == "state"}
    unknown = sorted(set(values) - states)
    if unknown:
        raise TheoryError(
            f"{', '.join(unknown)}: no state of the theory {theory.id!r}; known: "
            f"{known_names(sorted(states), *unknown)}"
        )
    changed = tuple(
        v.model_copy(update={"clamped": float(values[v.id])}) if v.id in values else v for v in theory.variables
    )
    return theory.model_copy(update={"variables": changed})


def patient_only(theory: Theory) -> Theory:
    """Return a theory without the therapist's own variables: one person and the dyad.

    Examples
    --------
    >>> dl.framework().variable("oxytocin").persons, dl.patient_only(dl.framework()).variable("oxytocin").persons
    (('patient', 'therapist'), ('patient',))
    """
    kept = tuple(
        v.model_copy(update={"persons": tuple(p for p in v.persons if p != "therapist")})
        for v in theory.variables
        if set(v.persons) != {"therapist"}
    )
    return keep(theory.model_copy(update={"variables": kept}), [variable.id for variable in kept])


def keep(theory: Theory, variables: tuple[str, ...] | list[str]) -> Theory:
    """Return a theory with only some of its variables and the couplings and inputs among them.

    Raises
    ------
    TheoryError
        If the theory has no such variable; the message lists those it has.

    Examples
    --------
    >>> small = dl.keep(dl.read_theory("framework_linear"), ["oxytocin", "trust"])
    >>> [coupling.id for coupling in small.active().couplings]
    ['a_trust', 'w_trust']
    """
    known = {variable.id for variable in theory.variables}
    unknown = sorted(set(variables) - known)
    if unknown:
        raise TheoryError(
            f"{', '.join(unknown)}: no variable of the theory {theory.id!r}; known: "
            f"{known_names(sorted(known), *unknown)}"
        )
    chosen = set(variables)
    ruptures, dropout = theory.ruptures, theory.dropout
    return theory.model_copy(
        update={
            "variables": tuple(v for v in theory.variables if v.id in chosen),
            "couplings": tuple(c for c in theory.couplings if {*c.sources, c.target} <= chosen),
            "inputs": tuple(entry for entry in theory.inputs if entry.target in chosen),
            "ruptures": ruptures if ruptures is None or ruptures.target in chosen else None,
            "dropout": dropout if dropout is None or {dropout.alliance, dropout.symptom} <= chosen else None,
            "composites": tuple(c for c in theory.composites if {*c.of} <= chosen),
            "reduced": theory.reduced or chosen != known,
        }
    )
