"""Out and in again: what is exported is read back as the same study."""

import csv
import hashlib
import json

import pytest

from dyadloop.data import Indicator, StudyInfo, read_study, write_study
from dyadloop.exchange import EXPORTS, export_study, import_study, new_study, write_crate
from dyadloop.exchange.exports.tables import text_tables
from dyadloop.exchange.folder import neutral
from tests.cli.program import dyadloop
from tests.exchange.made import spss


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    return import_study(spss(folder / "wide.sav"), folder / "study", answers={"length_min": "50"}).study


def _values(study):
    table = study.measurements
    keys = zip(table["dyad"], table["session"], table["indicator"], strict=True)
    return dict(zip(keys, table["value"], strict=True))


@pytest.mark.parametrize(
    ("to", "source"), [("bids", "out"), ("spss", "out/study.sav"), ("wide", "out/wide.csv"), ("psychds", "out")]
)
def test_a_study_that_goes_out_comes_back(study, tmp_path, to, source):
    export_study(study, tmp_path / "out", to)
    back = import_study(tmp_path / source, tmp_path / "back").study
    assert _values(back) == _values(study)
    assert back.dyads == study.dyads
    assert back.therapists == study.therapists
    own = ["dyad", "session", "start", "end"]
    assert back.sessions[own].equals(study.sessions[own])
    persons = {name: entry.person for name, entry in back.info.indicators.items()}
    assert persons == {"bdi": "patient", "wai_p": "patient", "wai_t": "therapist"}


@pytest.fixture(scope="module")
def assayed(tmp_path_factory):
    """Two indicators that their names tell nothing of, and concentrations before and after, some beyond a limit."""
    scale = {"person": "patient", "unit": "points", "scale": (1, 5)}
    indicators = {
        "wai_p": Indicator(quantity="trust", recall_days=7, **scale),
        "x1": Indicator(quantity="attachment", reason="one item, " * 30, **(scale | {"person": "therapist"})),
        "saliva": Indicator(quantity="oxytocin", person="patient", unit="pg/ml", transform="log"),
    }
    people, sessions, values = [], [], []
    for k, dyad in enumerate(["D1", "D2", "D3"]):
        people += [{"participant_id": f"{dyad}{who[0]}", "dyad": dyad, "role": who} for who in ("patient", "therapist")]
        for s in (1, 2, 3, 4):
            sessions.append({"dyad": dyad, "session": s, "start": f"2024-03-{7 * s:02d}T10:00:00", "length_min": 50})
            told = [("p", "wai_p", 1 + (k + s) % 5, "after", ""), ("t", "x1", 1 + (k + 2 * s) % 5, "after", "")]
            told += [("p", "saliva", 2.5 + k, "before", "below" if s == 2 else ""), ("p", "saliva", 4 + s, "after", "")]
            for who, name, value, phase, limit in told:
                error = f"{0.01 * s:g}" if name == "saliva" and not limit else ""
                row = {"dyad": dyad, "participant_id": dyad + who, "session": s, "phase": phase, "indicator": name}
                values.append(row | {"time": "", "value": f"{value:g}", "limit": limit, "error": error})
    info = StudyInfo(schema_version=1, name="a", title="Assayed", licence="CC0", simulated=True, indicators=indicators)
    return read_study(write_study(tmp_path_factory.mktemp("assayed") / "study", info, people, sessions, values))


@pytest.mark.parametrize(("to", "source"), [("bids", "out"), ("spss", "out/study.sav"), ("psychds", "out")])
def test_limits_errors_and_what_indicators_are_come_back(assayed, tmp_path, to, source):
    export_study(assayed, tmp_path / "out", to)
    back = import_study(tmp_path / source, tmp_path / "back").study
    columns = ["dyad", "session", "phase", "indicator", "value", "limit", "error"]
    before, after = (text_tables(s)["measurements"][columns].sort_values(columns[:4]) for s in (assayed, back))
    assert after.to_numpy().tolist() == before.to_numpy().tolist()
    kept = ("quantity", "person", "unit", "scale", "transform", "recall_days")
    told = [{n: [getattr(e, key) for key in kept] for n, e in s.info.indicators.items()} for s in (assayed, back)]
    assert told[0] == told[1]


def test_a_long_table_comes_back_with_its_persons_and_phases(assayed, tmp_path):
    """Scales and recall stand in no column of it."""
    export_study(assayed, tmp_path / "out", "long")
    done = import_study(tmp_path / "out" / "long.csv", tmp_path / "back")
    before, after = (text_tables(study)["measurements"] for study in (assayed, done.study))
    columns = ["dyad", "participant_id", "session", "phase", "indicator", "value", "limit", "error"]
    assert sorted(after[columns].to_numpy().tolist()) == sorted(before[columns].to_numpy().tolist())
    kept = ("quantity", "person", "unit", "transform")
    told = [{n: [getattr(e, key) for key in kept] for n, e in s.info.indicators.items()} for s in (assayed, done.study)]
    assert told[0] == told[1]
    assert done.counts[0]["cells"] == done.counts[0]["used"] + done.counts[0]["reported"]


def _sessions(study):
    return {
        (str(dyad), str(number)) for dyad, number in zip(study.sessions["dyad"], study.sessions["session"], strict=True)
    }


