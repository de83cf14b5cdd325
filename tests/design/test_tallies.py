"""Counts of verdicts, by hand."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.claims.support import upper_bound
from dyadloop.design.tallies import agreement, by_claim, by_world, oxytocin_claims
from dyadloop.theory import read_theory

THEORY = read_theory("framework_linear")


def _row(
    study, claim="C1.trust", verdict="undecided", holds=False, value=0.0, median=0.1, inside=True, finding="unclear"
):
    return {
        "design": "", "truth": "none", "study": study, "claim": claim, "verdict": verdict, "finding": finding,
        "holds": holds, "value": value, "median": median, "low": median - 0.1, "high": median + 0.1, "inside": inside,
        "reason": "because", "redrawn": 0, "below_limit": 2, "dropped_out": 1,
    }  # fmt: skip


ROWS = pd.DataFrame(
    [
        *(_row(study) for study in range(6)),
        _row(6, verdict="supported", finding="positive", inside=False),
        _row(7, holds=True, verdict="supported", value=0.2, median=0.3, finding="positive"),
        _row(8, holds=True, verdict="contradicted", value=0.2, median=-0.2, finding="negative", inside=False),
        _row(9, holds=True, value=0.2),
        _row(9, claim="C4", verdict="supported"),
    ]
)


def test_rates_of_a_claim():
    found = by_claim(ROWS, THEORY).set_index("claim").loc["C1.trust"]
    assert found["studies"] == 10
    assert found["holds"] == pytest.approx(0.3)
    assert found["supported"] == pytest.approx(0.2)
    assert found["supported_se"] == pytest.approx(np.sqrt(0.2 * 0.8 / 10))
    assert found["power"] == pytest.approx(1 / 3)
    assert found["false_support"] == pytest.approx(1 / 7)
    assert found["upper"] == pytest.approx(upper_bound(1, 7))
    assert found["type_s"] == pytest.approx(0.5)
    assert found["type_m"] == pytest.approx(1.5)
    assert found["coverage"] == pytest.approx(0.8)
    assert found["band_low"] == pytest.approx(0.89 - 1.96 * np.sqrt(0.89 * 0.11 / 10))
    assert found["band_high"] == 1.0
    assert found["width"] == pytest.approx(0.2)
    assert found["why"] == "because"


def test_rates_of_a_world():
    found = by_world(ROWS, THEORY).iloc[0]
    assert found["studies"] == 10
    assert found["false_support"] == pytest.approx(0.2)  # one about oxytocin, one about spill-over
    assert found["false_oxytocin"] == pytest.approx(0.1)
    assert found["oxytocin_upper"] == pytest.approx(0.394, abs=0.001)  # Clopper and Pearson for 1 of 10
    assert found["right_oxytocin"] == pytest.approx(0.1)
    assert found["not_fitted"] == 0


def test_bounds():
    assert upper_bound(0, 60) == pytest.approx(1 - 0.05 ** (1 / 60))
    assert upper_bound(3, 3) == 1.0


def test_claims_that_speak_of_oxytocin():
    found = oxytocin_claims(THEORY)
    assert {"C1.trust", "C2.support", "C5.weak", "C6", "C7.depression.mediated"} <= found
    assert not {"C4", "C7.depression.components"} & found


def test_agreement_is_that_of_the_studies_that_were_sampled():
    nuts = ROWS.iloc[[0, 6]].assign(verdict=["undecided", "undecided"])
    found = agreement(ROWS, nuts).iloc[0]
    assert (found["studies"], found["verdicts"], found["agree"], found["enough"]) == (2, 2, 0.5, "no")
    assert agreement(ROWS, nuts.iloc[:0]).empty
