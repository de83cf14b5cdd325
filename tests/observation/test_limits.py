"""Values beyond a limit: the likelihood is exact, nothing is substituted, and what tells nothing is refused."""

import dataclasses
import json
import shutil
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom, multivariate_normal, norm, qmc

from dyadloop.appraisal import checks, smooth
from dyadloop.appraisal.replication import as_recorded, replicate, sampled
from dyadloop.data import read_study
from dyadloop.errors import DataError, FitError
from dyadloop.inference import Settings, fit
from dyadloop.inference.mode import posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.inference.result import load_result, problem_of
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.observation.kinds import Record, mask
from dyadloop.observation.scaling import scale_scores
from dyadloop.reporting.report import report
from dyadloop.theory import keep
from tests.data.conftest import tiny  # noqa: F401 - a fixture
from tests.inference.small import coarse, counted, make, shorten, theory
from tests.linear import rival
from tests.reference.dense import joint_moments

PAIR = ["oxytocin", "trust"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return shorten(make(tmp_path_factory.mktemp("limits") / "study", PAIR, seed=3, values={"a_trust": 0.4}), 12)


@pytest.fixture(scope="module")
def problem(study):
    return build_problem(scale_scores(read_study(study)), theory(PAIR))


@pytest.fixture(scope="module")
def models(problem):
    values = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    return problem.plan.process_model(values), problem.observed.observation(values)


def _limited(panel, places, side):
    """A panel of the first dyad whose values at some places of its seen values are limits."""
    panel, sides = _first(panel, places, side)
    return panel.with_kind("censored", sides != 0, Record({"side": jnp.asarray(sides, dtype=int)}, {}))


def _stepped(panel, places, half):
    """A panel of the first dyad whose values at some places are answers of a coarse scale."""
    panel, here = _first(panel, places, 1.0)
    return panel.with_kind("ordinal", here != 0, _steps(panel, half))


def _steps(panel, half):
    return Record({}, {"half_step": jnp.full(panel.score.shape[2], half)})


def _first(panel, places, mark):
    """The first dyad, and marks at some places of its seen values."""
    panel = panel.of_dyads(np.array([0]))
    marks = np.zeros(panel.score.shape)
    marks[tuple(np.argwhere(np.asarray(panel.seen))[list(places)].T)] = mark
    return panel, marks


def _place(panel):
    """Where the one value lies that is not seen as a number."""
    return tuple(np.asarray(panel.latent_at)[0].tolist())


def _moments_of_data(panel, models):
    """Mean and covariance of the seen values of the first dyad from independent joint moments."""
    process, observation = models
    pair = np.asarray(panel.pair)[0]
    jumps = np.asarray(panel.event)[0] @ np.asarray(process.jumps)
    mean, cov = joint_moments(process, np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair], jumps)
    between = np.asarray(process.between)
    cov = cov + np.kron(np.ones((len(pair), len(pair))), between @ between.T)
    when, what = np.nonzero(np.asarray(panel.seen)[0])
    places = when * len(process.names) + np.array(observation.states)[what]
    loading = np.asarray(observation.loading)[what]
    mean = np.asarray(observation.mean)[what] + loading * mean[places]
    cov = loading[:, None] * cov[np.ix_(places, places)] * loading + np.diag(
        np.asarray(observation.error_sd)[what] ** 2
    )
    return mean, cov, np.asarray(panel.score)[0][np.asarray(panel.seen)[0]]


def _given_the_rest(panel, models, places):
    """The log density of all other data, and mean and covariance of some given them."""
    mean, cov, data = _moments_of_data(panel, models)
    places = np.array(places) % len(data)
    rest = np.setdiff1d(np.arange(len(data)), places)
    gain = cov[np.ix_(places, rest)] @ np.linalg.inv(cov[np.ix_(rest, rest)])
    at = mean[places] + gain @ (data[rest] - mean[rest])
    left = cov[np.ix_(places, places)] - gain @ cov[np.ix_(rest, places)]
    density = multivariate_normal(mean[rest], cov[np.ix_(rest, rest)]).logpdf(data[rest])
    return density, at, left, data[places], places[0] == len(data) - 1


def _averaged(models, panel, n_places, log2_points=11):
    """The log of the mean likelihood over the auxiliary normals, by quasi-Monte Carlo."""
    uniforms = qmc.Sobol(n_places, rng=np.random.default_rng(1)).random(2**log2_points)
    normals = jnp.asarray(norm.ppf(np.clip(uniforms, 1e-12, 1 - 1e-12)))
    return float(jax.nn.logsumexp(_densities(models, panel, normals)) - np.log(len(normals)))


