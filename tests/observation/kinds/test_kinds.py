"""A kind of observation is one object: a toy kind goes from study.yaml to the report without another file."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import Field, model_validator
from scipy.integrate import quad
from scipy.stats import norm, t

from dyadloop.appraisal.replication import as_recorded, replicate
from dyadloop.claims.specifications import multiverse_options
from dyadloop.data import read_study, write_study
from dyadloop.data.schema import StudyInfo, study_schema
from dyadloop.errors import DataError
from dyadloop.inference import Settings, fit
from dyadloop.inference.mode import posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.inference.result import load_result, problem_of
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.observation.kinds import Keys, Kind, Parameter, Record, kinds, mask, register, registered
from dyadloop.observation.scaling import scale_scores
from dyadloop.reporting.report import report
from tests.inference.small import make, shorten, theory


class _Keys(Keys):
    tails: Annotated[float, Field(gt=2)] | None = None

    @model_validator(mode="after")
    def _plain(self):
        if self.tails is not None and self.transform != "none":
            raise ValueError("tails need `transform: none`")
        return self


class Tailed(Kind):
    """Student-t errors about a normal prediction."""

    name: ClassVar[str] = "tailed"
    summary: ClassVar[str] = "a value with Student-t errors"
    keys: ClassVar[type[Keys]] = _Keys
    per_value: ClassVar[dict[str, float]] = {"tail": 0.0}
    positive: ClassVar[tuple[str, ...]] = ("tail_",)

    def alternatives(self, entry):
        return {} if entry.tails is None else {"normal": {"tails": None}}

    def claims(self, entry, part):
        return np.full(len(part), entry.tails is not None)

    def by_value(self, entry, part):
        return {"tail": np.full(len(part), entry.tails or 0.0)}

    def planned(self, scores):
        return tuple(np.flatnonzero((scores["tail"] > 0).any(("dyad", "time")).values).tolist())

    def parameters(self, plan, indicators):
        return {
            f"tail_{indicators[j]}": Parameter(0.3, "1", "lognormal", 0.3, 0.5, "small beside the error") for j in plan
        }

    def numbers(self, plan, indicators, values):
        return {j: values[f"tail_{indicators[j]}"] for j in plan}

    def record(self, values, about, score, plan):
        return Record({"tail": jnp.asarray(values["tail"])}, {})

    def given(self, record, numbers, shape):
        width = jnp.ones(shape)
        for j, number in numbers.items():
            width = width.at[..., j].set(number)
        tail = record.values["tail"]
        return jnp.stack([jnp.where(tail > 0, tail, 4.0), width], axis=-1)

    def observe(self, v, sd, normal, given, about):
        drawn = sd * normal
        return drawn, jax.scipy.stats.t.logpdf(v - drawn, given[0], scale=given[1])

    def plain_variance(self, record):
        return 0.2

    def draw(self, key, score, record, numbers):
        tail = record.values["tail"]
        error = jax.random.t(key, jnp.where(tail > 0, tail, 4.0)) * self.given(record, numbers, score.shape)[..., 1]
        return score + jnp.where(tail > 0, error, 0.0)

    def sentence(self, count):
        return f"{count} values have Student-t errors."


@pytest.fixture(scope="module")
def toy():
    with registered(Tailed()):
        yield


@pytest.fixture(scope="module")
def folder(toy, tmp_path_factory):
    made = shorten(make(tmp_path_factory.mktemp("tailed") / "study", ["trust"], seed=3), 3)
    text = (made / "study.yaml").read_text()
    (made / "study.yaml").write_text(text.replace("quantity: trust\n", "quantity: trust\n    tails: 4\n", 1))
    return made


@pytest.fixture(scope="module")
def problem(folder):
    return build_problem(scale_scores(read_study(folder)), theory(["trust"]))


def test_the_keys_are_read_checked_and_written(folder, tmp_path):
    study = read_study(folder)
    assert study.info.indicators["trust"].tails == 4
    again = tmp_path / "again"
    write_study(again, study.info, [], [], [])
    assert "tails: 4" in (again / "study.yaml").read_text()
    assert json.loads(study.info.model_dump_json())["indicators"]["trust"]["tails"] == 4
    assert multiverse_options(study)["normal_trust"].info.indicators["trust"].tails is None
    text = (folder / "study.yaml").read_text()
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for file in folder.glob("*.tsv"):
        (wrong / file.name).write_bytes(file.read_bytes())
    for old, new, said in (
        ("tails: 4", "tails: 1", r"indicators\.trust\.tails"),
        ("tails: 4", "tails: 4\n    transform: logit", "tails need `transform: none`"),
        ("tails: 4", "tail: 4", "an unknown key"),
    ):
        (wrong / "study.yaml").write_text(text.replace(old, new))
        with pytest.raises(DataError, match=said):
            read_study(wrong)


def test_its_values_are_told_from_others(problem):
    tailed = mask(problem.scores, "tailed")
    here = problem.scores["indicator"].values == "trust"
    np.testing.assert_array_equal(tailed, np.isfinite(problem.scores["score"].values) & here)
    assert problem.panel.kinds == ("tailed",)
    assert problem.panel.n_latent == tailed.sum() == problem.normals["latent_value"]
    assert problem.priors.loc["tail_trust", "family"] == "lognormal"


def test_its_density_is_integrated_over_the_prediction(problem):
    """One value: a normal prediction convolved with a Student-t, by quadrature."""
    panel, column = problem.panel, list(problem.observed.indicators).index("trust")
    only = np.zeros(panel.score.shape, dtype=bool)
    only[0, np.argmax(np.asarray(panel.seen)[0, :, column]), column] = True
    panel = replace(panel, seen=jnp.asarray(only)).with_kind("tailed", only, panel.records["tailed"])
    panel = panel.of_dyads(np.array([0]))
    values = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    models = problem.plan.process_model(values), problem.observed.observation(values)
    plain = filter_jointly(*models, replace(panel, kinds=(), kind=None, latent_at=None, records={})).steps
    place = tuple(np.argwhere(only)[0])
    v, sd = float(plain.innovation[place]), float(plain.weight[place]) ** -0.5
    exact = quad(lambda z: norm.pdf(z, scale=sd) * t.pdf(v - z, 4, scale=values["tail_trust"]), -30, 30, points=[0, v])[
        0
    ]
    nodes = np.linspace(-8, 8, 4001)
    weights = norm.pdf(nodes)
    run = jax.jit(jax.vmap(lambda z: filter_jointly(*models, panel, z[None]).log_density[0]))
    found = np.exp(np.asarray(run(jnp.asarray(nodes)))) @ weights / weights.sum()
    assert found == pytest.approx(exact, rel=1e-6)


def test_it_is_fitted_replicated_and_reported(folder, problem, tmp_path):
    fit(read_study(folder), theory(["trust"]), settings=Settings(2, 20, 20), folder=tmp_path / "fit")
    post = load_result(tmp_path / "fit")
    assert json.loads(post.attrs["kinds"])["tailed"] == problem.panel.n_latent
    draws = {str(name): float(row["location"]) for name, row in problem.priors.iterrows()}
    many = {name: np.full(200, value) for name, value in draws.items()}
    column = list(problem.observed.indicators).index("trust")
    wide, narrow = (
        as_recorded(problem)(replicate(problem_of(post), many | {"tail_trust": np.full(200, width)}, 1))[..., column]
        for width in (3.0, 1e-9)
    )
    errors = (wide - narrow)[np.isfinite(wide)] / 3.0
    # the quantiles of Student's t, within four standard errors of so many draws
    for q in (0.05, 0.5, 0.95):
        at = t.ppf(q, 4)
        assert abs((errors < at).mean() - q) < 4 * np.sqrt(q * (1 - q) / len(errors))
    page = report(post, tmp_path / "report.html").read_text()
    assert f"{problem.panel.n_latent} values have Student-t errors." in page
    assert f"{problem.panel.n_latent} tailed" in page


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="'count' is registered already"):
        register(next(kind for kind in kinds() if kind.name == "count"))


def test_two_kinds_cannot_share_a_key(toy):
    class Other(Tailed):
        name: ClassVar[str] = "other"

    with registered(Other()), pytest.raises(ValueError, match="share the key or check _plain, tails"):
        study_schema()


def test_outside_of_it_the_schema_is_as_before(toy):
    assert study_schema() is not StudyInfo
    assert "tails" not in StudyInfo.model_fields["indicators"].annotation.__args__[1].model_fields


def test_the_mode_is_searched_among_plain_scores(problem):
    plain = problem.panel.plain()
    assert plain.kinds == ()
    np.testing.assert_allclose(
        plain.known_variance - problem.panel.known_variance, 0.2 * problem.panel.is_kind("tailed")
    )
    assert posterior_of(problem.with_panel(plain, "plain")).size == posterior_of(problem).size - problem.panel.n_latent


def test_a_study_is_read_without_jax():
    text = "import sys, dyadloop.data, dyadloop.observation.kinds; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0
