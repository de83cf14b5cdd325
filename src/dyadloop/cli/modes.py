"""Which options have no effect beside which others: such a call is refused instead of ignoring what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer


@dataclass(frozen=True)
class Mode:
    """A way to call a command, and the options that have no effect then.

    Attributes
    ----------
    option
        Parameter that makes the mode.
    given
        Whether the mode is that with or without it.
    unlike
        For an option of several values: the one value beside which the others ignore ``ignores``.
    ignores
        Parameters without effect in the mode.
    unless
        Parameter beside which all of them have an effect after all.
    """

    option: str
    given: bool
    ignores: tuple[str, ...]
    unlike: str | None = None
    unless: str | None = None

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Say whether a call with these values is in the mode."""
        if self.unless is not None and _present(values.get(self.unless)):
            return False
        value = values.get(self.option)
        return value != self.unlike if self.unlike is not None else _present(value) == self.given

    def words(self, name: str) -> str:
        """Return the mode in words, given the option's name on the command line."""
        if self.unlike is not None:
            return f"with a {name} other than {self.unlike}"
        return f"{'with' if self.given else 'without'} {name}"


def _present(value: object) -> bool:
    return value is not None and value is not False and value != [] and value != ()


_FITTING = ("only", "out", "theory", "prior_set", "seed", "chains", "warmup", "draws")
_SIMULATED = (
    "hypothesis", "variables", "study", "dyads", "sessions", "below", "fault", "vary", "vary_by_therapist", "figure",
)  # fmt: skip
_MEASURING = (
    "fs", "method", "columns", "settings", "gap_value", "surrogate", "draws", "statistic", "missing", "cut", "spikes",
    "smooth", "transform", "multiverse", "seed", "figure", "out",
)  # fmt: skip
MODES: dict[str, tuple[Mode, ...]] = {
    "simulate": (
        Mode("theory", True, ("design",)),
        Mode("theory", False, ("on", "patient_only", "event", "span", "noise", "between", "points")),
        Mode("span", True, ("sessions", "every", "length", "event")),
    ),
    "multiverse": (Mode("show", True, _FITTING),),
    "calibrate": (
        *(Mode(kind, True, _SIMULATED) for kind in ("broken", "randomised")),
        Mode("theory", True, ("only",)),
        Mode("broken", False, ("independent",)),
    ),
    "synchrony": (
        Mode("surrogate", False, ("statistic",)),
        Mode("surrogate", False, ("draws", "seed"), unless="multiverse"),
        Mode("multiverse", True, ("statistic", "smooth", "transform", "out")),
        Mode("list_methods", True, _MEASURING),
    ),
    "motion": (Mode("kind", True, ("threshold",), unlike="count"),),
    "add": (Mode("rows", True, ("values",)),),
    "continuation": (Mode("figure", False, ("variable",)),),
    "priors": (Mode("prior_set", True, ("table",), unlike="evidence"),),
    "sensitivity": (Mode("local", True, ("samples", "seed", "figure")),),
}
"""The modes of each command, by the name it is called by; a test walks all commands and options."""


def refuse_unused(context: typer.Context) -> None:
    """Refuse the options of a call that have no effect in its mode.

    Raises
    ------
    typer.BadParameter
        If there are any; the message names them and what makes them work.
    """
    names = {parameter.name: _shown(parameter) for parameter in context.command.params}
    faults = []
    for mode in MODES.get(str(context.command.name), ()):
        unused = [names[name] for name in mode.ignores if _typed(context, name)] if mode.holds(context.params) else []
        if unused:
            words, verb = mode.words(names[mode.option]), "has" if len(unused) == 1 else "have"
            remedy = f"leave it out, or call it {_other(mode, names)}"
            faults.append(f"{', '.join(unused)} {verb} no effect {words}; {remedy}")
    if faults:
        raise typer.BadParameter("\n".join(faults), ctx=context)


def _other(mode: Mode, names: Mapping[str, str]) -> str:
    if mode.unlike is not None:
        return f"with {names[mode.option]} {mode.unlike}"
    return f"{'without' if mode.given else 'with'} {names[mode.option]}"


def _typed(context: typer.Context, name: str) -> bool:
    """Say whether a parameter was given on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _shown(parameter: Any) -> str:  # noqa: ANN401 - Click's or Typer's
    """Return the name of a parameter on the command line."""
    longs = [name for name in parameter.opts if name.startswith("--")]
    return longs[0] if longs else str(parameter.name).upper()
