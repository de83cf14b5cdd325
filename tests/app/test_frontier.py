"""The command behind “where should the money go”: JSON on stdout, faults in words on stderr."""

import json

import pandas as pd

from dyadloop import design
from dyadloop.app.frontier import main


def test_it_prints_the_frontier(monkeypatch, capsys):
    asked = []

    def frontier(*arguments):
        asked.extend(arguments)
        return pd.DataFrame({"budget": [4e4], "dyads": [12], "contraction": [float("nan")]})

    monkeypatch.setattr(design, "frontier", frontier)
    assert main("haifa", "C2.trust", "40000,80000") == 0
    assert asked == ["haifa", "C2.trust", [40000.0, 80000.0]]
    assert json.loads(capsys.readouterr().out) == [{"budget": 40000.0, "dyads": 12, "contraction": None}]


def test_a_budget_that_pays_nothing_is_said(capsys):
    assert main("diary", "C2.trust", "10") == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("dyadloop: ")
