"""Numbers of the explorer: those of the package, whatever the padding, and those of the Python it offers."""

import json

import numpy as np
import pandas as pd
import pytest

import dyadloop as dl
from dyadloop.app.exploring import Along, branch, courses, loops, quantiles
from dyadloop.app.requests import Explorer
from dyadloop.app.scenarios import Asked, Scenario, multiple, prepared, script, theory_file
from dyadloop.simulation import simulate
from dyadloop.theory import parse_theory, protocol
from tests.app.doors import client
from tests.small import small

DOSE = {"event": "dose", "sessions": [2], "amount": 24}


@pytest.fixture(scope="module")
def explorer():
    """A small theory stands where a person's own file would."""
    theory = small()
    return Explorer(kept={"brought": {"file-small": theory}})


def scenario(kind=Asked, **more):
    return kind.model_validate({"theory": "file-small", "sessions": 5, "values": {"w_trust": 0.7}, **more})


def test_courses_are_those_of_the_package(explorer):
    one = courses(explorer, scenario())
    plan = protocol(5, "7 d", "50 min")
    same = simulate(small(), plan, values={"w_trust": 0.7}, noise=False, between=False, tolerance=1e-4, points=(5, 7))
    assert one["simulated"] is True
    for entry in one["variables"]:
        # two programs of the same steps: they differ by rounding alone
        np.testing.assert_allclose(entry["middle"], same[entry["id"]].values[0], rtol=1e-12, atol=1e-14)
    many = courses(explorer, scenario(dyads=6, shown=["trust"]))
    same = simulate(small(), plan, dyads=6, seed=1, values={"w_trust": 0.7}, points=(5, 7), steps=(4, 6))
    (trust,) = many["variables"]
    np.testing.assert_allclose(trust["low"], np.quantile(same["trust"], 0.055, axis=0))
    np.testing.assert_allclose(trust["upper"], np.quantile(same["trust"], 0.75, axis=0))


def test_a_branch_passes_through_where_the_scenario_is(explorer):
    asked = scenario(Along, parameter="w_trust", low=0.0, high=2.0, of="equilibrium", values={})
    found = branch(explorer, asked)
    usual = next(c for c in small().couplings if c.id == "w_trust").coefficient.value
    assert found["parameter"][found["here"]] == pytest.approx(usual)
    trust = found["variables"].index("trust")
    assert found["units"][trust] == "1"
    assert ((found["state"][trust] >= 0) & (found["state"][trust] <= 1)).all()
    assert branch(explorer, asked.model_copy(update={"low": usual + 0.1}))["here"] is None


def test_quantiles_leave_out_those_who_are_gone():
    values = np.random.default_rng(1).normal(size=(9, 6))
    values[2:, 3] = values[:, 4] = values[::2, 5] = np.nan
    levels = (0.055, 0.5, 0.945)
    found = quantiles(values, levels)
    assert np.isnan(found[:, 4]).all()
    present = [0, 1, 2, 3, 5]
    np.testing.assert_allclose(found[:, present], np.nanquantile(values[:, present], levels, axis=0))


def test_a_theory_keeps_its_program_and_few_theories_are_kept(explorer):
    first = prepared(explorer, scenario())
    assert prepared(explorer, scenario(sessions=9, values={})) is first
    for name in ("none", "biomarker", "driver"):
        prepared(explorer, Asked(theory="framework_linear", hypothesis=name))
    assert len(explorer.kept["prepared"]) == 4


def test_calendars_of_any_length_share_few_programs():
    assert [multiple(n) for n in (1, 8, 9, 16, 17, 64)] == [120, 120, 216, 216, 408, 792]


def test_dials_are_the_gains_of_the_package(explorer):
    found = loops(explorer, scenario(Scenario, every_days=3.5))
    theory = small().model_copy(update={"protocol": protocol(5, "3.5 d", "50 min")})
    gain = dl.loop_gain(theory, values={"w_trust": 0.7})
    assert found["loop_gain"] == pytest.approx(gain["continuous_loop_gain"], rel=1e-7)
    assert found["session_loop_gain"] == pytest.approx(gain["session_loop_gain"], rel=1e-7)


