"""Each reader on a small file whose cells are known."""

import datetime as dt
import json
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange import import_study, plan_import
from dyadloop.exchange.formats import rds
from dyadloop.exchange.formats.registry import FORMATS, format_of, read_source

ROWS = [
    ["Code", "Sitzung", "Datum", "WAI"],
    ["A", "1", "2024-03-01", "3,5"],
    ["A", "2", "2024-03-08", "4"],
    ["Bö", "1", "", ""],
]


def _table(grid):
    return [list(grid.table.columns), *grid.table.to_numpy().tolist()]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_one_table_in_every_dialect(tmp_path, mark, encoding, end):
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(mark.join(row) for row in ROWS).encode(encoding))
    (grid,) = read_source(path)[1]
    assert _table(grid) == ROWS
    assert grid.rows.tolist() == [2, 3, 4]
    assert grid.cells == 10


def test_quotes_titles_and_the_line_that_excel_puts_first(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('sep=;\nStudy;;\n;;\nCode;"two\nlines";c\nA;"1;2";"say ""so"""\n')
    (grid,) = read_source(path)[1]
    assert _table(grid) == [["Code", "two lines", "c"], ["A", "1;2", 'say "so"']]
    assert [(r.row, r.text, r.cells) for r in grid.remarks] == [(2, "Study", 1)]
    assert grid.rows.tolist() == [6]


def test_rows_that_may_be_shifted_are_not_taken(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,a,b\nP1,3,5,4\nP2,1,2\nP3,1\n")
    (grid,) = read_source(path)[1]
    assert grid.table["id"].tolist() == ["P2"]
    assert [(r.row, r.cells) for r in grid.remarks] == [(2, 4), (4, 2)]
    assert grid.cells == 9
    (filled,) = read_source(path, settings={"fill_short_rows": True})[1]
    assert filled.table["id"].tolist() == ["P2", "P3"]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04abc", "ZIP archive"),
        (b'a;b\n1;"2\n3;4\n', "quotes"),
        (b"a;b\n1;\x00\n", "NUL"),
        (b"1;2\n3;4\n", "no row of headings"),
        (b"a;b\n1;" + b"x" * 120_000 + b"\n", "120000 characters"),
        (b"\x1f\x8b\x08abc", "damaged"),
    ],
)
def test_files_that_are_no_table_are_refused_in_words(tmp_path, raw, told):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=told):
        read_source(path)


def test_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Daten & mehr"
    for row in (["Alliance study"], [], ["Code", "WAI", None, "Datum"], [None, "t1", "t2", None]):
        sheet.append(row)
    sheet.merge_cells("B3:C3")
    sheet.append(["P1", 3.5, 4, dt.datetime(2024, 3, 1)])
    sheet.append(["P2", "=B5+1", True, dt.datetime(2024, 3, 1, 14, 30)])
    sheet.append(["P3", "#DIV/0!", 1e-3, "02.03.2024"])
    sheet["B7"].data_type = "e"
    book.create_sheet("leer")
    book.save(tmp_path / "a.xlsx")
    (grid,) = read_source(tmp_path / "a.xlsx")[1]
    assert _table(grid) == [
        ["Code", "WAI t1", "WAI t2", "Datum"],
        ["P1", "3.5", "4", "2024-03-01"],
        ["P2", "", "1", "2024-03-01T14:30:00"],
        ["P3", "", "0.001", "02.03.2024"],
    ]
    assert grid.rows.tolist() == [5, 6, 7]
    assert [(r.row, r.column, r.text) for r in grid.remarks] == [
        (1, None, "Alliance study"), (6, "WAI t1", "="), (7, "WAI t1", "#DIV/0!"),
    ]  # fmt: skip


def _archive(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"xl/workbook.xml": b"<a>" + b" " * 60_000_000}, "unpacks to"),
        ({"../../etc/x.xml": b"<a/>"}, "with the path"),
        ({"xl/workbook.xml": b'<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>'}, "defines entities"),
        ({"a.txt": b"x"}, "cannot be read"),
    ],
)
def test_bombs_entities_and_paths_that_lead_out_are_refused(tmp_path, parts, told):
    with pytest.raises(DataError, match=told):
        read_source(_archive(tmp_path / "a.xlsx", parts))


