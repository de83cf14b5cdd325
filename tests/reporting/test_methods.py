"""What a report says of its methods is what the fit had, and what it says of convergence is the rule of the claims."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dyadloop.claims import judge_claims
from dyadloop.data import read_study
from dyadloop.inference import problem_of
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.reporting import methods
from dyadloop.reporting.report import report
from dyadloop.simulation import simulate_alliance
from dyadloop.theory import read_theory


@pytest.mark.parametrize(
    ("source", "text", "address"),
    [
        ("10.1037/ccp0000594", "doi:10.1037/ccp0000594", "https://doi.org/10.1037/ccp0000594"),
        ("pmid:8568623", "pmid:8568623", "https://pubmed.ncbi.nlm.nih.gov/8568623/"),
        ("assumed: a rival for this page", "assumed: a rival for this page", ""),
    ],
)
def test_a_theory_is_cited_by_the_source_that_its_file_names(source, text, address):
    theory = read_theory("hub").model_copy(update={"source": source})
    assert methods.source_of(theory) == (text, address)


def _told(post, rhat, share=0.0):
    """Return a fit whose worst R-hat and share of divergent transitions are as asked."""
    found = post.copy()
    table = found["diagnostics"].to_dataset().copy(deep=True)
    table["rhat"][0] = rhat
    found["diagnostics"] = xr.DataTree(table)
    stats = found["sample_stats"].to_dataset().copy(deep=True)
    stats["diverging"][:] = 0
    stats["diverging"][0, : round(share * stats["diverging"].size)] = 1
    found["sample_stats"] = xr.DataTree(stats)
    return found


def _flat(path):
    return " ".join(re.sub(r"<[^>]+>", " ", path.read_text()).split())


def test_a_little_slow_chain_leaves_claims_to_their_own_estimands(small_fit, small_claims, tmp_path):
    post = _told(small_fit[1], 1.03)
    text = _flat(report(post, tmp_path / "slow.html", table=small_claims))
    assert "Not all parameters have converged" in text
    assert "claims are judged one by one" in text
    assert "No claim is judged" not in text
    assert "claims whose estimand had not converged were not judged" in text


@pytest.mark.parametrize(("rhat", "share"), [(1.3, 0.0), (1.0, 0.02)])
def test_a_fault_of_all_draws_withholds_every_verdict_in_box_and_table(small_fit, tmp_path, rhat, share):
    post = _told(small_fit[1], rhat, share)
    table = judge_claims(post)
    assert set(table["verdict"]) == {"undecided", "not testable here"}
    text = _flat(report(post, tmp_path / "bad.html", table=table))
    assert "No claim is judged here" in text
    assert not re.search(r"\d+ supported", text)
    assert "no claim was judged" in text


def test_a_converged_fit_has_no_box(small_fit):
    assert methods.unconverged(_told(small_fit[1], 1.0)) is None


@pytest.fixture(scope="module")
def alliance(tmp_path_factory):
    """A simulated study with therapists and a trend, and its fitting problem."""
    folder = simulate_alliance(tmp_path_factory.mktemp("alliance") / "study", dyads=8, therapists=4, seed=1)
    text = (folder / "study.yaml").read_text()
    trend = "covariates:\n  trend: {of: time, per: 30, reason: therapies have a course}\n"
    (folder / "study.yaml").write_text(re.sub(r"covariates: \{\}\n", "", text) + trend)
    study = read_study(folder)
    return study, build_problem(scale_scores(study), read_theory("alliance"))


def test_methods_name_what_the_fit_had(alliance, small_fit, small_claims):
    study, problem = alliance
    post = small_fit[1].copy()
    post.attrs = post.attrs | {"study_info": study.info.model_dump_json()}
    none = pd.DataFrame({"verdict": ["not testable here"]})
    text = methods.methods(post, problem, None, pd.DataFrame({"verdict": ["undecided"]}))
    assert "4 therapists are a further level" in text
    assert "a linear trend over time, with an effect that differs between dyads (random slopes)" in text
    assert "normal priors centred on 0 (scales 0.5)" in text
    assert "allowed to correlate" in text
    assert "doi:10.1037/ccp0000594" in text
    assert "Eckert" not in text
    assert "randomised events" not in text  # claims about associations in time
    assert "region of practical equivalence" not in methods.methods(post, problem, None, none)
    other = methods.methods(small_fit[1], problem_of(small_fit[1]), None, small_claims)
    assert "therapists" not in other
    assert "trend" not in other
    assert "judged by randomised events alone" in other


def test_what_is_counted_as_observed_was_measured(alliance):
    _, problem = alliance
    days = np.isfinite(problem.scores["days"].values).sum()
    assert methods.observation_times(problem) < days  # sessions have borders
    assert methods.observation_times(problem) == np.isfinite(problem.scores["score"].values).any(axis=-1).sum()
