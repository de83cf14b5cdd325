"""The first page of a report: the numbers of the claims table in words, and every figure's numbers as a file."""

import io
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pandas as pd
import pytest

from dyadloop.appraisal import practical_identifiability
from dyadloop.inference import problem_of
from dyadloop.reporting import first_page
from dyadloop.reporting.downloads import links
from dyadloop.reporting.report import parameter_summary
from dyadloop.reporting.words import _words, parameter_words


class _Page(HTMLParser):
    """Text of the first section, and the files that lie in the page."""

    def __init__(self):
        super().__init__()
        self.inside, self.text, self.files, self.hrefs = False, [], {}, []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "section":
            self.inside = attrs["id"] == "asked"
        if "download" in attrs:
            kind, _, text = attrs["href"].partition(",")
            assert kind == "data:text/csv;charset=utf-8"
            self.files[attrs["download"]] = pd.read_csv(io.StringIO(unquote(text)))

    def handle_data(self, data):
        if self.inside:
            self.text.append(data)


@pytest.fixture(scope="module")
def page(small_page):
    found = _Page()
    found.feed(small_page.read_text())
    return found


def test_every_number_of_the_first_page_is_in_the_table(page, small_claims):
    table = small_claims
    text = " ".join(" ".join(page.text).split())
    tested = table[table["median"].notna()]
    assert len(tested) > 0
    for _, row in tested.iterrows():
        for prefix in ("", "randomised_"):
            if pd.notna(row[f"{prefix}median"]):
                median, low, high = (f"{row[prefix + name]:.2g}" for name in ("median", "low", "high"))
                assert re.search(
                    rf"{re.escape(median)}\S* ?[^()]*\(89 % interval {re.escape(low)} to {re.escape(high)}\)", text
                )
        assert row["statement"] in text
    told = int((table["verdict"] == "undecided").sum())
    assert re.search(rf"\b{told} undecided", text)


def test_numbers_of_figures_and_tables_lie_in_the_page(page, small_claims, small_fit):
    table = small_claims
    assert set(page.files) == {"claims.csv", "estimates.csv", "missingness.csv", "parameters.csv", "beside.csv",
                               "persons.csv",                               "predictive.csv", "courses.csv", "identifiability.csv"}  # fmt: skip
    narrowed = practical_identifiability(small_fit[1]).parameters
    assert page.files["identifiability.csv"]["contraction"].to_numpy() == pytest.approx(
        narrowed["contraction"].to_numpy()
    )
    assert page.files["claims.csv"]["median"].to_numpy() == pytest.approx(
        table["median"].to_numpy(dtype=float), nan_ok=True
    )
    problem = problem_of(small_fit[1])
    summary = parameter_summary(small_fit[1], problem)
    assert page.files["parameters.csv"]["median"].to_numpy() == pytest.approx(summary["median"].to_numpy())


def _row(**entries):
    row = {
        "claim": "C1",
        "verdict": "undecided",
        "statement": "A raises B",
        "unit": "SD per SD",
        "reason": "why",
        "misfit": "",
        "rests_on": "association",
    }
    row |= {"median": 0.123, "low": -0.05, "high": 0.31, "rope_low": -0.1, "rope_high": 0.1}
    row |= {"prior_low": -1.0, "prior_median": 0.0, "prior_high": 1.0}
    row |= dict.fromkeys(("randomised_median", "randomised_low", "randomised_high"))
    return row | entries


def test_an_estimate_says_on_what_it_rests():
    assert first_page.estimate(pd.Series(_row())) == "Association: 0.12 SD per SD (89 % interval -0.05 to 0.31)"
    arm = pd.Series(_row(rests_on="randomised arms"))
    assert first_page.estimate(arm).startswith("Effect of the randomised arm: 0.12 SD per SD")
    pushed = pd.Series(
        _row(rests_on="randomised events", unit="1", randomised_median=0.4, randomised_low=0.2, randomised_high=0.6)
    )
    assert first_page.estimate(pushed) == (
        "Effect of randomised events: 0.4 (89 % interval 0.2 to 0.6). Association in all data: 0.12 (89 % interval -0.05 to 0.31)"
    )