def test_spss_and_stata(tmp_path):
    import pyreadstat

    frame = pd.DataFrame(
        {"code": ["P1", "P2"], "wai": [3.5, 99.0], "day": [dt.date(2024, 3, 1), None],
         "at": [dt.datetime(2024, 3, 1, 14, 30), dt.datetime(2204, 1, 1)], "time": [dt.time(14, 5), None]}
    )  # fmt: skip
    pyreadstat.write_sav(
        frame, str(tmp_path / "a.sav"), column_labels=["", "Alliance", "", "", ""],
        variable_value_labels={"wai": {99.0: "keine Angabe"}}, missing_ranges={"wai": [99.0, {"lo": -9, "hi": -1}]},
    )  # fmt: skip
    told = [["P1", "3.5", "2024-03-01", "2024-03-01T14:30:00", "14:05:00"], ["P2", "99", "", "2204-01-01", ""]]
    (grid,) = read_source(tmp_path / "a.sav")[1]
    assert grid.table.to_numpy().tolist() == told
    assert set(grid.missing["wai"]) == {"99", "-9..-1"}
    assert grid.choices["wai"] == {"99": "keine Angabe"}
    assert grid.labels == {"wai": "Alliance"}
    frame["wai"] = [3.5, "a"]
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"), missing_user_values={"wai": ["a"]})
    (grid,) = read_source(tmp_path / "a.dta")[1]
    assert grid.table.to_numpy().tolist()[0] == told[0]
    assert grid.missing == {"wai": ("a",)}


def test_durations_and_leap_seconds_keep_their_meaning(tmp_path):
    """pyreadstat alone would give 04:00 for 100 hours, and the same moment twice, 27 s apart."""
    import pyreadstat

    seconds = pd.DataFrame({"since": [100 * 3600.0, -60.0]})
    pyreadstat.write_sav(seconds, str(tmp_path / "a.sav"), variable_format={"since": "TIME11"})
    assert read_source(tmp_path / "a.sav")[1][0].table["since"].tolist() == ["100:00:00", "-00:01:00"]
    moment = (dt.datetime(2024, 7, 7, 12) - dt.datetime(1960, 1, 1)).total_seconds() * 1000
    frame = pd.DataFrame({"plain": [moment], "counted": [moment + 27_000.0]})
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"), variable_format={"plain": "%tc", "counted": "%tC"})
    assert read_source(tmp_path / "a.dta")[1][0].table.to_numpy().tolist() == [["2024-07-07T12:00:00"] * 2]


def test_a_data_frame_of_r(tmp_path):
    import rdata

    frame = pd.DataFrame({"id": ["A", "B"], "session": [1, 2], "wai": [3.5, np.nan]})
    rdata.write_rds(tmp_path / "a.rds", frame)
    (grid,) = read_source(tmp_path / "a.rds")[1]
    assert _table(grid) == [["id", "session", "wai"], ["A", "1", "3.5"], ["B", "2", ""]]


def test_dates_of_r_beyond_the_calendar_stay_numbers():
    """A year of six digits is a mistake to be seen, no gap."""
    assert rds._dates([19783.0, 9e7, np.nan], None).tolist() == ["2024-03-01", "90000000", ""]
    assert rds._moments([0.0, -5e12, np.inf], None).tolist() == ["1970-01-01T00:00:00Z", "-5000000000000", "inf"]


STAMP = "2024-03-01 10:00:00"


@pytest.mark.parametrize(
    ("kind", "head", "row", "hints"),
    [
        ("limesurvey", "id,submitdate,lastpage,token,trust", "9,1980-01-01 00:00:00,3,u1,4", {"dyad": "token"}),
        ("formr", "session,created,modified,ended,trust", f"XYZ,{STAMP},{STAMP},{STAMP},4", {"dyad": "session", "session": None}),
        ("sema3", "PARTICIPANT_ID,SURVEY_NAME,SCHEDULED_TS,STARTED_TS,trust,trust_RT", f"s1,d,{STAMP},{STAMP},4,900", {"dyad": "PARTICIPANT_ID"}),
        ("mpath", "connectionId,questionListName,timeStampStart,trust", "12,beep,1711000000,4", {"day": "timeStampStart", "unit": "unix_seconds"}),
        ("movisens", "Participant,Trigger,Form,Form_start_date,Form_start_time,trust", "1,t,beep,2024-03-01,10:00:00,4", {"clock": "Form_start_time"}),
        ("movisens", "Participant,Device,Trigger,Trigger_counter,Form,Form_start_date,Form_finish_date,Form_upload_date,Missing,trust", f"1,d,t,1,beep,{STAMP},{STAMP},{STAMP},,4", {"date": "Form_start_date"}),
        ("psychopy", "trials.thisN,key_resp.rt,trust,participant,session,date,expName,psychopyVersion,frameRate", "0,0.4,4,p1,001,2020-05-19_16h20.01.792,stroop,2021.2.3,60", {"dyad": "participant", "session": "session"}),
        ("openesm", "id,day,beep,counter,trust", "1,1,1,1,4", {"dyad": "id", "session": "counter", "length_min": 0}),
        ("otree", "participant.id_in_session,participant.code,participant.label,session.code,app.1.player.trust,app.1.player.id_in_group", "1,dh5m9pd9,P1,s,4,1", {"dyad": "participant.label"}),
    ],
)  # fmt: skip
def test_programs_are_known_by_their_headings(tmp_path, kind, head, row, hints):
    path = tmp_path / "export.csv"
    path.write_text(f"{head}\n{row}\n")
    assert format_of(path).id == kind
    (grid,) = read_source(path)[1]
    assert hints.items() <= grid.hints.items()
    assert not [name for name in grid.hints["not_scores"] if name.endswith("trust")]


