"""SBML of every preset, simulated by libRoadRunner: an independent reading of the equations and an independent solver."""

import json
import subprocess
import sys

import libsbml
import numpy as np
import pytest
import sympy

from dyadloop.errors import TheoryError
from dyadloop.simulation import simulate
from dyadloop.theory import FORMS, PRESETS, Theory, hypothesis, protocol, read_theory, switch_on
from dyadloop.theory.sbml import to_sbml
from dyadloop.theory.sbml_formula import formula_of

SPAN = {"love": "20 d", "marriage": "20 d", "panic_core": "20 d", "peacemath": "20 d", "rat_plasma": "600 s"}

# in a process of its own: the solver prints notes at every discontinuity, to the stream of the process itself
RUN = """
import json, sys, numpy as np, roadrunner
asked = json.load(open(sys.argv[1]))
model = roadrunner.RoadRunner(asked["sbml"])
model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-10, 1e-12
model.integrator.maximum_num_steps = 200000
if asked["longest"]: model.integrator.maximum_time_step = asked["longest"]
model.timeCourseSelections = ["time", *asked["names"]]
json.dump(np.asarray(model.simulate(times=asked["times"])).tolist(), open(sys.argv[2], "w"))
"""


def _roadrunner(sbml, names, times, folder, longest):
    (folder / "asked.json").write_text(json.dumps({"sbml": sbml, "names": names, "times": times, "longest": longest}))
    call = [sys.executable, "-c", RUN, str(folder / "asked.json"), str(folder / "answer.json")]
    subprocess.run(call, check=True, capture_output=True)
    return np.array(json.loads((folder / "answer.json").read_text()))[:, 1:]


