"""Referees against closed forms, statsmodels, a dense REML likelihood and loops over rows."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.linalg import expm
from scipy.optimize import minimize

from dyadloop.appraisal.mixed_model import Products, fit_mixed
from dyadloop.appraisal.occasions import NEAR, occasions
from dyadloop.appraisal.regressions import MULTILEVEL, REGRESSION, refereed
from tests.inference.two import problem_of_study, wandering, written

TAU = 7.0
NOISE = np.array([[1.0, -0.4], [-0.4, 1.0]]) * 2 / TAU
ALONE = -np.eye(2) / TAU
WEEKS = 7.0 * np.arange(24) + 1.0


def table(values, path, days=WEEKS, gap=None, trend=False, **options):
    problem = problem_of_study(written(path, values, days, **options))
    return problem, refereed(problem, occasions(problem, gap, trend=trend))


def of(found, method=REGRESSION, arrow="c_symptoms_patient"):
    return found[(found["arrow"] == arrow) & (found["method"] == method)].iloc[0]


@pytest.mark.parametrize("arrow", [0.0, -0.5])
def test_an_arrow_is_found_at_the_gap_and_none_where_there_is_none(tmp_path, arrow):
    """A lag-1 regression of an exact OU process estimates the matrix exponential over the gap, whatever the noise."""
    drift = ALONE + np.array([[0, 0], [arrow / TAU, 0]])
    _, found = table(wandering(3, drift, NOISE, 7.0, (40, 16)), tmp_path / "s", WEEKS[:16])
    truth = expm(drift * 7.0)
    for method in (REGRESSION, MULTILEVEL):
        row = of(found, method)
        scale = 1.0  # both scores have nearly the same SD within persons
        assert abs(row["estimate"] - truth[1, 0] * scale) < 3 * row["se"] + 0.05 * abs(truth[1, 0])
        assert (row["low"] < 0 < row["high"]) == (arrow == 0)
        assert row["gap_days"] == pytest.approx(7.0)
    assert (found["pairs"] == 40 * 15).all()
    back = of(found, arrow="f_patient_symptoms")
    assert back["low"] < 0 < back["high"]


def rows_of(problem):
    """Return the scores as rows of dyad, session and one column per indicator."""
    scores = problem.scores
    frame = scores["score"].to_dataframe().reset_index()
    frame["session"] = frame.apply(lambda r: int(scores["session"].sel(dyad=r["dyad"]).values[int(r["time"])]), axis=1)
    return frame.dropna(subset=["score"]).pivot_table(index=["dyad", "session"], columns="indicator", values="score")


def test_least_squares_agree_with_statsmodels_and_with_loops_over_rows(tmp_path):
    values = wandering(4, ALONE, NOISE, 7.0, (12, 9))
    values[np.random.default_rng(0).random(values.shape) < 0.15] = np.nan
    problem, found = table(values, tmp_path / "s", WEEKS[:9])
    wide, pairs = rows_of(problem), []
    for (dyad, session), row in wide.iterrows():
        after = wide.loc[(dyad, session + 1)] if (dyad, session + 1) in wide.index else None
        if after is not None and np.isfinite([row["wai"], row["phq"], after["phq"]]).all():
            pairs.append((dyad, row["wai"], row["phq"], after["phq"]))
    frame = pd.DataFrame(pairs, columns=["dyad", "wai", "phq", "next"])
    dummies = pd.get_dummies(frame["dyad"], dtype=float)
    whole = sm.OLS(frame["next"], pd.concat([frame[["wai", "phq"]], dummies], axis=1)).fit()
    centred = frame[["wai", "phq", "next"]] - frame.groupby("dyad")[["wai", "phq", "next"]].transform("mean")
    groups = frame["dyad"].astype("category").cat.codes.to_numpy()
    peer = sm.OLS(centred["next"], centred[["wai", "phq"]]).fit(cov_type="cluster", cov_kwds={"groups": groups})
    row = of(found)
    assert row["pairs"] == len(frame)
    assert row["estimate"] == pytest.approx(whole.params["wai"], abs=1e-8)
    assert row["estimate"] == pytest.approx(peer.params["wai"], abs=1e-8)
    assert row["se"] == pytest.approx(peer.bse["wai"], abs=1e-8)


def dense_reml(x, y, group, ratios):
    """Return the restricted deviance from whole covariance matrices, constants apart."""
    cov = np.eye(len(y)) + (x * ratios**2) @ x.T * (group[:, None] == group[None, :])
    inverse = np.linalg.inv(cov)
    precision = x.T @ inverse @ x
    mean = np.linalg.solve(precision, x.T @ inverse @ y)
    left = y - x @ mean
    free = len(y) - x.shape[1]
    logdet = np.linalg.slogdet(cov)[1] + np.linalg.slogdet(precision)[1]
    return (
        free * np.log(left @ inverse @ left / free) + logdet,
        mean,
        np.linalg.inv(precision),
        left @ inverse @ left / free,
    )


def test_random_coefficients_agree_with_a_dense_restricted_likelihood():
    generator = np.random.default_rng(1)
    group = np.repeat(np.arange(20), 7)
    x = np.stack([np.ones(140), generator.standard_normal(140), generator.standard_normal(140)], axis=1)
    own = generator.standard_normal((20, 3)) * [0.8, 0.4, 0.0]
    y = ((own[group] + [0.3, 0.5, -0.2]) * x).sum(axis=1) + generator.standard_normal(140)
    parts = [(x[group == g], y[group == g]) for g in range(20)]
    products = Products(
        np.stack([a.T @ a for a, _ in parts]),
        np.stack([a.T @ b for a, b in parts]),
        np.array([b @ b for _, b in parts]),
        140,
    )
    found = fit_mixed(products, np.ones(3))
    peer = minimize(lambda r: dense_reml(x, y, group, r)[0], [0.5] * 3, bounds=[(0, None)] * 3, method="L-BFGS-B")
    _, mean, inverse, variance = dense_reml(x, y, group, peer.x)
    assert dense_reml(x, y, group, found.spread / found.residual)[0] == pytest.approx(peer.fun, abs=1e-4)
    assert found.mean == pytest.approx(mean, abs=1e-3)
    assert found.covariance == pytest.approx(variance * inverse, abs=1e-3)
    alone = fit_mixed(products, np.array([1.0, 0, 0]))
    frame = sm.MixedLM(y, x, group).fit(reml=True)
    assert alone.mean == pytest.approx(frame.fe_params, abs=1e-4)
    # statsmodels takes its standard errors from a numerical Hessian
    assert np.sqrt(np.diag(alone.covariance)) == pytest.approx(frame.bse_fe, rel=5e-3)


def test_points_of_a_scale_change_nothing(tmp_path):
    values = wandering(5, ALONE, NOISE, 7.0, (15, 10))
    one = table(values, tmp_path / "one", WEEKS[:10])[1]
    ten = table(values, tmp_path / "ten", WEEKS[:10], points=(40.0, 0.3))[1]
    # as far as the search for the variances of the multilevel VAR goes
    assert one["estimate"].to_numpy() == pytest.approx(ten["estimate"].to_numpy(), abs=1e-6)


def test_one_dyad_has_estimates_and_no_interval(tmp_path):
    found = table(wandering(6, ALONE, NOISE, 7.0, (1, 24)), tmp_path / "s")[1]
    row = of(found)
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["low"])
    assert "one dyad" in row["note"]
    assert "no level of dyads" in of(found, MULTILEVEL)["note"]


def test_too_few_pairs_and_a_constant_are_said_in_words(tmp_path):
    short = wandering(7, ALONE, NOISE, 7.0, (4, 2))
    assert "too few" in of(table(short, tmp_path / "short", WEEKS[:2])[1])["note"]
    still = wandering(8, ALONE, NOISE, 7.0, (5, 9))
    still[:, :8, 0] = 1.0  # the last value, which predicts nothing, is the only one that moves
    assert "does not change" in of(table(still, tmp_path / "still", WEEKS[:9])[1])["note"]


def test_nights_are_no_pairs_and_a_gap_can_be_declared(tmp_path):
    prompts = np.concatenate([day + np.array([0.4, 0.5, 0.6, 0.7]) for day in range(1, 7)])
    values = wandering(9, ALONE, NOISE, 1.0, (12, len(prompts)))
    problem, found = table(values, tmp_path / "s", prompts)
    assert of(found)["gap_days"] == pytest.approx(0.1)
    assert of(found)["pairs"] == 12 * 6 * 3
    nights = occasions(problem, 0.7)
    assert nights.follows.sum() == 12 * 5
    assert (np.diff(prompts)[np.diff(prompts) > 0.2] < 0.7 * NEAR[1]).all()


def test_a_session_is_one_occasion_whatever_is_asked_before_and_after_it(tmp_path):
    values = wandering(10, ALONE, NOISE, 7.0, (12, 9))
    problem, found = table(values, tmp_path / "s", WEEKS[:9], phases=("after", "before"), length=50.0)
    assert (found["pairs"] == 12 * 8).all()
    assert occasions(problem).value.shape == (12, 9, 2)


def test_a_common_course_makes_cross_lags_that_go_with_it(tmp_path):
    """Two ratings that improve for everybody follow each other; a declared covariate or ``trend`` takes that out."""
    course = np.linspace(-1.5, 1.5, 12)[None, :, None] * np.array([1.0, -1.0])
    values = wandering(11, ALONE, NOISE, 7.0, (20, 12)) + course
    problem, found = table(values, tmp_path / "plain", WEEKS[:12])
    assert abs(of(found)["estimate"]) > 2.5 * of(found)["se"]
    flat = refereed(problem, occasions(problem, trend=True), (REGRESSION,))
    assert abs(of(flat)["estimate"]) < 0.5 * abs(of(found)["estimate"])
    declared = table(values, tmp_path / "declared", WEEKS[:12], covariates={"course": list(range(12))})[1]
    assert of(declared)["estimate"] == pytest.approx(of(flat)["estimate"], abs=1e-6)
