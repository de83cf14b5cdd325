"""Where headings are bare, labels and questions tell keys, questionnaires, and the time that answers are about."""

import csv

import pandas as pd
import pyreadstat
import pytest

from dyadloop.exchange.importing import plan_import
from dyadloop.exchange.label_words import instrument_in, label_rank, recall_in

ROWS = [(101 + p, 1 + r, s, f"2024-03-{2 + 7 * s:02d}") for p in range(6) for s in range(4) for r in (0, 1)]


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Patient ID", "dyad"),
        ("Dyad number", "dyad"),
        ("Please enter the code of your couple", "dyad"),
        ("Nummer des Paares", None),
        ("Session number", "session"),
        ("Number of the session", "session"),
        ("Nummer der Sitzung", "session"),
        ("Date of session:", "date"),
        ("Datum der Sitzung", "date"),
        ("Length of session (min)", "length_min"),
        ("Dauer der Sitzung in Minuten", "length_min"),
        ("How satisfied were you with the number of sessions?", None),
        ("Trust in the therapist", None),
        ("My patient and I agree on the code of conduct", None),
    ],
)
def test_a_label_names_a_key_where_it_says_nothing_else(label, key):
    keys = {"dyad": "dyad", "session": "session", "date": "date", "length_min": "length"}
    told = {name for name, own in keys.items() if label_rank("V1", label, own)}
    assert told == ({key} if key else set())


def test_a_heading_that_says_something_counts_more_than_its_label():
    assert label_rank("phq_sum", "Patient ID", "dyad") == 0
    assert label_rank("session_nr", "Patient ID", "dyad") == 0


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Over the last two weeks, how often ...", 14),
        ("In den letzten 2 Wochen: wie oft ...", 14),
        ("Während der vergangenen Woche", 7),
        ("in the past 24 hours", 1),
        ("im letzten Monat", 30),
        ("How was your last session?", None),
        ("the last question", None),
    ],
)
def test_questions_say_what_time_they_ask_about(text, days):
    assert (recall_in(text) or (None,))[0] == days


def test_since_the_last_session_is_no_number_of_days():
    assert recall_in("How have you felt since the last session?") == (None, "since the last session")
    assert recall_in("Seit der letzten Sitzung ...") == (None, "seit der letzten sitzung")


def test_a_label_names_a_questionnaire_but_not_for_single_items():
    assert instrument_in("Sum of PHQ-9", 22).id == "phq9"
    assert instrument_in("WAI-SR total", 4.5).id == "waisr"
    assert instrument_in("PHQ-9: little interest", 3) is None
    assert instrument_in("PHQ-9 item 3", 22) is None


def test_a_file_of_spss_with_bare_names_needs_no_answer(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["V1", "V2", "V3", "V4"])
    frame["V4"] = pd.to_datetime(frame["V4"]).dt.date
    frame = frame.assign(V5=50, V6=[float(k * 7 % 28) for k in range(len(frame))])
    labels = ["Patient ID", "Who answered", "Session number", "Date of session", "Length of session (min)"]
    labels.append("Sum of PHQ-9, over the last week")
    roles = {"V2": {1: "patient", 2: "therapist"}}
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), column_labels=labels, variable_value_labels=roles)
    plan = plan_import([tmp_path / "a.sav"], tmp_path / "study")
    (table,) = plan.mapping.tables
    assert plan.open == []
    assert (table.dyad, table.role, table.session, table.date, table.length_min) == ("V1", "V2", "V3", "V4", "V5")
    assert plan.reasons["tables.1.dyad"].startswith("its label 'Patient ID'")
    score = table.scores["v6_patient"]
    assert (score.quantity, score.scale, score.recall_days) == ("depression", (0, 27), 7)


def test_questions_of_qualtrics_tell_dyad_and_time(tmp_path):
    rows = [["StartDate", "Status", "Q1", "Q2", "Q3"]]
    rows += [["Start Date", "Response Type", "Dyad number", "Who are you?", "Since the last session, how stressed?"]]
    rows += [[f'{{"ImportId":"x{k}"}}' for k in range(5)]]
    words = {1: "patient", 2: "therapist"}
    rows += [[f"{day} 10:00:00", "0", str(p), words[r], str((p + s) % 7)] for p, r, s, day in ROWS]
    with (tmp_path / "q.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    plan = plan_import([tmp_path / "q.csv"], tmp_path / "study")
    assert plan.mapping.tables[0].dyad == "Q1"
    assert plan.mapping.tables[0].scores["q3_patient"].recall_days is None
    assert "'since the last session'" in plan.reasons["tables.1.scores.q3_patient"]