@jax.jit
def _densities(models, panel, normals):
    return jax.vmap(lambda z: filter_jointly(*models, panel, z).log_density[0])(normals)


def test_both_filters_agree_where_nothing_is_limited(problem, models):
    process, observation = models
    once = log_likelihood(process, observation, problem.panel)
    np.testing.assert_allclose(filter_jointly(process, observation, problem.panel).log_density, once, rtol=1e-11)


@pytest.mark.parametrize(
    ("places", "side"), [([-1], -1), ([-1], 1), ([20], -1), ([3, 4], -1), ([3, 9, 30], -1), ([5, 6], [-1, 1])]
)
def test_the_likelihood_is_the_exact_integral(problem, models, places, side):
    """Averaged over the auxiliary normals it is the density of the rest times a normal probability from SciPy."""
    panel = _limited(problem.panel, places, side)
    exact, at, left, seen, last = _given_the_rest(panel, models, places)
    sign = -np.broadcast_to(side, len(places)).astype(float)  # below: y < limit; above: -y < -limit
    inside = multivariate_normal(sign * at, sign[:, None] * left * sign, abseps=1e-9, releps=1e-9, maxpts=10**7)
    exact += inside.logcdf(sign * seen)
    found = _averaged(models, panel, len(places))
    # the last value leaves no integral, so rounding alone; otherwise quasi-Monte Carlo with 2,048 points
    assert found == pytest.approx(exact, abs=1e-8 if last else 1e-3)


@pytest.mark.parametrize(("places", "half"), [([-1], 0.5), ([3, 9], 0.5), ([3, 4, 30], 0.1)])
def test_the_likelihood_of_a_coarse_scale_is_the_exact_integral(problem, models, places, half):
    """Values within half a step: the density of the rest times the probability of a box, from SciPy."""
    panel = _stepped(problem.panel, places, half)
    exact, at, left, seen, last = _given_the_rest(panel, models, places)
    inside = multivariate_normal(at, left, abseps=1e-10, releps=1e-10, maxpts=10**7)
    exact += np.log(inside.cdf(seen + half, lower_limit=seen - half))
    found = _averaged(models, panel, len(places))
    assert found == pytest.approx(exact, abs=1e-8 if last else 1e-3)
    # a step too fine to matter is a density times its width
    fine = _stepped(problem.panel, places, 1e-6)
    plain = problem.panel.of_dyads(np.array([0]))
    continuous = float(log_likelihood(*models, plain)[0])
    fine_density = float(filter_jointly(*models, fine, jnp.zeros(len(places))).log_density[0])
    assert fine_density - len(places) * np.log(2e-6) == pytest.approx(continuous, abs=1e-5)


@pytest.mark.parametrize(("places", "successes", "trials"), [([-1], [3], 5), ([4], [0], 6), ([3, 9], [7, 0], 8)])
def test_the_likelihood_of_counts_is_the_exact_integral(problem, models, places, successes, trials):
    """Binomial counts at log odds that are jointly normal with the rest: against Gauss-Hermite quadrature."""
    panel, here = _first(problem.panel, places, 1.0)
    scale, center = 0.8, 0.3
    where, full = np.nonzero(here), np.zeros(panel.score.shape)
    full[where] = successes
    odds = np.log((full + 0.5) / (trials - full + 0.5))
    score = panel.score.at[where].set(jnp.asarray((odds[where] - center) / scale))
    marks = np.zeros(panel.score.shape)
    marks[where] = trials
    n_indicators = panel.score.shape[2]
    constants = {"center": jnp.full(n_indicators, center), "scale": jnp.full(n_indicators, scale)}
    counts = Record({"successes": jnp.asarray(full), "trials": jnp.asarray(marks)}, constants)
    panel = replace(panel, score=score).with_kind("count", here != 0, counts)
    assert (np.asarray(panel.with_scores(panel.score).records["count"].values["successes"]) == full).all()
    exact, at, left, _, _ = _given_the_rest(panel, models, places)
    left = np.linalg.cholesky(left)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    grid = np.stack(np.meshgrid(*[nodes] * len(places), indexing="ij"), axis=-1).reshape(-1, len(places))
    total = np.prod(np.stack(np.meshgrid(*[weights] * len(places), indexing="ij"), axis=-1), axis=-1).ravel()
    chance = binom.pmf(full[where], trials, expit(center + scale * (at + grid @ left.T))).prod(axis=1)
    exact += np.log(total @ chance / total.sum())
    found = _averaged(models, panel, len(places), 15)
    assert found == pytest.approx(exact, abs=1e-3)