def test_claims_of_one_verdict_and_reason_share_a_line_of_the_reason():
    rows = [_row(claim="A"), _row(claim="B", reason="other"), _row(claim="C"), _row(claim="D", verdict="supported")]
    found = first_page.by_reason(first_page.sentences(pd.DataFrame(rows)))
    assert [(g["verdict"], g["reason"], [row["claim"] for row in g["rows"]]) for g in found] == [
        ("undecided", "why", ["A", "C"]),
        ("undecided", "other", ["B"]),
        ("supported", "why", ["D"]),
    ]


def test_what_is_not_testable_is_counted_by_reason():
    absent = "not testable here"
    rows = [
        _row(claim="A", verdict=absent, reason="fear is not measured in this study"),
        _row(claim="B", verdict=absent, reason="oxytocin and fear are not measured in this study"),
        _row(claim="C", verdict=absent, reason="oxytocin and fear are not measured in this study"),
        *(_row(claim=f"D{k}", verdict=absent, reason="no loop") for k in range(8)),
        _row(claim="E"),
    ]
    assert first_page.groups(pd.DataFrame(rows)) == [
        "3 need what is not measured: oxytocin and fear (2), fear (1)",
        "8: no loop (D0, D1, D2, D3, D4 and 3 more)",
    ]
    assert first_page.groups(pd.DataFrame(rows[-1:])) == []


def test_arrows_that_a_fit_is_sure_of_stand_beside_their_regression():
    row = {"arrow": "d", "slope": 0.3, "slope_low": 0.13, "slope_high": 0.46, "agree": "not sure"}
    row |= {"regression": 0.015, "regression_low": -0.055, "regression_high": 0.085}
    beside = pd.DataFrame([row, row | {"slope_low": -0.1}])
    assert first_page.sure_arrows(beside, {"d": "Trust → Support"}) == [
        "Trust → Support: 0.3 [0.13, 0.46] in the fit, 0.015 [-0.055, 0.085] in a lag-1 regression (not sure)"
    ]


def test_the_figure_shows_both_numbers_of_a_claim():
    table = pd.DataFrame(
        [_row(randomised_median=0.4, randomised_low=0.2, randomised_high=0.6), _row(median=None, low=None, high=None)]
    )
    shown = first_page.estimates(table)
    assert shown[["kind", "median"]].to_numpy().tolist() == [["association", 0.123], ["randomised effect", 0.4]]


def test_every_parameter_has_words(small_fit):
    problem = problem_of(small_fit[1])
    words = parameter_words(problem)
    assert list(words) == [str(name) for name in problem.priors.index]
    assert words["a_trust"] == "Trust and cooperation → Oxytocin"
    assert words["tau_trust"] == "Time constant of Trust and cooperation"
    assert words["session_oxytocin"] == "Effect of sessions on Oxytocin"
    assert [name for name, text in words.items() if name == text] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("effect_arm_b_sad", "Effect of ‘arm_b’ on Sadness"),
        ("spread_arm_b_sad", "SD between dyads of the effect of ‘arm_b’ on Sadness"),
        ("spread_sad", "SD of Sadness between dyads"),
        ("width_sad_1_to_7_3", "Width of answer 3 of ‘sad_1_to_7’"),
        ("between_therapists_sad", "SD of Sadness between therapists"),
        ("rho_error_sad_1_to_7_arm_b", "Correlation of errors: ‘sad_1_to_7’ and ‘arm_b’"),
        ("unheard_of", "unheard_of"),
    ],
)
def test_names_are_put_in_words(name, words):
    labels = {"arm_b": "‘arm_b’", "sad": "Sadness", "sad_1_to_7": "‘sad_1_to_7’"}
    assert _words(name, labels) == words


def test_a_file_in_the_page_runs_nothing():
    found = links({"x": pd.DataFrame({"dyad": ['=1+1"><script>']}), "none": pd.DataFrame()})
    assert found["none"] == ""
    assert "<script" not in found["x"]
    assert unquote(found["x"]).count("'=1+1") == 1
