"""Answers 0 and 1 are counts out of one trial, written plainly."""

import numpy as np
import pytest
import yaml
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from tests.inference.small import theory

HEAD = "dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit"


def _study(path, declared, trials=False, dyads=3, sessions=6, answers=None):
    """Write a study whose only indicator is one of answers 0 and 1."""
    rng = np.random.default_rng(3)
    path.mkdir()
    entry = {"quantity": "trust", "person": "patient", "unit": "yes or no"} | declared
    info = {
        "schema_version": 1,
        "name": "yes",
        "title": "made up",
        "licence": "CC0-1.0",
        "simulated": True,
        "indicators": {"yes": entry},
    }
    (path / "study.yaml").write_text(yaml.safe_dump(info))
    people = [f"P{d}\tD{d}\tpatient" for d in range(dyads)]
    (path / "participants.tsv").write_text("\n".join(["participant_id\tdyad\trole", *people]) + "\n")
    places = [(d, s) for d in range(dyads) for s in range(1, sessions + 1)]
    weeks = [f"D{d}\t{s}\t{7 * s}\t50" for d, s in places]
    (path / "sessions.tsv").write_text("\n".join(["dyad\tsession\tstart\tlength_min", *weeks]) + "\n")
    given = rng.integers(0, 2, len(places)).tolist() if answers is None else answers
    own = "\t1" if trials else ""
    rows = [f"D{d}\tP{d}\t{s}\t\tbefore\tyes\t{a}\t{own}" for (d, s), a in zip(places, given, strict=True)]
    (path / "measurements.tsv").write_text("\n".join([HEAD + ("\ttrials" if trials else ""), *rows]) + "\n")
    return path


def _problem(path):
    study = read_study(path)
    return build_problem(scale_scores(study), theory(["oxytocin", "trust"]), None, study.info.priors)


def _log_likelihood(problem, seed=1):
    values = {str(name): row["location"] for name, row in problem.priors.iterrows()}
    rng = np.random.default_rng(seed)
    normals = {name: rng.normal(size=size) for name, size in problem.normals.items()}
    return np.asarray(problem.log_likelihood(values | normals))


def test_the_plain_way_is_that_of_counts(tmp_path):
    plain = _problem(_study(tmp_path / "plain", {"kind": "binary", "scale": [0, 1]}))
    counted = _problem(_study(tmp_path / "counted", {"transform": "logit"}, trials=True))
    assert plain.normals == counted.normals == {"latent_value": 18}
    np.testing.assert_array_equal(_log_likelihood(plain), _log_likelihood(counted))


def test_one_answer_has_the_chance_of_its_log_odds(tmp_path):
    """The mean over the sampled normal is the integral that SciPy finds."""
    problem = _problem(_study(tmp_path / "one", {"kind": "binary"}, dyads=3, sessions=1, answers=[1, 0, 1]))
    values = {str(name): row["location"] for name, row in problem.priors.iterrows()}
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    chances = np.zeros(3)
    for point, weight in zip(points, weights / weights.sum(), strict=True):
        chances += weight * np.exp(np.asarray(problem.log_likelihood({**values, "latent_value": np.full(3, point)})))
    process, scores = problem.plan.process_model(values), problem.scores
    center, scale = float(scores["center"][0]), float(scores["scale"][0])
    place = list(problem.plan.names).index("trust")
    own, levels = np.asarray(process.start_covariance), np.asarray(process.between @ process.between.T)
    sd = np.sqrt(own[place, place] + levels[place, place] + values["error_yes"] ** 2)
    mean = center + scale * values["mean_yes"]
    yes = quad(lambda x: expit(mean + scale * sd * x) * norm.pdf(x), -12, 12)[0]
    np.testing.assert_allclose(chances, [yes, 1 - yes, yes], rtol=1e-6)


@pytest.mark.parametrize(
    ("answers", "what"), [([2] + [0] * 17, "an answer 0 or 1"), ([0.5] + [0] * 17, "an answer 0 or 1")]
)
def test_other_answers_are_faults(tmp_path, answers, what):
    with pytest.raises(DataError, match=what):
        read_study(_study(tmp_path / "odd", {"kind": "binary"}, answers=answers))


def test_what_is_known_of_answers_cannot_be_said_otherwise(tmp_path):
    with pytest.raises(DataError, match="takes answers 0 and 1 as they are"):
        read_study(_study(tmp_path / "log", {"kind": "binary", "transform": "log"}))
    with pytest.raises(DataError, match="takes answers 0 and 1 as they are"):
        read_study(_study(tmp_path / "scale", {"kind": "binary", "scale": [1, 2]}))
    with pytest.raises(DataError, match="stands alone"):
        read_study(_study(tmp_path / "trials", {"kind": "binary"}, trials=True))
