"""What used to be dropped in silence is honoured or refused."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.program import dyadloop


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(2)
    for name in ("a", "b"):
        table = pd.DataFrame(rng.normal(size=(900, 2)), columns=pd.Index(["v", "w"]))
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path / "a.csv", tmp_path / "b.csv"


QUICK = ("--fs", 10, "--set", "window=5", "--set", "step=2", "--set", "lag=1", "--json", "--quiet")


def _score(*arguments):
    run = dyadloop("synchrony", *arguments, *QUICK)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["data_vars"]["score"]["data"]


def test_one_name_is_the_column_of_both_files(files):
    one, two = _score(*files, "--columns", "v"), _score(*files, "--columns", "w")
    assert one == _score(*files, "--columns", "v,v")
    assert two == _score(*files, "--columns", "w,w")
    assert one != two


@pytest.mark.parametrize("columns", ["v,w,v", ",", "v,", ""])
def test_other_numbers_of_names_are_refused(files, columns):
    run = dyadloop("synchrony", *files, "--columns", columns, *QUICK)
    assert run.returncode == 2
    assert "--columns" in run.stderr
    alone = dyadloop("synchrony", files[0], "--columns", "v", *QUICK)
    assert alone.returncode == 2
    assert "two names" in alone.stderr


def test_a_setting_that_is_given_stays_the_same_in_a_multiverse(files):
    call = (*files, "--columns", "v", "--fs", 10, "--multiverse", "--draws", 19, "--json", "--quiet")
    run = dyadloop("synchrony", *call, "--set", "window=7", "--set", "lag=1")
    assert run.returncode == 0, run.stderr
    table = json.loads(run.stdout)["settings"]
    assert len(table) == 4
    assert set(table[0]) & {"window", "lag"} == set()
    scores = {(row["smooth"], row["transform"]): row["score"] for row in table}
    alone = dyadloop("synchrony", *files, "--columns", "v", "--fs", 10, "--set", "window=7", "--set", "lag=1", "--json")
    assert scores[0, "none"] == pytest.approx(json.loads(alone.stdout)["data_vars"]["score"]["data"], rel=1e-12)


def test_priors_go_by_the_table_that_is_given(tmp_path):
    from dyadloop.evidence import published_effects

    shipped = published_effects()
    own = tmp_path / "own.csv"
    kept = shipped[(shipped["edge_from"] != "trust") & (shipped["edge_to"] != "trust")]
    kept.to_csv(own, index=False)
    plain, told = (
        pd.DataFrame(json.loads(dyadloop("evidence", "priors", "framework", *more, "--json").stdout)).set_index(
            "parameter"
        )
        for more in ((), ("--table", own))
    )
    assert (plain["location"] != told["location"]).any()
    refused = dyadloop("evidence", "priors", "framework", "--priors", "flat", "--table", own)
    assert refused.returncode == 2
    assert "--table has no effect" in refused.stderr