def _compare(theory, folder, calendar=None):
    options = (
        {"protocol": calendar}
        if calendar or theory.protocol
        else {"span": SPAN.get(theory.id, "300 min"), "points": (1, 30)}
    )
    run = simulate(theory, noise=False, between=False, tolerance=1e-9, **options)
    names = [str(name) for name in run.data_vars if not str(name).endswith("_logit")]
    states = {v.id for v in theory.variables if v.dynamics == "state"}
    names = [n for n in names if n in states or n.rsplit("_", 1)[0] in states]
    # a solver that does not look for floors steps past them; SciPy with steps of 0.001 d agrees with ours to 3e-9
    longest = 1e-3 if any(v.lower is not None for v in theory.variables) else None
    # right at an event the two may show the moment before or after it: states are compared just before
    days = run["days"].values[0]
    times = [0.0, *(float(d) - 1e-9 for d in days[1:])]
    found = _roadrunner(to_sbml(theory, calendar), names, times, folder, longest)
    for column, name in enumerate(names):
        ours = run[f"{name}_logit" if f"{name}_logit" in run else name].values[0]
        np.testing.assert_allclose(found[1:, column], ours[1:], rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", PRESETS)
def test_roadrunner_agrees(name, tmp_path):
    _compare(read_theory(name), tmp_path)


def test_roadrunner_agrees_with_events_and_optional_parts(tmp_path):
    theory = switch_on(hypothesis("synergistic"), "habituation", "over_regulation")
    given = [{"event": "dose", "sessions": [2], "amount": 24}, {"event": "rupture", "sessions": [3], "minutes": 20}]
    _compare(theory, tmp_path, protocol(4, events=given))


def _model(sbml):
    document = libsbml.readSBMLFromString(sbml)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    return document, document.getModel()


@pytest.mark.parametrize("name", PRESETS)
def test_libsbml_has_nothing_to_say(name):
    """Every parameter has a unit, all equations agree in their units, and a day is 86,400 seconds."""
    document, model = _model(to_sbml(read_theory(name)))
    assert [document.getError(i).getMessage() for i in range(document.getNumErrors())] == []
    assert all(parameter.isSetUnits() for parameter in model.getListOfParameters())
    (second,) = model.getUnitDefinition(model.getTimeUnits()).getListOfUnits()
    assert libsbml.UnitKind_toString(second.getKind()) == "second"
    assert second.getMultiplier() * 10 ** second.getScale() == 86400


def _every_form(unit):
    """A theory in which a state with a unit acts on another with a unit through each form, alone and together."""
    sizes = {"source": unit, "1/source": f"1/({unit})" if unit != "1" else "1", "1": "1"}
    number = {"assumed": "a test"}
    couplings = []
    for name, form in FORMS.items():
        if name == "power" and unit != "1":
            continue  # a power of an amount has no unit that a file could state
        constants = {key: {"value": 1.5, "unit": sizes[kind], **number} for key, kind in form.constants.items()}
        shaped = {"form": name, "constants": constants}
        couplings += [
            {"id": f"alone_{name}", "from": "a", "to": "b", "gate": "always", **shaped,
             "coefficient": {"value": 0.1, "unit": "1/h", **number}},
            {"id": f"together_{name}", "from": [{"of": "a", **shaped}, {"of": "b", "form": "linear"}], "to": "c",
             "gate": "session", "form": "product", "coefficient": {"value": 0.1, "unit": "1", **number}},
        ]  # fmt: skip
    tau = {"value": 5.0, "unit": "h", **number}
    variables = [
        {"id": name, "kind": "state", "label": name, "unit": unit, "persons": ["dyad"], "time_constant": tau,
         "start": {"value": 2.0, "unit": unit, **number}} for name in ("a", "b", "c")
    ]  # fmt: skip
    return Theory.model_validate({
        "schema_version": 1, "id": "forms", "title": "Forms", "source": "a test", "variables": variables,
        "couplings": couplings, "protocol": {"sessions": 2, "every_days": 1.0, "length_minutes": 60.0},
    })  # fmt: skip


@pytest.mark.parametrize("unit", ["1", "ng", "pg/ml"])
def test_units_agree_for_every_form(unit, tmp_path):
    theory = _every_form(unit)
    document, _ = _model(to_sbml(theory))
    assert [document.getError(i).getMessage() for i in range(document.getNumErrors())] == []
    _compare(theory, tmp_path, theory.protocol)


def test_times_are_in_days_and_names_say_whose(tmp_path):
    """A level of a half-life of 12 hours has halved at 0.5; sessions open and close at their days."""
    _, model = _model(to_sbml(read_theory("framework"), protocol(3, "3.5 d", "36 min")))
    assert model.getParameter("oxytocin_therapist").getName() == "Central oxytocin (therapist)"
    moments = sorted(event.getTrigger().getMath().getRightChild().getValue() for event in model.getListOfEvents())
    assert moments == pytest.approx([0.025, 3.5, 3.525, 7.0, 7.025])
    half = _every_form("1").model_copy(update={"couplings": ()})
    tau = half.variables[0].time_constant.model_copy(update={"value": 12 / np.log(2)})
    half = half.model_copy(update={"variables": (half.variables[0].model_copy(update={"time_constant": tau}),)})
    found = _roadrunner(to_sbml(half), ["a"], [0.0, 0.5, 1.0], tmp_path, None)
    assert found.ravel().tolist() == pytest.approx([2.0, 1.0, 0.5])


def test_logarithms_are_natural_and_numbers_have_units():
    x = sympy.Symbol("x", real=True)
    assert formula_of(sympy.log(x), {"x": ()}) == "ln(x)"
    assert formula_of(x + 2, {"x": (("ng", 1),)}) in ("(2.0 ng + x)", "(x + 2.0 ng)")
    assert libsbml.parseL3Formula(formula_of(sympy.log(x), {"x": ()})).getType() == libsbml.AST_FUNCTION_LN


def test_an_event_that_the_theory_does_not_know_is_refused():
    with pytest.raises(TheoryError, match="doze: no input"):
        to_sbml(read_theory("framework"), protocol(4, events=[{"event": "doze", "sessions": [2]}]))


def test_the_extra_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setattr("dyadloop.theory.sbml.find_spec", lambda name: None)
    with pytest.raises(TheoryError, match=r"dyadloop\[sbml\]"):
        to_sbml(read_theory("love"))