def test_answer_codes_of_limesurvey_are_numbers_to_be_confirmed(tmp_path):
    head = "id,submitdate,lastpage,token,startdate,trust,sex,place,WAI[1]"
    rows = [
        f"{k},{STAMP},3,u{1 + k % 3},2024-03-{k:02d} 10:00:00,A{k % 4},{'FM'[k % 2]},{'A1' if k % 2 else 'B2'},AO0{1 + k % 5}"
        for k in range(1, 13)
    ]
    rows[0] = rows[0].replace(",A1,", ",-oth-,", 1)
    (tmp_path / "s.csv").write_text("\n".join([head, *rows]) + "\n")
    plan = plan_import([tmp_path / "s.csv"], tmp_path / "study", answers={"length_min": "50", "phase": "after"})
    (grid,) = plan.grids
    assert grid.column("trust").tolist() == ["-oth-", *(str(k % 4) for k in range(2, 13))]
    assert set(grid.column("place")) == {"A1", "B2"}
    assert "its codes A0 to A3 are read as the numbers in them" in plan.reasons["tables.1.scores.trust"]
    done = import_study([tmp_path / "s.csv"], tmp_path / "study", answers={"length_min": "50", "phase": "after"})
    values = done.study.measurements
    assert values[values["indicator"] == "trust"]["value"].tolist() == [
        float(k % 4) for p in (1, 2, 3) for k in range(1, 13) if 1 + k % 3 == p and k > 1
    ]
    assert values[values["indicator"] == "wai_1"]["value"].nunique() == 5
    assert done.counts[0]["cells"] == done.counts[0]["used"] + done.counts[0]["reported"]
    assert [(r.column, r.text) for r in done.remarks if r.kind == "changed"] == [
        ("trust", "A0 to A3"),
        ("WAI[1]", "AO01 to AO05"),
    ]


