"""What dyads and values share: the likelihood against a joint normal of all dyads, planted shifts found, bad input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.stats import multivariate_normal

from dyadloop.appraisal import smooth
from dyadloop.appraisal.model_criticism import leave_one_out
from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.smoothing import course_at
from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.inference import Settings, fit
from dyadloop.inference.problem import build_problem
from dyadloop.likelihood.panel import numbered_plates, numbered_therapists
from dyadloop.likelihood.random_levels import PLATE, THERAPIST
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import keep
from tests.inference.small import make, shared, shorten, table, theory
from tests.linear import rival
from tests.reference.dense import joint_moments
from tests.reference.differences import curvature

PAIR = ["oxytocin", "trust"]


def _plate(row):
    return f"P{int(row['session']) % 3}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = shorten(make(tmp_path_factory.mktemp("shared") / "study", PAIR, seed=4), 5)
    return shared(made, lambda n: f"T{n % 3}", _plate)


@pytest.fixture(scope="module")
def problem(folder):
    return build_problem(scale_scores(read_study(folder)), theory(PAIR))


def _values(problem, **other):
    parts = (problem.plan.parameters(), problem.observed.parameters(), problem.random_levels.parameters(problem.plan))
    known = {name: quantity.value for part in parts for name, quantity in part.items()}
    zeros = {name: jnp.zeros(size) for name, size in problem.normals.items()}
    return {name: jnp.asarray(value, dtype=float) for name, value in {**known, **zeros, **other}.items()}


def _dense(problem, values, sd_therapists, sd_plates):
    """The log density of all data as one joint normal, built without the package's likelihood."""
    process, observation, panel = (
        problem.plan.process_model(values),
        problem.observed.observation(values),
        problem.panel,
    )
    means, covs, marks, data = [], [], [], []
    for d in range(panel.pair.shape[0]):
        pair = np.asarray(panel.pair)[d]
        jumps = np.asarray(panel.event)[d] @ np.asarray(process.jumps)
        mean, cov = joint_moments(process, np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair], jumps)
        between = np.asarray(process.between)
        cov = cov + np.kron(np.ones((len(pair), len(pair))), between @ between.T)
        when, what = np.nonzero(np.asarray(panel.seen)[d])
        states = np.array(observation.states)[what]
        places, loading = when * len(process.names) + states, np.asarray(observation.loading)[what]
        means.append(np.asarray(observation.mean)[what] + loading * mean[places])
        noise = np.diag(np.asarray(observation.error_sd)[what] ** 2)
        covs.append(loading[:, None] * cov[np.ix_(places, places)] * loading + noise)
        data.append(np.asarray(panel.score)[d][when, what])
        marks += [
            (d % 3, s, h, j, t)
            for s, h, j, t in zip(states, loading, what, np.asarray(panel.plate)[d][when, what], strict=True)
        ]
    therapist, state, loading, _indicator, plate = map(np.array, zip(*marks, strict=True))
    cov = block_diag(*covs)
    together = (therapist[:, None] == therapist) & (state[:, None] == state)
    cov = cov + together * np.outer(loading, loading) * np.outer(sd_therapists[state], sd_therapists[state])
    cov = cov + (plate[:, None] == plate) * (plate >= 0)[:, None] * sd_plates**2
    return multivariate_normal(np.concatenate(means), cov).logpdf(np.concatenate(data))


def test_the_likelihood_is_that_of_all_dyads_together(problem):
    """Integrated over the effects, in which it is quadratic, it equals one normal over the data of all dyads."""
    assert problem.normals == {THERAPIST: 3 * 3, PLATE: 3 * 1}
    sds = {"between_therapists_trust": 0.7, "between_therapists_oxytocin": 0.4, "spread_plates_saliva_patient": 0.3}
    values = _values(problem, a_trust=0.3, w_trust=0.3, **sds)

    def total(z):
        effects = {THERAPIST: z[:9], PLATE: z[9:]}
        return problem.log_likelihood(values | effects).sum()

    origin = jnp.zeros(12)
    slope = jax.jit(jax.grad(total))
    bend = np.eye(12) - curvature(slope, np.zeros(12), 1.0)
    found = (
        total(origin) + 0.5 * slope(origin) @ np.linalg.solve(bend, slope(origin)) - 0.5 * np.linalg.slogdet(bend)[1]
    )
    by_state = np.array([0.7 if state.variable.id == "trust" else 0.4 for state in problem.plan.states])
    assert float(found) == pytest.approx(_dense(problem, values, by_state, 0.3), rel=1e-9)
    none = {name: 1e-9 for name in sds}
    plain = build_problem(problem.scores.assign_coords(therapist=("dyad", [""] * 5)), theory(PAIR))
    np.testing.assert_allclose(
        problem.log_likelihood(values | none), plain.log_likelihood(values | none), rtol=1e-12, atol=1e-9
    )


