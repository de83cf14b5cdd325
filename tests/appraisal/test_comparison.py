"""Comparison of hypotheses: the marginal likelihood, what is held out, and the whole of it on a small study."""

import io
import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from rich.console import Console
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, multivariate_t
from typer.testing import CliRunner

from dyadloop.appraisal import compare, comparison
from dyadloop.appraisal.comparison import PASSIVE, _last_sessions, _problems, _stacking, _sums, rival_names
from dyadloop.appraisal.marginal_likelihood import _bridge, log_evidence
from dyadloop.cli.program import app
from dyadloop.data import read_study
from dyadloop.errors import FitError, TheoryError
from dyadloop.inference import Settings
from dyadloop.inference.convergence import diagnose
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.result import load_result, problem_of
from dyadloop.reporting.comparison import print_comparison
from dyadloop.theory import framework, keep, patient_only, read_theory
from tests.inference.small import make, shorten
from tests.linear import linear


def test_the_bridge_finds_a_known_constant():
    """A correlated normal times exp(-321.5), bridged by a normal that is off: within four standard errors."""
    target = multivariate_normal([0.3, -0.2, 0.0], [[1, 0.6, 0], [0.6, 1, 0.2], [0, 0.2, 0.5]], seed=1)
    proposal = multivariate_normal([0.0, 0.0, 0.2], np.diag([1.4, 1.2, 0.8]), seed=2)
    points, proposed = target.rvs(4000), proposal.rvs(4000)
    found, error = _bridge(
        target.logpdf(points) - 321.5 - proposal.logpdf(points),
        target.logpdf(proposed) - 321.5 - proposal.logpdf(proposed),
        4,
    )
    assert 0 < error < 0.05
    assert found == pytest.approx(-321.5, abs=4 * error)


def test_the_evidence_agrees_with_importance_sampling(small_fit):
    """The marginal likelihood of a fit against importance sampling from a t distribution: another estimator."""
    post = small_fit[1]
    problem = problem_of(post)
    found, error = log_evidence(problem, post, seed=4)
    posterior = posterior_of(problem)
    group = post["posterior"].to_dataset()
    places = posterior.unconstrain({name: group[name].values.ravel() for name in posterior.names})
    # the density that the sampler stored is that of the place it stored, so the way back is right
    densities = np.asarray(posterior.densities(jnp.asarray(places[:3000]), problem.panel))
    np.testing.assert_allclose(densities, post["sample_stats"]["lp"].values.ravel()[: len(densities)], rtol=1e-9)
    proposal = multivariate_t(places.mean(axis=0), np.cov(places, rowvar=False), df=8, seed=5)
    points = proposal.rvs(len(densities))
    values = np.asarray(posterior.densities(points, problem.panel))
    weights = values - proposal.logpdf(points)
    expected = logsumexp(weights) - np.log(len(points))
    relative = np.exp(weights - weights.max())
    noise = relative.std() / relative.mean() / len(points) ** 0.5
    assert found == pytest.approx(expected, abs=4 * float(np.hypot(error, noise)))


def test_a_dyad_that_is_held_out_says_nothing(small_fit):
    problem = problem_of(small_fit[1])
    values = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    held = np.zeros(problem.panel.seen.shape[:2], dtype=bool)
    held[2] = True
    left = problem.without(held, "dyad three")
    whole, part = np.asarray(problem.log_likelihood(values)), np.asarray(left.log_likelihood(values))
    assert part[2] == 0.0
    np.testing.assert_array_equal(np.delete(part, 2), np.delete(whole, 2))
    assert left.fingerprint != problem.fingerprint


def test_the_last_sessions_are_those_of_the_calendar(small_fit):
    problem = problem_of(small_fit[1])
    held = _last_sessions(problem, 3)
    scores = problem.scores.sel(indicator=list(problem.observed.indicators))
    session = scores["session"].values
    late = session > session.max(axis=1, keepdims=True) - 3
    expected = (np.isfinite(scores["score"].values) & late[..., None]).sum(axis=(1, 2))
    found = (np.asarray(problem.panel.seen) & held[..., None]).sum(axis=(1, 2))
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(FitError, match="no dyad has a value before its last 99 sessions"):
        _last_sessions(problem, 99)


