"""The report and the tables: self-contained, honest about simulation and convergence, safe with hostile names."""

import html
import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.patches import FancyArrowPatch
from rich.console import Console

from dyadloop.claims.claims_table import COLUMNS
from dyadloop.inference import problem_of, result
from dyadloop.inference.fitted import Fitted
from dyadloop.model import compile_theory
from dyadloop.reporting import loop
from dyadloop.reporting.claims_table import claims_json, print_claims, write_claims
from dyadloop.reporting.figures import draw, intervals, missingness
from dyadloop.reporting.report import report
from dyadloop.reporting.tables import number, print_dataset, share, write_csv
from dyadloop.theory import hypothesis, read_theory
from tests.cli.program import dyadloop
from tests.compilations import counted


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [
            v for k, v in attrs if k in ("src", "href", "xlink:href") and tag != "a" and not v.startswith("#")
        ]


def test_the_report_stands_alone(small_page):
    text = small_page.read_text()
    links = _Links()
    links.feed(text)
    assert links.sources == []
    assert "script" not in links.tags
    assert links.tags.count("svg") == 6
    assert len(text) < 3_000_000
    assert not re.search(r"url\((?!#)", text)


class _Drawings(HTMLParser):
    """Links and buttons within what a screen reader takes for one picture, and what lies outside the main part."""

    def __init__(self):
        super().__init__()
        self.path, self.inside, self.outside, self.pictures = [], [], [], 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if given.get("role") == "img":
            self.pictures += 1
            assert given["aria-label"]
            assert given["tabindex"] == "0"  # a wide picture scrolls by keyboard
        if tag in ("a", "button", "summary") and "img" in [role for _, role in self.path]:
            self.inside.append(tag)
        if tag in ("section", "figure", "table", "p") and not {"main", "header", "footer"} & {t for t, _ in self.path}:
            self.outside.append(tag)
        if tag not in ("meta", "link", "br", "img", "hr", "input"):
            self.path.append((tag, given.get("role")))

    def handle_startendtag(self, tag, attrs):
        """Marks of a drawing end where they begin."""

    def handle_endtag(self, tag):
        while self.path and self.path.pop()[0] != tag:
            pass


def test_pictures_hold_no_links_and_everything_lies_in_a_landmark(small_page):
    found = _Drawings()
    found.feed(small_page.read_text())
    assert found.pictures == 6
    assert found.inside == []
    assert found.outside == []


def test_the_report_has_all_its_parts(small_page, small_fit):
    text = small_page.read_text()
    for section in (
        "asked",
        "data",
        "loop",
        "claims",
        "prior",
        "check",
        "course",
        "diagnostics",
        "assumptions",
        "cite",
        "reproduce",
    ):
        assert f'<section id="{section}">' in text
    assert "Simulated data." in text
    assert "(SIMULATED)</title>" in text
    assert text.count(">SIMULATED</text>") == 6
    assert "dl.fit(study, theory, seed=2" in html.unescape(text)
    assert "not a clinical device" in text
    assert small_fit[1].attrs["study_digest"] in text
    assert "common cause (M6)" in text
    assert "parameters have converged" not in text
    assert "No claim is judged" not in text


def _command(monkeypatch, folder, known, *words):
    """Run a command in a process that knows no problem; return what it printed, problems built, programs lowered."""
    built = []
    monkeypatch.setattr(result, "_rebuilt", lambda post: built.append(post) or known)
    monkeypatch.setattr(result, "_FITTED", Fitted())
    with counted() as counter:
        run = dyadloop(*words, folder)
    assert run.returncode == 0, run.stderr
    return run.stdout, len(built), counter.lowered


def test_a_command_builds_one_problem_and_compiles_what_is_new(
    small_page, small_fit, small_claims, tmp_path, monkeypatch
):
    """What is judged and reported again is the same to the byte and compiles nothing; so are second checks."""
    folder, known = tmp_path / "result", problem_of(small_fit[1])
    shutil.copytree(small_fit[0].parent / "example", folder, ignore=shutil.ignore_patterns("chains"))
    printed, *counts = _command(monkeypatch, folder, known, "claims", "--json")
    assert counts == [1, 0]
    assert json.loads(printed) == json.loads(claims_json(small_claims))
    _, *counts = _command(monkeypatch, folder, known, "report")
    assert counts == [1, 0]
    assert (folder / "report.html").read_bytes() == small_page.read_bytes()
    _, built, _ = _command(monkeypatch, folder, known, "checks")
    assert built == 1
    _, *counts = _command(monkeypatch, folder, known, "checks")
    assert counts == [1, 0]


def test_a_fit_that_has_not_converged_says_so_first(small_fit, small_claims, tmp_path):
    post = small_fit[1].copy()
    table = post["diagnostics"].to_dataset().copy(deep=True)
    table["rhat"][0] = 1.3
    post["diagnostics"] = xr.DataTree(table)
    text = report(post, tmp_path / "bad.html", table=small_claims).read_text()
    assert "No claim is judged here" in text
    assert "R-hat above 1.01 for 1 parameters" in text


def test_a_trial_run_of_few_draws_has_a_report(small_fit, small_claims, tmp_path):
    post = small_fit[1].isel(draw=slice(3))
    text = report(post, tmp_path / "trial.html", table=small_claims).read_text()
    assert re.search(r"Not told by so short a run: \d+ draws: expected more than \d+ for \d+ parameters", text)


def test_hostile_names_stay_text(small_fit, small_claims, tmp_path):
    post = small_fit[1].copy()
    info = json.loads(post.attrs["study_info"])
    info["title"] = "<script>alert(1)</script> $\\badcmd$"
    post.attrs = {**post.attrs, "study_info": json.dumps(info)}
    text = report(post, tmp_path / "hostile.html", table=small_claims).read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<svg" in missingness({"a $\\bad$ <b>": (0.1, 0.9)})


