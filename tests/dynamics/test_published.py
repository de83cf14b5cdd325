"""Published models and numbers, reproduced in the language of the theory. Sources stand in the theory files.

Where no other source is named, the numbers were computed from the published equations with independent code.
"""

import numpy as np
import pytest

from dyadloop import dynamics
from dyadloop.simulation import simulate
from dyadloop.theory import protocol, read_theory, switch_on

QUIET = {"noise": False, "between": False}


def test_panic_core_has_three_equilibria_and_their_loop_gains():
    theory = read_theory("panic_core")
    found = dynamics.equilibria(theory)
    threat = found["state"].sel(variable="threat").values
    np.testing.assert_allclose(threat, [0.00023, 0.83531, 0.95544], atol=5e-6)
    assert found["stable"].values.tolist() == [True, False, True]
    for value, gain in zip(threat, [0.0027, 1.651, 0.511], strict=True):
        loop = dynamics.gains(theory, at={"arousal": value, "threat": value}, cut=("arousal",))
        assert float(loop["continuous_loop_gain"]) == pytest.approx(gain, abs=5e-4)
        assert float(loop["continuous_loop_gain"]) == pytest.approx(12 * value * (1 - value), rel=1e-9)


def test_the_marriage_model_has_five_equilibria():
    found = dynamics.equilibria(read_theory("marriage"))
    expected = [(-1.36523, -1.88152), (-1.00860, -1.16200), (0.29414, -0.29414), (1.16200, 1.00860), (1.88152, 1.36523)]
    np.testing.assert_allclose(found["state"].values, expected, atol=5e-6)
    assert found["stable"].values.tolist() == [True, False, True, False, True]
    np.testing.assert_allclose(found["eigenvalue_real"].values[1], [1.04187, -2.24187], atol=5e-6)


def _peacemath_by_euler(steps, step=0.001):
    """The published program's scheme: a full Euler step, then everything below 0 is set to 0."""
    matrix = np.array(
        [[0, 0, 0, 0, 1.5, 0], [0, 0, 0, 0, 0, 5], [0.3, 0, 0, 0, 1.5, 0], [0, 5, 0, 0, 0, 3], [3, 0, 3, 0, 0, -5],
         [0, 5, 0, 0.3, -0.3, 0]]
    )  # fmt: skip
    state, own = np.ones(6), np.array([-0.9, -0.2, -0.9, -0.9, -0.9, -0.9])
    for _ in range(steps):
        state = np.maximum(state + step * (own * state + matrix @ np.tanh(state)), 0.0)
    return state


def test_peacemath_ends_where_the_program_ends():
    """Network 8 as shipped: 30,000 samples are 29,999 Euler steps of 0.001.

    Euler is off by 24 exp(-6) 0.2^2 30 0.001 / 2 = 3.6e-5 of the exact course in the slowest variable.
    """
    published = [0, 24.93963, 0, 8.88884, 0, 5.88889]
    np.testing.assert_allclose(_peacemath_by_euler(29_999), published, atol=5e-6)
    run = simulate(read_theory("peacemath"), span="29.999 d", points=(1, 30), **QUIET)
    end = [float(run[name].values[0, -1]) for name in run.data_vars]
    np.testing.assert_allclose(end, published, atol=4.5e-5)
    box = dict.fromkeys(run.data_vars, (0.0, 30.0))
    rest = dynamics.equilibria(read_theory("peacemath"), box=box)
    stable = rest["state"].sel(variable="negative_memory").values[rest["stable"].values]
    assert stable.max() == pytest.approx(25, abs=1e-3)


def test_attractors_beyond_the_usual_box_are_found_without_being_asked_for():
    """The matrix form solved by SciPy from where the published program ends."""
    found = dynamics.equilibria(read_theory("peacemath"))
    stable = found["state"].values[found["stable"].values]
    names = found["variable"].values.tolist()
    high = stable[:, names.index("negative_memory")].argmax()
    np.testing.assert_allclose(stable[high], [0, 25, 0, 8.889, 0, 5.889], atol=1e-3)
    assert len(stable) == 2
    assert (found["searched_high"] > 25).all()
    assert (found["searched_low"] <= 0).all()
    assert found.attrs["widened"] >= 2
    small = dynamics.equilibria(read_theory("peacemath"), box=dict.fromkeys(names, (0.0, 3.0)))
    assert small.attrs["outside"] >= 1
    assert (small["state"] <= 3.0).all()


