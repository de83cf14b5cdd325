"""Model criticism: quiet about a right model, loud about planted faults."""

import dataclasses
import json
import shutil

import equinox as eqx
import numpy as np
import pytest
from typer.testing import CliRunner

from dyadloop.appraisal import checks
from dyadloop.appraisal import model_criticism as module
from dyadloop.appraisal.replication import cross_lags
from dyadloop.cli.program import app
from dyadloop.inference.result import problem_of


def test_cross_lags_by_hand():
    x = np.array([1.0, np.nan, 3.0, 5.0, np.nan])
    y = np.array([np.nan, 2.0, 6.0, np.nan, 4.0])
    found = cross_lags(np.stack([x, y], axis=-1)[None], ["x", "y"])
    # y at its moments 1, 2, 4 after x at 0, 0, 3; centred: x - 3, y - 4
    source, target = np.array([-2.0, -2.0, 2.0]), np.array([-2.0, 2.0, 0.0])
    expected = (source * target).sum() / np.sqrt((source**2).sum() * (target**2).sum())
    assert found["x then y: cross-lag"] == pytest.approx(expected)
    assert "y then x: cross-lag" not in found  # two pairs are too few


@pytest.fixture(scope="module")
def checked(small_fit):
    return checks(small_fit[1], n_draws=100)


def test_a_right_model_is_left_alone(checked):
    residuals = checked["residuals"].to_dataset()
    assert (np.abs(residuals["sd"] - 1) < 0.15).all()
    assert (np.abs(residuals["autocorrelation"]) < 4 * residuals["autocorrelation_se"]).all()
    table = checked["predictive"].to_dataset()
    assert any("cross-lag" in name for name in table["statistic"].values.tolist())
    outside = (table["share_above"] < 0.01) | (table["share_above"] > 0.99)
    assert outside.mean() < 0.2
    influence = checked["influence"].to_dataset()
    assert influence.sizes["dyad"] == 20
    assert (influence["shift"] >= 0).all()
    assert set(influence["coupling"].values) <= {
        "a_trust",
        "w_trust",
        "c_depression_trust",
        "v_depression",
        "f_trust_depression",
    }


def test_sensitivity_knows_prior_from_data(small_fit, checked):
    """What the study cannot see rests on its prior; a mean that it sees a thousand times does not."""
    table = checked["sensitivity"].to_dataset()
    narrowed = {
        name: float(small_fit[1]["posterior"][name].std() / small_fit[1]["prior"][name].std())
        for name in table["parameter"].values.tolist()
    }
    least, most = min(narrowed, key=narrowed.__getitem__), max(narrowed, key=narrowed.__getitem__)
    assert float(table["prior"].sel(parameter=least)) < 0.05
    assert float(table["prior"].sel(parameter=most)) > float(table["likelihood"].sel(parameter=most))


def test_a_planted_outlier_and_a_wrong_error_are_found(small_fit, monkeypatch):
    """One dyad's likelihood made to reach far out, errors halved in the observation model: both are named."""
    post = small_fit[1].copy(deep=True)
    draws = post["posterior"]["a_trust"].values
    post["log_likelihood"]["dyads"].values[..., 4] -= 40 * (draws - draws.mean()) ** 2 / draws.var()
    problem = problem_of(post)

    honest = problem.observed.observation

    def narrow(values):
        observation = honest(values)
        return eqx.tree_at(lambda o: o.error_sd, observation, observation.error_sd / 4)

    observed = dataclasses.replace(problem.observed)
    object.__setattr__(observed, "observation", narrow)
    monkeypatch.setattr(module, "problem_of", lambda _: dataclasses.replace(problem, observed=observed))
    found = checks(post, n_draws=30)
    text = found.attrs["findings"]
    dyad = problem.scores["dyad"].values[4]
    assert f"dyad {dyad} is influential" in text
    assert "the model does not reproduce" in text
    assert (found["residuals"].to_dataset()["sd"] > 1.1).any()


def test_checks_courses_and_draws_from_the_command_line(small_fit, tmp_path):
    folder = tmp_path / "result"
    shutil.copytree(small_fit[0].parent / "example", folder, ignore=shutil.ignore_patterns("chains"))
    runner = CliRunner()
    run = runner.invoke(app, ["checks", str(folder), "--json"])
    assert run.exit_code == 0, run.output
    content = json.loads(run.stdout)
    beside = {"cross_residuals", "referees", "halves", "without_each"}
    assert {"findings", "predictive", "residuals", "influence", "sensitivity", *beside} == set(content)
    assert (folder / "checks_referees.csv").read_text().startswith("arrow,source,target,person,gap_days,coefficient")
    assert (folder / "checks_influence.csv").read_text().startswith("dyad,")
    run = runner.invoke(app, ["smooth", str(folder), "--dyads", "D01,D03", "--figure", str(tmp_path / "c.svg")])
    assert run.exit_code == 0, run.output
    lines = (folder / "courses.csv").read_text().splitlines()
    assert lines[0] == "dyad,state,days,low_89,low_50,median,high_50,high_89"
    assert {line.split(",")[0] for line in lines[1:]} == {"D01", "D03"}
    assert (tmp_path / "c.svg").read_text().lstrip().startswith("<svg")
    run = runner.invoke(app, ["draws", str(folder)])
    assert run.exit_code == 0, run.output
    head, *rows = (folder / "draws.csv").read_text().splitlines()
    assert head.endswith(".chain,.iteration,.draw")
    assert len(rows) == 1400
    assert rows[-1].endswith("2,700,1400")
