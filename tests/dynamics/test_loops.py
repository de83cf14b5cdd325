"""Gains, the session-to-session map, branches, the open loop and sensitivity: laws and closed forms."""

import numpy as np
import pytest
import xarray as xr

from dyadloop import dynamics
from dyadloop.dynamics import linear as exact
from dyadloop.dynamics.compiled import compiled
from dyadloop.errors import StateError, TheoryError
from dyadloop.simulation import simulate
from dyadloop.theory import Theory, cut, keep, protocol, read_theory
from tests.linear import rival
from tests.small import small

QUIET = {"noise": False, "between": False}


@pytest.fixture(scope="module")
def mapped():
    return dynamics.session_map(small())


def test_a_hub_has_the_square_of_its_radius_as_loop_gain_and_loses_it_with_any_arrow():
    hub = read_theory("hub")
    found = dynamics.gains(hub)
    gain = found["gain"].sel(target="oxytocin").values @ found["gain"].sel(source="oxytocin").values
    assert float(found["continuous_loop_gain"]) == pytest.approx(gain, rel=1e-10)
    assert float(found["radius"]) == pytest.approx(float(found["root"]), rel=1e-10)
    assert float(found["reciprocity"].sum()) == pytest.approx(gain, rel=1e-10)
    assert float(found["share"].sum()) == pytest.approx(1.0, rel=1e-10)
    assert float(dynamics.gains(cut(hub, "a_*"))["continuous_loop_gain"]) == pytest.approx(0.0, abs=1e-12)
    one = dynamics.gains(cut(hub, "w_trust"))
    assert float(one["reciprocity"].sel(target="trust")) == pytest.approx(0.0, abs=1e-12)


def test_a_push_on_oxytocin_comes_back_amplified_by_the_loop():
    """The loop gain against finite pushes on the closed and the cut loop."""
    hub = read_theory("hub")
    gain = float(dynamics.gains(hub)["continuous_loop_gain"])
    rest = dynamics.equilibria(hub)["state"].sel(variable="oxytocin").values[0]
    step = 1e-4
    ends = [
        dynamics.equilibria(hub, values={"bias_oxytocin": -2.0 + d})["state"].sel(variable="oxytocin").values[0]
        for d in (step, -step)
    ]
    closed = (ends[0] - ends[1]) / (2 * step)
    alone = rest * (1 - rest)  # slope of the activation at rest
    assert closed / alone == pytest.approx(1 / (1 - gain), rel=1e-6)


def test_the_weekly_map_of_a_hub_is_diagonal_plus_rank_one(mapped):
    """And its loop gain lies between the closed forms with and without the build-up of oxytocin."""
    names = ["trust", "support"]
    levels = mapped["map"].sel(target=names, source=names).values
    kept = np.exp(-7.0 / np.array([21.0, 28.0]))
    rest = levels - np.diag(kept)
    assert abs(np.linalg.det(rest)) < 1e-6 * np.abs(rest).max() ** 2
    assert float(mapped["closed_form"]) < float(mapped["session_loop_gain"]) < float(mapped["closed_form_no_build_up"])
    assert bool(mapped["stable"])


def test_the_fixed_point_is_where_a_long_course_ends(mapped):
    run = simulate(small(), protocol(120), **QUIET, tolerance=1e-9)
    at = np.flatnonzero(run["in_session"].values == 0)[-2]
    assert float(run["trust_logit"].values[0, at]) == pytest.approx(
        float(mapped["state"].sel(target="trust")), abs=1e-4
    )


def test_the_map_is_the_derivative_of_the_course(mapped):
    state = {name: float(mapped["state"].sel(target=name)) for name in mapped["target"].values}
    step = 1e-4
    ends = []
    for d in (step, -step):
        start = {**state, "trust": state["trust"] + d}
        ends.append(
            simulate(small(), protocol(1), start=start, **QUIET, tolerance=1e-11)["support_logit"].values[0, -1]
        )
    expected = float(mapped["map"].sel(target="support", source="trust"))
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(expected, rel=1e-5)


def test_the_exact_map_of_a_linear_theory_is_the_integrated_one():
    from dyadloop.theory import keep

    theory = keep(rival("reciprocal"), ["oxytocin", "trust", "support", "depression"])
    model = compiled(theory)
    process = model.plan.process_model(model.numbers)
    found = dynamics.session_map(theory)
    np.testing.assert_allclose(found["map"], exact.session_map(process, model.schedule), atol=1e-8)
    numbers = dynamics.loop_gain(theory)
    assert float(found["session_loop_gain"]) == pytest.approx(numbers["session_loop_gain"], rel=1e-7)
    assert float(found["closed_form"]) == pytest.approx(numbers["closed_form"], rel=1e-9)


def test_without_effects_of_oxytocin_there_is_no_loop():
    found = dynamics.session_map(cut(small(), "w_*"))
    assert float(found["session_loop_gain"]) == pytest.approx(0.0, abs=1e-9)


