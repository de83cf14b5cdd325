"""The evidence of the page is that of the command line: same rows, same pooled numbers, same readings."""

import json
import math
import subprocess
import sys

import pytest

from dyadloop.evidence import edge_evidence, published_effects
from tests.app.doors import client


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with client(tmp_path_factory.mktemp("evidence")) as found:
        yield found


def printed(*words):
    call = [sys.executable, "-m", "dyadloop", "evidence", *words, "--json"]
    return json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def same(mine, theirs):
    for key, value in theirs.items():
        if isinstance(value, float):
            assert mine[key] == pytest.approx(value, rel=1e-6), key
        else:
            assert mine[key] == value, key


def test_an_arrow_is_pooled_as_the_command_pools_it(door):
    mine = door.get("/api/evidence/arrow?from=oxytocin&to=stress").json()
    theirs = printed("pool", "oxytocin", "stress")
    same(mine["pooled"], theirs["pooled"])
    same(mine["bayes"], theirs["bayes"])
    assert [row["id"] for row in mine["rows"]] == [row["id"] for row in theirs["rows"]]
    assert [row["how"] for row in mine["rows"]] == [row["how"] for row in theirs["rows"]]


def test_claims_read_as_those_of_the_command(door):
    mine, theirs = door.get("/api/evidence/claims").json(), printed("claims")
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert (one["claim"], one["reading"]) == (other["claim"], other["reading"])
        same(one, {"pooled_d": other["pooled_d"]})


def test_every_row_is_there_and_every_arrow_counted(door):
    found, table = door.get("/api/evidence").json(), published_effects()
    assert [row["id"] for row in found["rows"]] == table["id"].tolist()
    assert sum(arrow["n_rows"] for arrow in found["arrows"]) == len(table)


def test_weights_and_intervals_of_the_forest_plot(door):
    mine = door.get("/api/evidence/arrow?from=alliance&to=outcome").json()
    edge = edge_evidence("alliance", "outcome", published_effects())
    assert sum(study["weight"] for study in mine["studies"]) == pytest.approx(1)
    first, study = edge.studies.iloc[0], mine["studies"][0]
    assert study["high"] - study["low"] == pytest.approx(2 * 1.959964 * math.sqrt(first["variance"]), rel=1e-5)


@pytest.mark.parametrize("query", ["", "?from=oxytocin", "?from=<b>&to=%00", "?from=trust&to=fear"])
def test_an_arrow_without_rows_is_said(door, query):
    answer = door.get(f"/api/evidence/arrow{query}")
    assert answer.status_code == 404
    assert "choose another" in answer.json()["error"]