def test_a_drawn_value_stays_within_its_step(problem, models):
    panel = _stepped(problem.panel, [10], 0.4)
    place = _place(panel)
    middle = filter_jointly(*models, panel.plain()).steps.innovation[place]

    @jax.jit
    def drawn(score, z):
        """The innovation that stands for a score moved by so much, and the slope of the density."""
        far = replace(panel, score=panel.score.at[place].add(score))

        def density(mean):
            found = filter_jointly(models[0], replace_mean(models[1], mean), far, z[None])
            return found.log_density.sum(), found.steps.innovation[place]

        return jax.grad(density, has_aux=True)(models[1].mean)

    for score in (0.0, 5.0, -60.0, 60.0):  # however far out
        for z in (-3.0, 0.0, 3.0):
            slope, found = drawn(score, jnp.asarray(z))
            assert abs(float(found - middle) - score) <= 0.4 + 1e-9
            assert np.isfinite(slope).all()


def test_a_drawn_value_does_not_jump(problem, models):
    """From step to step of a sampler a draw moves with its score and its normal: also where the score passes 0."""
    panel = _stepped(problem.panel, [10], 0.8)
    place = _place(panel)
    middle = filter_jointly(*models, panel.plain()).steps.innovation[place]

    def drawn(distance, z):
        near = replace(panel, score=panel.score.at[place].add(distance - middle))
        return filter_jointly(*models, near, z[None]).steps.innovation[place]

    for z in (-1.5, 0.7, 2.0):
        found = jax.vmap(lambda distance, z=z: drawn(distance, jnp.asarray(z)))(jnp.linspace(-1.0, 1.0, 201))
        assert np.diff(found).min() > 0
        assert np.diff(found).max() < 0.05
    rising = jax.vmap(lambda z: drawn(jnp.asarray(0.3), z))(jnp.linspace(-3.0, 3.0, 50))
    assert np.diff(rising).min() > 0


@pytest.mark.parametrize("side", [-1, 1])
def test_a_drawn_value_lies_beyond_its_limit(problem, models, side):
    """However the auxiliary normal falls, what is read is further out than the limit itself."""
    panel = _limited(problem.panel, [10], side)
    place = _place(panel)
    at_limit = filter_jointly(*models, problem.panel.of_dyads(np.array([0])))
    for z in (-3.0, 0.0, 3.0):
        drawn = filter_jointly(*models, panel, jnp.array([z])).steps.innovation[place]
        assert side * (drawn - at_limit.steps.innovation[place]) > 0


def test_a_far_limit_has_a_finite_slope(problem, models):
    process, observation = models
    panel = _limited(problem.panel, [7], -1)
    panel = replace(panel, score=panel.score.at[_place(panel)].set(-400.0))
    value, slope = jax.value_and_grad(
        lambda mean: filter_jointly(process, replace_mean(observation, mean), panel, jnp.array([0.3])).log_density.sum()
    )(observation.mean)
    assert np.isfinite(value)
    assert value < -1000
    assert np.isfinite(slope).all()


def replace_mean(observation, mean):
    return dataclasses.replace(observation, mean=mean)


def test_normals_are_asked_for(problem, models):
    with pytest.raises(ValueError, match="1 values are not seen as numbers"):
        filter_jointly(*models, _limited(problem.panel, [7], -1))


def _with_limit(folder, target, quantile, keep_as):
    """Rewrite saliva below a quantile of itself: as a limit, or as a plain value."""
    target = shutil.copytree(folder, target)
    lines = (target / "measurements.tsv").read_text().splitlines()
    head = lines[0].split("\t")
    value, limit, indicator = (head.index(name) for name in ("value", "limit", "indicator"))
    rows = [line.split("\t") for line in lines[1:]]
    saliva = [float(row[value]) for row in rows if row[indicator].startswith("saliva") and row[value]]
    bound = float(np.quantile(saliva, quantile))
    for row in rows:
        if row[indicator].startswith("saliva") and row[value] and float(row[value]) < bound:
            row[value], row[limit] = repr(bound), keep_as
    (target / "measurements.tsv").write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    return target


