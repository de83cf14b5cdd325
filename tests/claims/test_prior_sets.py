"""One study under several priors: what depends on them is said, and only comparable fits are compared."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from dyadloop import inference
from dyadloop.claims import compare_priors, prior_sets
from dyadloop.cli.program import app
from dyadloop.errors import FitError
from dyadloop.inference import priors, save_result
from dyadloop.reporting.report import report as write_report
from dyadloop.theory import framework


def test_a_verdict_that_the_prior_makes_is_marked(small_fit, small_claims, monkeypatch, tmp_path):
    def judged(post):
        table = small_claims.copy()
        if post is other:
            table.loc[table["claim"] == "C1.trust", "verdict"] = "contradicted"
        return table

    monkeypatch.setattr(prior_sets, "judge_claims", judged)
    other = small_fit[1].copy()
    sets = compare_priors({"sceptical": small_fit[1], "flat": other})
    assert sets.loc[sets["depends"] == "yes", "claim"].tolist() == ["C1.trust"]
    assert "Under other priors" in write_report(small_fit[1], tmp_path / "sets.html", sets, small_claims).read_text()


def test_what_cannot_be_compared_is_refused(small_fit):
    with pytest.raises(FitError, match="at least two"):
        compare_priors({"flat": small_fit[1]})
    other = small_fit[1].copy()
    other.attrs["study_digest"] = "another"
    with pytest.raises(FitError, match="one study and one theory"):
        compare_priors({"sceptical": small_fit[1], "flat": other})


def test_the_program_fits_all_sets(small_fit, tmp_path, monkeypatch):
    given = {}

    def noted(study, theory, *, priors, folder, **rest):
        given[Path(folder).name] = priors
        save_result(small_fit[1], folder)
        return small_fit[1]

    monkeypatch.setattr(inference, "fit", noted)
    out = tmp_path / "result"
    found = CliRunner().invoke(app, ["run", str(small_fit[0]), "--all-priors", "--out", str(out)])
    assert found.exit_code in (0, 4)
    assert given["result"] is None
    assert given["flat"].loc["a_trust", "scale"] == 5 * priors(framework(), "sceptical").loc["a_trust", "scale"]
    assert "evidence: " in given["evidence"].loc["a_trust", "source"]
    assert "Under other priors" in (out / "report.html").read_text()
    assert {"median_sceptical", "median_evidence", "median_flat", "depends"} <= set(pd.read_csv(out / "prior_sets.csv"))
    assert all((out / kind / "manifest.json").exists() for kind in ("evidence", "flat"))
