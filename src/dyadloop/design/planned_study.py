"""The planned study: all its moments, values and events, and the fit that awaits it.

All dyads share one regular calendar and every planned value is there; what a study loses is taken away later. The
values play no role. One such plan serves all simulated studies of a design, so that what is compiled is compiled once.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from dyadloop.data import Indicator, StudyInfo, StudyPrior, read_study, write_study
from dyadloop.design.reader import theory_of
from dyadloop.design.schema import Design, Given, Measure
from dyadloop.errors import FitError
from dyadloop.inference.problem import Problem, build_problem, coupling_priors
from dyadloop.likelihood.panel import panel as panel_of
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory
from dyadloop.theory import hypothesis as restricted

_MINUTES = 1440
_CLOSE = 0.2  # sd of the log of an error that the design file states


@dataclass(frozen=True)
class Skeleton:
    """A planned study.

    Attributes
    ----------
    design
        The design.
    scores
        What :func:`dyadloop.scale_scores` makes of it, with every event in every session that may have it.
    fitted
        The problem of its fit, with a typical draw of its events.
    amounts
        Amount of each event in every session that may have it.
    session
        Number of the session that a moment belongs to.
    """

    design: Design
    scores: xr.Dataset
    fitted: Problem
    amounts: Float[np.ndarray, "dyad time event"]
    session: Int[np.ndarray, "dyad time"]

    def events(self, rng: np.random.Generator) -> Float[np.ndarray, "dyad time event"]:
        """Return one draw of who is given what when."""
        found = np.zeros_like(self.amounts)
        for place, entry in enumerate(self.fitted.plan.events):
            given = self.design.events[str(entry.event)]
            found[..., place] = drawn_events(rng, self.amounts[..., place], given)
        return found

    def source(self, theory: Theory, *, split: bool = False) -> Problem:
        """Return the same planned study under another theory, from which values are drawn.

        ``split`` asks for arrows of randomised events of their own.
        """
        return _problem(self.design, self.fitted.scores, self.scores, theory, split)


def drawn_events(
    rng: np.random.Generator, amounts: Float[np.ndarray, "dyad time"], given: Given
) -> Float[np.ndarray, "dyad time"]:
    """Return the amounts of one event in the sessions, or the dyads, that chance gives it to."""
    found = np.zeros_like(amounts)
    if given.by == "dyad":
        rows = rng.choice(len(amounts), size=round(given.share * len(amounts)), replace=False)
        found[rows] = amounts[rows]
        return found
    for dyad, row in enumerate(amounts):
        places = np.flatnonzero(row)
        kept = rng.choice(places, size=round(given.share * len(places)), replace=False)
        found[dyad, kept] = row[kept]
    return found


def skeleton(design: Design, theory: Theory | None = None) -> Skeleton:
    """Return the planned study of a design, and the problem of its fit.

    Parameters
    ----------
    design
        Result of :func:`dyadloop.read_design`.
    theory
        Theory to fit; default: that of the design's analysis.

    Raises
    ------
    FitError
        If the design measures nothing of the theory.
    """
    whole = _planned_scores(design)
    analysed = theory_of(design) if theory is None else theory
    if theory is None and design.analysis.hypothesis:
        analysed = restricted(design.analysis.hypothesis, analysed)
    typical = _typical(design, whole)
    fitted = _problem(design, typical, whole, analysed, True)
    amounts = np.asarray(fitted.panel.event)
    if amounts.shape[1] != whole.sizes["time"]:
        raise FitError(f"{design.name}: {amounts.shape[1]} of {whole.sizes['time']} moments enter the fit")
    made = Skeleton(design, whole, fitted, amounts, whole["session"].values)
    event = jnp.asarray(made.events(np.random.default_rng(0)))
    return replace(made, fitted=replace(fitted, panel=fitted.panel.with_events(event)))


def _problem(design: Design, typical: xr.Dataset, whole: xr.Dataset, theory: Theory, split: bool) -> Problem:
    """Return the problem of a theory whose panel holds every event in every session that may have it."""
    priors = coupling_priors(theory, design.analysis.priors)
    found = build_problem(typical, theory, priors, declared=_stated_errors(design), split=split)
    return replace(found, panel=panel_of(whole, found.plan, found.observed, found.priors))


def _stated_errors(design: Design) -> dict[str, StudyPrior]:
    """Return priors of the errors that the design states: those of assays, and what reliabilities leave."""
    found = {}
    for name, entry in design.measures.items():
        sd = true_error(entry)
        if sd is not None:
            found[f"error_{name}"] = StudyPrior(
                family="lognormal", location=sd, scale=_CLOSE, assumed="stated by the design"
            )
    return found


def true_error(entry: Measure) -> float | None:
    """Return the error SD of a value that a measure states [SD within persons, or log ratio], None where it is free."""
    if entry.assay is not None:
        return entry.assay.error_sd
    return None if entry.reliability is None else float(np.sqrt(1 - entry.reliability))


def _typical(design: Design, whole: xr.Dataset) -> xr.Dataset:
    """Return the scores with one draw of the events, so that what makes a contrast is known."""
    rng, amount = np.random.default_rng(0), whole["amount"].values.copy()
    for place, name in enumerate(whole["event"].values.tolist()):
        amount[..., place] = drawn_events(rng, amount[..., place], design.events[name])
    return whole.assign(amount=(whole["amount"].dims, amount, whole["amount"].attrs))


def _planned_scores(design: Design) -> xr.Dataset:
    with TemporaryDirectory() as scratch:
        return scale_scores(read_study(write_planned(design, Path(scratch) / "study")))


def write_planned(design: Design, path: Path) -> Path:
    """Write a study folder with every planned moment; its values are noise and say nothing."""
    rng, names = np.random.default_rng(0), [f"D{number + 1:04d}" for number in range(design.dyads)]
    covered = set(design.of_sessions("all"))
    people: list[dict[str, Any]] = [
        {"participant_id": f"{role[0].upper()}{name[1:]}", "dyad": name, "role": role}
        for name in names
        for role in ("patient", "therapist")
    ]
    if design.therapists is not None:
        for row in people:
            row["therapist"] = f"T{(int(row['dyad'][1:]) - 1) % design.therapists + 1:03d}"
    sessions = [
        {
            "dyad": name,
            "session": number,
            "start": _start(design, number),
            "length_min": design.sessions.length_days * _MINUTES,
            "events": ";".join(
                f"{event}={given.amount:g}"
                for event, given in design.events.items()
                if number in design.of_sessions(given.sessions)
            ),
        }
        for name in names
        for number in sorted(covered)
    ]
    rows = [row for name, entry in design.measures.items() for row in _rows(design, rng, name, entry, names)]
    info = StudyInfo(
        schema_version=1,
        name=f"planned {design.name}",
        title=f"SIMULATED, planned: {design.title}",
        licence="CC0-1.0",
        simulated=True,
        randomised=design.randomised,
        indicators={name: _indicator(entry) for name, entry in design.measures.items()},
    )
    return write_study(path, info, people, sessions, rows)


def _indicator(entry: Measure) -> Indicator:
    content = {"quantity": entry.quantity, "person": entry.person, "unit": "points", "sd_within": 1.0}
    if entry.is_sample:
        content = {"quantity": entry.quantity, "person": entry.person, "unit": "pg/ml", "transform": "log"}
    return Indicator.model_validate(content | {"reason": "planned"})


def _start(design: Design, session: int) -> float:
    return 1.0 + (session - 1) * design.sessions.every_days


def _rows(
    design: Design, rng: np.random.Generator, name: str, entry: Measure, dyads: list[str]
) -> list[dict[str, object]]:
    """Return the rows of one measure, dyad by dyad."""
    places = [place for number in design.of_sessions(entry.sessions) for place in _places(design, entry, number)]
    count, rows = len(dyads) * len(places), []
    for row, (dyad, place) in enumerate((dyad, place) for dyad in dyads for place in places):
        noise = float(rng.standard_normal())
        value = f"{np.exp(0.5 * noise):.6g}" if entry.is_sample else f"{noise:.6g}"
        person = f"{entry.person[0].upper()}{dyad[1:]}"
        plate = {}
        if entry.assay is not None and entry.assay.plates:
            plate = {"plate": f"{name} {row * entry.assay.plates // count + 1}"}
        rows.append({"dyad": dyad, "participant_id": person, "indicator": name, "value": value, **place, **plate})
    return rows


def _places(design: Design, entry: Measure, session: int) -> list[dict[str, object]]:
    """Return session and phase of each value of a session, and its time where these do not tell it."""
    found: list[dict[str, object]] = []
    for phase in entry.phases:
        start, length = _start(design, session), design.sessions.length_days
        if phase != "between":
            middle = {"time": start + length / 2} if phase == "within" else {}
            found.append({"session": session, "phase": phase, **middle})
            continue
        end = start + length
        gap = (design.sessions.every_days - design.sessions.length_days) / (entry.per_interval + 1)
        found += [{"phase": "between", "time": end + gap * (k + 1)} for k in range(entry.per_interval)]
    return found
