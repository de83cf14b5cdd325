"""Design files: the shipped ones, and every fault at once."""

import pytest

from dyadloop.design import DESIGNS, design_text, effort, read_design
from dyadloop.design.reader import design_of
from dyadloop.errors import DataError
from dyadloop.yaml_files import load_yaml


@pytest.mark.parametrize("name", DESIGNS)
def test_shipped_designs_say_where_they_are_from_and_survive_being_written(name):
    design = read_design(name)
    assert design.source or any("of our own" in text for text in design.assumed)
    assert design.assumed
    assert design_of(load_yaml(design_text(design))) == design


def test_published_numbers():
    haifa, bar_ilan = read_design("haifa"), read_design("bar_ilan")
    assert (haifa.dyads, haifa.sessions.count) == (37, 16)
    assert effort(haifa).samples == 592  # 580 were collected
    assert (bar_ilan.dyads, effort(bar_ilan).samples) == (30, 300)  # 284 were collected
    assert read_design("group_doses").dyads == 48


def test_effort_counts_what_is_planned():
    takes = effort(read_design("proposed"))
    assert takes.sessions == 120 * 16
    assert takes.answers == 120 * 16 * 3
    assert takes.samples == 120 * 16 * 3
    assert takes.events == {"work_trust": 960.0, "dose": 960.0}
    assert takes.cost == 120 * 300 + 1920 * 90 + 5760 * 60 + 960 * 40


BAD = """
schema_version: 1
name: bad
title: Bad
dyads: 20
sessions: {count: 6, every: 7 d, length: 50 min}
measures:
  bond: {quantity: trsut, when: after, sessions: [2, 8, 9], relaibility: 0.6}
  saliva: {quantity: oxytocin, when: [before, after]}
events:
  dosis: {share: 0.5}
  work_trust: {share: 1.0}
missing: {dropout: 1.0}
costs: {per_dyad: -5}
analysis: {hypothesis: reciprokal}
"""


def test_all_faults_of_a_file_come_at_once_with_what_to_do(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    with pytest.raises(DataError) as caught:
        read_design(path)
    text = str(caught.value)
    for words in (
        "measures.bond.sessions': got session 8, 9 of 6; expected 1 to 6",
        "did you mean trust?",
        "did you mean reliability?",
        "oxytocin needs an assay",
        "events.dosis",
        "did you mean dose?",
        "what everybody has in all sessions is not randomised",
        "missing.dropout': got 1.0; expected a number below 1",
        "costs.per_dyad': got -5; expected a number at least 0",
        "did you mean reciprocal?",
    ):
        assert words in text, (words, text)
    assert len(caught.value.faults) == 9


def test_an_unknown_design_is_named_with_the_nearest():
    with pytest.raises(DataError, match="did you mean haifa"):
        read_design("hiafa")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sessions": {"count": 3, "every": "30 min", "length": "50 min"}}, "leaves no time between"),
        ({"sessions": {"count": 3, "every": "a week"}}, "write it like"),
        ({"therapists": 99}, "at most 20"),
        ({"costs": {"per_event": {"dose": 4}}}, "an event of the design"),
        ({"analysis": {"theory": "framwork"}}, "did you mean framework"),
        ({"measures": {}}, "at least 1 entries"),
        ({"measures": {"bond": {"quantity": "trust", "step": 1}}}, "a step needs sd_within"),
        ({"measures": {"bond": {"quantity": "trust", "per_interval": 3}}}, "needs when: between"),
        ({"measures": {"bond": {"quantity": "trust", "spoilt_by": ["dose"]}}}, "declare it under events"),
    ],
)
def test_entries_that_contradict_each_other(change, words):
    good = load_yaml(BAD.replace("trsut", "trust")) | {"events": {}, "missing": {}, "costs": {}, "analysis": {}}
    good["measures"] = {"bond": {"quantity": "trust"}}
    design_of(good)
    with pytest.raises(DataError, match=words):
        design_of(good | change)
