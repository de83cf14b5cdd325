"""Sampling until nothing is lacking: the draws are those of a fit of so many, and the end is told."""

import numpy as np
import pytest

from dyadloop.claims import unsettled
from dyadloop.data import read_study
from dyadloop.inference import Settings, convergence_faults, fit, problem_of, stopping
from dyadloop.inference.stopping import Outlook, outlook
from tests.inference.small import make, theory

SETTINGS = {"chains": 2, "warmup": 60, "block": 50}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make(tmp_path_factory.mktemp("open") / "study", ["trust"])


@pytest.fixture(scope="module")
def rounds(study):
    """A fit that first looks after 50 draws, what it said, and how far its rounds went."""
    said, iterations = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dyadloop.inference.fitting.FIRST_DRAWS", 50)
        post = fit(
            read_study(study), theory(["trust"]), seed=7, settings=Settings(draws=None, **SETTINGS), message=said.append,
            progress=lambda chain, done, divergences: iterations.append(done), promise=unsettled,
        )  # fmt: skip
    return post, said, iterations


def test_it_ends_where_nothing_is_lacking(rounds):
    post, said, iterations = rounds
    assert post.attrs["converged"] == 1
    assert convergence_faults(post) == []
    assert 50 < post["posterior"].sizes["draw"] < 2000
    told = [text for text in said if "draws a chain: " in text]
    assert told[0].startswith("50 draws a chain: ")
    assert all("ESS" in text or "R-hat" in text for text in told)
    assert all(text.endswith("; safe to stop") for text in told)
    assert max(iterations) >= 60 + post["posterior"].sizes["draw"]


def test_its_draws_are_those_of_a_fit_of_so_many(rounds, study):
    post = rounds[0]
    fixed = Settings(draws=post["posterior"].sizes["draw"], **SETTINGS)
    again = fit(read_study(study), theory(["trust"]), seed=7, settings=fixed)
    for name, values in post["posterior"].data_vars.items():
        assert values.values.tobytes() == again["posterior"][name].values.tobytes(), name
    assert again.attrs["settings"] == post.attrs["settings"]
    assert again.attrs["fingerprint"] == post.attrs["fingerprint"]


def test_the_outlook_grows_with_what_is_lacking(rounds, monkeypatch):
    post = rounds[0].copy()
    n_draws, problem = post["posterior"].sizes["draw"], problem_of(rounds[0])
    assert outlook(problem, post, n_draws, lambda problem, post: []) is None
    for least, most in ((390.0, 1.25), (250.0, 1.76), (10.0, 2.0)):
        post["diagnostics"] = (
            post["diagnostics"].to_dataset().assign(ess_bulk=lambda d, x=least: d["ess_bulk"] * 0.0 + x)
        )
        ahead = outlook(problem, post, 1000, lambda problem, post: ["bulk ESS"])
        assert ahead.next_draws == pytest.approx(1000 * most, abs=50)
        assert ahead.next_draws % 50 == 0
    assert outlook(problem, post, stopping.MOST_DRAWS, lambda problem, post: ["bulk ESS"]) is None
    assert (
        outlook(problem, post, stopping.MOST_DRAWS - 50, lambda problem, post: ["x"]).next_draws == stopping.MOST_DRAWS
    )


def test_one_chain_is_not_drawn_out_for_what_it_cannot_show(rounds):
    post = rounds[0].copy()
    post["diagnostics"] = post["diagnostics"].to_dataset().assign(rhat=lambda d: d["rhat"] * np.nan)
    assert outlook(problem_of(rounds[0]), post, 600, lambda problem, post: ["R-hat cannot be computed"]) is None


def test_the_time_that_is_left_is_told_where_it_is_known():
    ahead = Outlook(("bulk ESS below 400",), 900)
    assert ahead.told(600, 1.0) == "600 draws a chain: bulk ESS below 400; 300 more a chain, about 5 min; safe to stop"
    assert ahead.told(600, 0.1).endswith("about 30 s; safe to stop")
    assert "about" not in ahead.told(600, None)


def test_a_claim_whose_estimand_has_not_converged_is_lacking(small_fit):
    post = small_fit[1]
    whole = unsettled(problem_of(post), post)
    assert not any(text.startswith("C1.trust: its estimand has not converged") for text in whole), whole
    found = unsettled(problem_of(post), post.isel({"draw": np.arange(60)}, missing_dims="ignore"))
    assert any(text.startswith("C1.trust: its estimand has not converged") for text in found), found