def _panic_by_euler(schema, pulse, step, until=60.0):
    """The published program's scheme: synchronous Euler steps from 0, arousal set to the pulse at minute 10."""
    steepness, threshold = 20 - 10 * 0.1**schema, 0.25**schema
    arousal = threat = homeostasis = escape = peak = 0.0
    when = 0.0
    for number in range(1, int(until / step)):
        new = (
            arousal + step * 0.5 * (threat - homeostasis - arousal),
            threat + step * (1 / (1 + np.exp(-steepness * (arousal - 0.25 * escape - threshold))) - threat),
            homeostasis + step * 0.05 * (1 / (1 + np.exp(-20 * (arousal - 0.4))) - 0.5 * homeostasis),
            escape + step * 0.25 * (1 / (1 + np.exp(-10 * (threat - 1.0))) - escape),
        )
        arousal, threat, homeostasis, escape = new
        if number == round(10 / step):
            arousal = pulse
        fear = np.sqrt(max(arousal, 0.0) * max(threat, 0.0))
        if fear > peak:
            peak, when = fear, number * step
    return peak, when


@pytest.mark.parametrize(
    ("schema", "peak", "minute"), [(0.1, 0.05628, 10.41), (0.5, 0.37264, 10.79), (0.8, 0.85914, 15.69)]
)
def test_a_pulse_of_arousal_makes_the_published_fear(schema, peak, minute):
    """The published digits are those of Euler steps of 0.001 min; the exact course lies within 1e-4 of them."""
    theory, values = read_theory("panic"), {"level_schema": schema}
    zero = dict.fromkeys(("arousal", "threat", "homeostasis", "escape"), 0.0)
    before = simulate(theory, span="10 min", start=zero, values=values, **QUIET, tolerance=1e-10)
    there = {name: float(before[name].values[0, -1]) for name in zero} | {"arousal": 0.6}
    run = simulate(theory, span="20 min", points=(1, 2000), start=there, values=values, **QUIET, tolerance=1e-10)
    fear = run["fear"].values[0]
    assert fear.max() == pytest.approx(peak, abs=1.5e-4)
    assert 10 + run["days"].values[0, fear.argmax()] * 1440 == pytest.approx(minute, abs=0.011)
    if schema == 0.5:
        euler = _panic_by_euler(schema, 0.6, 0.001, until=20)
        assert euler == pytest.approx((peak, minute), abs=5e-3)
        assert euler[0] == pytest.approx(peak, abs=5e-6)


@pytest.mark.parametrize(("schema", "smallest"), [(0.3, 0.923), (0.6, 0.577)])
def test_the_smallest_pulse_that_makes_an_attack(schema, smallest):
    """An attack: fear and perceived threat both reach .5 at some moment."""
    pulses = np.array([smallest - 0.003, smallest + 0.003])
    theory, values = read_theory("panic"), {"level_schema": schema}
    zero = dict.fromkeys(("arousal", "threat", "homeostasis", "escape"), 0.0)
    before = simulate(theory, span="10 min", start=zero, values=values, **QUIET, tolerance=1e-9)
    there = {name: float(before[name].values[0, -1]) for name in zero}
    attacks = []
    for pulse in pulses:
        run = simulate(
            theory, span="40 min", points=(1, 800), start={**there, "arousal": float(pulse)}, values=values, **QUIET
        )
        both = (run["fear"].values >= 0.5) & (run["threat"].values > 0.5)
        attacks.append(bool(both.any()))
    assert attacks == [False, True]


def test_the_frozen_fast_loop_of_panic_becomes_bistable():
    from dyadloop.theory import clamp

    frozen = clamp(read_theory("panic"), homeostasis=0.0, escape=0.0)
    counts = [
        dynamics.equilibria(frozen, values={"level_schema": s}, box={"arousal": (0, 1), "threat": (0, 1)}).sizes[
            "equilibrium"
        ]
        for s in (0.212, 0.215)
    ]
    assert counts == [1, 3]  # three from S = 0.21326 on


def test_rat_plasma_has_the_published_half_lives():
    theory = read_theory("rat_plasma")
    from dyadloop.dynamics.compiled import compiled

    model = compiled(theory)
    rates = np.linalg.eigvals(np.asarray(model.system().jacobian(model.start(), False)))
    half_lives = np.sort(np.log(2) / -np.real(rates)) * 86400
    np.testing.assert_allclose(half_lives, [23.63, 187.55], atol=5e-3)
    run = simulate(theory, span="600 s", points=(1, 60), start={"plasma": 1000.0, "extravascular": 0.0}, **QUIET)
    seconds = run["days"].values[0] * 86400
    slope = np.polyfit(seconds[40:], np.log(run["plasma"].values[0, 40:]), 1)[0]
    assert np.log(2) / -slope == pytest.approx(187.55, rel=1e-3)