def test_sums_and_weights_by_hand():
    scores = xr.DataArray([[-1.0, -2.0, -3.0], [-2.0, -4.0, -3.0]], dims=("hypothesis", "dyad"))
    exact = xr.zeros_like(scores)
    found = _sums(scores, exact, "")
    assert found["elpd"].values.tolist() == [-6.0, -9.0]
    assert found["difference"].values.tolist() == [0.0, -3.0]
    assert found["difference_se"].values[1] == pytest.approx(3**0.5 * np.std([-1, -2, 0], ddof=1))
    noisy = _sums(scores, exact + xr.DataArray([0.3, 0.4], dims="hypothesis"), "")
    assert noisy["difference_se"].values[0] == 0
    assert noisy["difference_se"].values[1] == pytest.approx((found["difference_se"].values[1] ** 2 + 3 * 0.25) ** 0.5)
    assert noisy["se"].values[1] == pytest.approx((found["se"].values[1] ** 2 + 3 * 0.16) ** 0.5)
    # two dyads, each predicted well by one hypothesis alone: equal shares, also 1,000 log units down
    split = xr.DataArray(
        [[-1000.0, -1010.0], [-1010.0, -1000.0]], dims=("hypothesis", "dyad"), coords={"hypothesis": ["x", "y"]}
    )
    np.testing.assert_allclose(_stacking(split), [0.5, 0.5], atol=1e-3)


def test_what_cannot_be_compared_is_refused(school_folder, tmp_path):
    study = read_study(school_folder)
    with pytest.raises(FitError, match="biomarker and none are the same model here"):
        _problems(study, framework(), ("none", "biomarker"), None)
    with pytest.raises(TheoryError, match="unknown"):
        _problems(study, framework(), ("none", "unknown"), None)
    with pytest.raises(FitError, match="synergistic and none are the same model here"):
        _problems(study, framework(), ("none", "synergistic"), None)
    problems, notes = _problems(study, framework(), ("none", "M5", "biomarker"), None)
    assert list(problems) == ["none", "network"]
    assert len(notes) == 1
    assert PASSIVE not in notes
    alone = shorten(make(tmp_path / "alone", ["oxytocin", "trust"]), 1)
    with pytest.raises(FitError, match="one dyad"):
        compare(read_study(alone), ["none", "reciprocal"])


def _by_laplace(folder, study, problem, seed, settings, progress, message, like=None):
    """Stand in for the sampler: draws from the normal at the mode, resampled by their weights."""
    posterior = posterior_of(problem)
    MODES[folder] = mode = MODES[like] if like else find_mode(problem, posterior, seed, starts=1)
    generator = np.random.default_rng(seed)
    z = generator.standard_normal((4 * settings.draws, posterior.size))
    places = mode.center + z @ mode.factor.T
    density = np.asarray(posterior.densities(jnp.asarray(places), problem.panel))
    ratio = np.nan_to_num(density + (z**2).sum(axis=1) / 2, nan=-np.inf)
    weights = np.exp(ratio - ratio.max())
    kept = generator.choice(len(z), (2, settings.draws), p=weights / weights.sum())
    places, lp = jnp.asarray(places[kept]), density[kept]
    values = jax.vmap(jax.vmap(posterior.constrain))(places)
    draws = xr.Dataset({name: (("chain", "draw"), np.asarray(value)) for name, value in values.items()})
    draws = draws.assign_coords(chain=[0, 1], draw=np.arange(settings.draws))
    groups = {
        "posterior": draws,
        "log_likelihood": xr.Dataset({"dyads": problem.pointwise(draws)}),
        "sample_stats": xr.Dataset({name: (("chain", "draw"), lp * (name == "lp")) for name in ("lp", "diverging")}),
    }
    FITTED.append(problem.held_out)
    return diagnose(xr.DataTree.from_dict(groups))


