"""Simulated studies with randomised events: where events are put, what is true, and what is counted."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dyadloop.appraisal.violations import VIOLATIONS
from dyadloop.claims import support
from dyadloop.claims.support import TRUTHS, support_rates
from dyadloop.errors import FitError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def design():
    """A design in which trust alone is pushed, to compile one problem and not three."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "RANDOMISED", (("trust",),))
        yield support._Design.of()


def test_events_take_place_in_the_sessions_that_were_drawn(design):
    some = support._some(np.random.default_rng(1), design.amounts, 5)
    given = (some != 0).sum(axis=1)
    assert (given == 5).all()
    assert set(np.unique(some)) == {0.0, 1.0, 24.0}
    assert (design.amounts[some != 0] == some[some != 0]).all()  # at moments at which a session begins
    trust, dose = (some[..., place] != 0 for place in range(2))
    assert (trust != dose).any()  # drawn for each event by itself


def test_what_holds_is_what_the_world_does(design):
    truths = {name: support._simulated(design, name).truths["trust",] for name in TRUTHS}
    assert not any(holds for name in ("none", "weak_cause", "strong_cause") for _, holds in truths[name].values())
    assert [claim for claim, (_, holds) in truths["network"].items() if holds] == ["C4"]
    value, holds = truths["reciprocal"]["C1.trust"]
    assert holds
    assert value == pytest.approx(0.3)
    assert truths["network"]["C4"][0] == pytest.approx(0.5 / (1 - 0.25))  # there and back without end


def test_a_strong_cause_without_arrows_is_not_support(design, monkeypatch):
    monkeypatch.setattr(support, "RANDOMISED", (("trust",),))
    world = support._simulated(design, "strong_cause")
    rows = pd.DataFrame(support._study(design, world, [1, 3], 3)).set_index("claim")
    assert rows["strength"].unique().tolist() == [4.0]
    assert rows.loc["C1.trust", "moved"]
    assert not rows.loc["C2.trust", "moved"]  # nothing pushed oxytocin
    assert (rows["verdict"] != "supported").all()


def test_rates_are_counted_over_studies_and_claims():
    claims = [("C1.trust", False, "supported", True), ("C4", True, "supported", True), ("C7", False, "undecided", None)]
    rows = [
        {"truth": "none", "study": study, "claim": claim, "strength": 1.0, "holds": holds, "moved": True, "effect_inside": inside,
         "association_inside": True, "verdict": verdict if study == 0 else "undecided"}
        for study in range(10)
        for claim, holds, verdict, inside in claims
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    worlds = support._by_truth(table).iloc[0]
    assert (worlds["studies"], worlds["false_support"]) == (10, 0.1)
    assert worlds["upper"] == pytest.approx(0.394, abs=0.001)  # Clopper and Pearson for 1 of 10
    by_strength = support._by_strength(table).iloc[0]
    assert by_strength[["studies", "false_support", "right_support"]].tolist() == [10, 1, 1]
    by_claim = support._by_claim(table).set_index("claim")
    assert by_claim.loc["C1.trust", "supported"] == 0.1
    assert by_claim.loc["C4", "holds"] == 1.0
    assert np.isnan(by_claim.loc["C7", "effect_coverage"])


def test_unknown_worlds_are_named():
    with pytest.raises(FitError, match="utopia: no simulated world; known: none, network"):
        support_rates(("utopia",), 2)
    with pytest.raises(FitError, match="replicates=0"):
        support_rates(("none",), 0)


@pytest.mark.parametrize("page", ["validity.md", "command-line.md"])
def test_worlds_and_violations_that_pages_name_exist(page):
    text = (ROOT / "docs" / page).read_text()
    named = re.findall(r"--(broken|randomised)[^\n]*--only ([a-z_,]+)", text)
    assert named
    for kind, names in named:
        assert set(names.split(",")) <= set(VIOLATIONS if kind == "broken" else TRUTHS)


@pytest.mark.slow
def test_false_support_is_rare_under_every_rival():
    worlds, *_ = support_rates(("none", "network", "weak_cause", "strong_cause"), 500)
    assert (worlds["upper"] < 0.07).all()