@pytest.mark.slow
def test_limits_cost_width_where_substitution_costs_truth(tmp_path):
    """30 % of saliva below a limit: spread and mean stay those of the whole data; as plain numbers both are off."""
    whole = make(tmp_path / "whole", PAIR, seed=3, values={"a_trust": 0.4})
    folders = {
        "whole": whole,
        "limited": _with_limit(whole, tmp_path / "limited", 0.3, "below"),
        "substituted": _with_limit(whole, tmp_path / "substituted", 0.3, ""),
    }
    settings = Settings(chains=2, warmup=150, draws=300)
    fits = {name: fit(read_study(folder), theory(PAIR), settings=settings) for name, folder in folders.items()}

    def of(name, parameter):
        draws = fits[name]["posterior"][parameter].values.ravel()
        if parameter.startswith("mean"):  # scores are centred at the mean of what is written in the table
            center = fits[name]["observed_data"]["center"].sel(indicator=parameter.removeprefix("mean_")).item()
            draws = draws + center
        return draws

    for parameter in ("mean_saliva_patient", "sd_oxytocin"):
        whole, limited, substituted = (of(name, parameter) for name in ("whole", "limited", "substituted"))
        print(f"{parameter}: whole {whole.mean():.3f} ({whole.std():.3f}), limited {limited.mean():.3f}, "
              f"substituted {substituted.mean():.3f}")  # fmt: skip
        assert abs(limited.mean() - whole.mean()) < 1.5 * whole.std(), parameter
        assert abs(substituted.mean() - whole.mean()) > 2 * abs(limited.mean() - whole.mean()), parameter


@pytest.fixture(scope="module")
def limited(study, tmp_path_factory):
    root = tmp_path_factory.mktemp("limited")
    folder = shorten(_with_limit(study, root / "study", 0.3, "below"), 3)
    settings = Settings(chains=2, warmup=50, draws=50)
    fit(read_study(folder), theory(["oxytocin"]), settings=settings, folder=root / "fit")
    return load_result(root / "fit")


def test_what_was_sampled_is_stored_and_read_again(limited):
    problem = problem_of(limited)
    count = problem.panel.n_latent
    assert count == limited["auxiliary"]["latent_value"].sizes["latent_value_number"] > 10
    assert json.loads(limited.attrs["kinds"])["censored"] == count
    assert "latent_value" in limited["diagnostics"]["parameter"].values
    assert "latent_value" not in limited["posterior"].data_vars
    # what the sampler stored is what the problem says of it: priors, normals and likelihood
    posterior = posterior_of(problem)
    group = sampled(limited)
    place = posterior.unconstrain({str(name): group[name].values for name in group.data_vars})[1, 7]
    stored = limited["sample_stats"]["lp"].values[1, 7]
    assert float(-posterior.slope(jnp.asarray(place), problem.panel)[0]) == pytest.approx(float(stored), rel=1e-9)
    # replicates are cut where the data are
    clipped = as_recorded(problem)(np.full((1, 1, len(problem.observed.indicators)), -50.0))
    bound = np.asarray(problem.panel.score)[problem.panel.is_kind("censored")]
    assert clipped.ravel()[problem.observed.indicators.index("saliva_patient")] in bound


def test_checks_courses_and_report_take_limits(limited, tmp_path):
    post = limited
    found = checks(post, n_draws=20)
    assert np.isfinite(found["predictive"].to_dataset()["observed"].values).all()
    dyad = str(post["observed_data"]["dyad"].values[0])
    courses = smooth(post, [dyad], n_draws=20)
    assert np.isfinite(courses["state_draw"].values[:, np.isfinite(courses["days"].values)]).all()
    page = report(post, tmp_path / "report.html").read_text()
    assert "beyond a limit" in page


def test_an_indicator_that_lies_beyond_its_limit_throughout_is_refused(study, tmp_path):
    folder = _with_limit(study, tmp_path / "all", 1.0, "below")
    text = (folder / "measurements.tsv").read_text().splitlines()
    head = text[0].split("\t")
    rows = [line.split("\t") for line in text[1:]]
    numbers = iter(range(len(rows)))
    for row in rows:  # limits that differ by plate: the numbers vary, and still nothing is known
        if row[head.index("indicator")].startswith("saliva"):
            row[head.index("value")] = str(5 + next(numbers) % 3)
            row[head.index("limit")] = "below"
    (folder / "measurements.tsv").write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    with pytest.raises(FitError, match=r"all values of saliva.* lie beyond a limit"):
        build_problem(scale_scores(read_study(folder)), theory(PAIR))


