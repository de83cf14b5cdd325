"""Items of one questionnaire make one score, whoever answered; of an unknown one they are said to be items."""

import numpy as np

from dyadloop.exchange.importing import import_study, plan_import

RNG = np.random.default_rng(3)


def _file(tmp_path, stems, low, high, more=()):
    names = [f"{stem}_{k}" for stem in stems for k in range(1, 13)]
    lines = [",".join(["dyad", "session", "date", *names, *more])]
    for dyad in range(1, 6):
        for session in range(1, 5):
            answers = RNG.integers(low, high + 1, len(names)).tolist()
            total = [f"{sum(answers[:12]) / 12:.4f}"] * len(more)
            lines.append(",".join(map(str, [dyad, session, f"2024-03-{7 * session:02d}", *answers, *total])))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "a.csv"


def test_items_of_both_persons_make_a_score_of_each(tmp_path):
    path = _file(tmp_path, ["wai_p", "wai_t"], 1, 5, ["wai_p_mean"])
    plan = plan_import([path], tmp_path / "study", answers={"length_min": "50"})
    scores = plan.mapping.tables[0].scores
    items = {n: (s.person, s.instrument, s.items[0], len(s.items)) for n, s in scores.items() if s.items}
    assert items == {
        "wai_p": ("patient", "waisr", "wai_p_1", 12),
        "wai_t": ("therapist", "waisr", "wai_t_1", 12),
    }
    assert not scores["wai_p_mean"].use
    assert "'wai_p' is scored from the items" in plan.reasons["tables.1.scores.wai_p_mean.use"]
    values = import_study([path], tmp_path / "study", answers={"length_min": "50"}).study.measurements
    by = values.pivot_table(index=["dyad", "session"], columns="indicator", values="value")
    np.testing.assert_allclose(by["wai_p"], by["wai_p_mean"], atol=1e-4)  # written with four digits
    assert by["wai_t"].notna().all()


def test_items_of_another_form_stay_apart_and_are_named(tmp_path):
    plan = plan_import([_file(tmp_path, ["wai_p"], 1, 7)], tmp_path / "study", answers={"length_min": "50"})
    scores = plan.mapping.tables[0].scores
    assert list(scores) == [f"wai_p_{k}" for k in range(1, 13)]
    assert "one of 12 columns that look like items of one questionnaire" in plan.reasons["tables.1.scores.wai_p_3"]


def test_a_long_table_of_a_lab_has_an_indicator_for_each_thing_measured(tmp_path):
    lines = ["Patient;Sitzung;Datum;Fragebogen;Wert"]
    told = {}
    for p in range(1, 5):
        for s in range(1, 4):
            for name, value in (("PHQ-9", 3 * p + s), ("WAI-SR", 1 + (p + s) / 4)):
                lines.append(f"P{p};{s};{7 * s:02d}.03.2024;{name};{str(value).replace('.', ',')}")
                told[f"P{p}", str(s), {"PHQ-9": "phq_9", "WAI-SR": "wai_sr"}[name]] = float(value)
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    done = import_study(tmp_path / "a.csv", tmp_path / "study", answers={"length_min": "50"})
    values = done.study.measurements
    keys = zip(values["dyad"], values["session"], values["indicator"], strict=True)
    assert dict(zip(keys, values["value"], strict=True)) == told
    assert {n: e.quantity for n, e in done.study.info.indicators.items()} == {
        "phq_9": "depression",
        "wai_sr": "alliance",
    }
    assert done.counts[0]["cells"] == done.counts[0]["used"]


def test_a_word_that_stays_with_a_patient_is_no_thing_measured(tmp_path):
    lines = ["patient,session,date,measure,score"]
    lines += [
        f"P{p},{s},2024-03-{7 * s:02d},{'CBT' if p % 2 else 'PDT'},{p + 2 * s}" for p in range(1, 7) for s in (1, 2, 3)
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (table,) = plan_import([tmp_path / "a.csv"], tmp_path / "study").mapping.tables
    assert list(table.scores) == ["score"]
    assert table.persons == {"measure": "measure"}


def _survey(tmp_path, low):
    """Nine items as LimeSurvey names those of an array, with its codes of answers."""
    head = "id,submitdate,lastpage,token,startdate," + ",".join(f"PHQ9[SQ00{k}]" for k in range(1, 10))
    rows, sums = [], {}
    for p in range(1, 5):
        for s in range(1, 5):
            answers = [(p * s + k) % 4 for k in range(9)]
            sums[f"u{p}", str(s)] = float(sum(answers))
            day = f"2024-03-{7 * s:02d} 10:00:00"
            rows.append(f"{p}{s},{day},3,u{p},{day}," + ",".join(f"A{low + a}" for a in answers))
    (tmp_path / "a.csv").write_text("\n".join([head, *rows]) + "\n")
    return tmp_path / "a.csv", sums


def test_an_array_of_a_survey_is_a_questionnaire(tmp_path):
    path, sums = _survey(tmp_path, 0)
    values = import_study(path, tmp_path / "study", answers={"length_min": "50"}).study.measurements
    assert dict(zip(zip(values["dyad"], values["session"], strict=True), values["value"], strict=True)) == sums


def test_items_that_are_coded_otherwise_make_no_score(tmp_path):
    """A quarter of the answers is 4 where the key ends at 3: sums of the others would be too high by one per item."""
    path, _ = _survey(tmp_path, 1)
    plan = plan_import([path], tmp_path / "study", answers={"length_min": "50"})
    scores = plan.mapping.tables[0].scores
    assert len(scores) == 9
    assert {score.scale for score in scores.values()} == {None}
    assert "answers go from 1 to 4 where phq9 has 0 to 3: recode them" in plan.reasons["tables.1.scores.phq9_sq001"]
