"""The verdicts: every branch, and that a passive study never supports a claim."""

import json

import numpy as np
import pytest
import xarray as xr

from dyadloop.claims import judge_claims
from dyadloop.claims.claims_table import COLUMNS, _finding, _judge, _verdict, subjects
from dyadloop.claims.randomisation import Randomisation
from dyadloop.data import read_study
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.inference.convergence import estimand_fault
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Claim, framework, hypothesis

CLAIM = Claim.model_validate(
    {"id": "C", "statement": "s", "estimand": "spill_over", "formula": "f", "unit": "1",
     "rope": {"low": -0.1, "high": 0.1, "assumed": "test"}}
)  # fmt: skip
STRONG = CLAIM.model_copy(update={"rope": CLAIM.rope.model_copy(update={"low": None, "high": 1.0})})
PRIOR = np.random.default_rng(0).normal(0, 1, 4000)


def _draws(center, sd):
    return np.random.default_rng(1).normal(center, sd, 4000)


@pytest.mark.parametrize(
    ("claim", "posterior", "expected"),
    [
        (CLAIM, _draws(0.5, 0.1), "positive"),
        (CLAIM, _draws(-0.5, 0.1), "negative"),
        (CLAIM, _draws(0.0, 0.03), "practically zero"),
        (CLAIM, _draws(0.1, 0.1), "unclear"),
        (CLAIM, _draws(0.0, 1.0), "unclear"),
        (CLAIM, _draws(3.0, 0.9), "unclear"),  # far out, but the data hardly narrowed the prior
        (CLAIM, _draws(6.0, 0.9), "positive"),  # wholly outside the prior's interval: the data have spoken
        (STRONG, _draws(0.3, 0.1), "below"),
        (STRONG, _draws(1.5, 0.1), "positive"),
        (CLAIM, np.where(np.arange(4000) % 10, _draws(0.5, 0.1), np.nan), "unclear"),  # undefined at a tenth
        (CLAIM, np.where(np.arange(4000) % 100, _draws(0.5, 0.1), np.nan), "positive"),
    ],
)
def test_findings(claim, posterior, expected):
    word, why = _finding(PRIOR, posterior, claim)
    assert word == expected
    assert bool(why) == (expected == "unclear")


@pytest.mark.parametrize(
    ("finding", "rival", "expected"),
    [
        ("positive", "", "supported"),
        ("positive", "common_cause predicts better", "undecided"),
        ("practically zero", "", "contradicted"),
        ("negative", "common_cause predicts better", "contradicted"),
        ("unclear", "", "undecided"),
    ],
)
def test_verdicts(finding, rival, expected):
    verdict, reason = _verdict(finding, "because", rival, "it is there")
    assert verdict == expected
    assert reason
    assert ("common_cause" in reason) == (bool(rival) and finding == "positive")


def _table(post, **attributes):
    changed = post.copy()
    changed.attrs = {**post.attrs, **attributes}
    return judge_claims(changed).set_index("claim")


def test_a_passive_study_neither_supports_nor_contradicts(small_claims):
    table = small_claims.set_index("claim")
    assert tuple(table.reset_index().columns) == COLUMNS
    assert set(table["verdict"]) == {"undecided", "not testable here"}
    assert table["randomised_median"].isna().all()
    row = table.loc["C1.trust"]
    assert row["finding"] == "positive"
    assert row["verdict"] == "undecided"
    assert "common cause (M6)" in row["reason"]
    assert row["prior_low"] < 0 < row["prior_high"]
    assert row["low"] < row["median"] < row["high"]
    assert row["p_direction"] >= row["p_beyond_rope"] > 0.95


def test_every_untestable_claim_says_why(small_fit, school_folder):
    table = _table(small_fit[1])
    untested = table[table["verdict"] == "not testable here"]
    one = "it takes two components, and this study measures 1"
    assert untested.loc["C4", "reason"] == untested.loc["C6", "reason"] == one
    assert untested["median"].isna().all()
    study = read_study(school_folder)
    problem = build_problem(scale_scores(study), framework())
    reasons = {
        claim.id.format(id=subject): estimand(problem, claim, subject)
        for claim in problem.plan.theory.claims
        for subject in subjects(problem, claim)
    }
    assert len(reasons) == 28
    assert reasons["C1.synchrony"] == Untestable(
        "oxytocin and social synchrony are not measured in this study", ("oxytocin", "synchrony")
    )
    assert reasons["C1.trust"] == Untestable("oxytocin is not measured in this study", ("oxytocin",))
    assert reasons["C7.fear.components"] == Untestable("fear is not measured in this study", ("fear",))
    testable = {name for name, found in reasons.items() if not isinstance(found, Untestable)}
    assert testable == {"C4", "C7.stress.components"}


def _diverging(post, share):
    changed = post.copy()
    stats = changed["sample_stats"].to_dataset().copy(deep=True)
    stats["diverging"][:] = 0.0
    stats["diverging"][0, : round(share * stats["diverging"].size)] = 1.0
    changed["sample_stats"] = xr.DataTree(stats)
    return changed


def test_nothing_is_found_where_sampling_has_not_converged(small_fit):
    table = judge_claims(_diverging(small_fit[1], 0.02))
    tested = table[table["verdict"] != "not testable here"]
    assert set(tested["verdict"]) == {"undecided"}
    assert set(tested["reason"]) == {"the sampling has not converged (2.0% of the transitions diverged)"}


def test_one_divergence_does_not_empty_the_table(small_fit):
    one = 1.0 / small_fit[1]["sample_stats"].to_dataset()["diverging"].size
    whole, table = judge_claims(_diverging(small_fit[1], 0.0)), judge_claims(_diverging(small_fit[1], one))
    assert set(table["finding"]) > {"none"}
    assert table["finding"].tolist() == whole["finding"].tolist()


def test_an_estimand_is_judged_by_its_own_mixing():
    rng = np.random.default_rng(0)
    chains = rng.normal(size=(4, 1000))
    assert estimand_fault(chains.ravel(), 4) == ""
    apart = estimand_fault((chains + np.arange(4)[:, None]).ravel(), 4)
    assert "R-hat" in apart
    few = estimand_fault(chains[:, :50].ravel(), 4)
    assert "effective draws" in few
    holes = np.where(rng.random(chains.shape) < 0.01, np.nan, chains)
    assert estimand_fault(holes.ravel(), 4) == ""


def test_the_estimates_are_those_of_the_posterior(small_fit):
    post = small_fit[1]
    table = _table(post)
    draws = post["posterior"]["w_trust"].values
    np.testing.assert_allclose(table.loc["C2.trust", "median"], np.median(draws), rtol=1e-12)
    np.testing.assert_allclose(table.loc["C2.trust", "p_direction"], (draws > 0).mean(), rtol=1e-12)
    assert json.loads(post.attrs["study_info"])["simulated"] is True


@pytest.mark.parametrize("rival", ["none", "biomarker", "driver"])
def test_a_rival_without_the_arrows_contradicts_nothing(small_fit, rival):
    """What a hypothesis sets to zero is an assumption, not a finding."""
    problem = build_problem(scale_scores(read_study(small_fit[0])), hypothesis(rival))
    draws = prior_draws(problem.priors, 1)
    claim = next(c for c in problem.plan.theory.claims if c.estimand == "mediated_share")
    row = _judge(problem, claim, "depression", {"prior": draws, "posterior": draws}, Randomisation(frozenset(), {}), "")
    assert row["verdict"] == "not testable here"
    assert "no arrow" in row["reason"]
