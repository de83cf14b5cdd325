"""The problem of a result is built once, changes with what it is built from, and goes with the result."""

import gc
import weakref

import pytest
import xarray as xr

from dyadloop.data import read_study
from dyadloop.inference.fitted import Fitted
from dyadloop.inference.fitting import _storable
from dyadloop.inference.problem import build_problem, priors_to_json
from dyadloop.inference.result import _rebuilt
from dyadloop.observation.scaling import scale_scores
from tests.inference.small import PAIR, make, shorten, theory


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    folder = shorten(make(tmp_path_factory.mktemp("fitted") / "study", PAIR), 3)
    return build_problem(scale_scores(read_study(folder)), theory(PAIR))


class _Builder:
    """Builds problems and counts them."""

    def __init__(self):
        self.count = 0

    def __call__(self, post):
        self.count += 1
        return _rebuilt(post)


@pytest.fixture
def builder():
    return _Builder()


def _result(problem):
    """Return as much of a result as its problem is built from, with arrays of its own."""
    post = xr.DataTree.from_dict({"observed_data": _storable(problem.scores).copy(deep=True)})
    post.attrs = {
        "theory": problem.plan.theory.model_dump_json(by_alias=True),
        "priors": priors_to_json(problem.priors),
    }
    return post


def test_a_result_is_built_once_and_so_is_its_twin(problem, builder):
    fitted, post, twin = Fitted(), _result(problem), _result(problem)
    first = fitted.of(post, builder)
    assert fitted.of(post, builder) is first
    assert fitted.of(twin, builder) is first
    assert builder.count == 1
    assert first.fingerprint == problem.fingerprint
    assert len(fitted) == 2


def test_a_problem_goes_with_the_last_of_its_results(problem, builder):
    fitted, post, twin = Fitted(), _result(problem), _result(problem)
    first = weakref.ref(fitted.of(post, builder))
    fitted.of(twin, builder)
    del post
    gc.collect()
    assert len(fitted) == 1
    assert first() is not None
    del twin
    gc.collect()
    assert len(fitted) == 0
    assert first() is None
    fitted.of(_result(problem), builder)
    assert builder.count == 2


@pytest.mark.parametrize("part", ["theory", "priors", "scores"])
def test_a_result_that_is_changed_in_place_has_another_problem(problem, builder, part):
    fitted, post = Fitted(), _result(problem)
    first = weakref.ref(fitted.of(post, builder))
    if part == "theory":
        post.attrs["theory"] = post.attrs["theory"].replace("Trust and cooperation", "Trust")
    elif part == "priors":
        post.attrs["priors"] = priors_to_json(problem.priors.assign(scale=2.0 * problem.priors["scale"]))
    else:
        post["observed_data"]["score"].values[...] += 1.0
    second = fitted.of(post, builder)
    assert second is not first()
    assert builder.count == 2
    gc.collect()
    assert len(fitted) == 1
    assert first() is None


def test_what_a_fit_was_made_from_need_not_be_built(problem, builder):
    fitted, post = Fitted(), _result(problem)
    fitted.keep(post, problem)
    assert fitted.of(post, builder) is problem
    assert fitted.of(_result(problem), builder) is problem
    assert builder.count == 0
