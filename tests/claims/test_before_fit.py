"""Which claims a study can tell is said before any fit, and is what a fit then finds."""

import json

import dyadloop as dl
from dyadloop.claims.claims_table import UNTESTABLE
from tests.cli.program import dyadloop
from tests.inference.small import theory


def test_what_cannot_be_told_is_what_a_fit_leaves_out(small_fit):
    folder, post = small_fit[0], small_fit[1]
    table = dl.answerable(folder, theory(["oxytocin", "trust", "depression"])).set_index("claim")
    judged = dl.judge_claims(post).set_index("claim")
    assert list(table.index) == list(judged.index)
    cannot = judged.index[judged["verdict"] == UNTESTABLE]
    assert set(table.index[table["answerable"] == "no"]) <= set(cannot)
    for name in table.index[table["answerable"] == "no"]:
        assert table.loc[name, "reason"] == judged.loc[name, "reason"]


def test_check_says_it(small_fit):
    told = json.loads(dyadloop("check", small_fit[0], "--claims", "--json").stdout)["claims"]
    assert {row["answerable"] for row in told} <= {"yes", "as an association", "no"}
    run = dyadloop("check", small_fit[0], "--claims")
    assert "claims, before any fit:" in run.stdout
