"""Simulation-based calibration: its arithmetic, its refusals, and that planted faults are caught."""

import json
import shutil

import numpy as np
import pytest
from scipy.stats import binom
from typer.testing import CliRunner

from dyadloop.appraisal import FAULTS, calibrate
from dyadloop.appraisal import simulation_based_calibration as calibration
from dyadloop.appraisal.ranks import RANKS, least_tail, uniform_tails
from dyadloop.appraisal.simulation_based_calibration import _summary
from dyadloop.cli.program import app
from dyadloop.data import read_study
from dyadloop.errors import FitError, ResultError
from dyadloop.inference import Settings
from dyadloop.theory import keep, vary
from tests.inference.small import answered, coarse, counted, make, shared, shorten, theory
from tests.linear import rival

PAIR = ["oxytocin", "trust"]
DESIGN = {"dyads": 8, "sessions": 6}


def _table(ranks):
    n = ranks.shape[1]
    found = {"ranks": ranks.T, "divergences": np.zeros(n, dtype=int), "tries": np.zeros(n, dtype=int)}
    return _summary(found, [f"p{i}" for i in range(len(ranks))], {"fault": ""})


def test_uniform_ranks_leave_the_band_as_often_as_it_says():
    generator = np.random.default_rng(3)
    found = _table(generator.integers(RANKS, size=(2000, 60)))
    count = int(found["outside"].sum())
    assert binom.ppf(0.001, 2000, 0.05) <= count <= binom.ppf(0.999, 2000, 0.05)
    p = found["p_value"].values
    assert abs((p < 0.5).mean() - 0.5) < 0.04
    assert p.min() >= 1 / 20_001
    assert (found["low"] < found["position"]).all()
    assert (found["high"] > found["position"]).all()


@pytest.mark.parametrize("shift", [lambda u: u**1.6, lambda u: 0.5 + 0.62 * (u - 0.5), lambda u: np.sqrt(u)])
def test_biased_and_too_wide_posteriors_are_seen(shift):
    u = np.random.default_rng(5).random((3, 300))
    found = _table((shift(u) * RANKS).astype(int))
    assert bool(found["outside"].all())
    assert found.attrs["calibrated"] == 0


def test_the_least_tail_is_that_of_the_binomial():
    ranks = np.array([[0] * 7 + [99] * 3])
    share = np.arange(1, RANKS) / RANKS
    by_hand = np.minimum(1, 2 * np.minimum(binom.cdf(7, 10, share), binom.sf(6, 10, share))).min()
    assert least_tail(ranks)[0] == pytest.approx(by_hand, rel=1e-12)
    assert uniform_tails(10, runs=50).shape == (50,)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"replicates": 5}, "20 or more"),
        ({"fault": "colour"}, "sign, noise, gate, limit"),
        ({"fault": "limit"}, "below"),
        ({"below": 1.5}, "share"),
        ({"dyads": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(call, said):
    with pytest.raises(FitError, match=said):
        calibrate(theory(["trust"]) if call.get("fault") != "limit" else theory(PAIR), **{**DESIGN, **call})


def test_a_theory_without_oxytocin_has_no_limit():
    with pytest.raises(FitError, match="need oxytocin"):
        calibrate(theory(["trust"]), below=0.3, **DESIGN)


def test_a_small_calibration_from_the_command_line(tmp_path):
    """Trust alone: the fit is calibrated, and a folder is gone on with."""
    call = _call(tmp_path)
    right = CliRunner().invoke(app, [*call, "--out", str(tmp_path / "right"), "--figure", str(tmp_path / "f.svg")])
    assert right.exit_code == 0, right.output
    content = json.loads(right.stdout)
    names = content["coords"]["parameter"]["data"]
    assert {"tau_trust", "error_trust", "log_likelihood"} <= set(names)
    assert content["attrs"]["replicates"] == 26
    assert (tmp_path / "f.svg").read_text().startswith("<svg")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "right").glob("*.npz")}
    assert len(stamps) == 2
    again = CliRunner().invoke(app, [*call, "--out", str(tmp_path / "right")])
    assert json.loads(again.stdout) == content
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "right").glob("*.npz")} == stamps
    with pytest.raises(ResultError, match="another calibration"):
        calibrate(theory(["trust"]), replicates=26, fault="noise", folder=tmp_path / "right", **DESIGN)