def test_prompts_of_openesm_take_their_times_or_ask_for_them(tmp_path):
    """Several prompts a day share the number of the day, so it is no time of its own."""
    prompts = [(p, day, beep, 3 * (day - 1) + beep) for p in (1, 2) for day in (1, 2) for beep in (1, 2, 3)]
    rows = [(*prompt, f"2024-03-0{prompt[1]} 1{prompt[2]}:00:00", prompt[3] % 5) for prompt in prompts]
    for name, columns in (("timed", slice(0, 6)), ("bare", slice(0, 4))):
        head = ["id", "day", "beep", "counter", "sent", "stress"]
        kept = [head[columns] + (["stress"] if name == "bare" else [])]
        kept += [[*row[columns], *([row[5]] if name == "bare" else [])] for row in rows]
        (tmp_path / f"0001_{name}_ts.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in kept))
    made = import_study(tmp_path / "0001_timed_ts.tsv", tmp_path / "timed")
    assert (made.news.sessions, made.news.values) == (12, 12)
    plan = plan_import([tmp_path / "0001_bare_ts.tsv"], tmp_path / "bare")
    assert [place for place, _ in plan.open] == ["tables.1.every_days"]
    made = import_study(tmp_path / "0001_bare_ts.tsv", tmp_path / "bare", answers={"every_days": "0.2"})
    assert (made.news.sessions, made.news.values) == (12, 12)
    assert made.counts[0]["by_kind"] == {"not mapped": 24}


def test_expiwell_numbers_its_words(tmp_path):
    """Four rows of headings; a column with a word that no choice numbers stays as it is; previews are listed."""
    head = [
        ["", "", "", "{{Q://Q1/ChoiceTextEntryValue}}", "{{Q://Q2/ChoiceTextEntryValue}}"],
        ["", "", "", "How close?", "With whom?"],
        ["", "", "", "Single selection", "Text"],
        ["Start Date", "Participant ID", "Choices", "[ 1 = 'not, 'really'' 2 = '+3 (very much)' ]", ""],
    ]
    body = [
        ["03/14/2024 02:15PM", "P1", "Participant 1", "+3 (very much)", "a friend"],
        ["03/15/2024 09:00AM", "P1", "Preview Response", "", "x"],
    ]
    path = tmp_path / "e.csv"
    path.write_text(
        "\n".join(",".join('"' + part.replace('"', '""') + '"' for part in row) for row in [*head, *body]) + "\n"
    )
    assert format_of(path).id == "expiwell"
    (grid,) = read_source(path)[1]
    assert _table(grid) == [
        ["Start Date", "Participant ID", "Participant label", "Q1", "Q2"],
        ["03/14/2024 02:15PM", "P1", "Participant 1", "2", "a friend"],
    ]
    assert grid.labels["Q1"] == "How close?"
    assert (grid.hints["dyad"], grid.hints["date"]) == ("Participant ID", "Start Date")
    assert [(r.row, r.cells) for r in grid.remarks] == [(6, 4)]


def test_rounds_of_otree_are_sessions_and_group_fields_do_not_repeat(tmp_path):
    names = ["participant.id_in_session", "participant.code", "participant.label", "session.code"]
    names += [f"trust.{k}.{field}" for k in (1, 2, 3) for field in ("player.sure", "player.payoff", "group.sent")]
    rows = [[str(p), f"c{p}", f"P{p}", "s", *(str(v) for k in (1, 2, 3) for v in (p + k, 9, 7))] for p in range(1, 7)]
    path = tmp_path / "all_apps_wide.csv"
    path.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    done = import_study([path], tmp_path / "study", answers={"every_days": "0.001"})
    values = done.study.measurements
    assert sorted(values["value"]) == sorted(float(p + k) for p in range(1, 7) for k in (1, 2, 3))
    assert set(values["indicator"]) == {"sure"}
    assert done.counts[0]["cells"] == done.counts[0]["used"] + done.counts[0]["reported"]


def _pairs_of_otree(path, moved=False):
    """Eight players of two sessions in pairs; both sessions number their groups from 1."""
    names = ["participant.id_in_session", "participant.code", "participant.label", "session.code"]
    fields = ("player.sure", "player.id_in_group", "group.id_in_subsession", "group.sent")
    names += [f"trust.{k}.{field}" for k in (1, 2, 3) for field in fields]
    rows = []
    for p in range(8):
        groups = [1 + p % 4 // 2 if k < 3 or not moved else 1 + p % 2 for k in (1, 2, 3)]
        own = [str(v) for k in (1, 2, 3) for v in (p + k, 1 + p % 2, groups[k - 1], 7)]
        rows.append([str(1 + p % 4), f"c{p}", "", "ab" if p < 4 else "cd", *own])
    path.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    return path


def test_pairs_of_players_of_otree_are_dyads(tmp_path):
    path = _pairs_of_otree(tmp_path / "all_apps_wide.csv")
    done = import_study([path], tmp_path / "study", answers={"every_days": "0.001"})
    assert done.study.dyads == ["ab-1", "ab-2", "cd-1", "cd-2"]
    people = done.study.participants.set_index("participant_id")
    assert people.loc["c3", ["dyad", "role"]].tolist() == ["ab-2", "partner"]
    values = done.study.measurements
    assert {
        (p, s, v) for p, s, v in zip(values["participant_id"], values["session"], values["value"], strict=True)
    } == {(f"c{p}", str(k), float(p + k)) for p in range(8) for k in (1, 2, 3)}
    assert done.counts[0]["cells"] == done.counts[0]["used"] + done.counts[0]["reported"]
    moved = _pairs_of_otree(tmp_path / "moved.csv", moved=True)
    assert plan_import([moved], tmp_path / "other").mapping.tables[0].dyad == "participant.code"


def test_a_pair_of_otree_that_plays_once_has_one_session(tmp_path):
    """The two begin seconds apart; who is whom stands in the field of roles."""
    names = ["participant.id_in_session", "participant.code", "session.code", "participant.time_started_utc"]
    names += [
        f"trust.1.{field}" for field in ("player.id_in_group", "player.role", "player.sure", "group.id_in_subsession")
    ]
    rows = [
        [str(p), f"c{p}", "s", f"{STAMP[:-1]}{p}", str(1 + p % 2), ("Therapist", "Patient")[p % 2], str(p), str(p // 2)]
        for p in range(2, 10)
    ]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    study = import_study([tmp_path / "a.csv"], tmp_path / "study").study
    assert len(study.sessions) == 4
    values = study.measurements
    assert sorted(zip(values["participant_id"], values["value"], strict=True)) == [
        (f"c{p}", float(p)) for p in range(2, 10)
    ]
    roles = dict(zip(study.participants["participant_id"], study.participants["role"], strict=True))
    assert roles == {f"c{p}": ("therapist", "patient")[p % 2] for p in range(2, 10)}


def test_qualtrics_has_three_rows_of_headings_and_previews(tmp_path):
    names = ["StartDate", "Status", "ExternalReference", "Q1"]
    head = [
        names,
        ["Start Date", "Response Type", "External", "How much trust?"],
        [json.dumps({"ImportId": n}) for n in names],
    ]
    body = [[STAMP, "Survey Preview", "", "7"], [STAMP, "IP Address", "P1", "5"]]
    lines = [",".join('"' + part.replace('"', '""') + '"' for part in row) for row in [*head, *body]]
    path = tmp_path / "q.csv"
    path.write_text("\n".join(lines) + "\n")
    assert format_of(path).id == "qualtrics"
    (grid,) = read_source(path)[1]
    assert _table(grid) == [names, [STAMP, "IP Address", "P1", "5"]]
    assert grid.labels["Q1"] == "How much trust?"
    assert [(r.row, r.cells) for r in grid.remarks] == [(4, 3)]


def test_piel_writes_three_lines_per_run(tmp_path):
    run = f"Start time,End time,1,2\n{STAMP},{STAMP},3,\nx,y,{STAMP},\n"
    path = tmp_path / "p.csv"
    path.write_text(
        f"Moods,install\nAuthor\nS07\n\n{run}Start time,End time,1,3\n{STAMP},{STAMP},5,2\n,,{STAMP},{STAMP}\n"
    )
    assert format_of(path).id == "piel"
    (grid,) = read_source(path)[1]
    assert grid.table[["Subject ID", "q1", "q2", "q3"]].to_numpy().tolist() == [
        ["S07", "3", "", ""],
        ["S07", "5", "", "2"],
    ]
    assert grid.cells == grid.filled.sum() + 2 + 1 + 3 + 2


def test_every_format_says_what_it_reads_and_what_not():
    for entry in FORMATS.values():
        assert entry.reads, entry.id
        assert entry.leaves, entry.id
        assert entry.truth, entry.id
        assert entry.endings or entry.recognises, entry.id


def test_trials_of_psychopy_are_averaged_and_all_their_cells_are_used(tmp_path):
    head = "trials.thisN,trust,stress,participant,session,date,expName,psychopyVersion"
    rows = [
        f"{k},{4 + k % 3},{1 + s},{p},00{s},2020-05-{s:02d}_16h20.01.792,x,2021.2.3"
        for p in ("p1", "p2", "p3") for s in (1, 2, 3) for k in range(6)
    ]  # fmt: skip
    (tmp_path / "export.csv").write_text("\n".join([head, *rows]) + "\n")
    made = import_study(tmp_path / "export.csv", tmp_path / "study", answers={"length_min": "0"})
    values = made.study.measurements
    found = {name: sorted(set(part["value"])) for name, part in values.groupby("indicator")}
    assert found == {"stress": [2.0, 3.0, 4.0], "trust": [5.0]}
    assert len(values) == 2 * 9
    (count,) = made.counts
    assert count["cells"] == count["used"] + count["reported"]
    assert set(count["by_kind"]) == {"not mapped"}
    assert {r.why for r in made.remarks if r.column == "trust"} == {"the mean of 6 values: 5"}


def test_a_mean_with_a_value_beyond_a_limit_is_none(tmp_path):
    (tmp_path / "a.csv").write_text(
        "client,session,date,oxytocin\n"
        + "".join(f"P{p},{s},2024-03-0{s},{v}\n" for p in (1, 2, 3) for s in (1, 2, 3) for v in ("<2", "8"))
        + "P4,1,2024-03-01,3\nP4,1,2024-03-01,5\n"
    )
    answers = {"length_min": "50", "twice": "mean", "phase": "after", "tables.1.scores.oxytocin.unit": "pg/ml"}
    made = import_study(tmp_path / "a.csv", tmp_path / "study", answers=answers)
    assert made.study.measurements["value"].tolist() == [4.0]
    assert made.counts[0]["by_kind"]["conflict"] == 18