FITTED: list[str] = []
MODES: dict = {}


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Six simulated dyads in which trust raises oxytocin, and the command that compares two hypotheses."""
    root = tmp_path_factory.mktemp("compared")
    variables = ["oxytocin", "trust"]
    folder = shorten(make(root / "study", variables, seed=5, values={"a_trust": 0.9}), 6)
    (root / "theory.yaml").write_text(patient_only(keep(linear(), variables)).model_dump_json(by_alias=True))
    return [
        "compare", str(folder), "--theory", str(root / "theory.yaml"), "--hypotheses", "none,biomarker",
        "--out", str(root / "out"), "--ahead", "4", "--chains", "2",
    ]  # fmt: skip


def _check(content, out):
    best, other = content["hypotheses"]
    assert (best["hypothesis"], other["hypothesis"]) == ("biomarker", "none")
    assert best["difference"] == 0.0
    assert other["difference"] < -4
    ahead = best["difference_ahead"], other["difference_ahead"]  # six dyads: either may predict their end better
    assert max(ahead) == 0.0
    assert min(ahead) < 0.0
    assert best["weight"] + other["weight"] == pytest.approx(1.0)
    assert PASSIVE in content["notes"]
    found = xr.open_dataset(out / "comparison.nc", engine="h5netcdf").load()
    assert found["elpd_dyad"].sizes == {"hypothesis": 2, "dyad": 6}
    assert int(found["refitted"].sum()) == best["refits"] + other["refits"]
    assert best["log_evidence"] > other["log_evidence"]
    assert best["continuous_loop_gain"] == other["continuous_loop_gain"] == 0.0  # neither has a loop
    assert (out / "comparison.csv").read_text().startswith("hypothesis,reading,elpd,se,difference,")
    return found


def _missing(problem, posterior, seed):
    """Stand in for the particle filter: one hypothesis is taken to be fitted with a filter that misses something."""
    gap = 0.25 if problem.plan.theory.hypothesis == "biomarker" else 0.0
    dyads = problem.scores["dyad"].values
    found = {"correction": np.full(len(dyads), gap), "correction_se": np.full(len(dyads), gap / 5)}
    return xr.Dataset({name: ("dyad", part) for name, part in found.items()}, coords={"dyad": dyads})


def test_a_whole_comparison(call, monkeypatch):
    monkeypatch.setattr(comparison, "fit_in", _by_laplace)
    monkeypatch.setattr(comparison, "correction", _missing)
    monkeypatch.setattr(comparison, "convergence_faults", lambda post: [])
    FITTED.clear()
    out = Path(call[7])
    run = CliRunner().invoke(app, [*call, "--draws", "400", "--json"])
    assert run.exit_code == 0, run.output
    found = _check(json.loads(run.stdout), out)
    assert found["converged"].all(), "a correction is no fault of the sampling"
    assert any("biomarker is not linear" in note and "+1.5 (0.1)" in note for note in json.loads(run.stdout)["notes"])
    assert FITTED.count("") == FITTED.count("last 4 sessions") == 2
    left = [name for name in FITTED if name.startswith("dyad ")]
    assert len(left) == int(found["refitted"].sum())
    sheet = io.StringIO()
    print_comparison(found, Console(file=sheet, width=160))
    assert re.search(r"biomarker .* best", sheet.getvalue())
    assert "common cause (M6)" in sheet.getvalue()
    # a refit and importance sampling tell the same where importance sampling works
    row = int(np.argmin(found["pareto_k"].sel(hypothesis="biomarker").values))
    study = read_study(call[1])
    problem = _problems(study, read_theory(call[3]), ("none", "biomarker"), None)[0]["biomarker"]
    held = np.zeros(problem.panel.seen.shape[:2], dtype=bool)
    held[row] = True
    again = _by_laplace(
        None, study, problem.without(held, "one"), 1, Settings(draws=400), None, None, out / "biomarker" / "chains"
    )
    density = problem.pointwise(again["posterior"].to_dataset()).values[..., row]
    expected = logsumexp(density) - np.log(density.size) + 0.25
    assert float(found["elpd_dyad"].sel(hypothesis="biomarker")[row]) == pytest.approx(expected, abs=0.5)


@pytest.mark.slow
def test_a_comparison_by_sampling_goes_on_where_it_was(call, tmp_path):
    """The whole of it with the sampler: the same reading, fits that are results, and nothing sampled twice."""
    call = [*call, "--out", str(tmp_path / "out"), "--draws", "100", "--warmup", "100"]
    first = CliRunner().invoke(app, [*call, "--json"])
    assert first.exit_code == 4, first.output  # 200 draws are not enough, and that is said
    content = json.loads(first.stdout)
    _check(content, tmp_path / "out")
    assert sum("has not converged" in note for note in content["notes"]) >= 2
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("chain-*.npz")}
    again = CliRunner().invoke(app, [*call, "--json"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("chain-*.npz")} == stamps
    assert json.loads(again.stdout) == content
    post = load_result(tmp_path / "out" / "biomarker")
    assert post.attrs["hypothesis"] == "biomarker"
    assert post["log_likelihood"]["dyads"].sizes == {"chain": 2, "draw": 100, "dyad": 6}


@pytest.mark.parametrize(
    ("theory", "rivals"),
    [
        ("alliance", ("none", "alliance_first", "symptoms_first", "reciprocal")),
        ("affect", ("none", "network")),
        ("framework", ("none", "biomarker", "driver", "reciprocal", "reverse")),
    ],
)
def test_the_rivals_of_a_theory_are_compared_by_default(theory, rivals):
    assert rival_names(read_theory(theory)) == rivals


def test_a_theory_without_rivals_says_so():
    theory = read_theory("alliance").model_copy(update={"hypotheses": ()})
    with pytest.raises(TheoryError, match="'alliance': got 0 hypotheses without optional parts"):
        rival_names(theory)