@pytest.mark.parametrize("dyads", [1, 4])
def test_the_python_it_offers_gives_the_numbers_of_the_figure(explorer, dyads, tmp_path, monkeypatch, capsys):
    asked = scenario(dyads=dyads, shown=("trust", "oxytocin"))
    shown = courses(explorer, asked)
    theory = explorer.kept["brought"]["file-small"]
    (tmp_path / "theory.json").write_text(theory_file(theory, asked.values), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    text = script(asked)
    assert "SIMULATED" in text
    made: dict = {}
    exec(text, made)
    assert capsys.readouterr().out
    for entry in shown["variables"]:
        middle = np.nanquantile(made["courses"][entry["id"]].values, 0.5, axis=0)
        np.testing.assert_allclose(entry["middle"], middle, rtol=1e-12)
    table = pd.read_csv(tmp_path / "simulated-courses.csv")
    assert list(table["variable"].unique()) == [entry["id"] for entry in shown["variables"]]
    assert set(table["simulated"]) == {"SIMULATED"}
    for entry in shown["variables"]:
        own = table[table["variable"] == entry["id"]]
        np.testing.assert_allclose(own["median"], entry["middle"], rtol=1e-12)
        if dyads > 1:
            np.testing.assert_allclose(own[["low_89", "high_50"]].T, [entry["low"], entry["upper"]], rtol=1e-12)
    assert "<svg" in (tmp_path / "simulated-courses.svg").read_text()


def test_the_theory_file_it_offers_holds_the_numbers_that_were_set(explorer):
    text = theory_file(small(), {"w_trust": 0.7, "tau_trust": 30.0, "level_trust": 0.2})
    again = parse_theory(text, "theory.json")
    trust = again.variable("trust")
    assert next(c for c in again.couplings if c.id == "w_trust").coefficient.value == 0.7
    assert trust.time_constant.value == 30.0
    assert "set by hand" in trust.time_constant.assumed


def test_what_is_wrong_comes_back_in_words(tmp_path):
    door = client(tmp_path)
    found = door.post("/api/courses", json={"theory": "hub", "values": {"no_such": 1}})
    assert found.status_code == 400
    assert "no_such" in found.json()["error"]
    assert door.post("/api/courses", json={"theory": "../secret.yaml"}).status_code == 404
    assert door.post("/api/courses", json={"theory": "file-0"}).status_code == 404
    found = door.post("/api/courses", json={"theory": "framework", "events": [{**DOSE, "event": "kiss"}]})
    assert found.status_code == 400
    assert "kiss" in found.json()["error"]
    assert door.post("/api/courses", json={"dyads": 10**6}).status_code == 400
    found = door.post("/api/theories/brought", json={"name": "mine.yaml", "text": "a: [1"})
    assert found.status_code == 400
    assert "mine.yaml" in found.json()["error"]


def test_a_theory_is_described_with_what_each_arrow_rests_on(tmp_path):
    door = client(tmp_path)
    found = door.post("/api/theory", json={"theory": "framework", "hypothesis": "driver"}).json()
    arrows = {arrow["id"]: arrow for arrow in found["arrows"]}
    assert not any(name.startswith("a_") for name in arrows)
    trust = arrows["w_trust"]
    assert trust["equation"] == "session · w_trust · (signal_patient / 2 + signal_therapist / 2)"
    assert any(row["doi"].startswith("10.") for row in trust["number"]["evidence"])
    assert {claim["id"] for claim in found["claims"]} >= {"C1.k", "C4", "C5.strong", "C7.m.oxytocin"}
    ranges = {entry["id"]: (entry["low"], entry["value"], entry["high"]) for entry in found["parameters"]}
    assert all(low <= value <= high for low, value, high in ranges.values())
    assert {"tau_trust", "w_trust", "receptor_oxytocin_half"} <= set(ranges)
    assert json.dumps(found)
