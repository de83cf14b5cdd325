"""How a fit was called: recorded with its result, so that the same call can be made again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from dyadloop.data import Study
from dyadloop.errors import TheoryError
from dyadloop.inference.sampling import Settings
from dyadloop.theory import PRESETS, Theory, hypothesis, read_theory, switch_on, vary

_HEAD = "import dyadloop as dl"
_STORED: tuple[str, ...] = (
    "before = dl.load_result('RESULT')  # the folder of this result",
    "theory = dl.Theory.model_validate_json(before.attrs['theory'])",
)


@dataclass(frozen=True)
class Call:
    """A fit as a command line, empty where it was made in Python, and as Python."""

    command: str = ""
    python: str = ""


@dataclass(frozen=True)
class TheoryChoice:
    """Which theory was asked for: its name or file, the folder its path starts from, and how it was changed."""

    source: str
    folder: str = "."
    hypothesis: str | None = None
    on: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()
    varies_by_therapist: tuple[str, ...] = ()

    def theory(self) -> Theory:
        """Return the theory."""
        found = read_theory(self.source, self.folder)
        found = hypothesis(self.hypothesis, found) if self.hypothesis else found
        found = switch_on(found, *self.on) if self.on else found
        return vary(vary(found, *self.varies), *self.varies_by_therapist, by="therapist")

    def lines(self) -> list[str]:
        """Return the Python that makes the theory."""
        place = "" if self.folder == "." or self.source in PRESETS else f", {self.folder!r}"
        found = [f"theory = dl.read_theory({self.source!r}{place})"]
        if self.hypothesis:
            found.append(f"theory = dl.hypothesis({self.hypothesis!r}, theory)")
        if self.on:
            found.append(f"theory = dl.switch_on(theory, {_listed(self.on)})")
        if self.varies:
            found.append(f"theory = dl.vary(theory, {_listed(self.varies)})")
        if self.varies_by_therapist:
            found.append(f"theory = dl.vary(theory, {_listed(self.varies_by_therapist)}, by='therapist')")
        return found


def call_of(
    study: Study, choice: TheoryChoice, prior_set: str, seed: int, settings: Settings, command: str = ""
) -> Call:
    """Return the call of a fit whose theory and priors are known by name."""
    plain = prior_set == "sceptical"
    head = [_HEAD, *([] if plain else ["from dyadloop.inference import coupling_priors"])]
    priors = "" if plain else f", priors=coupling_priors(theory, {prior_set!r})"
    return Call(command, _text(head, study, choice.lines(), priors, seed, settings))


def call_in_python(study: Study, theory: Theory, priors: pd.DataFrame | None, seed: int, settings: Settings) -> Call:
    """Return the call of a fit made in Python: by names where these make the theory, else from the stored result."""
    choice = _named(theory, study)
    if choice is not None and priors is None:
        return Call("", _text([_HEAD], study, choice.lines(), "", seed, settings))
    head, lines, given = [_HEAD], [*_STORED], ""
    if priors is not None:
        head.append("from dyadloop.inference import priors_from_json")
        lines.append("priors = priors_from_json(before.attrs['priors'])")
        given = ", priors=priors"
    return Call("", _text(head, study, lines, given, seed, settings))


def recorded_call(post: xr.DataTree) -> Call:
    """Return the call that a result records; an empty one where it was written before calls were recorded."""
    return Call(**json.loads(post.attrs.get("call", "{}")))


def _named(theory: Theory, study: Study) -> TheoryChoice | None:
    """Return the names that make a theory, if any do."""
    rival = next((r for r in theory.hypotheses if r.name == theory.hypothesis), None)
    on = tuple(name for name in theory.switched_on if rival is None or name not in rival.including)
    for source in dict.fromkeys([theory.id, study.info.theory]):
        choice = TheoryChoice(source, study.path, theory.hypothesis, on, theory.varies, theory.varies_by_therapist)
        try:
            if choice.theory() == theory:
                return choice
        except TheoryError:
            continue
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _text(head: Sequence[str], study: Study, theory: Sequence[str], priors: str, seed: int, settings: Settings) -> str:
    numbers = ", ".join(f"{name}={value!r}" for name, value in vars(settings).items() if _differs(name, value))
    fit = f"post = dl.fit(study, theory{priors}, seed={seed}, settings=dl.Settings({numbers}))"
    return "\n".join([*head, f"study = dl.read_study({study.path!r})", *theory, fit])


def _differs(name: str, value: object) -> bool:
    """Say whether a setting must be printed: those that a person sets, and any other that is not the default."""
    return name in ("chains", "warmup", "draws") or value != getattr(Settings(), name)
