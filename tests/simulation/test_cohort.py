"""Simulated dyads: independent solvers, step sizes, statistics of the noise, events, chances, errors."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dyadloop.errors import TheoryError
from dyadloop.model import compile_theory, system_of
from dyadloop.simulation import cohort, simulate
from dyadloop.theory import Theory, clamp, cut, framework, hypothesis, patient_only, protocol, read_theory, switch_on
from tests.small import small

QUIET = {"noise": False, "between": False}


@pytest.fixture(scope="module")
def model():
    return patient_only(framework())


def _referee(theory, calendar, method="LSODA", **options):
    """Integrate one dyad segment by segment with SciPy and return states at session edges."""
    plan = compile_theory(theory)
    system = system_of(plan, plan.defaults())
    state = np.array([v.level.value if v.level else 0.0 for v in plan.theory.variables if v.dynamics == "state"])
    state += [v.start.value if v.start else 0.0 for v in plan.theory.variables if v.dynamics == "state"]
    rate = {gate: jax.jit(lambda z, gate=gate: system.drift(z, gate)) for gate in (True, False)}
    found, starts = [state], calendar.starts()
    edges = [*(t for s, w in zip(starts, calendar.lengths(), strict=True) for t in (s, s + w))]
    edges.append(starts[-1] + calendar.every_days)
    for number, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        function = rate[number % 2 == 0]
        done = solve_ivp(lambda t, z, f=function: np.asarray(f(z)), (low, high), state, method, **options)
        state = done.y[:, -1]
        found.append(state)
    return plan.names, np.array(found)


def test_the_framework_agrees_with_scipy(model):
    calendar = protocol(3)
    names, expected = _referee(model, calendar, rtol=1e-10, atol=1e-12)
    run = simulate(model, calendar, **QUIET, tolerance=1e-9)
    for column, name in enumerate(names):
        got = run[f"{name}_logit" if f"{name}_logit" in run else name].values[0]
        np.testing.assert_allclose(got, expected[:, column], rtol=1e-6, atol=1e-8)


def test_the_framework_agrees_with_a_stiff_solver_of_diffrax(model):
    plan = compile_theory(model)
    system = system_of(plan, plan.defaults())
    begin = jnp.asarray([float(system.levels[i]) for i in range(system.n_states)])
    term = diffrax.ODETerm(lambda t, z, _: system.drift(z, True))
    done = diffrax.diffeqsolve(
        term, diffrax.Kvaerno5(), 0.0, 50 / 1440, 1e-4, begin,
        stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-11),
    )  # fmt: skip
    start = {name: float(begin[i]) for i, name in enumerate(plan.names)}
    run = simulate(model, protocol(1), start=start, **QUIET, tolerance=1e-9)
    for column, name in enumerate(plan.names):
        got = run[f"{name}_logit" if f"{name}_logit" in run else name].values[0, 1]
        assert got == pytest.approx(float(done.ys[0, column]), rel=1e-7, abs=1e-9)


def test_results_do_not_depend_on_the_tolerance_beyond_it(model):
    runs = [simulate(model, protocol(6), **QUIET, tolerance=t) for t in (1e-6, 1e-8, 1e-10)]
    for loose, factor in ((runs[0], 2e-5), (runs[1], 2e-7)):  # an error per step of the tolerance, some 200 steps
        for name in ("trust", "depression", "oxytocin", "plasma"):
            np.testing.assert_allclose(loose[name], runs[2][name], rtol=factor, atol=factor)


def test_the_cost_does_not_grow_with_stiffness(model):
    steps = [
        int(simulate(model, protocol(6), **QUIET, values={"tau_oxytocin": tau})["steps"][0])
        for tau in (60.0, 20.0, 5.0)
    ]
    assert max(steps) / min(steps) < 1.5


def test_dyads_do_not_depend_on_their_neighbours(model, monkeypatch):
    alone = simulate(small(), protocol(3), dyads=7, noise=False, seed=4)
    monkeypatch.setattr(cohort, "CHUNK", 3)
    apart = simulate(small(), protocol(3), dyads=7, noise=False, seed=4)
    np.testing.assert_allclose(apart["trust"], alone["trust"], rtol=1e-12)


def test_a_seed_gives_the_same_dyads_and_another_gives_others():
    runs = [simulate(small(), protocol(3), dyads=3, seed=seed) for seed in (1, 1, 2)]
    assert runs[0].identical(runs[1])
    assert not np.allclose(runs[0]["trust"], runs[2]["trust"])


def _ou(**changes) -> Theory:
    theory = read_theory("love")
    number = {"value": 1.0, "unit": "1", "assumed": "a test"}
    content = theory.model_dump(by_alias=True)
    for variable in content["variables"]:
        variable["fluctuation"] = number
        variable["time_constant"]["value"] = 2.0
    content["couplings"] = content["couplings"] if changes.get("coupled") else []
    return Theory.model_validate(content)


@pytest.mark.parametrize("points", [4, 40])
def test_noise_has_the_moments_of_the_ornstein_uhlenbeck_process_whatever_the_step(points):
    """Mean, variance and autocorrelation against the closed form; 4,000 dyads from 2 units up."""
    run = simulate(
        _ou(), dyads=4000, span="4 d", points=(1, points), start={"romeo": 2.0, "juliet": 0.0}, seed=3, steps=(1, 1)
    )
    x, days = run["romeo"].values, run["days"].values[0]
    error = 1 / np.sqrt(4000)
    np.testing.assert_allclose(x.mean(axis=0), 2.0 * np.exp(-days / 2), atol=4 * error)
    np.testing.assert_allclose(
        x.var(axis=0)[1:], 1 - np.exp(-days[1:]), atol=6 * error
    )  # sd of a variance: sqrt(2 / n)
    half = len(days) // 2
    covariance = np.cov(x[:, half], x[:, -1])[0, 1]
    expected = (1 - np.exp(-days[half])) * np.exp(-(days[-1] - days[half]) / 2)
    assert covariance == pytest.approx(expected, abs=5 * error)


def test_correlated_noise_keeps_its_correlation():
    linear = read_theory("framework_linear")
    from dyadloop.theory import keep

    two = keep(linear, ["trust", "support"])
    rho = np.arctanh(0.7)
    run = simulate(
        two, dyads=4000, span="400 d", points=(1, 2), between=False, seed=1,
        values={"rho_noise_support_trust": rho, "tau_support": 21.0}, start={"trust": 0.0, "support": 0.0},
    )  # fmt: skip
    last = np.stack([run["trust"].values[:, -1], run["support"].values[:, -1]])
    assert np.corrcoef(last)[0, 1] == pytest.approx(0.7, abs=4 * 0.51 / np.sqrt(4000))


def test_the_strong_order_of_the_noisy_scheme_is_one():
    """Coarse and fine steps along the same Brownian path, of two states that push each other."""
    from dyadloop.model import modes_of
    from dyadloop.simulation.noise import walk

    plan = compile_theory(_ou(coupled=True))
    system = system_of(plan, plan.defaults())
    modes = modes_of(system)
    decay = jnp.stack(modes.decay)[:, None]
    n_fine, cases, span = 512, 200, 2.0
    h = span / n_fine
    shocks = np.random.default_rng(0).normal(size=(n_fine, 2, cases))
    noise = np.sqrt(1 - np.exp(-2 * h / 2.0)) * shocks  # increments of the Ornstein-Uhlenbeck process, tau = 2 d
    start = jnp.zeros((2, cases))

    def end(n_steps):
        block, step = n_fine // n_steps, span / n_steps
        weights = np.exp(-h * np.arange(block - 1, -1, -1) / 2.0)[:, None, None]
        joined = (noise.reshape(n_steps, block, 2, cases) * weights).sum(axis=1) / np.sqrt(1 - np.exp(-2 * step / 2.0))
        return np.asarray(
            walk(system, modes, False, decay, start, jnp.full((n_steps, cases), step), jnp.asarray(joined))
        )

    best = end(n_fine)
    errors = [np.sqrt(np.mean((end(n) - best) ** 2)) for n in (8, 16, 32, 64)]
    order = np.polyfit(np.log(1 / np.array([8, 16, 32, 64])), np.log(errors), 1)[0]
    assert 0.9 < order < 1.3


def test_states_stay_in_their_bounds():
    strong = simulate(
        switch_on(small(symptoms=("depression",)), "synergy"), protocol(10, "3.5 d"), dyads=20, seed=1,
        values={"w_trust": 20.0, "w_support": 20.0, "gamma_trust_support": 5.0},
    )  # fmt: skip
    assert set(strong["status"].values) == {"ok"}
    for name in ("trust", "support"):
        assert float(strong[name].min()) >= 0.0
        assert float(strong[name].max()) <= 1.0
    floor = simulate(read_theory("peacemath"), span="30 d", points=(1, 30), **QUIET)
    assert all(float(floor[v].min()) >= 0 for v in floor.data_vars)


def test_arms_doses_and_antagonists_act_where_they_should():
    given = [
        {"event": "antagonist", "sessions": [1, 2, 3], "arm": "blocked"},
        {"event": "work_trust", "sessions": [2], "arm": "worked", "minutes": 20},
    ]
    run = simulate(small(), protocol(3, events=given, arms=["blocked", "worked", "plain"]), dyads=3, **QUIET)
    blocked, worked, plain = (run.isel(dyad=i) for i in range(3))
    assert run["arm"].values.tolist() == ["blocked", "worked", "plain"]
    first = run["session"].values == 1
    assert float(blocked["signal"].values[first].max()) < 0.2 * float(plain["signal"].values[first].max())
    jump = (worked["trust_logit"] - plain["trust_logit"]).values
    assert np.nanmax(jump) == pytest.approx(0.3, rel=0.02)
    assert abs(jump[run["session"].values == 1]).max() < 1e-12
    at = float(run["days"].values[1, np.argmax(jump > 0.1)])
    assert at == pytest.approx(7 + 50 / 1440, abs=1e-9)  # a moment shows what was before the events at it


def test_a_nasal_dose_reaches_plasma_and_brain_of_the_patient_only():
    dosed = protocol(2, events=[{"event": "dose", "sessions": [1], "amount": 24}])
    run, calm = (simulate(framework(), p, points=(10, 4), **QUIET) for p in (dosed, protocol(2)))
    at = run["session"].values == 1
    assert float(run["plasma_patient"].values[0, at].max()) > 3 * float(calm["plasma_patient"].values[0].max())
    assert float(run["oxytocin_patient"].values[0, at].max()) > float(calm["oxytocin_patient"].values[0].max()) + 0.1
    np.testing.assert_allclose(
        run["plasma_therapist"].values[0, at], calm["plasma_therapist"].values[0, : at.sum()], rtol=0.05
    )


def test_ruptures_and_dropouts_happen_as_often_as_they_should():
    theory = switch_on(small(symptoms=("depression",)), "ruptures", "dropout")
    run = simulate(theory, protocol(10), dyads=1500, seed=5, between=False, noise=False, values={"dropout_hazard": 0.1})
    left = run["status"].values == "dropped out"
    assert np.isnan(run["trust"].values[left, -1]).all()
    assert np.isfinite(run["trust"].values[~left]).all()
    starts = (run["in_session"].values == 0) & (np.arange(run.sizes["time"]) > 0)
    struck = np.diff(run["ruptures"].values[:, np.flatnonzero(starts)], axis=1)[:, 0]
    trust = run["trust"].values[:, np.flatnonzero(starts)[0]]
    expected = 1 - np.exp(-0.5 * np.exp(-1.5 * trust))
    stayed = np.isfinite(trust)
    assert struck[stayed].mean() == pytest.approx(np.nanmean(expected), abs=4 * 0.45 / np.sqrt(stayed.sum()))
    hazard = 0.1 * np.exp(-2.0 * run["trust"].values + 0.3 * run["depression"].values)
    alive = np.isfinite(run["trust"].values[:, 2])
    gone = ~np.isfinite(run["trust"].values[:, 3])
    chance = 1 - np.exp(-hazard[alive, 2])
    assert gone[alive].mean() == pytest.approx(chance.mean(), abs=4 * np.sqrt(chance.mean() / alive.sum()))


def test_do_operations():
    held = simulate(clamp(small(), oxytocin=0.0), protocol(3), **QUIET)
    assert float(np.abs(held["oxytocin"]).max()) == 0.0
    without = simulate(cut(small(), "w_*"), protocol(3), **QUIET)
    np.testing.assert_allclose(held["trust"], without["trust"], rtol=1e-10)


def test_irregular_calendars_of_different_length():
    two = protocol(starts=[[0.0, 6.0, 15.0], [0.0, 7.0]])
    run = simulate(small(), two, dyads=2, **QUIET)
    assert np.isnan(run["trust"].values[1, run["session"].values == 3]).all()
    lone = simulate(small(), protocol(starts=[[0.0, 7.0]]), **QUIET)
    kept = run["session"].values <= 2
    np.testing.assert_allclose(run["trust"].values[1, kept][:4], lone["trust"].values[0][:4], rtol=1e-9)


def test_a_dyad_that_explodes_does_not_stop_the_others():
    love = read_theory("love")
    run = simulate(love, span="3000 d", dyads=2, **QUIET, values={"b_juliet": np.array([1.0, 50.0])})
    assert run["status"].values.tolist() == ["ok", "not finite"]
    assert np.isfinite(run["romeo"].values[0]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": {"w_trst": 1.0}}, "no parameter"),
        ({"values": {"tau_trust": -1.0}}, "must be positive"),
        ({"values": {"w_trust": np.ones(3)}}, "one per dyad"),
        ({"spread": {"w_trst": 1.0}}, "no parameter"),
        ({"start": {"trst": 1.0}}, "no state"),
        ({"dyads": 0}, "at least one"),
        ({"span": "3 d", "protocol": protocol(2)}, "not both"),
        ({"protocol": protocol(2, events=[{"event": "massage", "sessions": [1]}])}, "no input of the theory"),
        ({"protocol": protocol(starts=[[0.0], [0.0], [0.0]]), "dyads": 2}, "one per dyad"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TheoryError, match=message):
        simulate(small(), **options)


def test_a_theory_without_sessions_asks_for_a_span():
    with pytest.raises(TheoryError, match="span"):
        simulate(read_theory("love"))


def test_spread_makes_dyads_differ_in_a_parameter():
    run = simulate(small(), protocol(4), dyads=300, **QUIET, spread={"tau_trust": 0.3}, seed=2)
    assert float(run["trust"].values[:, -1].std()) > 1e-4
    assert set(run["status"].values) == {"ok"}


def test_hypotheses_are_nested():
    """A rival equals the theory that contains it when the freed coefficients are 0, to 1e-10."""
    base = small(symptoms=("depression",))
    pairs = [
        (hypothesis("M4", base), hypothesis("M3", base), ("gamma_",)),
        (hypothesis("M3", base), hypothesis("M1", base), ("w_", "v_")),
        (hypothesis("M3", base), hypothesis("M2", base), ("a_",)),
        (hypothesis("M5", base), hypothesis("M0", base), ("d_",)),
        (hypothesis("combined", base), hypothesis("M3", base), ("d_",)),
    ]
    for larger, smaller, freed in pairs:
        parameters = compile_theory(larger).parameters()
        zeros = {name: 0.0 for name in parameters if name.startswith(freed)}
        assert zeros
        one, two = simulate(larger, protocol(3), values=zeros, **QUIET), simulate(smaller, protocol(3), **QUIET)
        for name in two.data_vars:
            np.testing.assert_allclose(one[name], two[name], rtol=0, atol=1e-10)


def test_empty_stretches_at_the_end_change_nothing():
    """With and without noise: calendars of different lengths may share a program."""
    plan = protocol(3, events=[{"event": "work_trust", "sessions": [2], "minutes": 20}])
    for how in ({"noise": False, "between": False}, {"dyads": 3}):
        usual = simulate(small(), plan, points=(2, 3), **how)
        padded = simulate(small(), plan, points=(2, 3), multiple=40, **how)
        assert usual.equals(padded)