def test_the_ends_of_a_scale_can_be_limits(tiny):  # noqa: F811
    text = (tiny / "study.yaml").read_text()
    (tiny / "study.yaml").write_text(text.replace("scale: [1, 7]", "scale: [3, 6], ends_are_limits: true"))
    scores = scale_scores(read_study(tiny))
    side = scores["side"].sel(indicator="trust").values
    assert sorted(side[side != 0].tolist()) == [-1, 1]
    assert (mask(scores, "censored") == (scores["side"] != 0)).all()
    (tiny / "study.yaml").write_text(text.replace("scale: [1, 7]", "ends_are_limits: true"))
    with pytest.raises(DataError, match="ends_are_limits needs a scale"):
        read_study(tiny)


def test_a_coarse_scale_is_read(study, tmp_path):
    """Answers enter as intervals, the ends of the scale as open ones, and replicates are as coarse."""
    folder = coarse(shorten(shutil.copytree(study, tmp_path / "coarse"), 2))
    scores = scale_scores(read_study(folder)).sel(indicator="trust")
    raw = scores["score"] * scores["scale"] + scores["center"]
    assert set(np.unique(raw.values[np.isfinite(raw.values)]).round(9)) == {4.5, 5.0, 6.0, 6.5}
    side = np.select([np.isclose(raw, 4.5), np.isclose(raw, 6.5)], [-1, 1])
    np.testing.assert_array_equal(scores["side"].values, side)
    np.testing.assert_array_equal(mask(scores, "censored"), np.isclose(raw, 4.5) | np.isclose(raw, 6.5))
    np.testing.assert_array_equal(mask(scores, "ordinal"), np.isclose(raw, 5) | np.isclose(raw, 6))
    problem = build_problem(scale_scores(read_study(folder)), keep(rival("none"), ["trust"]))
    column = list(problem.observed.indicators).index("trust")
    alike = as_recorded(problem)(np.linspace(-9, 9, 500)[None, :, None].repeat(len(problem.observed.indicators), 2))
    points = alike[..., column] * scores["scale"].item() + scores["center"].item()
    assert set(np.unique(points).round(9)) == {4.5, 5.0, 6.0, 6.5}


@pytest.mark.slow
def test_a_coarse_scale_is_fitted_and_checked(study, tmp_path):
    folder = coarse(shorten(shutil.copytree(study, tmp_path / "coarse"), 2))
    post = fit(read_study(folder), keep(rival("none"), ["trust"]), settings=Settings(2, 50, 50))
    found = json.loads(post.attrs["kinds"])
    assert found["ordinal"] > 0 < found["censored"]
    found = checks(post, n_draws=20)
    assert np.isfinite(found["predictive"].to_dataset()["observed"].values).all()


def test_counts_are_read_fitted_and_replicated(study, tmp_path):
    folder = counted(shorten(shutil.copytree(study, tmp_path / "counts"), 2))
    scores = scale_scores(read_study(folder)).sel(indicator="trust")
    assert set(np.unique(scores["trials"])) == {0.0, 10.0}
    problem = build_problem(scale_scores(read_study(folder)), keep(rival("none"), ["trust"]))
    column = list(problem.observed.indicators).index("trust")
    seen = np.asarray(problem.panel.seen)[..., column]
    odds = (scores["score"] * scores["scale"] + scores["center"]).values
    expected = 11 / (1 + np.exp(-odds[np.isfinite(odds)])) - 0.5
    np.testing.assert_allclose(
        np.sort(np.asarray(problem.panel.records["count"].values["successes"])[..., column][seen]), np.sort(expected)
    )
    assert problem.normals == {"latent_value": int(seen.sum())}
    values = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    again = replicate(problem, {n: np.full(3, v) for n, v in values.items()}, seed=1)[..., column][:, seen]
    raw = 11 / (1 + np.exp(-(again * scores["scale"].item() + scores["center"].item()))) - 0.5
    np.testing.assert_allclose(raw, np.clip(np.round(raw), 0, 10), atol=1e-9)
    draws = {**{n: jnp.asarray(v) for n, v in values.items()}, "latent_value": jnp.zeros(int(seen.sum()))}
    slope = jax.grad(lambda z: problem.log_likelihood(draws | {"latent_value": z}).sum())(draws["latent_value"])
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [("trials", "", "a number of trials"), ("value", "11", "a count from 0 to 10"), ("value", "0.5", "a count from 0"),
     ("limit", "below", "a count alone")],
)  # fmt: skip
def test_wrong_counts_are_refused(study, tmp_path, column, text, expected):
    def change(row, head):
        row[head.index(column)] = text

    folder = counted(shorten(shutil.copytree(study, tmp_path / "wrong"), 2), change)
    with pytest.raises(DataError, match=expected):
        read_study(folder)
