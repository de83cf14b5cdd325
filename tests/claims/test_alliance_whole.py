"""A study that measures the alliance as a whole, oxytocin and depression, judged under the framework."""

import pandas as pd
import pytest

from dyadloop.claims.claims_table import UNTESTABLE, judge
from dyadloop.data import read_study
from dyadloop.inference import priors
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_study
from dyadloop.theory import framework, hypothesis, keep, lump
from tests.inference.two import laplace
from tests.linear import linear, rival


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    theory = lump(
        keep(rival("reciprocal"), [v.id for v in linear().variables if v.id not in ("stress", "fear")]), "alliance"
    )
    folder = tmp_path_factory.mktemp("whole") / "s"
    values = {"c_depression_alliance": 0.8, "a_alliance": 0.3, "tau_alliance": 14.0}
    return read_study(simulate_study(folder, theory=theory, seed=3, values=values, dyads=20, sessions=10))


@pytest.fixture(scope="module")
def problem(study):
    return build_problem(scale_scores(study), framework())


def test_the_alliance_stands_for_what_makes_it_up(study, problem):
    assert study.info.theory == "framework"
    assert set(study.info.indicators) == {"alliance", "depression", "saliva_patient", "saliva_therapist"}
    assert problem.plan.names == ("oxytocin_patient", "oxytocin_therapist", "alliance", "depression")
    assert problem.plan.theory.hypothesis == "reciprocal"
    assert {"a_alliance", "w_alliance", "c_depression_alliance", "f_alliance_depression"} <= set(problem.priors.index)
    (told,) = [text for text in problem.left_out if "not told apart" in text]
    assert told.startswith("attachment, empathy, synchrony, trust, support are not told apart: the alliance as a whole")


def test_claims_about_it_are_judged_in_words(study, problem):
    post = laplace(study, problem)
    rows = judge(problem, {name: post[name].to_dataset() for name in ("prior", "posterior")})
    table = pd.DataFrame(rows).set_index("claim")
    said = table["statement"].to_dict()
    assert said["C1.alliance"] == "The alliance as a whole raises oxytocin"
    assert said["C2.alliance"] == "Oxytocin raises the alliance as a whole"
    assert said["C3.alliance"] == "The alliance as a whole and oxytocin strengthen each other"
    told = table[table["verdict"] != UNTESTABLE].index
    assert {"C1.alliance", "C2.alliance", "C3.alliance", "C5.weak", "C5.strong", "C7.depression.components",
            "C7.depression.oxytocin", "C7.depression.mediated"} == set(told)  # fmt: skip
    for claim in ("C4", "C6"):
        assert table.loc[claim, "verdict"] == UNTESTABLE
        assert "measures the alliance as a whole, which tells none apart" in table.loc[claim, "reason"]
    row = table.loc["C7.depression.components"]
    assert row["estimand"] == "sum over k of c_depression_k"
    assert row["low"] < 0.8 < row["high"]
    assert row["verdict"] == "undecided"


def test_measured_parts_keep_the_whole_out(tmp_path):
    folder = simulate_study(
        tmp_path / "s", theory=keep(rival("reciprocal"), ["oxytocin", "trust"]), dyads=4, sessions=6
    )
    found = build_problem(scale_scores(read_study(folder)), framework())
    assert "trust" in found.plan.names
    assert "alliance" not in found.plan.names
    assert any("stays out, because the study also measures what makes it up (trust)" in text for text in found.left_out)


def test_other_priors_of_the_parts_are_those_of_the_whole(study):
    flat = build_problem(scale_scores(study), framework(), priors(hypothesis("reciprocal"), "flat"))
    assert flat.priors.loc["a_alliance", "scale"] == pytest.approx(5 * 0.3 * 5**0.5)
    assert flat.priors.loc["w_alliance", "scale"] == pytest.approx(5 * 0.5 / 5**0.5)
