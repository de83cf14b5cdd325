"""Whatever passes the check can be pooled, listed, drawn and read; whatever cannot is named with row and column."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dyadloop.cli import app
from dyadloop.errors import DataError
from dyadloop.evidence import add_effect, coefficient_priors, edge_evidence, published_effects, read_effects
from dyadloop.evidence.table import COLUMNS, METRICS
from dyadloop.theory import read_theory

_PLAIN = {
    "id": "OT-TRU-99", "edge_from": "oxytocin", "edge_to": "trust", "design": "RCT", "metric": "d", "estimate": "0.2",
    "ci_low": "-0.1", "ci_high": "0.5", "se": "", "n_participants": "80", "p_value": "", "edge_sign": "1", "direction": "+",
    "doi": "10.1000/abc", "citation": "A made-up study for tests", "verified": "yes",
}  # fmt: skip
_NUMBERS = ("estimate", "ci_low", "ci_high", "se", "n_participants", "k_studies", "p_value", "edge_sign")
_CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "0.0", "-0", "1", "-1", "1.0", "1e-300", "1e300", "-1e300", "1e-9", "nan", "inf", "-inf", "n/a", "NA", "0,5",
         "1e400", "10", "2", "3", "4", "0.999999999999", "-0.05", "yes", "no", "+", "-", "mixed", "[/red]", "$x_", "=1+1", "None", *METRICS]
    ),
    st.floats(-3, 3).map(repr),
    st.integers(-5, 10**12).map(str),
    st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip


def _write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows([{"id": f"OT-TRU-{90 + k}", **row} for k, row in enumerate(rows)])
    return path


def _pool_every_arrow(table):
    for arrow in set(zip(table["edge_from"], table["edge_to"], strict=True)):
        found = edge_evidence(*arrow, table)
        for part in (found.pooled, found.bayes):
            assert part is None or all(math.isfinite(x) for x in (part.low, part.high)), part
        assert found.rows["how"].str.len().min() > 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(METRICS), st.dictionaries(st.sampled_from(COLUMNS[1:]), _CELLS, max_size=3)),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_a_table_is_refused_with_its_places_or_serves_every_command(tmp_path_factory, changes):
    rows = [
        _PLAIN | {"id": f"OT-TRU-{90 + k}", "metric": metric} | change for k, (metric, change) in enumerate(changes)
    ]
    path = _write(tmp_path_factory.mktemp("fuzz") / "own.csv", rows)
    try:
        table = published_effects(path)
    except DataError as error:
        _check_places(error.faults, len(rows))
    else:
        _pool_every_arrow(table)


def _check_places(faults, count):
    assert faults
    for fault in faults:
        assert fault.row is not None
        assert 2 <= fault.row <= count + 1
        assert set((fault.column or "").replace(" and ", ", ").split(", ")) <= set(COLUMNS)
        assert all((fault.got, fault.expected, fault.remedy))


_EDGES = {  # sound, at the border of what is allowed
    "a table without one interval": {"ci_low": "", "ci_high": ""},
    "words without a number": {"metric": "", "estimate": "", "ci_low": "", "ci_high": "", "edge_sign": "0"},
    "an F without a number": {"metric": "F", "estimate": "", "ci_low": "", "ci_high": ""},
    "markup and formulas in a name": {"citation": "=cmd [/red] $x_ [bold", "population": "@home"},
    "an interval that begins at a hundredth": {"metric": "OR", "estimate": "0.2", "ci_low": "0.01", "ci_high": "0.9"},
    "a correlation near one": {"metric": "r", "estimate": "0.999", "ci_low": "", "ci_high": ""},
    "a p of one": {"ci_low": "", "ci_high": "", "n_participants": "", "p_value": "1"},
    "a p of zero": {"ci_low": "", "ci_high": "", "n_participants": "", "p_value": "0"},
    "nobody in the sample": {"n_participants": "1"},
}


@pytest.mark.parametrize("change", _EDGES.values(), ids=_EDGES)
def test_no_command_on_a_checked_table_raises(tmp_path, change):
    path = _write(tmp_path / "own.csv", [_PLAIN | {"id": "OT-TRU-98"}, _PLAIN | {"doi": "10.1000/x"} | change])
    only = _write(tmp_path / "only.csv", [_PLAIN | change])
    runner = CliRunner()
    for table in (path, only):
        for call in (
            ["check", str(table)], ["list", "--table", str(table)], ["show", "OT-TRU-99", "--table", str(table)],
            ["pool", "oxytocin", "trust", "--table", str(table)], ["pool", "oxytocin", "trust", "--table", str(table), "--json"],
        ):  # fmt: skip
            found = runner.invoke(app, ["evidence", *call])
            assert found.exit_code == 0, (call, found.output, found.exception)


def test_claims_priors_and_map_of_tables_at_the_border(tmp_path):
    rows = [_PLAIN | {"doi": f"10.1000/{k}"} | change for k, change in enumerate(_EDGES.values())]
    path = _write(tmp_path / "own.csv", [row | {"id": f"OT-TRU-{10 + k}"} for k, row in enumerate(rows)])
    runner = CliRunner()
    for call in (["claims", "--table", str(path)], ["map", str(tmp_path / "m.svg"), "--table", str(path)]):
        found = runner.invoke(app, ["evidence", *call])
        assert found.exit_code == 0, (call, found.output, found.exception)
    priors = coefficient_priors(read_theory("framework_linear"), table=published_effects(path))
    assert np.isfinite(priors[["location", "scale"]].to_numpy(float)).all()
    assert (priors["scale"] > 0).all()


_REFUSED = [
    ("ci_low", "0.0 of an OR", {"metric": "OR", "estimate": "0.2", "ci_low": "0.0", "ci_high": "0.9"}),
    ("ci_high", "1 of an r", {"metric": "r", "estimate": "0.9", "ci_low": "0.5", "ci_high": "1.0"}),
    ("ci_low", "-1 of an r", {"metric": "r", "estimate": "-0.9", "ci_low": "-1", "ci_high": "-0.5"}),
    ("se", "an error of nothing", {"se": "1e-300", "ci_low": "", "ci_high": ""}),
    ("ci_low", "an interval of nothing", {"ci_low": "0.2", "ci_high": "0.2000000001"}),
    ("estimate", "percent for SDs", {"estimate": "250", "ci_low": "", "ci_high": ""}),
    ("estimate", "an r of one", {"metric": "r", "estimate": "1", "ci_low": "", "ci_high": ""}),
    ("n_participants", "more than live", {"n_participants": "1e30"}),
]


@pytest.mark.parametrize(
    ("column", "change"), [(c, change) for c, _, change in _REFUSED], ids=[w for _, w, _ in _REFUSED]
)
def test_what_cannot_be_pooled_is_refused_with_its_column(tmp_path, column, change):
    path = _write(tmp_path / "own.csv", [_PLAIN | change, _PLAIN | {"id": "OT-TRU-98"}])
    with pytest.raises(DataError) as caught:
        read_effects(path)
    assert [(fault.row, (fault.column or "").split(",")[0]) for fault in caught.value.faults] == [(2, column)]


def test_a_table_from_elsewhere_says_why_a_row_is_not_pooled(tmp_path):
    """A frame that never passed the check: the row at the edge is left out in words, the other is pooled."""
    path = _write(tmp_path / "own.csv", [_PLAIN, _PLAIN | {"id": "OT-TRU-98", "doi": "10.1000/b"}])
    table = published_effects(path)
    table.loc[0, ["metric", "estimate", "ci_low", "ci_high"]] = ["OR", 0.2, 0.0, 0.9]
    found = edge_evidence("oxytocin", "trust", table)
    assert found.used == ["OT-TRU-98"]
    assert "0 can be no OR" in found.rows["how"][0]


@pytest.mark.parametrize("form", ["bom", "utf-16", "semicolons"])
def test_tables_of_spreadsheets_are_read_or_refused_by_name(tmp_path, form):
    path = _write(tmp_path / "own.csv", [_PLAIN | {"citation": "Müller, A., & Weiß (2001)"}])
    text = path.read_text(encoding="utf-8")
    if form == "semicolons":
        path.write_text(";".join(_PLAIN) + "\n" + ";".join(_PLAIN.values()) + "\n", encoding="utf-8")
    else:
        path.write_text(text, encoding={"bom": "utf-8-sig"}.get(form, form))
    assert len(read_effects(path)) == 1
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_effects(path)
    path.write_text(text + text.splitlines()[1].replace("-99", "-98") + ",surplus\n", encoding="utf-8")
    with pytest.raises(DataError, match="row 3"):
        read_effects(path)


def test_an_effect_is_added_under_the_header_that_is_there(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("verified,id,edge_from,edge_to,design,citation\nyes,OT-TRU-90,oxytocin,trust,RCT,Someone\n")
    add_effect(path, **_PLAIN)
    found = read_effects(path)
    assert [(effect.id, effect.estimate) for effect in found] == [("OT-TRU-90", None), ("OT-TRU-99", 0.2)]
    assert path.read_text().startswith("verified,id,edge_from,")
