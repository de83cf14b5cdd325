"""Figures of what a theory implies: what they show, and that they are the same every time."""

import numpy as np
import pytest

from dyadloop import dynamics
from dyadloop.errors import StateError
from dyadloop.reporting import explore
from dyadloop.simulation import simulate
from dyadloop.theory import framework, protocol, read_theory
from tests.small import small


def test_a_fan_shows_every_variable_that_moves():
    run = simulate(small(), protocol(3, arms=["one", "two"]), dyads=6, seed=1)
    svg = explore.fan(run)
    assert svg.startswith("<svg")
    assert "Trust and cooperation" in svg
    assert "Oxytocin antagonist" not in svg
    assert "one" in svg
    assert svg == explore.fan(run)


def test_no_line_joins_moments_between_which_a_variable_came_and_went():
    """Oxytocin is gone minutes after a session, so no line leads over a week; trust, which is slow, is joined."""
    run = simulate(framework(), protocol(3), dyads=4, seed=1, points=(2, 1))
    assert run["oxytocin_patient"].attrs["time_constant_days"] < 0.02
    assert run["signal_patient"].attrs["time_constant_days"] < 0.02  # made of oxytocin
    pieces = {name: explore.fan(run, (name,)).count("<path d=") for name in ("oxytocin_patient", "trust")}
    whole = {name: run[name].attrs.pop("time_constant_days") for name in pieces}
    joined = {name: explore.fan(run, (name,)) for name in pieces}
    assert whole["trust"] > 10.0
    assert joined["trust"].count("<path d=") == pieces["trust"]
    assert joined["oxytocin_patient"].count("<path d=") != pieces["oxytocin_patient"]


def test_a_portrait_marks_stable_and_unstable_points():
    svg = explore.phase_portrait(read_theory("marriage"), "wife", "husband")
    assert "wife (stands still" in svg
    assert svg.count("#ffffff") >= 2  # hollow points are the saddles
    with pytest.raises(StateError, match="no state"):
        explore.phase_portrait(read_theory("marriage"), "wife", "child")


def test_a_branch_is_marked_at_its_folds():
    found = dynamics.continuation(read_theory("panic_core"), "activation_threat_threshold", 0.0, 1.0)
    svg = explore.branches(found, "threat")
    assert svg.count("fold 0.") == 2


def test_maps_bars_and_the_open_loop():
    hub = read_theory("hub")
    assert "loop gain through oxytocin: 0.394" in explore.gain_map(dynamics.gains(hub))
    assert "what would drive it" in explore.open_loop(dynamics.characteristic(hub, np.linspace(0, 1, 11)))
    found = dynamics.synergy(hub, doses=[1.0], baseline=("bias_oxytocin", [-4.0, -2.0]))
    assert "bias_oxytocin" in explore.synergy_map(found)
    names = ["level_trust", "start_trust"]
    assert "level_trust" in explore.sobol_bars(dynamics.sensitivity(small(), "trust", names, samples=16))


def test_the_diagram_names_what_is_switched_on():
    svg = explore.theory_diagram(framework())
    assert "synchrony" in svg
    assert "habituation" not in svg
