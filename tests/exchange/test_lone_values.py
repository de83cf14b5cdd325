"""A number apart from all others is asked about, even with --yes: nobody but its owner knows whether it is a code."""

import pytest

from dyadloop.errors import DataError
from dyadloop.exchange import import_study, plan_import
from dyadloop.exchange.mapping import Score
from dyadloop.exchange.profile import Profile, lone_values
from tests.cli.program import dyadloop

PLACE = "tables.1.scores.trust.missing"


def _sheet(tmp_path, *odd, name="trust", body=lambda p, s: (p * s) % 7 + 1):
    rows = [f"P{p};{s};2024-03-{7 * s + p:02d};50;{body(p, s)}\n" for p in range(1, 6) for s in range(1, 4)]
    rows += [f"P{k};{4 + k};2024-0{4 + k}-01;50;{value}\n" for k, value in enumerate(odd, start=1)]
    path = tmp_path / "after.csv"
    path.write_text(f"code;session;date;length;{name}\n" + "".join(rows))
    return path


def _open(path, **answers):
    return [place for place, _ in plan_import([path], path.parent / "study", answers=answers).open]


@pytest.mark.parametrize(
    "odd", [["-77"], ["-77", "-77"], ["-2"], ["-77", "-88"], ["44"], ["5000"], ["-99", "-77"], ["-55", "-66", "-77"]]
)
def test_it_is_open(tmp_path, odd):
    assert _open(_sheet(tmp_path, *odd)) == [PLACE]


@pytest.mark.parametrize("odd", [["-99"], ["999"], ["8"], ["12"], ["k.A."], ["7,5"], ["0"]])
def test_known_codes_and_near_values_are_not(tmp_path, odd):
    assert _open(_sheet(tmp_path, *odd)) == []


def test_yes_does_not_answer_it(tmp_path):
    run = dyadloop("import", _sheet(tmp_path, "-77"), tmp_path / "study", "--yes")
    assert run.returncode == 2
    assert "1 times -77, where all others lie from 2 to 7: write the codes" in run.stderr


@pytest.mark.parametrize("answer", ["-77", "[-77]", "['-77']", '"-77"', "-80..-70", "-77, -99"])
def test_a_code_is_no_value(tmp_path, answer):
    done = import_study(_sheet(tmp_path, "-77"), tmp_path / "study", answers={PLACE: answer})
    assert done.study.measurements["value"].min() == 2
    assert [(r.text, r.kind) for r in done.remarks] == [("-77", "missing")]


@pytest.mark.parametrize("answer", ["none", "[]", "null"])
def test_a_value_is_no_code(tmp_path, answer):
    done = import_study(_sheet(tmp_path, "-77"), tmp_path / "study", answers={PLACE: answer})
    assert done.study.measurements["value"].min() == -77


def test_beyond_a_known_scale_nothing_is_asked(tmp_path):
    """The range of a questionnaire says that it is no value; the account names it."""
    done = import_study(_sheet(tmp_path, "-77", name="phq9"), tmp_path / "study")
    assert [(r.text, r.kind) for r in done.remarks] == [("-77", "outside scale")]


def test_numbers_on_both_sides_are_told_apart_by_how_often_they_occur():
    column = Profile("x", 30, 8, 1.0, 0.0, 0.0, 0.0, (1.0, 2.0, 3.0, 4.0, 80.0, 81.0), (8, 7, 6, 7, 1, 1), ())
    assert [value for value, _ in lone_values(column, [])] == [80, 81]
    assert lone_values(column, ["80", "81"]) == []


def test_concentrations_are_compared_as_logarithms():
    values = (2.0, 4.0, 9.0, 12.0, 31.0)
    column = Profile("x", 20, 5, 1.0, 0.0, 0.0, 0.0, values, (4, 4, 4, 4, 1), ())
    assert [value for value, _ in lone_values(column, [])] == [31]
    assert lone_values(column, [], is_log=True) == []


def test_codes_are_written_as_people_write_them():
    for written in (-77, "-77", [-77], ["-77"], [-77.0]):
        assert Score.model_validate({"column": "x", "quantity": "trust", "missing": written}).codes == ("-77",)
    assert Score.model_validate({"column": "x", "quantity": "trust", "missing": "?"}).codes == ()
    with pytest.raises(ValueError, match="missing"):
        Score.model_validate({"column": "x", "quantity": "trust", "missing": {"a": 1}})


def test_a_wrong_list_of_codes_is_told_with_its_place(tmp_path):
    with pytest.raises(DataError, match=r"scores.trust.missing"):
        plan_import([_sheet(tmp_path, "-77")], tmp_path / "study", answers={PLACE: "{a: 1}"})
