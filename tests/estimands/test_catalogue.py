"""Claims about several coefficients at once: a difference, a weighted sum; in all data and by randomised events."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.claims.claims_table import _judge
from dyadloop.claims.randomisation import Randomisation
from dyadloop.data import read_study
from dyadloop.estimands.catalogue import Untestable, draws_of, estimand
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.problem import build_problem
from dyadloop.inference.randomised import PREFIX
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Claim, hypothesis, keep, read_theory
from tests.inference.small import make, shorten, table

VARIABLES = ["oxytocin", "trust", "support"]
VALUES = {"a_trust": 0.7, "a_support": 0.2, "tau_trust": 5.0}


def _claim(formula, *randomised_on, **more):
    return Claim.model_validate(
        {"id": "D", "statement": "s", "estimand": "coefficient", "formula": formula, "unit": "1", "randomised_on": randomised_on,
         "rope": {"low": -0.1, "high": 0.1, "assumed": "test"}} | more
    )  # fmt: skip


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """Trust and support are both moved by randomised work."""
    folder = shorten(make(tmp_path_factory.mktemp("sums") / "study", VARIABLES, seed=2), 8)
    sessions = table(folder / "sessions.tsv")
    number = sessions.groupby("dyad").cumcount()
    dyad = sessions["dyad"].map({name: row for row, name in enumerate(dict.fromkeys(sessions["dyad"]))})
    works = [
        ";".join(
            [*["work_trust=1"] * ((3 * d + 5 * s) % 7 < 3), *["work_support=1"] * ((5 * d + 3 * s) % 8 < 4)]
        )
        for d, s in zip(dyad, number, strict=True)
    ]  # fmt: skip
    sessions.assign(events=works).to_csv(folder / "sessions.tsv", sep="\t", index=False)
    with (folder / "study.yaml").open("a") as file:
        file.write("randomised: [work_trust, work_support]\n")
    theory = keep(hypothesis("reciprocal", read_theory("framework_linear")), VARIABLES)
    return build_problem(scale_scores(read_study(folder)), theory)


def _of(problem, formula, values=VALUES):
    function = estimand(problem, _claim(formula), "trust")
    assert not isinstance(function, Untestable), function
    return float(function({name: jnp.asarray(value) for name, value in values.items()}))


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("a_trust", 0.7),
        ("-a_trust", -0.7),
        ("a_trust - a_support", 0.5),
        ("a_{id}-a_support", 0.5),
        ("2*a_trust - a_support", 1.2),
        ("-0.5 * a_trust + 3 * a_support", 0.25),
        ("a_trust + a_support", 0.9),
    ],
)
def test_the_value_is_the_combination(problem, formula, value):
    assert _of(problem, formula) == pytest.approx(value, abs=1e-12)


def test_every_coefficient_must_be_in_the_fit(problem):
    for formula, absent in (
        ("a_trust - a_security", "no coefficient a_security"),
        ("a_security + 2 * a_trust - a_need", "no coefficient a_security; the fit has no coefficient a_need"),
    ):
        found = estimand(problem, _claim(formula), "")
        assert isinstance(found, Untestable)
        assert absent in found.reason


def test_randomised_events_are_asked_for_the_same_combination(problem):
    view, part = problem.of_randomised(), problem.randomised
    arrows = {name: 0.0 for name in problem.priors.index} | VALUES
    arrows |= {PREFIX + "a_trust": -0.4, PREFIX + "a_support": 0.3}
    assert _of(view, "2*a_trust - a_support", part.values(arrows)) == pytest.approx(-1.1, abs=1e-12)
    for formula in ("tau_trust", "a_trust - tau_trust"):
        found = estimand(view, _claim(formula), "")
        assert isinstance(found, Untestable)
        assert found.reason == "tau_trust rests on what goes together by itself, not on randomised events"


def test_a_difference_is_judged_by_randomised_events(problem):
    prior = prior_draws(problem.priors, 1)
    rng, shape = np.random.default_rng(1), prior["a_trust"].shape
    told = {"a_trust": 0.1, "a_support": 0.6, PREFIX + "a_trust": 0.9, PREFIX + "a_support": 0.2}
    posterior = prior.assign({n: (prior[n].dims, value + 0.03 * rng.normal(size=shape)) for n, value in told.items()})
    groups, moved = {"prior": prior, "posterior": posterior}, Randomisation(frozenset({"trust", "support"}), {})
    row = _judge(problem, _claim("a_trust - a_support", "trust", "support"), "", groups, moved, "")
    assert row["median"] == pytest.approx(-0.5, abs=0.01)
    assert row["randomised_median"] == pytest.approx(0.7, abs=0.01)
    assert row["verdict"] == "supported"
    half = Randomisation(frozenset({"trust"}), {})
    row = _judge(problem, _claim("a_trust - a_support", "trust", "support"), "", groups, half, "")
    assert row["verdict"] == "undecided"
    assert "no randomised event on support" in row["reason"]


def test_draws_of_a_difference_are_differences_of_draws(problem):
    prior = prior_draws(problem.priors, 1)
    function = estimand(problem, _claim("a_trust - 2 * a_support"), "")
    assert not isinstance(function, Untestable)
    (found,) = draws_of(function, prior)
    np.testing.assert_allclose(found, (prior["a_trust"] - 2 * prior["a_support"]).values.ravel(), atol=1e-12)


def test_a_number_of_therapists_needs_their_names_in_any_combination(problem):
    """Dyads of one therapist are not independent in what the therapist brings."""
    named = problem.priors.copy()
    for name in ("effect_years_trust", "effect_years_support"):
        named.loc[name] = named.loc["a_trust"]
    scores = problem.scores.drop_dims("covariate").assign_coords(
        covariate=["years"], covariate_of=("covariate", ["therapist"])
    )
    asked = dataclasses.replace(problem, priors=named, scores=scores)
    for formula in (
        "effect_years_trust",
        "effect_years_trust - effect_years_support",
        "a_trust + effect_years_support",
    ):
        found = estimand(asked, _claim(formula), "")
        assert isinstance(found, Untestable)
        assert "years is a number of therapists" in found.reason
    assert not isinstance(estimand(asked, _claim("a_trust - a_support"), ""), Untestable)
