"""A study under other choices: each is what its name says, and what verdicts hang on is told."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from dyadloop.claims import multiverse, multiverse_options, specifications, summarise_multiverse
from dyadloop.claims.claims_table import UNTESTABLE
from dyadloop.claims.specifications import DECLARED
from dyadloop.cli.program import app
from dyadloop.data import read_study
from dyadloop.errors import FitError
from dyadloop.inference import problem
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import linear_form, read_theory
from tests.inference.small import coarse, make, shared, shorten, theory

PAIR = ["oxytocin", "trust"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A coarse scale with open ends, and therapists with several patients."""
    folder = shorten(make(tmp_path_factory.mktemp("choices") / "study", PAIR, seed=4), 8)
    return read_study(coarse(shared(folder, lambda n: f"T{n % 3}")))


def test_each_alternative_changes_what_it_says(study):
    found = multiverse_options(study)
    assert {"continuous_trust", "ends_trust", "without_trust", "without_therapists", "without_least_observed"} <= set(
        found
    )
    assert not found["continuous_trust"].info.indicators["trust"].step
    assert not found["ends_trust"].info.indicators["trust"].ends_are_limits
    assert not found["without_trust"].info.indicators["trust"].use
    least = set(study.dyads) - set(found["without_least_observed"].dyads)
    counts = study.measurements["dyad"].value_counts()
    assert len(least) == 2
    assert counts[list(least)].max() <= counts[found["without_least_observed"].dyads].min()
    assert build_problem(scale_scores(study), theory(PAIR)).panel.therapist is not None
    assert build_problem(scale_scores(found["without_therapists"]), theory(PAIR)).panel.therapist is None
    assert len({other.digest for other in found.values()} | {study.digest}) == len(found) + 1
    for other in found.values():
        assert np.isfinite(scale_scores(other)["score"]).any()


def test_no_choice_is_lost_to_a_name_that_files_cannot_have(study):
    first = study.info.indicators["trust"]
    indicators = {**study.info.indicators, "a b": first, "a_b": first}
    more = dataclasses.replace(study, info=study.info.model_copy(update={"indicators": indicators}))
    found = multiverse_options(more)
    assert not found["without_a_b"].info.indicators["a b"].use
    assert not found["without_a_b_"].info.indicators["a_b"].use
    assert len(found) == len(multiverse_options(study)) + 2 * 4  # in or out, coarse or not, borders, ends


def test_unused_indicators_and_covariates_are_choices(school_folder):
    diaries = multiverse_options(read_study(school_folder.parent / "diaries"))
    assert diaries["with_relaxed"].info.indicators["relaxed"].use
    assert "symptoms" not in diaries["without_covariate_symptoms"].info.covariates


def test_a_quantity_without_an_indicator_leaves_the_fit_unless_it_was_pushed(school_folder):
    school = read_study(school_folder)
    model = read_theory(school.info.theory)
    whole, less = (
        build_problem(scale_scores(one), model) for one in (school, multiverse_options(school)["without_te_fair_all"])
    )
    assert set(whole.plan.names) - set(less.plan.names) == {"trust"}
    scores = xr.Dataset(
        {
            "quantity": ("indicator", ["oxytocin", "trust"]),
            "person": ("indicator", ["patient", "patient"]),
            "use": ("indicator", [0, 1]),
        },
        coords={"event": ["dose"]},
    )
    linear = linear_form(model)
    assert problem._measured(scores, linear) == {("oxytocin", "patient"), ("trust", "patient")}
    assert problem._measured(scores.isel(event=[]), linear) == {("trust", "patient")}


def test_what_verdicts_hang_on_by_hand():
    rows = [
        (DECLARED, "C1", 0.3, "supported"), (DECLARED, "C2", 0.1, "undecided"), (DECLARED, "C3", np.nan, UNTESTABLE),
        ("x", "C1", 0.1, "undecided"), ("x", "C2", 0.2, "undecided"), ("x", "C3", 0.2, "undecided"),
        ("y", "C1", 0.4, "supported"), ("y", "C2", np.nan, UNTESTABLE), ("y", "C3", np.nan, UNTESTABLE),
    ]  # fmt: skip
    found = summarise_multiverse(pd.DataFrame(rows, columns=["choice", "claim", "median", "verdict"])).set_index(
        "claim"
    )
    assert list(found.index) == ["C1", "C2"]
    assert found.loc["C1"].tolist() == ["supported", 0.3, 0.1, 0.4, 3, 2, "x: undecided"]
    assert found.loc["C2"].tolist() == ["undecided", 0.1, 0.1, 0.2, 2, 2, ""]


def test_the_program_fits_each_choice(small_fit, tmp_path, monkeypatch):
    fitted = []

    def noted(study, theory, *, folder, progress, **rest):
        fitted.append(Path(folder).name)
        progress(0, 50, 0)
        if study.info.indicators["trust"].use:
            return small_fit[1]
        raise FitError("nothing left")

    monkeypatch.setattr(specifications, "fit", noted)
    call = ["multiverse", str(small_fit[0]), "--out", str(tmp_path)]
    run = CliRunner().invoke(app, [*call, "--only", "without_trust,without_least_observed", "--json"])
    assert run.exit_code in (0, 4), run.output
    assert fitted == [DECLARED, "without_trust", "without_least_observed"]
    assert "without_trust cannot be fitted: nothing left" in run.stderr
    sheet = pd.read_csv(tmp_path / "multiverse.csv")
    assert set(sheet["choice"]) == {DECLARED, "without_least_observed"}
    rows = json.loads(run.stdout)
    assert rows
    assert all(row["agree"] == row["choices"] == 2 for row in rows)
    printed = CliRunner().invoke(app, [*call, "--only", "without_least_observed"])
    assert "otherwise" in printed.stdout
    listed = CliRunner().invoke(app, [*call[:2], "--list"])
    assert "without_trust" in listed.stdout.split()
    with pytest.raises(FitError, match=r"colour: no other choice; known: .*without_trust"):
        multiverse(read_study(small_fit[0]), only=["colour"])


def test_a_study_that_cannot_be_fitted_as_declared_says_so(study, tmp_path, monkeypatch):
    def refuse(*args, **rest):
        raise FitError("no value enters the fit")

    monkeypatch.setattr(specifications, "fit", refuse)
    with pytest.raises(FitError, match="no value"):
        multiverse(study, folder=tmp_path)