@pytest.mark.slow
def test_halved_noise_is_caught_from_the_command_line(tmp_path):
    wrong = CliRunner().invoke(app, [*_call(tmp_path), "--out", str(tmp_path / "wrong"), "--fault", "noise"])
    assert wrong.exit_code == 4
    assert any(json.loads(wrong.stdout)["data_vars"]["outside"]["data"])


def _call(home):
    own = home / "theory.yaml"
    own.write_text(theory(["trust"]).model_dump_json(by_alias=True))
    return ["calibrate", str(own), "--dyads", "8", "--sessions", "6", "--replicates", "26", "--json", "--quiet"]


KINDS = {
    "coarse": coarse,
    "answers": lambda folder: answered(folder, [1.5, 2.0, 4.0, 4.5]),
    "counts": counted,
    "therapists": lambda folder: shared(folder, lambda n: f"T{n % 3}"),
    "plates": lambda folder: shared(folder, lambda n: "", lambda row: f"P{int(row['session']) % 3}"),
}


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    return shorten(make(tmp_path_factory.mktemp("design") / "study", PAIR, seed=3), 6)


@pytest.mark.parametrize("kind", ["coarse", "counts"])
def test_answers_and_counts_are_simulated_as_such(design, tmp_path, kind):
    study = read_study(KINDS[kind](shutil.copytree(design, tmp_path / kind)))
    problem = calibration._problem(theory(["trust"]), study, 6, 8, None, 1)
    truth, panel, _ = calibration._draw(problem, 7)
    column = list(problem.observed.indicators).index("trust")
    seen = np.asarray(panel.seen)[..., column]
    assert panel.is_kind({"coarse": "ordinal", "counts": "count"}[kind])[..., column][seen].all()
    assert truth["tau_trust"] > 0
    if kind == "counts":
        chosen = np.asarray(panel.records["count"].values["successes"])[..., column][seen]
        assert set(chosen) <= set(range(11))
        assert len(set(chosen)) > 3
    else:
        scores = problem.scores.sel(indicator="trust")
        answers = np.asarray(panel.score)[..., column][seen] * scores["scale"].item() + scores["center"].item()
        np.testing.assert_allclose(answers, answers.round(), atol=1e-9)
        assert len(set(answers.round())) > 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_observation_is_calibrated(design, tmp_path, kind):
    study = read_study(KINDS[kind](shutil.copytree(design, tmp_path / kind)))
    model = theory(PAIR if kind == "plates" else ["trust"])
    if kind == "therapists":
        model = vary(model, "tau_trust", by="therapist")
    found = calibrate(model, study=study, dyads=6, sessions=4, replicates=50, folder=tmp_path / "calibration")
    print(found["p_value"].to_series().sort_values().head(5).to_string())
    assert found.attrs["calibrated"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variables"), [("reciprocal", PAIR), ("network", ["trust", "support", "depression"])])
def test_the_fit_is_calibrated(name, variables, tmp_path):
    """The reciprocal loop (M3) and the direct network (M5): 500 ranks of each number."""
    found = calibrate(keep(rival(name), variables), replicates=500, folder=tmp_path / "calibration")
    print(found["p_value"].to_series().sort_values().to_string())
    assert found.attrs["calibrated"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_planted_fault_is_caught(fault, tmp_path):
    below = 0.3 if fault == "limit" else 0.0
    design: dict = {"replicates": 100}
    if fault == "gate":  # arrows that act always leave a posterior through which chains move slowly
        design = {"replicates": 25, "dyads": 4, "sessions": 4, "settings": Settings(chains=1, warmup=100, draws=99)}
    found = calibrate(theory(PAIR), below=below, fault=fault, folder=tmp_path / fault, **design)
    print(found["p_value"].to_series().sort_values().head(5).to_string())
    assert found.attrs["calibrated"] == 0


@pytest.mark.slow
def test_values_below_a_limit_are_calibrated(tmp_path):
    found = calibrate(theory(PAIR), replicates=100, below=0.3, folder=tmp_path / "limited")
    assert found.attrs["calibrated"] == 1
