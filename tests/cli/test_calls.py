"""The call of a fit: recorded whole, as a command line and as Python, and giving the same fit when made again."""

import shlex

import pytest

from dyadloop.data import read_study
from dyadloop.inference import Settings
from tests.cli.program import dyadloop
from tests.data.conftest import tiny  # noqa: F401 - a fixture
from tests.inference.small import theory

OPTIONS = [
    (),
    ("--priors", "flat"),
    ("--priors", "evidence", "--hypothesis", "biomarker"),
    ("--theory", "OWN", "--vary", "a_trust", "--seed", 7),
    ("--theory", "OWN", "--vary", "a_trust", "--vary", "w_trust", "--vary-by-therapist", "w_trust", "--chains", 2),
    ("--hypothesis", "driver", "--vary-by-therapist", "a_trust", "--draws", 50, "--warmup", 50, "--quiet"),
]


class Stopped(Exception):
    """Raised where a fit would start to sample."""


@pytest.fixture
def stopped(monkeypatch):
    """Let fits end where they would sample; what decides a fit is known by then."""
    import sys

    seen = []

    def end(folder, study, problem, seed, settings, *rest, **more):
        seen.append((problem.fingerprint, seed, vars(settings)))
        raise Stopped

    monkeypatch.setattr(sys.modules["dyadloop.inference.fitting"], "fit_in", end)
    calls = []
    real = sys.modules["dyadloop.inference.call"].call_of
    monkeypatch.setattr("dyadloop.inference.call_of", lambda *given: calls.append(real(*given)) or calls[-1])
    return seen, calls


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: " ".join(map(str, o)) or "plain")
def test_what_is_printed_makes_the_same_fit(options, tiny, tmp_path, stopped):  # noqa: F811
    seen, calls = stopped
    own = tmp_path / "own theory.yaml"
    own.write_text(theory(["oxytocin", "trust"]).model_dump_json(by_alias=True))
    typed = [str(own) if part == "OWN" else part for part in options]
    with pytest.raises(Stopped):
        dyadloop("run", tiny, *typed, "--out", tmp_path / "out")
    words = shlex.split(calls[0].command)
    assert words[:3] == ["dyadloop", "run", str(tiny)]
    for part in (part for part in typed if part != "--quiet"):
        assert str(part) in words
    with pytest.raises(Stopped):
        dyadloop(*words[1:])
    with pytest.raises(Stopped):
        exec(calls[0].python, {})
    assert seen[0] == seen[1] == seen[2]


def test_a_fit_made_in_python_is_recorded_too(tiny, stopped):  # noqa: F811
    import dyadloop as dl
    from dyadloop.inference.call import call_in_python

    seen, study = stopped[0], read_study(tiny)
    settings = Settings(chains=1, draws=100)
    made = dl.vary(dl.hypothesis("driver", dl.read_theory("framework")), "a_trust")
    call = call_in_python(study, made, None, 3, settings)
    assert call.command == ""
    with pytest.raises(Stopped):
        dl.fit(study, made, seed=3, settings=settings)
    with pytest.raises(Stopped):
        exec(call.python, {})
    assert seen[0] == seen[1]


def test_what_no_names_make_is_read_from_the_result(small_fit, stopped):
    """A theory of one's own in Python: the call reads it, and the priors, from the result."""
    import dyadloop as dl
    from dyadloop.inference import recorded_call

    folder, post = small_fit
    python = recorded_call(post).python
    assert "before = dl.load_result('RESULT')" in python
    with pytest.raises(Stopped):
        exec(python.replace("'RESULT'", repr(str(folder.parent / "example"))), {})
    assert stopped[0][0][0] == post.attrs["fingerprint"]
    assert dl.load_result(folder.parent / "example").attrs["seed"] == stopped[0][0][1]
