"""A design from answers: defaults make a sound one, and faults of the answers are told all at once."""

import pytest

from dyadloop.design import asked, design_text
from dyadloop.design.reader import design_of
from dyadloop.errors import DataError
from dyadloop.yaml_files import load_yaml


def test_defaults_make_a_design_that_reads_as_it_was_written():
    questions = []
    found = asked(lambda question, default: questions.append(question) or default)
    assert design_of(load_yaml(design_text(found)), "again") == found
    assert (found.dyads, found.sessions.count, list(found.measures)) == (40, 16, ["trust", "depression"])
    assert "oxytocin" in next(question for question in questions if question.startswith("What is measured"))
    assert not found.events


def test_answers_enter_the_design():
    given = {
        "How many dyads": "60", "What is measured": "trust, oxytocin", "When is oxytocin": "before, after",
        "In which sessions is oxytocin": "4, 8", "Which events": "work_trust", "Is work_trust drawn": "dyad",
        "In what share": "0.25", "What does a sample cost": "35",
    }  # fmt: skip

    def answer(question, default):
        return next((text for start, text in given.items() if question.startswith(start)), default)

    found = asked(answer)
    assert found.dyads == 60
    assert found.measures["oxytocin"].sessions == (4, 8)
    assert found.measures["oxytocin"].phases == ("before", "after")
    assert found.events["work_trust"].share == 0.25
    assert found.events["work_trust"].by == "dyad"
    assert found.costs.per_sample == 35


def test_faults_of_all_answers_are_told_at_once():
    def answer(question, default):
        return {"How many dyads?": "a few", "What does a session cost?": "-3"}.get(question, default)

    with pytest.raises(DataError, match=r"(?s)dyads.*per_session"):
        asked(answer)
