"""What is made once is shared by problems that differ in their data, and by no others."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.data import read_study
from dyadloop.inference.cache import Cache, made_once
from dyadloop.inference.mode import posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.observation.kinds import Record
from dyadloop.observation.scaling import scale_scores
from tests.compilations import counted
from tests.inference.small import PAIR, make, shorten, theory


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    folder = shorten(make(tmp_path_factory.mktemp("cache") / "study", PAIR), 5)
    return build_problem(scale_scores(read_study(folder)), theory(PAIR))


@made_once
def _noted(problem, *words):
    return [problem.held_out, *words]


def test_a_cache_serves_the_very_objects_that_it_was_made_for():
    parts = [object(), np.zeros(2)]
    cache = Cache(*parts)
    assert cache.serving(*parts) is cache
    assert cache.serving(*parts[::-1]) is not cache
    assert cache.serving(parts[0]) is not cache
    assert cache.serving(parts[0], np.zeros(2)) is not cache


def test_a_key_is_made_once():
    cache, made = Cache(), []
    for key in ("a", "b", "a"):
        assert cache.once(key, lambda key=key: made.append(key) or key * 2) == key * 2
    assert made == ["a", "b"]


def test_arguments_and_functions_have_their_own(problem):
    assert _noted(problem, "x") is _noted(problem, "x")
    assert _noted(problem, "x") is not _noted(problem, "y")

    @made_once
    def other(problem, *words):
        return list(words)

    assert other(problem, "x") == ["x"]
    assert _noted(problem, "x") == ["", "x"]


def test_problems_with_other_data_share(problem):
    unseen = problem.without(np.ones(problem.panel.seen.shape[:2], dtype=bool), "all")
    scored = replace(problem.with_panel(problem.panel, "other"), scores=problem.scores.copy())
    for other in (unseen, scored):
        assert other.cache is problem.cache
        assert posterior_of(other) is posterior_of(problem)


def test_problems_with_another_model_do_not(problem):
    others = [
        replace(problem, plan=replace(problem.plan)),
        replace(problem, observed=replace(problem.observed)),
        replace(problem, priors=problem.priors.copy()),
        replace(problem, schedule=None),
        replace(
            problem.without(np.zeros(problem.panel.seen.shape[:2], dtype=bool), "none"), plan=replace(problem.plan)
        ),
    ]
    for other in others:
        assert other.cache is not problem.cache
        assert posterior_of(other) is not posterior_of(problem)
    assert len({id(other.cache) for other in others}) == len(others)


def test_values_beyond_a_limit_are_parameters_of_their_own(problem):
    side = np.zeros(problem.panel.score.shape)
    side[0, 0, 0] = -1
    panel = problem.panel.with_kind("censored", side != 0, Record({"side": jnp.asarray(side, dtype=int)}, {}))
    limited = problem.with_panel(panel, "limited")
    assert limited.cache is problem.cache
    assert posterior_of(limited) is not posterior_of(problem)
    assert posterior_of(limited).size == posterior_of(problem).size + 1


def test_other_data_run_through_the_same_program_with_their_own_result(problem):
    values = {str(name): float(row["location"]) for name, row in problem.priors.iterrows()}
    vector = jnp.zeros(posterior_of(problem).size)
    moved = problem.with_panel(problem.panel.with_scores(problem.panel.score + 1.0), "moved")
    first = float(posterior_of(problem).slope(vector, problem.panel)[0])
    with counted() as counter:
        second = float(posterior_of(moved).slope(vector, moved.panel)[0])
    assert counter.lowered == 0
    density = [float(one.log_likelihood(values).sum()) for one in (problem, moved)]
    assert density[0] != density[1]
    assert first != second
