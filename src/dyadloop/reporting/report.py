"""The report: one self-contained HTML page that answers what was asked and says what was assumed."""

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined

from dyadloop.appraisal import actor_partner_effects, practical_identifiability, smooth
from dyadloop.appraisal.referee_agreement import compared
from dyadloop.appraisal.replication import predictive_checks
from dyadloop.claims import judge_claims
from dyadloop.claims.claims_table import UNTESTABLE
from dyadloop.claims.next_study import next_steps
from dyadloop.errors import FitError
from dyadloop.files import write_text
from dyadloop.inference import prior_conflicts, problem_of, recorded_call
from dyadloop.inference.problem import Problem
from dyadloop.observation.kinds import kind_named, kinds, mask
from dyadloop.reporting import figures, first_page
from dyadloop.reporting.actor_partner import effects_table
from dyadloop.reporting.claims_table import details, interval, rope
from dyadloop.reporting.downloads import links, missing_table, predictive_table
from dyadloop.reporting.loop import loop_diagram
from dyadloop.reporting.methods import methods, observation_times, source_of, unconverged
from dyadloop.reporting.referees import beside_table, lagged_table
from dyadloop.reporting.tables import courses_table, number, share
from dyadloop.reporting.words import parameter_words

_N_COURSES = 3
_N_BLOCKS = 20


