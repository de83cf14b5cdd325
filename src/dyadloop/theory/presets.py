"""Theories that ship with the package, and reading one from a file."""

from fnmatch import fnmatch
from importlib import resources
from pathlib import Path

import yaml
from pydantic import ValidationError

from dyadloop.errors import TheoryError
from dyadloop.theory.schema import Theory

PRESETS = ("framework",)
"""Names of the shipped theories."""


def read_theory(source: str | Path, folder: str | Path = ".") -> Theory:
    """Read a theory from a preset name or a YAML file, whose path may be relative to ``folder``.

    Raises
    ------
    TheoryError
        If there is no such theory, or the file breaks the schema; the message lists every broken element.
    """
    if str(source) in PRESETS:
        text = resources.files("dyadloop.theory").joinpath(f"{source}.yaml").read_text(encoding="utf-8")
    elif (Path(folder) / source).is_file():
        text = (Path(folder) / source).read_text(encoding="utf-8")
    else:
        raise TheoryError(
            f"{source}: no such theory; give one of {', '.join(PRESETS)} or the path of a YAML file that exists"
        )
    try:
        return Theory.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise TheoryError(_explain(str(source), error)) from None
    except yaml.YAMLError as error:
        raise TheoryError(f"{source}: not readable as YAML: {error}") from None


def _explain(source: str, error: ValidationError) -> str:
    lines = [f"{source}: {error.error_count()} faults in the theory"]
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        shown = repr(item["input"])
        lines.append(f"  {place}: {item['msg']}; got {shown if len(shown) < 80 else shown[:77] + '...'}")
    return "\n".join(lines)


def framework() -> Theory:
    """Return the framework of Eckert & Schandro (2025) in its linear form.

    References
    ----------
    .. [1] Eckert & Schandro (2025). doi:10.3389/fpsyt.2025.1659841
    """
    return read_theory("framework")


def hypothesis(name: str, theory: Theory | None = None) -> Theory:
    """Return a theory restricted to one of its rivals, by id (``M1``) or name (``biomarker``).

    Raises
    ------
    TheoryError
        If the theory has no such hypothesis; the message lists those it has.
    """
    theory = framework() if theory is None else theory
    for rival in theory.hypotheses:
        if name in (rival.id, rival.name):
            kept = tuple(c for c in theory.couplings if not any(fnmatch(c.id, glob) for glob in rival.without))
            return theory.model_copy(update={"couplings": kept, "hypothesis": rival.name})
    known = ", ".join(f"{rival.name} ({rival.id})" for rival in theory.hypotheses)
    raise TheoryError(f"hypothesis {name!r} is not one of the theory {theory.id!r}; known: {known}")


def keep(theory: Theory, variables: tuple[str, ...] | list[str]) -> Theory:
    """Return a theory with only some of its variables and the couplings and inputs among them.

    Raises
    ------
    TheoryError
        If the theory has no such variable; the message lists those it has.
    """
    known = {variable.id for variable in theory.variables}
    unknown = sorted(set(variables) - known)
    if unknown:
        raise TheoryError(
            f"{', '.join(unknown)}: no variable of the theory {theory.id!r}; known: {', '.join(sorted(known))}"
        )
    return theory.model_copy(
        update={
            "variables": tuple(v for v in theory.variables if v.id in variables),
            "couplings": tuple(c for c in theory.couplings if c.source in variables and c.target in variables),
            "inputs": tuple(entry for entry in theory.inputs if entry.target in variables),
        }
    )
