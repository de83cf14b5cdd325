"""What is handed over says the same: its matrices give our log-likelihood, and ctsem's own at ctsem's own points."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dyadloop.cli.exchange import HAND_OVER_NAMES
from dyadloop.data import read_study
from dyadloop.exchange import new_study
from dyadloop.handover import HAND_OVERS, hand_over
from dyadloop.handover.ctsem import write_ctsem
from dyadloop.handover.draws import draws_table
from dyadloop.handover.registry import _problem
from dyadloop.handover.statement import Statement, stated
from dyadloop.handover.steps import discrete
from tests.conftest import ROOT
from tests.handover.written import log_density, read_script
from tests.reference.dense import transition

SHARED = ROOT.parent / "shared"
POINTS = SHARED / "reference" / "ctsem"
STUDY = """schema_version: 1
name: doses
title: made up
licence: CC0-1.0
simulated: true
randomised: [dose]
indicators:
  saliva: {quantity: oxytocin, person: patient, unit: pg/mL, transform: log}
  closeness: {quantity: trust, person: patient, unit: points}
  bond: {quantity: trust, person: patient, unit: points}
  mood: {quantity: depression, person: patient, unit: points}
covariates:
  arm: {of: session, "on": [trust]}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Four dyads with sessions of 50 minutes, a dose in some, a covariate that changes, gaps."""
    folder, rng = tmp_path_factory.mktemp("handover") / "study", np.random.default_rng(3)
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    people, sessions, values = ["participant_id\tdyad\trole"], ["dyad\tsession\tstart\tlength_min\tevents\tarm"], []
    for d in range(4):
        people.append(f"P{d}\tD{d}\tpatient")
        for s in range(6):
            start = 7.0 * s + d / 8
            sessions.append(f"D{d}\t{s + 1}\t{start}\t50\t{'dose=24' if (s + d) % 2 else ''}\t{int(s > 2)}")
            for time, name in (
                (start, "saliva"),
                (start + 20 / 1440, "saliva"),
                (start, "closeness"),
                (start, "bond"),
                (start + 1, "mood"),
            ):
                if rng.random() > 0.15:
                    values.append(f"D{d}\tP{d}\t{s + 1}\t{time}\t\t{name}\t{np.exp(rng.normal()):.4f}\t")
    (folder / "participants.tsv").write_text("\n".join(people) + "\n")
    (folder / "sessions.tsv").write_text("\n".join(sessions) + "\n")
    (folder / "measurements.tsv").write_text(
        "\n".join(["dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit", *values]) + "\n"
    )
    return read_study(folder)


@pytest.fixture(scope="module")
def statement(study):
    problem, start = _problem(study, None, None)
    rng = np.random.default_rng(5)
    for name, family in problem.priors["family"].items():
        start[name] = (
            start[name] * np.exp(rng.normal() / 4) if family == "lognormal" else start[name] + rng.normal() / 4
        )
    return stated(problem, start)


def test_the_script_for_ctsem_has_our_log_likelihood(statement, tmp_path):
    """Gates, doses, a covariate whose effect differs between dyads, two indicators of one state, correlated errors."""
    script, table = reversed(write_ctsem(statement, tmp_path))
    assert statement.matrices["spread"].any()
    assert statement.matrices["jumps"].any()
    assert statement.matrices["gated"].any()
    assert log_density(script, table) == pytest.approx(statement.log_likelihood, abs=1e-6)


def test_what_changes_in_the_script_changes_the_density(statement, tmp_path):
    script, table = reversed(write_ctsem(statement, tmp_path))
    name, number = next((n, v) for n, v in read_script(script)[0].items() if n.startswith("error_"))
    script.write_text(re.sub(rf"{name} = [^,\s)]+", f"{name} = {number * 1.01!r}", script.read_text()))
    assert abs(log_density(script, table) - statement.log_likelihood) > 1e-3


def test_every_parameter_of_the_script_stands_in_a_matrix_once_named(statement, tmp_path):
    script = write_ctsem(statement, tmp_path)[1]
    start, cells, lists = read_script(script)
    inside = " ".join(cell for rows in cells.values() for row in rows for cell in row)
    assert all(re.search(rf"\b{name}\b", inside) for name in start)
    assert not set(start) & {*lists["manifestNames"], *lists["TDpredNames"]}


@pytest.mark.skipif(not POINTS.is_dir(), reason="ctsem's reference numbers are not beside the repository")
@pytest.mark.parametrize(
    ("case", "path", "manifest", "impulse"),
    [
        ("sunspots", POINTS / "sunspots_long.csv", ["sunspots"], []),
        (
            "ctExample2",
            SHARED / "data" / "ctsem_examples" / "ctExample2_long.csv",
            ["LeisureTime", "Happiness"],
            ["MoneyInt"],
        ),
        ("s7_mild_fixed", POINTS / "s7_mild_fixed_long.csv", ["ATT", "EMP", "SYN", "TRU", "SUP", "OT", "SYM"], []),
    ],
)
def test_a_script_at_a_point_of_ctsem_has_the_log_likelihood_that_ctsem_printed(
    case, path, manifest, impulse, tmp_path
):
    """Impulses of ctsem act before their own row; written beside the observed values they are read as ctsem reads them."""
    point = json.loads((POINTS / f"point_{case}.json").read_text())
    m = {
        key.removeprefix("pop_"): np.array(value, dtype=float) for key, value in point.items() if key.startswith("pop_")
    }
    n, y = len(m["DRIFT"]), len(manifest)
    matrices = {
        "drift": m["DRIFT"], "gated": np.zeros((n, n)), "drive": m["CINT"], "noise": m["DIFFUSIONcov"],
        "start": m["T0MEANS"], "start_covariance": m["T0cov"], "between": np.zeros((n, n)), "loading": m["LAMBDA"],
        "mean": m["MANIFESTMEANS"], "error": m["MANIFESTcov"] + 1e-12 * np.eye(y), "shift": np.zeros((n, 0)),
        "spread": np.zeros((n, 0)), "jumps": np.zeros((n, 0)),
    }  # fmt: skip
    free = {name: (np.arange(matrix.size) + 1).reshape(matrix.shape) for name, matrix in matrices.items()}
    rows = pd.read_csv(path).rename(columns={"id": "dyad"}).assign(gate=1)
    rows = rows[["dyad", "time", *manifest, "gate", *impulse]].fillna(dict.fromkeys(impulse, 0.0))
    made = Statement(tuple(f"x{k}" for k in range(n)), tuple(manifest), (), (), matrices, free, rows)
    table, script = write_ctsem(made, tmp_path)
    if impulse:
        effect = ",\n    ".join(f'c("0", "{b:.17g}")' for b in m["TDPREDEFFECT"][:, 0])
        text = re.sub(
            r'(TDPREDEFFECT = rbind\(\n    )c\("0"\)(,\n    c\("0"\))*', rf"\g<1>{effect}", script.read_text()
        )
        script.write_text(text.replace('c("gate")', 'c("gate", "MoneyInt")'))
    assert log_density(script, table) == pytest.approx(point["ll"], abs=1e-4)


def test_a_step_is_the_transition_of_the_drift():
    drift, noise = np.array([[-20.0, 0.1], [0.2, -0.5]]), np.array([[1.0, 0.3], [0.3, 0.7]])
    for found, wanted in zip(discrete(drift, noise, 7.0), transition(drift, noise, np.zeros(2), 7.0), strict=False):
        np.testing.assert_allclose(found, wanted, atol=1e-10)


def test_mplus_takes_lines_of_90_letters_and_names_of_8(study, tmp_path):
    data, script, _ = hand_over(study, tmp_path / "out", "mplus")
    text = script.read_text()
    assert max(map(len, text.splitlines())) <= 90
    names = re.search(r"NAMES = (.*?);", text, re.DOTALL)[1].split()
    assert max(map(len, names)) <= 8
    assert len(set(names)) == len(names) == len(data.read_text().splitlines()[0].split())
    assert "%WITHIN%" in text
    assert "TINTERVAL = time(" in text


def test_mlvar_gets_one_row_per_step(study, tmp_path):
    data, script = hand_over(study, tmp_path / "out", "mlvar")
    table = pd.read_csv(data)
    assert not table.duplicated(["dyad", "beep"]).any()
    assert "errors of measurement" in script.read_text()


def test_draws_are_numbered_as_the_package_posterior_does():
    values = np.arange(6.0).reshape(2, 3)
    post = xr.DataTree.from_dict({"posterior": xr.Dataset({"a": (("chain", "draw"), values)})})
    table = draws_table(post)
    assert table["a"].tolist() == [0, 1, 2, 3, 4, 5]
    assert table[".chain"].tolist() == [1, 1, 1, 2, 2, 2]
    assert table[".iteration"].tolist() == [1, 2, 3, 1, 2, 3]
    assert table[".draw"].tolist() == [1, 2, 3, 4, 5, 6]


def test_wrong_calls_are_refused(tmp_path):
    made = new_study(tmp_path / "study")
    for to, words in (("draws", "result"), ("excel", "one of")):
        with pytest.raises(ValueError, match=words):
            hand_over(made, tmp_path / "out", to)
    assert tuple(HAND_OVERS) == HAND_OVER_NAMES
