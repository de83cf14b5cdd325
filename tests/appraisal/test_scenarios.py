"""What a fit implies: the mean course against the simulator, and refusals where the study taught nothing."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from dyadloop.appraisal import whatif
from dyadloop.cli.program import app
from dyadloop.errors import FitError
from dyadloop.inference.result import problem_of
from dyadloop.simulation import simulate
from dyadloop.theory import hypothesis, protocol


def _narrow(post):
    """The same fit with one draw: its posterior median."""
    one = post.copy(deep=True)
    for name in one["posterior"].data_vars:
        one["posterior"][name].values[:] = float(np.median(one["posterior"][name].values))
    return one


def test_the_mean_course_is_that_of_the_simulator(small_fit):
    """Another integrator (diffrax), another room: the same theory and numbers, no noise, sessions twice a week."""
    post = _narrow(small_fit[1])
    problem = problem_of(post)
    scenario = protocol(6, "3.5 d", "50 min")
    found = whatif(post, scenario, baseline=protocol(3, "7 d", "50 min"), n_draws=2)
    values = {str(n): float(v.values[0, 0]) for n, v in post["posterior"].data_vars.items()}
    known = {name: value for name, value in values.items() if name in problem.plan.parameters()}
    run = simulate(problem.plan.theory, scenario, dyads=1, noise=False, between=False, values=known, points=(1, 1))
    times = run["days"].values[0]
    places = [int(np.argmin(np.abs(times - day))) for day in found["days"].values]
    np.testing.assert_allclose(times[places], [0, 7, 14, 21], atol=1e-9)
    for state in problem.plan.names:
        expected = run[state].values[0, places]
        np.testing.assert_allclose(found["scenario"].sel(quantile=0.5, state=state), expected, atol=1e-5)


def test_without_arrows_from_oxytocin_it_is_the_rival(small_fit):
    """Cutting w_* and v_* is the biomarker hypothesis: oxytocin follows, nothing follows oxytocin."""
    post = _narrow(small_fit[1])
    found = whatif(post, cut=["oxytocin"], n_draws=2)
    theory = problem_of(post).plan.theory
    assert set(found.attrs["cut"].split(", ")) == {c.id for c in theory.couplings if c.id[:2] in ("w_", "v_")}
    left = {c.id for c in hypothesis("biomarker", theory).couplings}
    assert left.isdisjoint(found.attrs["cut"].split(", "))
    trust = found["difference"].sel(state="trust", quantile=0.5).values
    effect = float(post["posterior"]["w_trust"].values[0, 0])
    assert trust[0] == 0.0
    assert np.sign(trust[-1]) in (0.0, -np.sign(effect))
    assert "common cause" in found.attrs["note"]


def test_uncertainty_is_that_of_the_posterior(small_fit):
    found = whatif(small_fit[1], cut=["w_trust"], n_draws=300)
    difference = found["difference"]
    assert (difference.sel(quantile=0.055) <= difference.sel(quantile=0.945)).all()
    end = difference.isel(time=-1).sel(state="trust")
    assert float(end.sel(quantile=0.945)) > float(end.sel(quantile=0.055))
    share = float((small_fit[1]["posterior"]["w_trust"] < 0).mean())
    assert float(found["p_positive"].isel(time=-1).sel(state="trust")) == pytest.approx(share, abs=0.25)


def test_what_the_study_did_not_teach_is_refused(small_fit):
    post = small_fit[1]
    with pytest.raises(FitError, match="the scenario is the baseline"):
        whatif(post)
    with pytest.raises(FitError, match=r"'a_humour' is no arrow of this fit.*a_trust"):
        whatif(post, cut=["a_humour"])
    dosed = protocol(4, "7 d", "50 min", events=[{"event": "dose", "sessions": [2], "amount": 24}])
    with pytest.raises(FitError, match="'dose' did not occur in this study"):
        whatif(post, dosed)


def test_where_nothing_acts_in_sessions_alone_another_calendar_is_refused(small_fit):
    """No number with a probability where the two courses are one by construction."""
    post = _narrow(small_fit[1])
    theory = json.loads(post.attrs["theory"])
    theory["couplings"] = [coupling | {"gate": "always"} for coupling in theory["couplings"]]
    theory["inputs"] = [entry for entry in theory["inputs"] if entry["kind"] != "session"]
    ungated = post.copy()
    ungated.attrs = {**post.attrs, "theory": json.dumps(theory)}
    with pytest.raises(FitError, match="no arrow of this fit acts in sessions alone"):
        whatif(ungated, protocol(6, "3.5 d", "50 min"), baseline=protocol(3, "7 d", "50 min"), n_draws=2)
    found = whatif(ungated, cut=["w_trust"], n_draws=2)
    assert np.isfinite(found["p_positive"].sel(state="trust").isel(time=-1))


def test_what_a_cut_does_not_reach_has_no_probability(small_fit):
    """Without its arrows into trust and depression oxytocin follows the same course: exactly, and without a sign."""
    post = _narrow(small_fit[1])
    arrows = [c for c in problem_of(post).plan.couplings if c.id.startswith("c_depression_")]
    found = whatif(post, cut=[c.id for c in arrows], n_draws=2)
    reached = {"depression"}
    while more := {c.target for c in problem_of(post).plan.couplings if set(c.sources) & reached} - reached:
        reached |= more
    still = [name for name in found["state"].values.tolist() if name not in reached]
    assert still == [name for name in found.attrs["unmoved"].split(", ") if name]
    for state in still:
        assert np.isnan(found["p_positive"].sel(state=state)).all()
        assert (found["difference"].sel(state=state) == 0.0).all()


def test_the_command(small_fit, tmp_path):
    folder = tmp_path / "result"
    shutil.copytree(small_fit[0].parent / "example", folder, ignore=shutil.ignore_patterns("chains"))
    call = ["whatif", str(folder), "--every", "3.5 d", "--json", "--out", str(tmp_path / "courses.csv")]
    run = CliRunner().invoke(app, call)
    assert run.exit_code == 0, run.output
    content = json.loads(run.stdout)
    assert {row["state"] for row in content["end"]} == set(problem_of(small_fit[1]).plan.names)
    assert (tmp_path / "courses.csv").read_text().startswith("days,state,baseline_low,baseline,baseline_high,")
    run = CliRunner().invoke(app, ["whatif", str(folder), "--cut", "oxytocin"])
    assert run.exit_code == 0, run.output
    assert "model-implied" in run.stdout
