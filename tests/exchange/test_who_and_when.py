"""Values stay with their person and session, however programs write ids, numbers of sessions and headings."""

import pandas as pd
import pyreadstat
import pytest

from dyadloop.exchange import import_study
from dyadloop.exchange.exports.tables import text_tables
from dyadloop.exchange.guess import _bare
from dyadloop.exchange.vocabulary import person_of_label


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1-11", "11-1", False),
        ("1.1", "11", False),
        ("2_3", "23", False),
        ("1.1", "1.10", False),
        ("1.0", "10", False),
        ("1.0", "1", True),
        ("p 04", "P4", True),
        ("P-04", "P04", True),
        ("01-02", "1-2", True),
        ("A1-2", "a1_2", True),
        ("P0", "P00", True),
    ],
)
def test_ids_are_one_where_nothing_but_their_spelling_differs(one, other, same):
    assert (_bare(one) == _bare(other)) is same


def test_sites_and_numbers_do_not_become_one_person(tmp_path):
    lines = ["code,session,date,phq9"]
    lines += [f"{c},{s},2024-03-{7 * s:02d},{k + s}" for k, c in enumerate(("1-11", "11-1", "2-1")) for s in (1, 2, 3)]
    (tmp_path / "sites.csv").write_text("\n".join(lines))
    study = import_study(tmp_path / "sites.csv", tmp_path / "study", answers={"length_min": "50"}).study
    assert study.dyads == ["1-11", "11-1", "2-1"]
    assert len(study.measurements) == 9


def test_whole_numbers_with_a_point_join_those_without(tmp_path):
    first, second = ["id,session,date,wai"], ["id,session,phq9"]
    for person in (1, 2, 10, 20):
        first += [f"{person},{s},2024-03-{7 * s:02d},3.{s}" for s in (1, 2, 3)]
        second += [f"{person}.0,{s}.0,{person % 9 + s}" for s in (1, 2, 3)]
    (tmp_path / "a.csv").write_text("\n".join(first))
    (tmp_path / "b.csv").write_text("\n".join(second))
    found = import_study([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "study", answers={"length_min": "50"})
    table = text_tables(found.study)["measurements"]
    phq = table[table["indicator"] == "phq9"]
    told = {(d, s): float(v) for d, s, v in zip(phq["dyad"], phq["session"], phq["value"], strict=True)}
    assert told == {(str(p), str(s)): p % 9 + s for p in (1, 2, 10, 20) for s in (1, 2, 3)}


@pytest.mark.parametrize(
    ("label", "person"),
    [
        ("Working alliance, therapist", "therapist"),
        ("WAI rated by the therapist after the session", "therapist"),
        ("Therapeut: WAI-SR", "therapist"),
        ("Allianz (Patientin)", "patient"),
        ("My therapist and I trust each other", None),
        ("Mein Therapeut und ich verstehen uns", None),
        ("The therapist understands me", None),
        ("Agreement of patient and therapist", None),
        ("Depression of the patient, rated by the therapist", "therapist"),
        ("PHQ-9 total", None),
    ],
)
def test_a_label_tells_who_answers_and_not_whom_it_speaks_of(label, person):
    assert person_of_label(label) == person


def test_headings_with_points_and_units_are_keys(tmp_path):
    lines = ["Patient;Sitzung Nr.;Datum;Dauer (Min.);PHQ-9 (vor)"]
    lines += [f"P{p};{s + 2};{7 * s:02d}.03.2024;50;{p + s}" for p in range(1, 6) for s in (1, 2, 3)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    study = import_study(tmp_path / "a.csv", tmp_path / "study").study
    assert list(study.info.indicators) == ["phq_9_vor"]
    assert set(study.sessions["session"]) == {"3", "4", "5"}


def test_what_a_label_says_the_therapist_rated_is_not_given_to_the_patient(tmp_path):
    rows = [
        (f"P{p}", float(s), f"2024-03-{7 * s:02d}", 3.0 + s / 10, 4.0 + p / 10 + s / 20)
        for p in range(1, 6)
        for s in (1, 2, 3)
    ]
    frame = pd.DataFrame(rows, columns=["patient", "session", "date", "V5", "V6"])
    labels = ["Patient", "Session", "Date", "Working alliance, patient", "Working alliance, therapist"]
    pyreadstat.write_sav(frame, str(tmp_path / "v.sav"), column_labels=labels)
    study = import_study(tmp_path / "v.sav", tmp_path / "study", answers={"length_min": "50"}).study
    assert {name: entry.person for name, entry in study.info.indicators.items()} == {"v5": "patient", "v6": "therapist"}
