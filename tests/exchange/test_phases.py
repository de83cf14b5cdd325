"""Before or after the session: told by headings, wordings and questionnaires, asked elsewhere, and never silent."""

import json

import pytest

from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.exchange import import_study, new_study, plan_import
from dyadloop.exchange.exports.tables import text_tables
from dyadloop.exchange.phases import phase_of
from dyadloop.measures import doubts
from tests.cli.program import dyadloop

WEEKS = ("2024-03-01", "2024-03-08", "2024-03-15", "2024-03-22")


def _sheet(tmp_path, names, length=50):
    head = f"code;session;date;length;{';'.join(names)}\n"
    rows = [
        f"P{p};{s};{date};{length};{';'.join(str((p * s + k) % 4 + 1) for k in range(len(names)))}\n"
        for p in range(1, 7)
        for s, date in enumerate(WEEKS, start=1)
    ]
    path = tmp_path / "sheet.csv"
    path.write_text(head + "".join(rows))
    return path


@pytest.mark.parametrize(
    ("names", "indicator"),
    [
        (("phq_pre", "phq_post"), "phq"),
        (("phq9_vor", "phq9_nach"), "phq9"),
        (("post_trust", "pre_trust"), "trust"),
        (("stimmungVor", "stimmungNach"), "stimmung"),
        (("Stress vorher (SUDS)", "Stress nachher (SUDS)"), "stress_suds"),
        (("xyz_pre", "xyz_post"), "xyz"),
    ],
)
def test_columns_before_and_after_are_one_indicator(tmp_path, names, indicator):
    source = _sheet(tmp_path, names)
    plan = plan_import([source], tmp_path / "out")
    scores = plan.mapping.tables[0].scores
    assert {score.indicator for score in scores.values()} == {indicator}
    assert [line for line in plan.text.splitlines() if "indicator:" in line and "guess, to be confirmed" in line]
    made = import_study(source, tmp_path / "out")
    assert list(made.study.info.indicators) == [indicator]
    lines = [line.split("\t") for line in (tmp_path / "out" / "measurements.tsv").read_text().splitlines()]
    head, rows = lines[0], [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert "phase" in head
    first = "before" if {"pre_trust"}.isdisjoint(names) else "after"
    for row in (row for row in rows if row["dyad"] == "P3"):
        k = 0 if row["phase"] == first else 1
        assert float(row["value"]) == (3 * int(row["session"]) + k) % 4 + 1
    assert len(rows) == 48
    assert [(c["cells"], c["used"] + c["reported"]) for c in made.counts] == [(144, 144)]
    assert made.phases[indicator].phase in ("before and after", "after and before")
    again = import_study(source, tmp_path / "out")
    assert (again.news.values, again.news.changed, again.news.gone) == (0, 0, 0)


def test_columns_before_and_after_of_every_session_are_one_indicator(tmp_path):
    """A row per patient, with columns such as phq_pre_t1 and phq_post_t1."""
    names = [f"phq_{side}_t{s}" for s in (1, 2, 3) for side in ("pre", "post")]
    rows = [[f"P{p}", *((p * k) % 20 + 1 for k in range(len(names)))] for p in range(1, 7)]
    source = tmp_path / "wide.csv"
    source.write_text("\n".join(";".join(map(str, row)) for row in [["code", *names], *rows]))
    made = import_study(source, tmp_path / "out", answers={"length_min": "50", "every_days": "7"})
    assert list(made.study.info.indicators) == ["phq"]
    lines = (tmp_path / "out" / "measurements.tsv").read_text().splitlines()
    head, *found = [line.split("\t") for line in lines]
    told = [dict(zip(head, row, strict=True)) for row in found]
    mine = {(row["session"], row["phase"]): float(row["value"]) for row in told if row["dyad"] == "P4"}
    sides = [(str(s), phase) for s in (1, 2, 3) for phase in ("before", "after")]
    assert mine == {side: (4 * k) % 20 + 1 for k, side in enumerate(sides)}


def test_halves_that_are_no_one_measure_stay_apart(tmp_path):
    """One of them alone, three of one name, moments of length 0, or another scale."""
    for names, answers in (
        (("phq_pre", "gad_post"), {}),
        (("phq_pre", "phq_post", "phq_nach"), {}),
        (("phq_pre", "phq_post"), {"length_min": "0"}),
    ):
        plan = plan_import([_sheet(tmp_path, names)], tmp_path / "out", answers=answers)
        assert {score.indicator for score in plan.mapping.tables[0].scores.values()} == {None}


def test_a_mapping_with_two_columns_of_one_phase_is_refused(tmp_path):
    source = _sheet(tmp_path, ("phq_pre", "phq_post"))
    for place, value, words in (("phase", "before", "need a phase each"), ("unit", "sum", "differ in unit")):
        with pytest.raises(DataError, match=words):
            plan_import([source], tmp_path / "out", answers={f"tables.1.scores.phq_post.{place}": value})


@pytest.mark.parametrize(
    ("heading", "label", "phase"),
    [
        ("trust_pre", "", "before"),
        ("post_trust", "", "after"),
        ("Vertrauen nach", "", "after"),
        ("stimmungVor", "", "before"),
        ("trust post2", "", "after"),
        ("WAI-SR patient", "", "after"),
        ("waisrt_t", "", "after"),
        ("SRS", "", "after"),
        ("SEQ depth", "", "after"),
        ("ORS", "", "before"),
        ("OQ-45", "", "before"),
        ("PHQ-9 Summe", "", "before"),
        ("core10", "", "before"),
        ("WAI pre", "", "before"),
        ("q7", "How tense were you before the last session?", "before"),
        ("q8", "Wie war die Stimmung nach der Sitzung?", "after"),
        ("q9", "How close was the alliance?", "after"),
        ("trust", "", "?"),
        ("postcode trust", "", "?"),
        ("pre post trust", "", "?"),
        ("score", "", "?"),
        ("waiting", "", "?"),
    ],
)
def test_what_headings_tell(heading, label, phase):
    found, why = phase_of(heading, label)
    assert found == phase
    assert ("to be confirmed" in why) == (phase != "?")


def test_sheets_and_files_tell_less_than_headings():
    assert phase_of("trust", "", "post session")[0] == "after"
    assert phase_of("trust pre", "", "post session")[0] == "before"


def test_a_guess_is_marked_where_one_looks(tmp_path):
    """In the file, before the import, and in the account of it; none of them calls it told."""
    path, study = _sheet(tmp_path, ["WAI", "PHQ9"]), tmp_path / "study"
    plan = plan_import([path], study)
    assert plan.open == []
    assert "phase: after  # guess, to be confirmed:" in plan.text
    first = dyadloop("import", path, study)
    assert first.returncode == 2
    assert "after the session: wai (guess, to be confirmed" in first.stdout
    done = dyadloop("import", path, study, "--yes", "--json")
    told = json.loads(done.stdout)["phases"]
    assert told["wai"]["phase"] == "after"
    assert told["phq9"]["guess"].startswith("guess, to be confirmed")


def test_values_stand_before_and_after_their_session(tmp_path):
    study = import_study(_sheet(tmp_path, ["WAI", "PHQ9"]), tmp_path / "study").study
    table = study.measurements.merge(study.sessions, on=["dyad", "session"])
    of = {name: rows for name, rows in table.groupby("indicator")}
    assert (of["wai"]["time"] == of["wai"]["end"]).all()
    assert (of["phq9"]["time"] == of["phq9"]["start"]).all()


def test_what_nothing_tells_is_asked_even_with_yes(tmp_path):
    path = _sheet(tmp_path, ["trust", "stress", "age_of_car"])
    asked = dyadloop("import", path, tmp_path / "study", "--yes")
    assert asked.returncode == 2
    assert asked.stderr.count("before or after the session?") == 2, "not of a column that measures nothing"
    one = "tables.1.scores.stress.phase"
    answers = {one: "before", "phase": "after"}
    done = import_study(path, tmp_path / "other", answers=answers)
    assert {name: one.phase for name, one in done.phases.items()} == {"trust": "after", "stress": "before"}
    assert not any(one.guess for one in done.phases.values())


def test_nobody_need_know_it(tmp_path):
    done = import_study(_sheet(tmp_path, ["trust", "stress"]), tmp_path / "study", answers={"phase": "null"})
    (doubt,) = [one for one in done.doubts if one.column == "phase"]
    assert doubt.got.startswith("an empty field for")


def test_moments_have_no_before_and_after(tmp_path):
    path = _sheet(tmp_path, ["trust", "WAI"]).read_text().replace(";length;", ";mood_of_dog;")
    (tmp_path / "prompts.csv").write_text(path)
    plan = plan_import([tmp_path / "prompts.csv"], tmp_path / "study", answers={"length_min": "0"})
    assert plan.open == []
    assert "phase" not in plan.text
    study = import_study(tmp_path / "prompts.csv", tmp_path / "study", answers={"length_min": "0"}).study
    assert not [one for one in doubts(study) if one.column == "phase"]


def test_the_order_of_one_quantity_alone_is_not_doubted(tmp_path):
    done = import_study(_sheet(tmp_path, ["trust"]), tmp_path / "study", answers={"phase": "null"})
    assert not [one for one in done.doubts if one.column == "phase"]


@pytest.mark.parametrize("template", ["alliance", "recordings", "ema"])
def test_templates_say_it_and_name_quantities_of_their_theory(tmp_path, template):
    study = read_study(new_study(tmp_path / "mine", template))
    assert not [one for one in doubts(study) if one.column == "phase"]
    told = dyadloop("check", tmp_path / "mine", "--claims")
    assert "not of the theory" not in told.stdout + told.stderr


def test_the_template_of_the_alliance_is_of_the_theory_alliance(tmp_path):
    info = read_study(new_study(tmp_path / "mine", "alliance")).info
    assert info.theory == "alliance"
    assert [entry.quantity for entry in info.indicators.values()] == ["alliance", "alliance", "symptoms"]


def test_answers_add_to_a_draft_one_call_after_the_other(tmp_path):
    """What earlier calls and hands wrote into the draft stays; nothing calls it edited."""
    path, study = _sheet(tmp_path, ["trust", "stress"]), tmp_path / "study"
    assert dyadloop("import", path, study, "--set", "study.theory=affect").returncode == 2
    assert dyadloop("import", path, study, "--set", "tables.1.scores.trust.phase=after").returncode == 2
    draft = study / "import.yaml"
    draft.write_text(draft.read_text().replace("simulated: false", "simulated: true"))
    done = dyadloop("import", path, study, "--set", "phase=before")
    assert done.returncode == 0, done.stderr
    info = read_study(study).info
    assert (info.theory, info.simulated) == ("affect", True)
    text = draft.read_text()
    assert "phase: after\n" in text
    assert "phase: before\n" in text
    assert "dyad: code  # its heading" in text, "reasons of guesses that stand are kept"
    assert "run the same command again" in text


@pytest.mark.parametrize(("name", "asked"), [("PHQ-9 Summe", 14), ("pss10", 30), ("Stress", None), ("SRS", None)])
def test_how_many_days_an_answer_is_about_comes_from_the_published_form(tmp_path, name, asked):
    source = _sheet(tmp_path, (name,))
    plan = plan_import([source], tmp_path / "out")
    (score,) = plan.mapping.tables[0].scores.values()
    assert score.recall_days == asked
    told = [line for line in plan.text.splitlines() if "recall_days:" in line]
    assert [("guess, to be confirmed" in line) for line in told] == [True] * (asked is not None)
    made = import_study(source, tmp_path / "out", answers={"phase": "before"} if score.phase == "?" else {})
    (indicator,) = made.study.info.indicators.values()
    assert indicator.recall_days == asked


def test_a_total_beside_its_scored_items_is_set_aside(tmp_path):
    head = ";".join(["code", "session", "date", "length", *(f"phq9_{k}" for k in range(1, 10)), "phq9_total"])
    rows = [head]
    for p in range(1, 7):
        for s, date in enumerate(WEEKS, start=1):
            items = [(p * s + k * p) % 4 for k in range(9)]
            rows.append(";".join(map(str, [f"P{p}", s, date, 50, *items, sum(items)])))
    source = tmp_path / "items.csv"
    source.write_text("\n".join(rows) + "\n")
    plan = plan_import([source], tmp_path / "out")
    used = {name: score.use for name, score in plan.mapping.tables[0].scores.items()}
    assert sorted(used.values()) == [False, True]
    assert used["phq9_total"] is False
    assert "count the same answers twice" in plan.text


@pytest.mark.parametrize(("column", "words"), [("time", ("pre", "post")), ("Zeitpunkt", ("vor", "nach"))])
def test_a_row_before_and_a_row_after_each_session_are_one_indicator(tmp_path, column, words):
    """Without a column of sessions such rows are sessions, as an assessment before and after therapy is."""
    lines, told = [f"Patient,Sitzung,Datum,{column},PHQ,mood"], {}
    for p in range(1, 5):
        for s in range(1, 4):
            for k, word in enumerate(words):
                phq, mood = p + 2 * s + 7 * k, "" if k else (p + s) % 5
                lines.append(f"P{p},{s},2024-03-{7 * s:02d},{word},{phq},{mood}")
                told[f"P{p}", str(s), "phq", ("before", "after")[k]] = float(phq)
                told |= {} if k else {(f"P{p}", str(s), "mood", "before"): float(mood)}
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    done = import_study(tmp_path / "a.csv", tmp_path / "study", answers={"length_min": "50"})
    values = text_tables(done.study)["measurements"]
    keys = zip(*(values[name] for name in ("dyad", "session", "indicator", "phase")), strict=True)
    assert dict(zip(keys, values["value"].astype(float), strict=True)) == told
    assert done.counts[0]["cells"] == done.counts[0]["used"]
