"""RI-CLPM, DSEM and a fit on the same data: with equal spacing and no error of measurement they are one model."""

import importlib.util

import numpy as np
import pytest
from scipy.linalg import logm

from dyadloop.appraisal.lagged import effects_of
from dyadloop.appraisal.occasions import occasions
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from tests.conftest import ROOT
from tests.inference.two import theory, wandering, written

PATHS = np.array([[0.5, -0.15], [-0.25, 0.4]])
"""Lagged paths from week to week, target by source."""


@pytest.fixture(scope="module")
def panels():
    spec = importlib.util.spec_from_file_location("panels", ROOT / "docs" / "panels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def values():
    """Two variables of 120 persons at ten weeks, a vector autoregression around person means, without any error."""
    drift = np.real(logm(PATHS)) / 7.0
    return wandering(5, drift, np.array([[0.1, -0.02], [-0.02, 0.1]]), 7.0, (120, 10))


def test_both_models_find_the_paths_that_made_the_data_and_agree(panels, values):
    holes = values.copy()
    holes[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    for data in (values, holes):
        found = [panels.ri_clpm(data), panels.dsem(data)]
        for model in found:
            assert np.abs((model.paths - PATHS) / model.se).max() < 3.0
        assert np.abs((found[0].paths - found[1].paths) / found[0].se).max() < 0.7


def test_a_fit_without_error_of_measurement_is_that_model(panels, values, tmp_path):
    """Its effects per unit of the source's score are the paths, in standard errors of the panel model."""
    study = written(tmp_path / "s", values, 7.0 * np.arange(values.shape[1]))
    scores = scale_scores(study)
    scores["error_sd"] = ("indicator", np.full(2, 0.02))  # what is declared is not estimated
    given = build_problem(scores, theory()).priors
    problem = build_problem(scores, theory(), given.assign(scale=5.0 * given["scale"]))  # maximum likelihood has none
    seen = occasions(problem)
    table = effects_of(problem, panels.at_mode(problem, study.info.model_dump_json()), seen)
    model = panels.dsem(seen.value + seen.level[:, None, :])
    for _, row in table.iterrows():
        names = [problem.plan.names[state] for state in seen.states]
        target, source = names.index(row["target"]), names.index(row["source"])
        assert abs(row["slope"] - model.paths[target, source]) < 0.5 * model.se[target, source]
        width = (row["slope_high"] - row["slope_low"]) / (2 * panels.REACH)
        assert width == pytest.approx(model.se[target, source], rel=0.25)
