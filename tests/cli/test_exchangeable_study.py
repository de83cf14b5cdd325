"""A study of partners whom nothing tells apart, from a folder to a report. All data are simulated here."""

import json

import numpy as np
import pytest
import yaml
from scipy.linalg import expm, solve_continuous_lyapunov

from dyadloop.theory import read_theory
from tests.cli.program import dyadloop

N_COUPLES, N_MOMENTS, MINUTES = 14, 24, 0.5
EFFECT = 0.3
"""Of a lasting shift of either partner on the other: one SD of its prior."""
DRIFT = np.array([[-1.0, EFFECT], [EFFECT, -1.0]])  # per minute
SHORT = ("--chains", 2, "--warmup", 150, "--draws", 200)


def _courses(rng):
    """Yield the two partners' states of each couple, which of them is named first being chance."""
    step = expm(DRIFT * MINUTES)
    still = solve_continuous_lyapunov(DRIFT, -2 * np.eye(2))
    moved = still - step @ still @ step.T
    for _ in range(N_COUPLES):
        state, level = rng.multivariate_normal(np.zeros(2), still), rng.normal(size=2)
        for _ in range(N_MOMENTS):
            state = step @ state + rng.multivariate_normal(np.zeros(2), moved)
            yield state + level


@pytest.fixture(scope="module")
def couples(tmp_path_factory):
    """A folder as docs/study-folder.md describes it, with an event that is randomised."""
    path, rng = tmp_path_factory.mktemp("couples") / "study", np.random.default_rng(11)
    path.mkdir()
    dial = {"person": "partner", "unit": "points", "scale": [-100, 100]}
    info = {
        "schema_version": 1, "name": "couples", "title": "SIMULATED couples", "licence": "CC0-1.0", "simulated": True,
        "theory": "couple", "exchangeable": [["dial_a", "dial_b"]],
        "indicators": {"dial_a": dial | {"quantity": "hers"}, "dial_b": dial | {"quantity": "his"}},
    }  # fmt: skip
    (path / "study.yaml").write_text(yaml.safe_dump(info))
    rows, courses = [], _courses(rng)
    for couple in range(N_COUPLES):
        for moment in range(N_MOMENTS):
            pair = next(courses)
            time = f"{moment * MINUTES / 1440:.9f}"
            for k, name in enumerate("ab"):
                value = f"{10 * pair[k] + rng.normal():.3f}"
                rows.append(f"C{couple}\tP{couple}{name}\t\t{time}\tbetween\tdial_{name}\t{value}\t")
    people = [f"P{couple}{name}\tC{couple}\tpartner" for couple in range(N_COUPLES) for name in "ab"]
    (path / "participants.tsv").write_text("\n".join(["participant_id\tdyad\trole", *people]) + "\n")
    (path / "sessions.tsv").write_text("dyad\tsession\tstart\tlength_min\n")
    header = "dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit"
    (path / "measurements.tsv").write_text("\n".join([header, *rows]) + "\n")
    return path


def test_check_run_claims_and_report(couples, tmp_path):
    checked = dyadloop("check", couples)
    assert checked.returncode == 0, checked.stderr
    assert "SIMULATED" in checked.stdout
    run = dyadloop("run", couples, "--out", tmp_path / "out", *SHORT, "-q")
    assert run.returncode in (0, 4), run.stderr  # so few draws need not converge
    claims = json.loads(dyadloop("claims", tmp_path / "out", "--json").stdout)
    rows = {row["claim"]: row for row in claims}
    hers, his = rows["P.hers"], rows["P.his"]
    assert hers["median"] == his["median"]
    # three SDs of so small a study; 60 couples with 40 moments each give 0.30 [0.22, 0.38]
    assert abs(hers["median"] - EFFECT) < 3 * (hers["high"] - hers["low"]) / 3.2
    assert (hers["verdict"], hers["reason"]) == (his["verdict"], his["reason"])
    table = (tmp_path / "out" / "actor_partner.csv").read_text().splitlines()
    assert len(table) == 3  # one row for the actor, one for the partner
    assert "Actor and partner effects" in dyadloop("claims", tmp_path / "out").stdout
    text = (tmp_path / "out" / "report.html").read_text()
    assert "Actor and partner effects" in text
    assert "SIMULATED" in text


def _with_event(folder, copy):
    """Return the study with a randomised event that both partners' theories know, and the theory."""
    import shutil

    shutil.copytree(folder, copy)
    info = yaml.safe_load((copy / "study.yaml").read_text()) | {"randomised": ["task"], "theory": "own.yaml"}
    (copy / "study.yaml").write_text(yaml.safe_dump(info))
    sessions = [
        f"C{c}\t{k + 1}\t{k * 4 / 1440:.9f}\t0\t{'task' if (c + k) % 2 else ''}"
        for c in range(N_COUPLES)
        for k in (0, 1, 2)
    ]
    (copy / "sessions.tsv").write_text("\n".join(["dyad\tsession\tstart\tlength_min\tevents", *sessions]) + "\n")
    theory = json.loads(read_theory("couple").model_dump_json(by_alias=True, exclude_none=True))
    own = {"value": 0.3, "unit": "SD within persons", "assumed": "made up"}
    own["prior"] = {"family": "normal", "location": 0.0, "scale": 0.5}
    theory["inputs"] = [
        {"id": f"task_{to}", "to": to, "kind": "event", "event": "task", "coefficient": own} for to in ("hers", "his")
    ]
    (copy / "own.yaml").write_text(yaml.safe_dump(theory))
    return copy


def test_randomised_events_of_such_partners_are_refused_in_words(couples, tmp_path):
    study = _with_event(couples, tmp_path / "study")
    checked = dyadloop("check", study, "--claims")
    assert checked.returncode == 0, checked.stderr
    assert "task: randomised, but what it does to partners whom nothing tells apart supports no claim" in checked.stderr
    assert "exchangeable" in " ".join(checked.stdout.split())
