"""The language: switches, hypotheses, interventions, protocols, exports, and what is refused."""

import json

import pytest
import yaml

from dyadloop.errors import TheoryError, UnitError
from dyadloop.theory import (
    PRESETS,
    Protocol,
    clamp,
    cut,
    framework,
    hypothesis,
    keep,
    linear_form,
    patient_only,
    protocol,
    read_theory,
    switch_on,
)
from dyadloop.theory.export import differences, to_mermaid, to_registry
from dyadloop.theory.latex import to_latex
from tests.conftest import ROOT

LIBRARY = ROOT / "src" / "dyadloop" / "theory" / "library"


def test_every_preset_is_there_and_survives_a_round_trip(tmp_path):
    assert {path.stem for path in LIBRARY.glob("*.yaml")} == set(PRESETS)
    for name in PRESETS:
        theory = read_theory(name)
        path = tmp_path / f"{name}.json"
        path.write_text(theory.model_dump_json(by_alias=True))
        assert read_theory(path) == theory
        assert not differences(theory, theory)


def test_optional_parts_are_off_until_switched_on():
    plain = {c.id for c in framework().active().couplings}
    assert not any(name.startswith(("gamma_", "d_", "k_", "m_", "h_", "o_", "weakest")) for name in plain)
    on = {c.id for c in switch_on(framework(), "habituation", "synergy").active().couplings}
    assert {"h_build", "h_block"} <= on - plain
    assert "habituation" in {v.id for v in switch_on(framework(), "habituation").active().variables}
    with pytest.raises(TheoryError, match="negative loop"):
        switch_on(framework(), "habituatoin")


@pytest.mark.parametrize(
    ("name", "gone", "there"),
    [("M0", "awv", ""), ("M1", "wv", "a"), ("M2", "a", "wv"), ("M3", "", "awv"), ("M4", "", "awg"), ("M5", "awv", "d"),
     ("M6", "awv", "k"), ("M7", "", "awm"), ("M8", "wvc", "a")],
)  # fmt: skip
def test_hypotheses_of_the_framework(name, gone, there):
    letters = {c.id[0] for c in hypothesis(name).active().couplings if c.id[1] == "_" or c.id.startswith("gamma")}
    assert not letters & set(gone)
    assert set(there) <= letters


def test_the_weakest_link_replaces_the_sum():
    ids = {c.id for c in hypothesis("weakest_link").active().couplings}
    assert "weakest" in ids
    assert not any(name.startswith("a_") for name in ids)


def test_the_linear_form_keeps_what_is_kept():
    assert linear_form(framework()).id == "framework_linear"
    small = linear_form(keep(framework(), ["oxytocin", "trust", "drive", "signal", "antagonist"]))
    assert {v.id for v in small.variables} == {"oxytocin", "trust"}
    assert not any(c.id.startswith("w_") for c in linear_form(hypothesis("biomarker")).couplings)
    assert "a_trust" not in {c.id for c in linear_form(cut(framework(), "a_trust")).couplings}
    for rival in framework().hypotheses:
        form = linear_form(hypothesis(rival.name))
        assert form.hypothesis == rival.name
        assert not form.active().unfit
        bent = {"synergistic", "context", "weakest_link"}
        # a factor has no person mean, which the exact loop gain of a linear theory needs no less
        assert bool(form.active().nonlinear) == (rival.name in bent)
    for lossy in (clamp(framework(), trust=0.0), switch_on(framework(), "habituation")):
        with pytest.raises(TheoryError, match="has no linear form"):
            linear_form(lossy)
    assert any(c.id.startswith("d_") for c in linear_form(hypothesis("network")).couplings)
    with pytest.raises(TheoryError, match="not stated in deviations"):
        linear_form(read_theory("hub"))


def test_interventions_name_what_they_do_not_know():
    assert clamp(framework(), trust=1.0).variable("trust").clamped == 1.0
    with pytest.raises(TheoryError, match="no state"):
        clamp(framework(), drive=1.0)
    with pytest.raises(TheoryError, match="fits no coupling"):
        cut(framework(), "z_*")
    assert all("therapist" not in v.persons for v in patient_only(framework()).variables)


def _broken(tmp_path, change, name="framework"):
    content = yaml.safe_load((LIBRARY / f"{name}.yaml").read_text())
    change(content)
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def _element(content, group, name):
    return next(entry for entry in content[group] if entry["id"] == name)