def report(
    post: xr.DataTree,
    path: str | Path,
    prior_sets: pd.DataFrame | None = None,
    table: pd.DataFrame | None = None,
) -> Path:
    """Write the report of a posterior as one HTML file that needs nothing else.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    path
        File to write.
    prior_sets
        Result of :func:`dyadloop.inference.compare_priors`, shown side by side.
    table
        Result of :func:`dyadloop.judge_claims` for the same posterior; default: judged anew.

    Returns
    -------
    Path
        The file written.

    Examples
    --------
    >>> path = dl.report(dl.load_result("results/example"), "results/example.html")
    >>> path.name
    'example.html'
    """
    problem = problem_of(post)
    environment = Environment(
        loader=PackageLoader("dyadloop.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"number": number, "share": share}
    page = environment.get_template("report.html").render(
        **_content(post, problem, judge_claims(post) if table is None else table), **_sets(prior_sets)
    )
    target = Path(path)
    write_text(target, page)
    return target


def _sets(table: pd.DataFrame | None) -> dict[str, object]:
    """Return the names of the prior sets and one row per testable claim, its verdicts and intervals as text."""
    if table is None:
        return {"set_names": [], "set_rows": []}
    names = [column.removeprefix("verdict_") for column in table.columns if column.startswith("verdict_")]
    rows = []
    for _, row in table.iterrows():
        cells = [
            (
                row[f"verdict_{name}"],
                interval(pd.Series({key: row[f"{key}_{name}"] for key in ("median", "low", "high")})),
            )
            for name in names
        ]
        if any(verdict != UNTESTABLE for verdict, _ in cells):
            rows.append({"claim": row["claim"], "cells": cells, "depends": row["depends"]})
    return {"set_names": names, "set_rows": rows}


def _content(post: xr.DataTree, problem: Problem, table: pd.DataFrame) -> dict[str, object]:
    theory = problem.plan.theory
    rows = [row.to_dict() | {"rope": rope(row), "details": details(row)} for _, row in table.iterrows()]
    tested = [row for row in rows if row["verdict"] != UNTESTABLE]
    info = json.loads(post.attrs["study_info"])
    hypothesis = next((h for h in theory.hypotheses if h.name == theory.hypothesis), None)
    summary = parameter_summary(post, problem)
    beside, persons = compared(problem, post), actor_partner_effects(post)
    shown = first_page.estimates(table)
    missing, checked = _missing_shares(problem), predictive_checks(problem, post)
    paths = smooth(post, _longest(problem))
    words = parameter_words(problem)
    narrowed, narrowed_in_words = _narrowed(post, words)
    drawn = {
        "estimates": figures.estimates(shown) if len(shown) else "",
        "missingness": figures.missingness(missing),
        "loop": loop_diagram(problem.plan, summary),
        "intervals": _intervals(problem, summary, words),
        "predictive": figures.predictive(checked),
        "courses": courses_figure(post, paths),
    }
    tables = _tables(table, shown, missing, summary, words) | {
        "identifiability": narrowed,
        "beside": beside,
        "persons": persons,
        "predictive": predictive_table(checked),
        "courses": courses_table(paths),
    }
    return {
        "told": first_page.by_reason(first_page.sentences(table)),
        "not_told": first_page.groups(table),
        "next_study": next_steps(problem, table),
        "has_pushed": bool(len(shown)) and bool((shown["kind"] != "association").any()),
        "measured": _measured(problem, info),
        "words": words,
        "words_of_state": {
            state.id: _state_label(state.id, problem).replace("\n", " ") for state in problem.plan.states
        },
        "narrowed": narrowed_in_words,
        "csv": links(tables),
        "methods": methods(post, problem, hypothesis, table),
        "source": source_of(theory),
        "info": info,
        "theory": theory,
        "hypothesis": f"{hypothesis.id}, {hypothesis.title}" if hypothesis else "the whole theory",
        "tested": tested,
        "headings": [
            h for h in (tested[0]["details"] if tested else ()) if any(r["details"][h] != "-" for r in tested)
        ],
        "untested": [row for row in rows if row["verdict"] == UNTESTABLE],
        "beside": _beside(beside),
        "sure": first_page.sure_arrows(beside, words),
        "persons": effects_table(persons).to_dict("records"),
        "verdicts": table["verdict"].value_counts().to_dict(),
        "figures": {name: _marked(post, svg) for name, svg in drawn.items()},
        "parameters": summary.reset_index().to_dict(orient="records"),
        **_facts(post, problem, info),
    }


def _tables(
    table: pd.DataFrame,
    shown: pd.DataFrame,
    missing: dict[str, tuple[float, ...]],
    summary: pd.DataFrame,
    words: Mapping[str, str],
) -> dict[str, pd.DataFrame]:
    """Return the tables of claims, estimates, missing values and parameters, by the name of their file."""
    return {
        "claims": table,
        "estimates": shown,
        "missingness": missing_table(missing),
        "parameters": summary.reset_index().assign(words=[words[str(name)] for name in summary.index]),
    }


def _narrowed(post: xr.DataTree, words: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Return what data told of the parameters, as a table and in words; of a short trial run, why it cannot be said."""
    try:
        found = practical_identifiability(post, labels=words)
    except FitError as error:
        return pd.DataFrame(), [f"Not told by so short a run: {error}."]
    return found.parameters, found.sentences()


def _facts(post: xr.DataTree, problem: Problem, info: dict[str, Any]) -> dict[str, object]:
    """Return how the draws were made, and from which data."""
    return {
        "unconverged": unconverged(post),
        "divergences": int(post["sample_stats"].to_dataset()["diverging"].sum()),
        "conflicts": prior_conflicts(post),
        "mode": (int(post.attrs["mode_agreeing"]), int(post.attrs["mode_starts"])),
        "left_out": json.loads(post.attrs["left_out"]),
        "data": _data(problem, info),
        "counts": _counts(problem, info),
        "schedule": problem.schedule,
        "events": _events(problem),
        "covariates": _covariates(problem, info),
        "linear": problem.plan.is_linear,
        "oxytocin": any(state.variable.kind == "oxytocin" for state in problem.plan.states),
        "attrs": post.attrs,
        "kinds": [kind_named(name).sentence(n) for name, n in json.loads(post.attrs["kinds"]).items()],
        "settings": json.loads(post.attrs["settings"]),
        "call": recorded_call(post),
        "versions": json.loads(post.attrs["versions"]),
    }


def _beside(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return one row per arrow beside its referees, as text."""
    sheet = pd.concat([beside_table(table), lagged_table(table).drop(columns="arrow")], axis=1)
    sheet = sheet.assign(explanation=table["explanation"].to_numpy(), unit=table["points_unit"].to_numpy())
    return [{str(name): value for name, value in row.items()} for row in sheet.to_dict("records")]


def parameter_summary(post: xr.DataTree, problem: Problem) -> pd.DataFrame:
    """Return prior, posterior and diagnostics of each parameter, one row each."""
    found = {}
    groups = {name: post[name].to_dataset() for name in ("posterior", "prior", "diagnostics")}
    for name, prior in problem.priors.iterrows():
        draws, before = (groups[group][str(name)].values for group in ("posterior", "prior"))
        low, median, high = np.quantile(draws, [0.055, 0.5, 0.945])
        prior_low, prior_median, prior_high = np.quantile(before, [0.055, 0.5, 0.945])
        checks = groups["diagnostics"].sel(parameter=name)
        found[name] = {
            "unit": prior["unit"],
            "prior": f"{prior['family']}({prior['location']:g}, {prior['scale']:g})",
            "prior_scale": prior["scale"],
            "prior_low": prior_low,
            "prior_median": prior_median,
            "prior_high": prior_high,
            "low": low,
            "median": median,
            "high": high,
            "p_positive": float((draws > 0).mean()),
            "rhat": float(checks["rhat"]),
            "ess_bulk": float(checks["ess_bulk"]),
            "ess_tail": float(checks["ess_tail"]),
            "source": prior["source"],
        }
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("parameter")


def _counts(problem: Problem, info: dict) -> dict[str, int]:
    """Return how many dyads and moments were measured, and whether one person alone of each dyad was."""
    persons = {info["indicators"][name]["person"] for name in problem.observed.indicators}
    single = len(persons) == 1 and persons != {"dyad"}
    return {"dyads": problem.scores.sizes["dyad"], "moments": observation_times(problem), "single": int(single)}


def _events(problem: Problem) -> dict[str, int]:
    """Return in how many sessions each event took place."""
    amounts, names = problem.scores["amount"].values, problem.scores["event"].values.tolist()
    return {name: int((amounts[..., index] != 0).sum()) for index, name in enumerate(names)}


def _covariates(problem: Problem, info: dict) -> list[dict[str, object]]:
    """Return what the study declares of each covariate, and in how many dyads it changes."""
    inside = np.isfinite(problem.scores["days"].values)[..., None]
    values = np.where(inside, problem.scores["covariate_value"].values, np.nan)
    changing = (np.nanmax(values, axis=1) > np.nanmin(values, axis=1)).sum(axis=0)
    column = "covariate_declared" if "covariate_declared" in problem.scores.coords else "covariate"
    names = problem.scores[column].values.tolist()
    counts = dict(zip(reversed(names), reversed(changing.tolist()), strict=True))  # that of the first column of each
    return [{"name": name, "changing": count, **info["covariates"][name]} for name, count in reversed(counts.items())]


def _data(problem: Problem, info: dict) -> list[dict[str, object]]:
    rows = []
    for index, name in enumerate(problem.scores["indicator"].values.tolist()):
        seen = np.isfinite(problem.scores["score"].values[..., index])
        entry = info["indicators"][name]
        rows.append(
            {
                "name": name,
                "quantity": entry["quantity"],
                "person": entry["person"],
                "values": int(seen.sum()),
                "kinds": ", ".join(
                    f"{n} {kind.name}"
                    for kind in kinds()[1:]
                    if (n := int((mask(problem.scores, kind.name)[..., index] & seen).sum()))
                ),
                "dyads": int(seen.any(axis=1).sum()),
                "center": float(problem.scores["center"].values[index]),
                "scale": float(problem.scores["scale"].values[index]),
                "reason": entry["reason"],
                "used": name in problem.observed.indicators,
            }
        )
    return rows


def _missing_shares(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Return the share of sessions without a value, in up to 20 blocks of sessions in their order."""
    scores, session = problem.scores, problem.scores["session"].values
    last = session.max(axis=1, keepdims=True)
    if not last.any():  # a study without sessions: its moments count instead
        session = np.where(np.isfinite(scores["days"].values), np.arange(1, session.shape[1] + 1), 0)
        last = session.max(axis=1, keepdims=True)
    numbers = np.arange(1, int(last.max()) + 1)
    blocks = (numbers - 1) * _N_BLOCKS // max(len(numbers), _N_BLOCKS)
    shares = {}
    for index, name in enumerate(scores["indicator"].values.tolist()):
        seen = np.isfinite(scores["score"].values[..., index])
        with_value = np.stack([(seen & (session == n)).any(axis=1) for n in numbers], axis=1)
        held = numbers <= last
        shares[name] = tuple(
            float(1 - with_value[:, blocks == block][held[:, blocks == block]].mean()) for block in np.unique(blocks)
        )
    return shares


def _intervals(problem: Problem, summary: pd.DataFrame, words: dict[str, str]) -> str:
    """Draw prior and posterior of the arrows, which are named in words; empty where there are none."""
    couplings = [coupling.id for coupling in problem.plan.couplings if coupling.id in summary.index]
    return figures.intervals(summary.loc[couplings].rename(index=words)) if couplings else ""


def _marked(post: xr.DataTree, svg: str) -> str:
    return figures.simulated_mark(svg) if svg and post.attrs["simulated"] else svg


def _measured(problem: Problem, info: dict) -> list[dict[str, str]]:
    """Return what stands for each measured quantity and why, in the order of the theory."""
    observed = problem.observed
    pairs = sorted(zip(observed.states, observed.indicators, strict=True), key=lambda pair: pair[0])
    return [
        {
            "quantity": _state_label(problem.plan.states[place].id, problem).replace("\n", " "),
            "indicator": name,
            "reason": info["indicators"][name]["reason"],
        }
        for place, name in pairs
    ]


def courses_figure(post: xr.DataTree, courses: xr.Dataset) -> str:
    """Draw courses of :func:`dyadloop.smooth` with the data of their dyads."""
    problem = problem_of(post)
    labels = {state.id: _state_label(state.id, problem) for state in problem.plan.states}
    dyads = courses["dyad"].values.tolist()
    return figures.courses(courses, labels, _dots(post, problem, dyads), _session_days(problem, dyads))


def _session_days(problem: Problem, dyads: list[str]) -> dict[str, np.ndarray]:
    """Return the day of the first value of each session, by dyad; empty where moments belong to no session."""
    found = {}
    for dyad in dyads:
        days, session = (problem.scores[name].sel(dyad=dyad).values for name in ("days", "session"))
        here = np.isfinite(days) & (session > 0)
        numbers = np.unique(session[here])
        found[dyad] = np.array([days[here & (session == number)].min() for number in numbers])
    return found


def _state_label(state: str, problem: Problem) -> str:
    found = next(entry for entry in problem.plan.states if entry.id == state)
    label = found.variable.label
    return label if state == found.variable.id else f"{label}\n({found.person})"


def _longest(problem: Problem) -> list[str]:
    """Return the dyads with most values, the first in order where they tie."""
    counts = np.asarray(problem.panel.seen).sum(axis=(1, 2))
    chosen = np.sort(np.argsort(-counts, kind="stable")[:_N_COURSES])
    return [str(problem.scores["dyad"].values[row]) for row in chosen]


def _dots(
    post: xr.DataTree, problem: Problem, dyads: list[str]
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Return days and data of each dyad and state, on the scale of the state."""
    dots = {}
    posterior = post["posterior"].to_dataset()
    for dyad in dyads:
        entry = problem.scores.sel(dyad=dyad)
        for place, state in enumerate(problem.plan.names):
            days, values = [], []
            for indicator, index in zip(problem.observed.indicators, problem.observed.states, strict=True):
                if index == place:
                    mean = float(posterior[f"mean_{indicator}"].median())
                    loading = f"loading_{indicator}"
                    slope = float(posterior[loading].median()) if loading in posterior else 1.0
                    days.append(entry["days"].values)
                    values.append((entry["score"].sel(indicator=indicator).values - mean) / slope)
            nothing = [np.array([])]  # a common factor has no indicator
            dots[dyad, state] = (np.concatenate(days or nothing), np.concatenate(values or nothing))
    return dots
