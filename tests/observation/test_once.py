"""One score per person, such as a score at the end of therapy: scaled between persons, and part of the fit."""

import numpy as np
import pytest
import yaml

from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from tests.inference.small import make, shorten, theory

ENDS = (4.0, 9.0, 5.0, 7.0, 12.0)


def _study(path, ends):
    """Five dyads with a further score of depression in the last session."""
    folder = shorten(make(path, ["trust", "depression"], seed=2), len(ENDS))
    info = folder / "study.yaml"
    content = yaml.safe_load(info.read_text())
    content["indicators"]["interview"] = {"quantity": "depression", "person": "patient", "unit": "points"}
    info.write_text(yaml.safe_dump(content, sort_keys=False))
    study, table = read_study(folder), folder / "measurements.tsv"
    columns = table.read_text().splitlines()[0].split("\t")
    people = study.participants[study.participants["role"] == "patient"].set_index("dyad")["participant_id"]
    for dyad, value in zip(study.dyads, ends, strict=False):
        last = study.sessions.loc[study.sessions["dyad"] == dyad, "session"].iloc[-1]
        row = {
            "dyad": dyad,
            "participant_id": people[dyad],
            "session": last,
            "indicator": "interview",
            "value": str(value),
            "phase": "after",
        }
        with table.open("a") as stream:
            stream.write("\t".join(row.get(name, "") for name in columns) + "\n")
    return read_study(folder)


def test_a_score_per_person_is_scaled_between_persons(tmp_path):
    study = _study(tmp_path / "study", ENDS)
    scores = scale_scores(study)
    assert float(scores["scale"].sel(indicator="interview")) == pytest.approx(np.std(ENDS, ddof=1))
    assert float(scores["center"].sel(indicator="interview")) == pytest.approx(np.mean(ENDS))
    problem = build_problem(scores, theory(["trust", "depression"]))
    start = dict(problem.priors["location"])
    total = problem.log_likelihood(start)
    assert np.isfinite(total).all()
    assert not np.allclose(problem.log_likelihood(start | {"loading_interview": 0.0}), total)


def test_two_persons_are_too_few(tmp_path):
    with pytest.raises(DataError, match="interview"):
        scale_scores(_study(tmp_path / "study", ENDS[:2]))
