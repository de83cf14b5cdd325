"""The theory file: what is refused, and that the shipped one keeps its promises."""

import csv

import pytest
import yaml

from dyadloop.errors import TheoryError
from dyadloop.theory import PRESETS, Quantity, framework, keep, read_theory
from dyadloop.theory.listing import rows
from tests.conftest import ROOT
from tests.linear import linear, rival

EVIDENCE = ROOT.parent / "shared" / "evidence" / "effects.csv"


def _numbers(node):
    if isinstance(node, Quantity):
        yield node
    elif hasattr(node, "model_fields_set"):
        for name in type(node).model_fields:
            yield from _numbers(getattr(node, name))
    elif isinstance(node, tuple | dict):
        for item in node.values() if isinstance(node, dict) else node:
            yield from _numbers(item)


@pytest.mark.parametrize("name", PRESETS)
def test_every_number_of_every_preset_has_a_source(name):
    numbers = list(_numbers(read_theory(name)))
    assert len(numbers) > (90 if name.startswith("framework") else 4)
    assert all(number.evidence or number.assumed for number in numbers)


@pytest.mark.skipif(not EVIDENCE.is_file(), reason="the evidence table is not beside this checkout")
def test_every_evidence_id_exists():
    with EVIDENCE.open() as stream:
        known = {row["id"] for row in csv.DictReader(stream)}
    used = {name for preset in PRESETS for number in _numbers(read_theory(preset)) for name in number.evidence}
    table = {name for name in used if not name.startswith(("doi:", "pmid:"))}
    assert table
    assert table <= known


@pytest.mark.parametrize("name", PRESETS)
def test_the_listing_has_one_row_per_number(name):
    theory = read_theory(name)
    assert len(rows(theory)) == len(list(_numbers(theory)))
    assert all(row["unit"] and row["source"] for row in rows(theory))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update(extra=1), "extra"),
        (lambda t: t["couplings"][0].update({"from": "trst"}), "does not exist"),
        (lambda t: t["couplings"][0].update({"from": "oxytocin"}), "to itself"),
        (lambda t: t["couplings"][0].update(form="cubic"), "a_attachment.form 'cubic'"),
        (lambda t: t["couplings"][0]["coefficient"].update(unit="d"), "not a rate"),
        (lambda t: t["variables"][0]["time_constant"].update(unit="1"), "not a unit of time"),
        (lambda t: t["variables"][0]["time_constant"].update(value=-1), "positive"),
        (lambda t: t["variables"][0]["time_constant"].update(assumed="", evidence=[]), "source"),
        (lambda t: t["variables"][0]["time_constant"]["prior"].update(scale=0), "a number above 0"),
        (lambda t: t["variables"][1].update(id="oxytocin"), "used twice"),
        (lambda t: t["claims"][0]["rope"].update(low=2), "above high"),
        (lambda t: t.update(schema_version=9), "schema_version"),
        (lambda t: t["inputs"][1].pop("event"), "names its event"),
    ],
)
def test_a_broken_theory_is_refused_with_its_place(tmp_path, change, message):
    content = yaml.safe_load((ROOT / "src" / "dyadloop" / "theory" / "library" / "framework_linear.yaml").read_text())
    change(content)
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(TheoryError, match=message):
        read_theory(path)


def test_all_faults_of_a_theory_come_at_once(tmp_path):
    content = yaml.safe_load((ROOT / "src" / "dyadloop" / "theory" / "library" / "framework_linear.yaml").read_text())
    content["couplings"][0]["form"] = "cubic"
    content["couplings"][3]["gate"] = "sometimes"
    content["protocol"]["sessions"] = 0
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(TheoryError, match="3 faults"):
        read_theory(path)


def test_unknown_names_are_answered_with_the_known_ones(tmp_path):
    with pytest.raises(TheoryError, match="framework"):
        read_theory("framwork")
    with pytest.raises(TheoryError, match="biomarker, M1"):
        rival("biomarkr")
    with pytest.raises(TheoryError, match="synchrony"):
        keep(framework(), ["sync"])
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(TheoryError, match="YAML"):
        read_theory(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    ("name", "absent", "present"),
    [("none", "awvd", "cf"), ("biomarker", "wvd", "acf"), ("driver", "ad", "wvcf"), ("reciprocal", "d", "awvcf"),
     ("network", "awv", "dcf"), ("M8", "wvcd", "af"), ("synergistic", "d", "awvcfg"), ("M6", "awvdg", "cfk"),
     ("context", "dg", "awvcfm"), ("M9", "adg", "wvcf")],
)  # fmt: skip
def test_hypotheses_restrict_what_they_say(name, absent, present):
    arrows = rival(name).active().couplings
    letters = {coupling.id[0] for coupling in arrows if coupling.id != "weakest"}
    assert letters == set(present)
    assert any(coupling.id == "weakest" for coupling in arrows) == (name == "M9")
    assert not letters & set(absent)


def test_keep_drops_everything_about_other_variables():
    small = keep(linear(), ["oxytocin", "trust"])
    assert {c.id for c in small.couplings} == {"a_trust", "w_trust"}
    assert {entry.target for entry in small.inputs} == {"oxytocin", "trust"}