def test_courses_and_replicates_hold_the_therapist(problem):
    """A shift of one therapist by the same in all scores moves the courses of that therapist's dyads by it."""
    values = _values(problem, between_therapists_trust=1.0)
    states, place = list(problem.plan.names), [name for _, name, _ in problem.random_levels.levels].index("trust")
    effects = jnp.zeros(9).at[1 * 3 + place].set(2.0)  # of T1, who sees the dyads 1 and 4
    moved = problem.panel.score + np.where(
        (np.asarray(problem.panel.therapist) == 1)[:, None, None]
        & (np.array(problem.observed.states) == states.index("trust")),
        2.0, 0.0,
    )  # fmt: skip
    before = course_at(problem, values, problem.panel)
    after = course_at(
        problem, values | {THERAPIST: effects}, problem.with_panel(_scored(problem, moved), "moved").panel
    )
    gap = np.asarray(after.mean - before.mean)[..., states.index("trust")]
    np.testing.assert_allclose(gap.T, np.broadcast_to([2.0, 0.0, 0.0, 2.0, 0.0], gap.T.shape), atol=1e-9)
    draws = {name: np.repeat(np.asarray(value)[None], 400, axis=0) for name, value in values.items()}
    shifted = replicate(problem, draws | {THERAPIST: np.repeat(np.asarray(effects)[None], 400, axis=0)}, seed=1)
    column = list(problem.observed.indicators).index("trust")
    by_dyad = np.nanmean(shifted[..., column] - replicate(problem, draws, seed=1)[..., column], axis=(0, 2))
    np.testing.assert_allclose(by_dyad, [2.0, 0.0, 0.0, 2.0, 0.0], atol=1e-9)


def _scored(problem, score):
    return eqx.tree_at(lambda panel: panel.score, problem.panel, jnp.asarray(score))


@pytest.mark.slow
def test_planted_therapists_are_found(tmp_path):
    """Shifts of six therapists with sd 1.5, within their uncertainty, and kept apart from what dyads differ by."""
    shift = dict(zip("ABCDEF", [-2.0, -1.5, -0.3, 0.4, 1.4, 2.0], strict=True))
    made = shared(make(tmp_path / "study", PAIR, seed=7), lambda n: "ABCDEF"[n % 6], shift=shift)
    post = fit(read_study(made), keep(rival("none"), ["trust"]), seed=3, settings=Settings(2, 100, 300))
    group = post["posterior"].to_dataset()
    assert np.quantile(group["between_therapists_trust"], 0.01) > 0.5
    effects = post["auxiliary"].to_dataset()[THERAPIST].values.reshape(-1, 6)
    own = group["between_therapists_trust"].values.ravel()[:, None] * effects
    truth, found = np.array(list(shift.values())), own - own.mean(axis=1, keepdims=True)
    np.testing.assert_array_less(np.abs(found.mean(axis=0) - (truth - truth.mean())), 3.5 * found.std(axis=0))
    rows = post["diagnostics"].to_dataset()["parameter"].values
    assert "therapist_effect" in rows
    assert "between_therapists_trust" in rows
    course = smooth(post, ["D01", "D05"], n_draws=20)["state_draw"].sel(state="trust")
    assert float(course.sel(dyad="D01").mean()) < 0 < float(course.sel(dyad="D05").mean())  # patients of B and of F
    assert np.isfinite(leave_one_out(post).elpd)


def test_who_saw_whom_is_read_strictly(folder, tmp_path):
    study = read_study(folder)
    assert study.therapists == ["T1", "T2", "T0", "T1", "T2"]
    scores = scale_scores(study)
    assert numbered_therapists(scores).tolist() == [1, 2, 0, 1, 2]
    plates = numbered_plates(scores, ("trust", "saliva_patient"))
    assert set(np.unique(plates[..., 0])) == {-1}
    assert set(np.unique(plates[..., 1])) == {-1, 0, 1, 2}
    one = scores.assign(plate=scores["plate"].where(scores["plate"] < 0, 0))
    assert (numbered_plates(one, ("saliva_patient",)) == -1).all()  # a single plate is part of the mean
    two = build_problem(scores.assign_coords(therapist=("dyad", ["A", "B", "A", "B", ""])), theory(PAIR))
    assert THERAPIST not in two.normals
    assert any("therapists are no level of the fit" in entry and "1 dyads with none" in entry for entry in two.left_out)


@pytest.mark.parametrize("file", ["participants", "measurements"])
def test_contradictory_names_are_refused(tmp_path, file):
    made = shared(shorten(make(tmp_path / "study", PAIR, seed=4), 3), lambda n: f"T{n}", _plate)
    rows = table(made / f"{file}.tsv")
    if file == "participants":
        rows["therapist"] = [f"T{row}" for row in range(len(rows))]
        expected = "one therapist per dyad"
    else:
        rows.loc[rows["indicator"] == "saliva_patient", "plate"] = ["", *["P1"] * 999][
            : (rows["indicator"] == "saliva_patient").sum()
        ]
        expected = "a plate for each value of 'saliva_patient', or for none"
    rows.to_csv(made / f"{file}.tsv", sep="\t", index=False)
    with pytest.raises(DataError, match=expected):
        read_study(made)
