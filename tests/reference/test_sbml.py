"""SBML of every preset, simulated by libRoadRunner: an independent reading of the equations and an independent solver."""

import json
import subprocess
import sys

import numpy as np
import pytest

from dyadloop.errors import TheoryError
from dyadloop.simulation import simulate
from dyadloop.theory import PRESETS, hypothesis, protocol, read_theory, switch_on
from dyadloop.theory.sbml import to_sbml

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


def test_the_extra_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setattr("dyadloop.theory.sbml.find_spec", lambda name: None)
    with pytest.raises(TheoryError, match=r"dyadloop\[sbml\]"):
        to_sbml(read_theory("love"))
