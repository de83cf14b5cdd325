"""Schedules, registrations and reports of designs."""

import re

import numpy as np
import pandas as pd
import pytest
from docx import Document

from dyadloop.data import read_study
from dyadloop.design import (
    as_markdown,
    deviations,
    draft,
    effort,
    frontier,
    read_design,
    registration,
    schedule,
    write_docx,
)  # fmt: skip
from dyadloop.design.reader import design_of
from dyadloop.errors import FitError
from dyadloop.reporting import design_figures
from dyadloop.reporting.design_report import design_report
from tests.design.small import content

MEASURES = {
    "trust": {"quantity": "trust", "when": ["before", "after"], "reliability": 0.6},
    "saliva": {"quantity": "oxytocin", "when": ["before", "after"], "assay": {"method": "mass_spectrometry"}},
}


def sampled(**changes):
    own = content("framework", measures=MEASURES, events={}, dyads=30) | {
        "costs": {"fixed": 500, "per_dyad": 100, "per_session": 40, "per_sample": 30},
    }  # fmt: skip
    return design_of(own | {"sessions": {"count": 4}} | changes)


@pytest.fixture(scope="module")
def spent():
    return schedule(sampled(), "C1.trust", 15_000)


def test_a_budget_buys_fewer_dyads_the_more_sessions_are_sampled(spent):
    table = spent.table
    assert [text.count(",") + 1 for text in table["sampled"]] == [1, 2, 3, 4]
    assert table["dyads"].is_monotonic_decreasing
    assert (table["cost"] <= 15_000).all()
    assert table["dyads"].iloc[0] == (15_000 - 500) // (100 + 4 * 40 + 2 * 30)
    for design, row in zip(spent.designs, table.to_dict("records"), strict=True):
        assert effort(design).cost == row["cost"]
        assert ", ".join(map(str, design.measures["saliva"].sessions)) == row["sampled"]
    assert table["best"].sum() == 1
    assert table.loc[table["best"], "expected_sd"].item() == table["expected_sd"].min()
    assert (table["contraction"] > 0).all()


def test_more_money_tells_more(spent):
    found = frontier(sampled(), "C1.trust", [15_000, 30_000])
    assert found["expected_sd"].iloc[0] == pytest.approx(spent.table["expected_sd"].min())
    ratio = found["expected_sd"].iloc[1] / found["expected_sd"].iloc[0]
    assert 0.65 < ratio < 0.85  # the root of a half is .71; the prior takes part


@pytest.mark.parametrize(
    ("design", "claim", "budget", "words"),
    [
        (lambda: read_design("diary"), "C1.trust", 1e5, "no samples are taken"),
        (sampled, "C9", 1e5, "no claim of the theory; known: C1.attachment"),
        (sampled, "C6", 1e5, "C6 is not testable with this design"),
        (sampled, "C1.trust", 900, "does not pay 3 dyads"),
        (lambda: sampled(costs={}), "C1.trust", 1e5, "a schedule needs costs"),
    ],
)
def test_what_cannot_be_scheduled_is_told(design, claim, budget, words):
    with pytest.raises(FitError, match=re.escape(words)):
        schedule(design(), claim, budget)


@pytest.fixture(scope="module")
def claims():
    rows = [
        {"truth": truth, "claim": claim, "studies": 50, "holds": 1.0, "supported": share, "supported_se": 0.07,
         "contradicted": 0.02, "contradicted_se": 0.02, "undecided": 0.98 - share, "untestable": 0.0, "power": share,
         "upper": 0.05, "coverage": 0.9, "width": 0.3, "false_support": 0.0}
        for truth in ("none", "fixed") for claim, share in (("C1.trust", 0.6), ("C2.trust", 0.1))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_registration_says_what_would_contradict_each_claim(claims, tmp_path):
    sections = registration(sampled(), claims)
    text = as_markdown(sections)
    for words in (
        "# Two arms", "## Sampling plan", "30 dyads, 4 sessions", "dyadloop run STUDY --theory framework --priors sceptical",
        "| C1.trust | Trust and cooperation raises oxytocin | -0.05 to 0.05 log ratio per SD | association only |",
        "Nothing is randomised, so no claim that something acts can be supported.", "C6:", "| none | C1.trust | 50 | 0.6 |",
    ):  # fmt: skip
        assert words in text, words
    assert re.search(r"SHA-256 of its fitted form [0-9a-f]{64}", text)
    assert "None was computed" in as_markdown(registration(sampled()))
    assert "judged one by one, without a correction for their number" in text
    assert "A larger number speaks for the claim" in text
    worlds = pd.DataFrame({"truth": ["none"], "studies": [50], "false_support": [0.12], "upper": [0.21], "more": [0]})
    assert "| none | 50 | 0.12 | 0.21 |" in as_markdown(registration(sampled(), claims, worlds))
    assert "False support of any claim" not in text
    path = tmp_path / "registration.docx"
    write_docx(sections, path)
    document = Document(str(path))
    assert document.paragraphs[0].text == "Two arms"
    headings = [entry.text for entry in document.paragraphs if entry.style.name == "Heading 1"]
    assert headings == [section.heading for section in sections[1:]]
    assert len(document.tables) == sum(section.table is not None for section in sections)


def test_a_study_is_held_against_its_registration(haifa_folder):
    study = read_study(haifa_folder)
    own = draft(study)
    assert deviations(own, study) == []
    found = deviations(
        own.model_copy(update={"dyads": 60, "events": read_design("proposed").events, "measures": {
            **own.measures, "stress": own.measures["depression"].model_copy(update={"quantity": "stress"})}}), study,
    )  # fmt: skip
    assert found == [
        "dyads: 60 registered, 37 in the study",
        "stress of the patient was registered and is not measured",
        "event dose was registered and did not take place",
        "event work_trust was registered and did not take place",
    ]


def test_a_report_is_one_file_that_escapes_what_it_shows(claims, tmp_path):
    design = sampled(title="A <script>alert(1)</script> title", question="Why?")
    worlds = pd.DataFrame([{"truth": "none", "studies": 50, "false_support": 0.0, "upper": 0.06, "false_oxytocin": 0.0,
                            "oxytocin_upper": 0.06}])  # fmt: skip
    text = design_report(design, tmp_path / "report.html", claims, worlds).read_text()
    assert "<script>" not in text
    assert "SIMULATED" in text
    assert "no randomised event on trust" in text
    assert text.count("<svg") == 2
    assert re.search(r'(src|href)="(https?:)?//', text) is None
    without = design_report(design, tmp_path / "plain.html").read_text()
    assert "None was simulated" in without


def test_figures_of_curves_and_budgets(claims, spent):
    curve = pd.concat([claims.assign(dyads=str(n), supported=claims["supported"] * n / 80) for n in (20, 80)])
    svg = design_figures.curves(curve, "dyads")
    assert "C1.trust" in svg
    assert svg == design_figures.curves(curve, "dyads")
    assert "expected posterior SD" in design_figures.budget(spent.table)
    table = pd.DataFrame({"claim": ["C1.trust"], "contraction": [0.4], "randomised_contraction": [np.nan]})
    assert "C1.trust" in design_figures.contraction(table)