def test_twice_weekly_more_than_doubles_the_loop_gain():
    """At the same state and session: d / (1 - d) alone more than doubles."""
    ratio = [np.exp(-w / 21) / (1 - np.exp(-w / 21)) for w in (3.5, 7.0)]
    assert ratio[0] / ratio[1] > 2
    gains = [
        float(
            dynamics.session_map(small(), every=f"{w} d", values={"w_trust": 1e-3, "w_support": 1e-3})[
                "session_loop_gain"
            ]
        )
        for w in (3.5, 7.0)
    ]
    assert gains[0] / gains[1] == pytest.approx(
        sum(np.exp(-3.5 / t) / (1 - np.exp(-3.5 / t)) * g for t, g in ((21, 0.3), (28, 0.6)))
        / sum(np.exp(-7 / t) / (1 - np.exp(-7 / t)) * g for t, g in ((21, 0.3), (28, 0.6))),
        rel=0.02,
    )


def test_folds_are_where_the_loop_gain_is_one():
    """The panic core: T = s(12 (T - c)) folds where 12 T (1 - T) = 1, in closed form."""
    found = dynamics.continuation(read_theory("panic_core"), "activation_threat_threshold", 0.0, 1.0)
    root = np.sqrt(1 - 4 / 12)
    expected = sorted(t - np.log(t / (1 - t)) / 12 for t in ((1 - root) / 2, (1 + root) / 2))
    np.testing.assert_allclose(sorted(found["special_parameter"].values), expected, atol=1e-9)
    assert found["special"].values.tolist() == ["fold", "fold"]
    assert found.attrs["bistable_low"] == pytest.approx(expected[0], abs=1e-9)
    assert found.attrs["bistable_high"] == pytest.approx(expected[1], abs=1e-9)
    inside = (found["parameter"].values > expected[0] + 0.02) & (found["parameter"].values < expected[1] - 0.02)
    assert {bool(s) for s in found["stable"].values[inside]} == {True, False}


def _ring() -> Theory:
    number = {"unit": "1", "assumed": "a test"}
    names = ("first", "second", "third")
    return Theory.model_validate(
        {
            "schema_version": 1, "id": "ring", "title": "A ring of three with one negative arrow", "source": "a test",
            "variables": [
                {"id": n, "kind": "state", "label": n, "unit": "1", "persons": ["dyad"],
                 "time_constant": {"value": 1.0, "unit": "d", "assumed": "a test"}} for n in names
            ],
            "couplings": [
                {"id": f"k_{b}", "from": a, "to": b, "gate": "always", "form": "tanh", "sign": sign,
                 "constants": {"scale": {"value": 1.0, **number}}, "coefficient": {"value": 1.0, **number}}
                for a, b, sign in (("first", "second", 1), ("second", "third", 1), ("third", "first", -1))
            ],
        }
    )  # fmt: skip


def test_a_hopf_point_is_where_a_ring_of_three_begins_to_swing():
    """x' = -x - k z, y' = -y + x, z' = -z + y: a pair crosses at k = 8, its frequency is sqrt(3)."""
    found = dynamics.continuation(_ring(), "k_first", 0.5, 12.0)
    assert found["special"].values.tolist() == ["hopf"]
    assert float(found["special_parameter"][0]) == pytest.approx(8.0, abs=1e-6)
    with pytest.raises(TheoryError, match="no parameter"):
        dynamics.continuation(_ring(), "k_frist", 0.5, 12.0)
    with pytest.raises(StateError, match="lower bound"):
        dynamics.continuation(_ring(), "k_first", 12.0, 0.5)


def test_the_calendar_is_followed_along_a_parameter():
    found = dynamics.continuation(small(), "w_trust", 0.0, 2.0, of="calendar")
    assert found["stable"].values.all()
    usual = dynamics.session_map(small(), values={"w_trust": 2.0})
    assert float(found["state"].sel(variable="trust")[-1]) == pytest.approx(
        float(usual["state"].sel(target="trust")), abs=1e-6
    )


def test_the_open_loop_crosses_the_diagonal_where_the_closed_loop_rests():
    hub = read_theory("hub")
    found = dynamics.characteristic(hub)
    rest = dynamics.gains(hub)
    assert found["crossing"].values == pytest.approx(dynamics.equilibria(hub)["state"].values[:, 0], abs=1e-4)
    assert float(found["crossing_slope"][0]) == pytest.approx(float(rest["continuous_loop_gain"]), abs=1e-3)


def test_local_slopes_are_those_of_the_outcome():
    theory = small(symptoms=("depression",))
    found = dynamics.sensitivity(theory, "depression", ["c_depression_trust", "w_trust"], method="local")
    ends = [
        simulate(theory, **QUIET, values={"w_trust": 0.5 + d}, tolerance=1e-9)["depression"].values[0, -1]
        for d in (1e-3, -1e-3)
    ]
    assert float(found["slope"].sel(parameter="w_trust")) == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-3)


