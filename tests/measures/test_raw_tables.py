"""Raw tables of a study: every row is scored, refused in its place, or accounted for."""

import pytest

from dyadloop.errors import DataError
from dyadloop.measures.raw import measure

STUDY = """\
schema_version: 1
name: answers
title: A made-up study for tests
licence: CC0-1.0
simulated: true
indicators:
  phq: {quantity: depression, person: patient, unit: points}
measures:
  phq: {kind: questionnaire, file: phenotype/phq9.tsv, instrument: phq9}
"""
ITEMS = [f"phq9_{i}" for i in range(1, 10)]
ANSWERS = [
    ("T01", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "-"),
    ("P01", 1, 0, 0, 3, 1, 2, 2, 2, 0, 1, "-"),
    ("P01", 2, 0, 1, 3, 2, 0, 2, 0, 3, 3, '"rather not say"'),
    ("P01", 3, 3, 2, 3, 1, 0, 2, 1, 2, 3, "-"),
    ("P02", 1, 1, 3, 0, 1, 3, 0, 2, 1, 2, "-"),
    ("P02", 2, 3, 3, 3, 2, 3, 3, 0, 0, 1, "-"),
    ("P02", 3, 2, 3, 1, 3, 1, 3, 2, 2, 0, "-"),
]
SUMS = [11, 14, 17, 13, 18, 17]


@pytest.fixture
def study(tmp_path):
    root = tmp_path / "answers"
    (root / "phenotype").mkdir(parents=True)
    (root / "study.yaml").write_text(STUDY)
    people = [
        ("P01", "D01", "patient"),
        ("T01", "D01", "therapist"),
        ("P02", "D02", "patient"),
        ("T02", "D02", "therapist"),
    ]
    _write(root / "participants.tsv", [("participant_id", "dyad", "role"), *people])
    sessions = [(f"D0{d}", s, f"2024-03-{7 * s + d:02}T10:00:00", 50) for d in (1, 2) for s in (1, 2, 3)]
    _write(root / "sessions.tsv", [("dyad", "session", "start", "length_min"), *sessions])
    _answers(root, ANSWERS)
    return root


def _write(path, rows, delimiter="\t"):
    path.write_text("".join(delimiter.join(map(str, row)) + "\n" for row in rows))


def _answers(root, rows, more=(), delimiter="\t"):
    _write(root / "phenotype" / "phq9.tsv", [("participant_id", "session", *ITEMS, "remark", *more), *rows], delimiter)


def _sums(root):
    found = measure(root)
    assert set(found.rows["participant_id"]) == {"P01", "P02"}
    return found.rows["value"].astype(float).tolist()


def _faults(root):
    with pytest.raises(DataError) as caught:
        measure(root)
    return [(fault.file, fault.row, fault.column) for fault in caught.value.faults]


def test_every_row_is_scored(study):
    assert _sums(study) == SUMS
    assert (measure(study).status["status"] == "ok").all()


def test_an_open_quote_swallows_no_row(study):
    rows = [list(row) for row in ANSWERS]
    rows[2][-1] = rows[4][-1] = '"rather not say'
    _answers(study, rows)
    assert _faults(study) == [("phenotype/phq9.tsv", 4, "remark"), ("phenotype/phq9.tsv", 6, "remark")]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_other_delimiters_are_the_same_answers(study, delimiter):
    _answers(study, ANSWERS, delimiter=delimiter)
    assert _sums(study) == SUMS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_the_same_answers(study, encoding):
    path = study / "phenotype" / "phq9.tsv"
    path.write_bytes(path.read_text().replace("rather", "früher").encode(encoding))
    assert _sums(study) == SUMS


def test_an_index_and_columns_of_text_do_no_harm(study):
    path = study / "phenotype" / "phq9.tsv"
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{k - 1 if k else ''}\t{line}\t{'x' if k else 'flag'}\n" for k, line in enumerate(lines)))
    assert _sums(study) == SUMS