def test_figures_are_deterministic():
    table = pd.DataFrame(
        {
            "unit": ["1"],
            "prior_low": [-1.0],
            "prior_median": [0.0],
            "prior_high": [1.0],
            "low": [0.1],
            "median": [0.2],
            "high": [0.3],
        },
        index=["a"],
    )
    assert intervals(table) == intervals(table)


def _claims():
    row = dict.fromkeys(COLUMNS) | {
        "claim": "C1", "statement": "=SUM(A1)", "rope_low": -0.1, "rope_high": 0.1, "prior_median": 0.0, "prior_low": -1.0,
        "prior_high": 1.0, "median": 0.5, "low": 0.4, "high": 0.6, "p_direction": 0.999, "p_beyond_rope": 0.97,
        "finding": "positive", "verdict": "undecided", "reason": "because",
    }  # fmt: skip
    other = row | dict.fromkeys(
        ["prior_median", "prior_low", "prior_high", "median", "low", "high", "p_direction", "p_beyond_rope"]
    )
    other |= {"claim": "C2", "verdict": "not testable here", "reason": "oxytocin is not measured in this study"}
    return pd.DataFrame([row, other], columns=list(COLUMNS))


def test_tables_are_safe_and_complete(tmp_path):
    csv, path = write_claims(_claims(), tmp_path)
    back = pd.read_csv(csv)
    assert back["statement"][0] == "'=SUM(A1)"
    assert back["rope_low"][0] == -0.1
    records = json.loads(path.read_text())
    assert records == json.loads(claims_json(_claims()))
    assert records[1]["median"] is None
    assert records[0]["statement"] == "=SUM(A1)"


def test_the_terminal_shows_estimates_and_reasons():
    console = Console(width=160, record=True, file=io.StringIO())
    print_claims(_claims(), console)
    text = console.export_text()
    assert "0.5 [0.4, 0.6]" in text
    assert "> 0.99" in text
    assert "not testable here: C2: oxytocin is not measured in this study" in text
    assert "not a clinical device" in text


def test_numbers_never_claim_certainty():
    assert share(1.0) == "> 0.99"
    assert share(0.0) == "< 0.01"
    assert share(None) == "-"
    assert number(np.nan) == "-"


def test_a_table_for_a_spreadsheet_runs_nothing(tmp_path):
    table = pd.DataFrame({"dyad": ["=1+1", "-D2", "D3"], "k": [-0.5, 0.1, 0.7], "refitted": [True, False, False]})
    write_csv(table, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "dyad,k,refitted\n'=1+1,-0.5,True\n'-D2,0.1,False\nD3,0.7,False\n"


@pytest.mark.parametrize(
    ("column", "text", "written"),
    [
        ("estimand", "-effect_sad", "0 - effect_sad"), ("estimand", "- a + 2*b", "0 - a + 2*b"),
        ("estimand", "-2 * a - b", "0 - 2 * a - b"), ("estimand", "a - b", "a - b"), ("estimand", "-A1", "'-A1"),
        ("estimand", "-a|x", "'-a|x"), ("estimand", "-cmd(a)", "'-cmd(a)"), ("estimand", "=a", "'=a"),
        ("estimand", "-a!b", "'-a!b"), ("dyad", "-d2", "'-d2"), ("dyad", "-3.5e-2", "-3.5e-2"), ("dyad", "-3+1", "'-3+1"),
        ("dyad", "@x", "'@x"), ("dyad", "+49", "+49"), ("dyad", "+49 30", "'+49 30"),
    ],
)  # fmt: skip
def test_no_text_is_run_and_no_sum_is_spoilt(tmp_path, column, text, written):
    """A minus alone makes a formula of a text; the opposite of a coefficient is written without it."""
    write_csv(pd.DataFrame({column: [text]}), tmp_path / "table.csv")
    assert pd.read_csv(tmp_path / "table.csv", dtype=str)[column][0] == written


@pytest.mark.parametrize("name", ["reciprocal", "synergistic", "common_cause", "context", "weakest_link", "couple"])
def test_a_loop_is_drawn_for_every_hypothesis(name, monkeypatch):
    """Every variable in its box, and an arrow from everything that acts, contexts apart."""
    theory = read_theory("couple") if name == "couple" else hypothesis(name, read_theory("framework_linear"))
    pairs = {(v.id, person) for v in theory.variables for person in ("patient", "therapist")}
    plan = compile_theory(theory, pairs, (), ("insecurity",))
    rows = [coupling.id for coupling in plan.couplings]
    summary = pd.DataFrame({"median": 0.1, "p_positive": 0.99, "prior_scale": 0.3}, index=rows)
    figures = []
    monkeypatch.setattr(
        loop, "draw", lambda paint, *size: draw(lambda figure: (paint(figure), figures.append(figure)), *size)
    )
    drawn = loop.loop_diagram(plan, summary)
    for variable in plan.variables:
        assert html.escape(variable.label, quote=False) in drawn
    known = {variable.id for variable in plan.variables}
    arrows = sum(len([s for s in coupling.sources if s in known]) for coupling in plan.couplings)
    assert len([patch for patch in figures[0].axes[0].patches if isinstance(patch, FancyArrowPatch)]) == arrows > 0
    assert len(re.findall(r">[+-−]0\.10<", drawn)) == len(rows)


def test_an_infinite_number_is_a_word():
    console = Console(file=io.StringIO(), width=80)
    print_dataset(xr.Dataset({"amplification": np.inf, "loop_gain": 1.02}), console)
    assert "amplification: infinite" in console.file.getvalue()
