"""Rounds that stand twice under new numbers are doubted; persons who repeat themselves are not."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

import dyadloop as dl
from dyadloop.measures.games.copied_rounds import _chance, copied_rounds

_PLAYERS, _DECISIONS = ("trustor", "trustee"), ("sent", "returned")


def _game(sent, returned=None, trustor="A", session=1):
    sent = np.asarray(sent, dtype=float)
    back = sent if returned is None else np.asarray(returned, dtype=float)
    numbers = {"round": np.arange(1, len(sent) + 1), "endowment": 10.0, "sent": sent, "multiplier": 3.0}
    return pd.DataFrame({"trustor": trustor, "trustee": "B", **numbers, "returned": back, "session": session})


def _played(seed, n=10, stays=0.0):
    """Rounds of a person who with some probability does what was done before."""
    rng = np.random.default_rng(seed)
    found = [tuple(rng.integers(0, 11, 2))]
    for _ in range(n - 1):
        found.append(found[-1] if rng.random() < stays else tuple(rng.integers(0, 11, 2)))
    return np.array(found).T


@pytest.mark.parametrize(("again", "other"), [(lambda x: np.repeat(x, 2), 3), (lambda x: np.tile(x, 2), 12)])
def test_twenty_rows_of_ten_rounds_are_doubted(again, other):
    sent, returned = _played(1)
    returned = np.minimum(returned, 3 * sent)
    game = _game(again(sent), again(returned))
    scores = dl.trust_game(game)
    assert len(scores.doubts) == 1
    assert scores.doubts[0].startswith("1 of 1 games have every round twice")
    assert f"rows 2 and {other})" in scores.doubts[0]
    assert dl.trust_game(_game(sent, returned)).doubts == ()


def test_short_games_are_told_together():
    games = [_game(np.repeat(_played(k, 4)[0], 2), trustor=f"A{k}") for k in range(4)]
    assert copied_rounds(games[0], _PLAYERS, _DECISIONS) == []
    assert "4 of 4 games" in copied_rounds(pd.concat(games), _PLAYERS, _DECISIONS)[0]
    sound = _game(_played(9)[0], trustor="A9")
    assert copied_rounds(pd.concat([*games, sound]), _PLAYERS, _DECISIONS) == []


def test_public_goods():
    given = {p: np.repeat(np.random.default_rng(k).integers(0, 21, 8), 2) for k, p in enumerate("ABC")}
    rows = [("g", p, k + 1, 20.0, float(x)) for p, course in given.items() for k, x in enumerate(course)]
    table = pd.DataFrame(rows, columns=["group", "participant", "round", "endowment", "contributed"])
    assert "3 of 3 games" in dl.public_goods(table).doubts[0]
    assert dl.public_goods(table[table["round"] % 2 == 0]).doubts == ()


@pytest.mark.parametrize("stays", [0.0, 0.5, 0.9, 1.0])
def test_persons_who_repeat_themselves_are_not_doubted(stays):
    found = [copied_rounds(_game(*_played(k, 20, stays)), _PLAYERS, _DECISIONS) for k in range(200)]
    assert sum(map(bool, found)) <= 1


def test_the_chance_is_that_of_all_orders():
    """Of the places of the changes by brute force, and of the orders of the second half."""
    n, m = 8, 2
    places = [set(found) for found in itertools.combinations(range(1, n), m)]
    share = np.mean([all(place % 2 == 0 for place in found) for found in places])
    assert _chance(_game([1, 1, 1, 1, 2, 2, 3, 3]), _DECISIONS) == pytest.approx(share)
    assert _chance(_game([1, 2, 3, 2, 1, 2, 3, 2]), _DECISIONS) == pytest.approx(
        np.mean([order == (1, 2, 3, 2) for order in itertools.permutations([1, 2, 3, 2])])
    )
    assert _chance(_game([5.0] * 20), _DECISIONS) == 1
    assert math.isclose(_chance(_game([1, 1, 2, 2, 3, 3, math.nan, math.nan]), _DECISIONS), 1 / 35)


_STUDY = """schema_version: 1
name: games
title: SIMULATED games
licence: CC0-1.0
simulated: true
indicators:
  trust: {quantity: trust, person: patient, unit: share}
measures:
  trust: {kind: trust_game, file: trust.tsv}
"""


def test_measure_says_so(tmp_path):
    (tmp_path / "study.yaml").write_text(_STUDY)
    (tmp_path / "participants.tsv").write_text("participant_id\tdyad\trole\nA\tD\tpatient\nB\tD\ttherapist\n")
    (tmp_path / "sessions.tsv").write_text("dyad\tsession\tstart\tlength_min\nD\t1\t0\t50\n")
    (tmp_path / "measurements.tsv").write_text("dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit\n")
    sent = _played(1)[0]
    for rounds, told in ((np.repeat(sent, 2), True), (sent, False)):
        _game(rounds).to_csv(tmp_path / "trust.tsv", sep="\t", index=False)
        measured = dl.measure(tmp_path)
        assert measured.status["status"].str.startswith("doubtful: 1 of 1 games").all() == told
        assert (
            any("every round twice" in t for texts in measured.record["trust"].get("notes", {}).values() for t in texts)
            == told
        )
