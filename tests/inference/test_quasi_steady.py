"""Oxytocin that has settled by the next moment: said so, its time constant held, and only where it leaves no trace."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.data import read_study
from dyadloop.inference.problem import build_problem
from dyadloop.inference.quasi_steady import SETTLED, shortest_interval
from dyadloop.observation.scaling import scale_scores
from tests.inference.small import make, shorten, theory

PAIR = ["oxytocin", "trust"]


def _table(path):
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shorten(
        make(tmp_path_factory.mktemp("oxytocin_timescale") / "study", PAIR, seed=5, values={"a_trust": 0.4}), 4
    )


@pytest.fixture(scope="module")
def visits(folder, tmp_path_factory):
    """The same study as visits a week apart without a length: samples after are gone, the gate never opens."""
    made = tmp_path_factory.mktemp("visits") / "study"
    made.mkdir()
    sessions, values = _table(folder / "sessions.tsv"), _table(folder / "measurements.tsv")
    sessions["length_min"] = "0"
    saliva = values["indicator"].str.startswith("saliva")
    values = values[~saliva | (values["phase"] == "before")].assign(phase="before")
    sessions.to_csv(made / "sessions.tsv", sep="\t", index=False)
    values.to_csv(made / "measurements.tsv", sep="\t", index=False)
    for name in ("participants.tsv", "study.yaml"):
        (made / name).write_text((folder / name).read_text())
    return made


def _values(problem, **other):
    known = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    return {name: float(value) for name, value in (known | other).items()}


def test_sessions_need_the_full_dynamics(folder):
    problem = build_problem(scale_scores(read_study(folder)), theory(PAIR))
    assert problem.plan.fixed == ()
    assert "tau_oxytocin" in problem.priors.index
    assert (
        "full dynamics: the shortest interval is 2.5 of its time constants (20 min, a half-life of 14 min)"
        in problem.oxytocin_timescale
    )
    slow, fast = (problem.log_likelihood(_values(problem, tau_oxytocin=tau)).sum() for tau in (20.0, 40.0))
    assert abs(float(slow - fast)) > 0.05, "here it leaves a trace"


def test_visits_leave_no_trace_of_it(visits):
    """Held at its median: another value, even the slow end of the prior, changes the likelihood by next to nothing."""
    scores = scale_scores(read_study(visits))
    problem = build_problem(scores, theory(PAIR))
    assert problem.plan.fixed == (("tau_oxytocin", 20.0),)
    assert "tau_oxytocin" not in problem.priors.index
    assert "oxytocin is fitted as quasi-steady" in problem.oxytocin_timescale
    assert "tau_oxytocin is held at the median of its prior" in problem.oxytocin_timescale
    assert shortest_interval(scores) > 1.0 > SETTLED * 36.4 / 1440
    values = _values(problem)
    assert "tau_oxytocin" not in values
    whole = build_problem(scores, theory(PAIR), _row("tau_oxytocin"))
    assert whole.plan.fixed == ()  # a prior for this study says that it matters
    at = {tau: np.asarray(whole.log_likelihood(values | {"tau_oxytocin": tau})) for tau in (20.0, 36.4)}
    np.testing.assert_allclose(problem.log_likelihood(values), at[20.0], rtol=1e-12)
    np.testing.assert_allclose(at[20.0], at[36.4], atol=1e-6)


def _row(name):
    return pd.DataFrame(
        {
            "family": ["lognormal"],
            "location": [20.0],
            "scale": [0.3],
            "unit": ["min"],
            "source": ["assumed: as before"],
        },
        index=pd.Index([name], name="parameter"),
    )


def test_a_fit_is_read_again_as_it_was_made(visits):
    scores = scale_scores(read_study(visits))
    once = build_problem(scores, theory(PAIR))
    again = build_problem(scores, theory(PAIR), once.priors)
    assert again.plan.fixed == once.plan.fixed
    assert again.fingerprint == once.fingerprint