def test_faults_stand_in_their_row_though_others_are_left_out(study):
    """The therapist's row comes first and is not scored; lines are those of the file."""
    rows = [list(row) for row in ANSWERS]
    rows[3][4] = 7
    _answers(study, rows)
    assert _faults(study) == [("phenotype/phq9.tsv", 5, "phq9_3")]
    rows[3][4], rows[3][1] = 3, 9
    _answers(study, rows)
    assert _faults(study) == [("phenotype/phq9.tsv", 5, "session")]


def test_an_unknown_person_is_not_passed_over(study):
    rows = [list(row) for row in ANSWERS]
    rows[5][0] = "P2"
    _answers(study, rows)
    assert _faults(study) == [("phenotype/phq9.tsv", 7, "participant_id")]


def test_two_rows_of_one_moment_are_refused(study):
    _answers(study, [*ANSWERS, ANSWERS[2], ANSWERS[1]])
    assert _faults(study) == [("phenotype/phq9.tsv", 9, "participant_id"), ("phenotype/phq9.tsv", 10, "participant_id")]
    told_apart = [(*row, "before" if k < 7 else "after") for k, row in enumerate([*ANSWERS, ANSWERS[2]])]
    _answers(study, told_apart, ["phase"])
    assert len(measure(study).rows) == 7


def test_sessions_that_the_table_does_not_mention_are_listed(study):
    _answers(study, ANSWERS[:-2])
    status = measure(study).status.set_index(["dyad", "session"])["status"]
    assert status["D02", "2"] == status["D02", "3"] == "no row of the patient in phenotype/phq9.tsv"
    assert (status == "ok").sum() == 4


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("1710064800", "seconds since 1970"),
        ("10.5", "days"),
        ("10.03.2024", "day and month"),
        ("2024-03-10T10:00Z", "zone"),
    ],
)
def test_times_of_raw_tables_follow_the_clock_of_the_study(study, time, words):
    good = [(*row, f"2024-03-{20 + k}T10:00:00") for k, row in enumerate(ANSWERS)]
    _answers(study, good, ["time"])
    assert _sums(study) == SUMS
    bad = [(*row[:-1], time) if k == 3 else row for k, row in enumerate(good)]
    _answers(study, bad, ["time"])
    with pytest.raises(DataError, match=words):
        measure(study)
    assert _faults(study) == [("phenotype/phq9.tsv", 5, "time")]


def test_what_is_doubtful_in_a_raw_table_is_noted(study):
    path = study / "phenotype" / "phq9.tsv"
    assert "notes" not in measure(study).record["phq"]
    path.write_text(path.read_text()[:-1])
    assert "no line end" in measure(study).record["phq"]["notes"]["phenotype/phq9.tsv"][0]
    rows = [list(row) for row in ANSWERS]
    for k in range(len(rows) - 1, 0, -1):
        rows[k][5] = rows[k - 1][5]
    rows[0][5] = ""
    _answers(study, rows)
    assert "slipped by a row" in measure(study).record["phq"]["notes"]["phenotype/phq9.tsv"][0]


@pytest.mark.parametrize("missing", [[99], ["99"], [-77, 99], ["k.A.", 99.0]])
def test_declared_codes_stand_for_no_answer(study, missing):
    """A code is a gap of its item, never a key; without the declaration it is a fault that names the remedy."""
    path = study / "phenotype" / "phq9.tsv"
    lines = path.read_text().splitlines()
    fields = lines[2].split("\t")  # of a patient
    fields[3] = "99"
    path.write_text("\n".join([*lines[:2], "\t".join(fields), *lines[3:]]) + "\n")
    with pytest.raises(DataError, match=r"or declare `missing: \[99\]` beside `instrument`"):
        measure(study)
    yaml = study / "study.yaml"
    yaml.write_text(yaml.read_text().replace("instrument: phq9", f"instrument: phq9, missing: {missing}"))
    found = measure(study)
    assert len(found.rows) == len(SUMS)
    assert "1 entries stand for no answer, as `missing` says" in str(found.record)