def test_all_faults_of_a_theory_come_at_once(tmp_path):
    """Elements that are wrong by themselves and elements that contradict each other, in one message."""

    def change(t):
        _element(t, "couplings", "a_trust")["from"] = "trst"
        _element(t, "variables", "trust")["time_constant"]["value"] = -21
        _element(t, "variables", "fear")["level"]["unit"] = "points"
        _element(t, "couplings", "w_support")["from"] = "support"
        _element(t, "couplings", "w_trust")["coefficient"]["unit"] = "1/fortnight"
        _element(t, "couplings", "o_empathy")["constants"]["threshold"]["unit"] = "logit"
        extra = {"gate": "always", "coefficient": {"value": 1, "unit": "1", "assumed": "a circle"}}
        t["couplings"].append({"id": "circle", "from": "signal_b", "to": "drive", **extra})
        t["couplings"].append({"id": "circle_b", "from": "drive", "to": "signal_b", **extra})
        t["variables"].append({**_element(t, "variables", "signal"), "id": "signal_b", "persons": ["dyad"]})
        t["protocol"]["events"] = [{"event": "dose", "sessions": [0]}]

    with pytest.raises(TheoryError) as caught:
        read_theory(_broken(tmp_path, change))
    text = str(caught.value)
    for part in (
        "'trst', which does not exist",
        "trust.time_constant is -21; it must be positive",
        "fear.level has the unit 'points'; expected 'SD'",
        "w_support.from couples support to itself",
        "w_trust.coefficient: unit 'fortnight' is not a unit of time",
        "constants.threshold has the unit 'logit'; expected '1'",
        "definitions form a circle",
        "event 'dose' in session 0 lies before the first session",
    ):
        assert part in text, (part, text)
    assert "8 faults" in text.splitlines()[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: _element(t, "couplings", "to_tissue")["coefficient"].update(unit="1"), "transfer needs"),
        (lambda t: _element(t, "couplings", "a_trust").update(form="product"), "needs a list of several sources"),
        (lambda t: _element(t, "couplings", "receptor")["from"].pop(), "with 1 sources"),
        (lambda t: _element(t, "couplings", "o_empathy").pop("constants"), "needs exactly"),
        (lambda t: _element(t, "couplings", "w_trust").update(group="nothing"), "no switch"),
        (lambda t: _element(t, "couplings", "secretion")["coefficient"].update(value="much"), "a number"),
        (lambda t: _element(t, "inputs", "rupture").update(to="drive"), "an input acts on a state"),
        (lambda t: _element(t, "variables", "insecurity").update(lower=0.0), "belongs to a state"),
        (lambda t: _element(t, "variables", "trust").update(unit="points"), "logit"),
        (lambda t: _element(t, "couplings", "k_trust").update(to="insecurity"), "nothing changes"),
        (lambda t: _element(t, "couplings", "a_trust")["coefficient"].update(unit="1/h"), "a definition needs the unit '1'"),
        (lambda t: t["ruptures"].update(target="trst"), "ruptures names the variable 'trst'"),
        (lambda t: t["hypotheses"][4].update(including=["synergi"]), "no switch"),
    ],
)  # fmt: skip
def test_one_fault_is_named_with_its_place(tmp_path, change, message):
    with pytest.raises(TheoryError, match=message):
        read_theory(_broken(tmp_path, change))


def test_protocols():
    weekly = protocol(4, "7 d", "50 min")
    assert weekly.starts() == (0.0, 7.0, 14.0, 21.0)
    trial = protocol(
        6,
        "3.5 d",
        events=[{"event": "dose", "sessions": [2, 4], "amount": 24, "minutes": 5, "arm": "ot"}],
        arms=["ot", "p"],
    )
    assert [name for _, name, _ in trial.happening(0)] == ["dose", "dose"]
    assert trial.happening(0)[0][0] == pytest.approx(3.5 + 5 / 1440)
    assert trial.happening(1) == []
    assert protocol(starts=[[0.0, 6.0, 14.5], [0.0, 7.0, 21.0]]).starts(1) == (0.0, 7.0, 21.0)
    with pytest.raises(UnitError, match="50 min"):
        protocol(every="weekly")
    with pytest.raises(TheoryError) as caught:
        protocol(
            3,
            events=[
                {"event": "dose", "sessions": [0]},
                {"event": "dose", "sessions": [1], "minutes": -45},
                {"event": "dose", "sessions": [9]},
                {"event": "dose", "sessions": [1], "arm": "ot"},
            ],
        )
    assert all(part in str(caught.value) for part in ("session 0", "45 min before session 1", "after the last", "arm"))
    with pytest.raises(TheoryError, match="beyond the start of the next"):
        protocol(starts=[[0.0, 0.01]])


def test_a_study_gives_its_own_calendars(haifa_folder):
    from dyadloop.data import read_study

    found = protocol(study=read_study(haifa_folder))
    assert isinstance(found, Protocol)
    assert len(found.starts_days) == 37
    assert found.starts(0)[0] == 0.0
    assert found.starts(0) != found.starts(1)


@pytest.mark.parametrize("name", PRESETS)
def test_exports_name_every_state(name):
    theory = read_theory(name)
    latex, mermaid = to_latex(theory), to_mermaid(theory)
    record = json.loads(to_registry(theory))
    states = [v for v in theory.active().variables if v.dynamics == "state"]
    assert latex.count(r"\frac{d}{dt}") == sum(len(v.persons) for v in states)
    assert all(f'"{v.label}"' in mermaid for v in theory.active().variables)
    assert {entry["name"] for entry in record["variables"]} >= {v.label for v in states}
    assert record["title"] == theory.title


def test_differences_are_told_apart():
    found = differences(framework(), hypothesis("synergistic"))
    assert {row["what"] for row in found} == {"added"}
    assert len(found) == 10
    changed = differences(framework(), clamp(framework(), trust=0.0))
    assert [(row["element"], row["what"]) for row in changed] == [("variable trust", "clamped")]