def test_sobol_indices_of_an_additive_outcome_sum_to_one():
    """The end of one free state is its level: additive in level and start, in closed form."""
    theory = small(symptoms=("depression",))
    names = ["level_depression", "start_depression"]
    zero = cut(theory, "c_*", "v_*", "f_*")
    found = dynamics.sensitivity(zero, "depression", names, samples=512)
    kept = np.exp(-112 / 35)  # after 16 weeks
    parts = np.array([0.5**2, (0.5 * kept) ** 2])
    np.testing.assert_allclose(found["first"], parts / parts.sum(), atol=0.05)
    np.testing.assert_allclose(found["total"], parts / parts.sum(), atol=0.05)
    with pytest.raises(TheoryError, match="no prior"):
        dynamics.sensitivity(theory, "depression", ["secretion"])
    with pytest.raises(TheoryError, match="is not 'session_loop_gain'"):
        dynamics.sensitivity(theory, "happiness")
    with pytest.raises(TheoryError, match="power of 2"):
        dynamics.sensitivity(theory, "depression", samples=3)
    with pytest.raises(TheoryError, match="no parameter has a prior"):
        dynamics.sensitivity(read_theory("panic"))


def test_a_concave_theory_is_never_super_additive():
    """Saturating arrows and a linear drive: pushing two components together never beats the sum."""
    found = dynamics.synergy(small(), ("trust", "support"), doses=[0.5, 1.0], response="signal")
    assert (found["additive"].values <= 1e-9).all()
    assert np.isnan(found["bliss"].values).all()


def test_errors_of_states():
    with pytest.raises(StateError, match="has no state nothing"):
        dynamics.gains(read_theory("love"), cut=("nothing",))
    with pytest.raises(StateError, match="not finite"):
        dynamics.gains(read_theory("love"), cut=("romeo",), at={"juliet": np.nan})
    with pytest.raises(StateError, match="lower bound"):
        dynamics.equilibria(read_theory("love"), box={"romeo": (1.0, 0.0)})
    with pytest.raises(StateError, match="do not fit"):
        dynamics.session_map(small(), every="0.01 d")


def test_phenomena_are_asked_for():
    found = dynamics.phenomena(("rupture_repair", "plasma_gone", "negative_therapist"), draws=20)
    assert found["shown"].all()
    assert found["share"].between(0, 1).all()
    nothing = dynamics.phenomena(("twice_weekly",), theory=cut(small(symptoms=("depression",)), "*"), draws=1)
    assert not nothing["shown"].any()  # a theory without any arrow has no advantage of more sessions
    with pytest.raises(TheoryError, match="no phenomenon"):
        dynamics.phenomena(("happiness",))


def test_an_outcome_without_noise_depends_on_no_noise():
    with pytest.raises(TheoryError, match="sd_sad: an outcome without noise"):
        dynamics.sensitivity(read_theory("affect"), "sad", ["sd_sad"])
    with pytest.raises(TheoryError, match="no protocol"):
        dynamics.sensitivity(read_theory("affect"))


def test_loop_gains_of_a_linear_theory_need_no_search_and_are_those_of_the_fit_and_of_the_integration():
    theory = keep(read_theory("framework_linear"), ["oxytocin", "trust", "support"])
    values = {"w_trust": 0.8, "a_support": 0.4}
    found = dynamics.loop_gain(theory, values=values)
    model = compiled(theory, values)
    process = model.plan.process_model(model.numbers)
    assert found["continuous_loop_gain"] == pytest.approx(float(exact.continuous_loop_gain(process)), rel=1e-9)
    assert found["session_loop_gain"] == pytest.approx(
        float(exact.session_loop_gain(process, model.schedule)), rel=1e-9
    )
    real = dynamics.session_map(theory, values=values)
    assert found["session_loop_gain"] == pytest.approx(float(real["session_loop_gain"]), rel=1e-6)  # steps of 1e-10
    assert found["closed_form"] == pytest.approx(float(real["closed_form"]), rel=1e-6)


def test_loop_gains_with_a_protocol_are_those_of_the_gains_and_of_the_map(mapped):
    found = dynamics.loop_gain(small())
    assert found["continuous_loop_gain"] == float(dynamics.gains(small())["continuous_loop_gain"])
    assert found["session_loop_gain"] == float(mapped["session_loop_gain"])
    assert found["closed_form"] == float(mapped["closed_form"])


def test_one_search_serves_the_gains_and_the_map(mapped):
    found, real = dynamics.gains_of_calendar(small())
    xr.testing.assert_identical(real, mapped)
    xr.testing.assert_identical(found, dynamics.gains(small()))