def test_long_and_wide_hold_every_value_and_describe_every_column(study, tmp_path):
    for to, name in (("long", "long.csv"), ("wide", "wide.csv")):
        export_study(study, tmp_path / to, to)
        with (tmp_path / to / name).open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        with (tmp_path / to / "data_dictionary.csv").open(newline="") as stream:
            told = {row["column"]: row for row in csv.DictReader(stream)}
        assert list(told) == list(rows[0])
        if to == "long":
            assert len(rows) == len(study.measurements)
            assert {(r["dyad"], r["session"], r["indicator"]): float(r["value"]) for r in rows} == _values(study)
        else:
            assert {(r["dyad"], r["session"]) for r in rows} == _sessions(study)
            assert (told["wai_p"]["lowest"], told["wai_p"]["highest"]) == ("1", "7")


def test_an_spss_file_has_labels(study, tmp_path):
    import pyreadstat

    export_study(study, tmp_path / "out", "spss")
    frame, meta = pyreadstat.read_sav(str(tmp_path / "out" / "study.sav"))
    assert set(zip(frame["dyad"], frame["session"].astype(int).astype(str), strict=True)) == _sessions(study)
    assert meta.column_names_to_labels["bdi"].startswith("bdi: depression of the patient")


def test_bids_as_its_specification_has_it(study, tmp_path):
    """The official validator finds no error in such a folder (docs/import.md); what it asks for is here."""
    files = export_study(study, tmp_path / "out", "bids")
    assert all(file.is_file() for file in files)
    out = tmp_path / "out"
    assert json.loads((out / "dataset_description.json").read_text())["BIDSVersion"]
    people = (out / "participants.tsv").read_text().splitlines()
    assert people[1].startswith("sub-VP01\t")
    assert len({line.split("\t")[0] for line in people}) == len(people) == 21
    beh = out / "sub-VP01" / "ses-1" / "beh" / "sub-VP01_ses-1_task-process_beh.tsv"
    header = beh.read_text().splitlines()[0].split("\t")
    assert set(header) <= set(json.loads((out / "task-process_beh.json").read_text()))


def test_psychds_describes_every_column_of_its_table(study, tmp_path):
    """Its validator asks for a keyword and a value in each name, and every column among the variables measured."""
    files = export_study(study, tmp_path / "out", "psychds")
    told = json.loads(files[0].read_text())
    assert {told["@context"], told["@type"]} == {"https://schema.org/", "Dataset"}
    assert files[1].name == "study-study_data.csv"
    assert files[1].read_text().splitlines()[0].split(",") == [entry["name"] for entry in told["variableMeasured"]]
    assert {e["name"]: e.get("maxValue") for e in told["variableMeasured"]}["wai_p"] == 7


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])
def test_what_looks_like_a_formula_goes_out_as_text(text):
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-2.5", "3", "+4", "a=b", "", "-1e-3", "P-1"])
def test_numbers_and_words_go_out_as_they_are(text):
    assert neutral(text) == text


@pytest.mark.parametrize("template", ["alliance", "recordings", "ema"])
def test_a_template_is_sound_and_can_be_exported(tmp_path, template):
    made = read_study(new_study(tmp_path / "study", template))
    assert made.info.simulated
    for to in EXPORTS:
        assert export_study(made, tmp_path / to, to)


def test_a_result_folder_is_described_by_its_hashes(tmp_path):
    (tmp_path / "claims.csv").write_text("claim\n")
    sums = {"claims.csv": hashlib.sha256(b"claim\n").hexdigest()}
    (tmp_path / "manifest.json").write_text(json.dumps(sums))
    graph = json.loads(write_crate(tmp_path).read_text())["@graph"]
    assert {entry["@id"]: entry.get("sha256") for entry in graph}["claims.csv"] == sums["claims.csv"]
    assert dyadloop("export", tmp_path, "--to", "ro-crate").returncode == 0
    (tmp_path / "claims.csv").write_text("changed\n")
    with pytest.raises(ValueError, match="not the file of the manifest"):
        write_crate(tmp_path)


def test_exports_are_called_right_or_refused(study, tmp_path):
    assert dyadloop("export", study.path, tmp_path / "out", "--to", "codebook").returncode == 0
    assert "| wai_p | alliance |" in (tmp_path / "out" / "codebook.md").read_text()
    assert dyadloop("export", study.path, tmp_path / "out").returncode == 3
    assert dyadloop("export", study.path, "--to", "bids").returncode == 2
    assert dyadloop("export", study.path, tmp_path / "x", "--to", "excel").returncode == 2


@pytest.mark.parametrize(
    ("to", "source"), [("bids", "out"), ("spss", "out/study.sav"), ("wide", "out/wide.csv"), ("psychds", "out")]
)
def test_values_before_and_after_a_session_come_back_at_their_phase(tmp_path, to, source):
    lines = ["patient,session,date,phq9_pre,phq9_post,stress_post"]
    lines += [
        f"P{p},{s},2024-03-{7 * s:02d},{10 + p - s},{8 + p - s},{p + s}.5" for p in range(1, 6) for s in range(1, 5)
    ]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    study = import_study(tmp_path / "pairs.csv", tmp_path / "study", answers={"length_min": "50"}).study
    assert {phase for *_, phase, _ in _rows(study)} == {"before", "after"}
    export_study(study, tmp_path / "out", to)
    answers = {"phase": "after"} if to == "wide" else {}  # the one export whose columns have no wording
    back = import_study(tmp_path / source, tmp_path / "back", answers=answers).study
    assert _rows(back) == _rows(study)


def _rows(study):
    """Return dyad, person, session, indicator, phase and value of every row, in order."""
    table = text_tables(study)["measurements"]
    own = ("dyad", "participant_id", "session", "indicator", "phase", "value")
    return sorted(zip(*(table[name] for name in own), strict=True))
