"""The claims table is never cut: on a screen of any width, in a pipe, on a phone and on paper."""

import io
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from rich.console import Console

from dyadloop.claims.claims_table import COLUMNS
from dyadloop.reporting.claims_table import details, prefixes, print_claims, read_claims, write_claims

VERDICTS = ("contradicted", "supported", "undecided", "not testable here")


def claims(more=()):
    """Return a table of claims; ``more`` are further intervals that it has."""
    columns = [
        *COLUMNS,
        *(f"{name}_{end}" for name in more for end in ("median", "low", "high")),
        *(["remark"] if more else []),
    ]
    rows = []
    for place, verdict in enumerate(VERDICTS):
        row = dict.fromkeys(columns) | {
            "claim": f"C{place + 1}.depression.components", "statement": "The components together relieve it while it lasts",
            "rope_low": -0.1, "rope_high": 0.1, "prior_median": 0.0, "prior_low": -1.0, "prior_high": 1.0, "median": 0.5123,
            "low": 0.4, "high": 0.6, "p_direction": 0.999, "p_beyond_rope": 0.97, "finding": "practically zero", "verdict": verdict, "unit": "SD per SD",
            "reason": "the association is there, but no randomised event on trust: a common cause leaves the same trace",
        }  # fmt: skip
        for name in more:
            row |= {f"{name}_median": 0.2, f"{name}_low": -0.1, f"{name}_high": 0.3} if place else {}
        rows.append(row | ({"remark": "skew 3.1", "misfit": "one dyad carries it"} if more and place == 1 else {}))
    return pd.DataFrame(rows, columns=columns)


def printed(table, width):
    console = Console(width=width, record=True, file=io.StringIO())
    print_claims(table, console)
    return console.export_text()


@pytest.mark.parametrize("more", [(), ("halved", "passive")], ids=["plain", "more columns"])
@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 120, 160, 200])
def test_the_verdict_is_first_and_whole_at_every_width(width, more):
    text = printed(claims(more), width)
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= width
    for place, verdict in enumerate(VERDICTS[:3]):
        claim = f"C{place + 1}.depression.components"
        if len(claim) + 2 + len(verdict) <= width:
            assert any(re.match(rf"{re.escape(claim)}\s+{verdict}\b", line) for line in lines), text
        else:
            assert verdict in lines, text
    flat = " ".join(text.split())
    if width >= 40:
        assert "0.512 [0.4, 0.6]" in flat
        assert "The components together" in flat.replace("relieve", "relieve")
    for name in more if width >= 40 else ():
        assert name in flat
        assert "0.2 [-0.1, 0.3]" in flat
    assert ("skew" in flat) == bool(more)
    if width >= 40:
        assert ("against C2.depression.components: one dyad carries it" in flat) == bool(more)


def test_what_is_nowhere_is_no_column():
    wide = printed(claims(), 200)
    assert "halved" not in wide
    table = claims(("halved",))
    table[["halved_median", "halved_low", "halved_high"]] = None
    assert "halved" not in printed(table, 200)


def test_a_simulated_study_says_so_first():
    console = Console(width=80, record=True, file=io.StringIO())
    print_claims(claims(), console, simulated=True)
    assert console.export_text().startswith("SIMULATED")


def test_intervals_are_found_by_their_columns():
    table = claims(("halved", "passive"))
    assert prefixes(table.columns) == ["", "randomised", "halved", "passive", "prior"]
    shown = details(table.iloc[1])
    assert list(shown)[:6] == ["finding", "unit", "posterior", "randomised effect", "halved", "passive"]
    assert shown["unit"] == "SD per SD"
    assert details(pd.Series(table.iloc[1].to_dict() | {"unit": "1"}))["unit"] == "-"
    assert shown["remark"] == "skew 3.1"
    assert details(table.iloc[0])["halved"] == "-"
    randomised = table.iloc[1].copy()
    randomised["randomised_p_beyond_rope"] = 0.9987
    assert details(randomised)["randomised effect P(>ROPE)"] == "> 0.99"
    assert "randomised p beyond rope" not in details(randomised)


def test_a_written_table_prints_as_before(tmp_path):
    table = claims(("halved",))
    write_claims(table, tmp_path)
    assert printed(read_claims(tmp_path), 100) == printed(table, 100)


class _Cells(HTMLParser):
    """The cells of the claims table, row by row, and the style of the page."""

    def __init__(self):
        super().__init__()
        self.heads, self.rows, self.style, self.place, self.tag, self.section = [], [], "", "", "", ""

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "section" or found.get("id") == "persons":  # effects of persons are a table of their own
            self.section = found["id"]
        if tag == "table":
            self.place = (found.get("class") or "") if self.section == "claims" else ""
        if self.place == "cards" and tag == "tr":
            self.rows.append([])
        if self.place == "cards" and tag in ("td", "th"):
            (self.heads if tag == "th" else self.rows[-1]).append(found.get("data-label", ""))
        self.tag = tag

    def handle_data(self, data):
        if self.tag == "style":
            self.style += data
        if self.tag == "th" and self.place == "cards" and data.strip():
            self.heads[-1] = data

    def handle_endtag(self, tag):
        self.tag = ""


def test_on_a_phone_and_on_paper_each_claim_is_a_card_with_its_verdict_first(small_fit, tmp_path):
    """A phone is 390 px wide, a page of A4 about 700: both are below the width at which cells are stacked."""
    from dyadloop.reporting.report import report

    cells = _Cells()
    cells.feed(report(small_fit[1], tmp_path / "r.html").read_text())
    assert cells.heads[:2] == ["claim", "verdict"]
    rows = [row for row in cells.rows if row]
    assert rows
    assert all(row[1] == "verdict" and all(row[1:]) for row in rows)
    below = float(re.search(r"@media \(max-width: ([\d.]+)rem\)", cells.style)[1]) * 15  # px of the body's font
    assert below >= 800
    stacked = cells.style[cells.style.index("@media (max-width") :]
    assert "table.cards td { display: block; }" in stacked
    assert "overflow: visible" in cells.style[cells.style.index("@media print") :]