def test_human_plasma_has_the_rates_of_de_groot():
    from dyadloop.dynamics.compiled import compiled
    from dyadloop.theory import keep

    model = compiled(keep(read_theory("oxytocin_pk"), ["plasma", "tissue"]))
    rates = -np.real(np.linalg.eigvals(np.asarray(model.system().jacobian(model.start(), False)))) / 1440
    np.testing.assert_allclose(np.sort(rates), [0.0350, 0.2358], atol=5e-5)
    given = protocol(1, "1 d", "240 min", events=[{"event": "dose_iv", "sessions": [1]}])
    run = simulate(read_theory("oxytocin_pk"), given, points=(480, 1), **QUIET)
    level, minutes = run["plasma_concentration"].values[0], run["days"].values[0] * 1440
    area = np.trapezoid(level[1:481], minutes[1:481]) + level[1] * minutes[1]  # pg/ml min
    assert 1710 / area * 60 == pytest.approx(67.1, rel=0.02)  # clearance = dose / area [L/h]


@pytest.mark.parametrize(("total", "count"), [(15.9, 1), (16.1, 3)])
def test_a_centred_sigmoid_hub_is_bistable_above_16(total, count):
    """o = s(th0 + sum a x), x = s(th + w o), thresholds such that everything can rest at one half."""
    arrow = float(np.sqrt(total / 5))
    names = ("attachment", "empathy", "synchrony", "trust", "support")
    values = {f"{kind}_{name}": arrow for kind in "aw" for name in names}
    values |= {"bias_oxytocin": -5 * arrow / 2, **{f"bias_{name}": -arrow / 2 for name in names}}
    box = dict.fromkeys(("oxytocin", *names), (0.0, 1.0))
    found = dynamics.equilibria(read_theory("hub"), values=values, box=box, starts=256)
    assert found.sizes["equilibrium"] == count
    middle = found["state"].values[count // 2]
    np.testing.assert_allclose(middle, 0.5, atol=1e-8)


def test_the_synergy_confound_of_a_saturating_hub():
    """No synergy looks synergistic from a low baseline, true synergy antagonistic from a high one."""
    low_high = ("bias_oxytocin", [-4.0, -2.0])
    plain = dynamics.synergy(read_theory("hub"), doses=[1.0], baseline=low_high)
    true = dynamics.synergy(switch_on(read_theory("hub"), "synergy"), doses=[1.0], baseline=low_high)
    np.testing.assert_allclose(plain["rest"].values, [0.096, 0.670], atol=5e-4)
    np.testing.assert_allclose(plain["additive"].values[:, 0], [0.0130, -0.0262], atol=5e-5)
    np.testing.assert_allclose(plain["bliss"].values[:, 0], [0.0157, -0.0053], atol=5e-5)
    np.testing.assert_allclose(true["additive"].values[:, 0], [0.0475, -0.0340], atol=5e-5)
    np.testing.assert_allclose(true["bliss"].values[:, 0], [0.0560, 0.0097], atol=5e-5)
    np.testing.assert_allclose(plain["mechanistic"].values, 0.0, atol=1e-12)
    np.testing.assert_allclose(true["mechanistic"].values, 1.0, rtol=1e-10)
    assert plain["misleading"].values.ravel().tolist() == [True, True]
    assert true["misleading"].values.ravel().tolist() == [False, True]
    tiny = dynamics.synergy(read_theory("hub"), doses=[1e-3], baseline=low_high)
    np.testing.assert_allclose(tiny["additive"].values[:, 0] / 1e-6, tiny["emergent"].values, rtol=2e-3)


def test_love_is_stable_exactly_while_own_decay_outweighs_the_answers():
    stable = [
        bool(dynamics.equilibria(read_theory("love"), values={"b_juliet": 1.0, "c_romeo": c})["stable"].values[0])
        for c in (0.99, 1.01)
    ]
    assert stable == [True, False]


def test_therapist_and_client_of_opposite_sign_oscillate():
    found = dynamics.equilibria(read_theory("therapist_client"), box={"therapist": (0, 3), "client": (0, 3)})
    assert (np.abs(found["eigenvalue_imaginary"].values[found["stable"].values]) > 0).any()
