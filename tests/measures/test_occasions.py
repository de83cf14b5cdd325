"""Samples, answers and games in a study folder: nobody gets another's value, all is accounted for, the screen tells."""

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from dyadloop.cli import app
from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.measures.raw import measure
from tests.measures.assays.test_wells import STANDARDS, _falling
from tests.measures.questionnaires.test_examination import answers

_WELLS = ["plate", "kind", "sample", "signal", "concentration", "dilution", "participant_id", "session", "phase"]


def _folder(root, measures, indicators, tables, dyads=4, sessions=3):
    people = [(f"{role[0]}{d}", f"D{d}", role) for d in range(dyads) for role in ("Patient", "Therapist")]
    people = [(who.upper(), dyad, role.lower()) for who, dyad, role in people]
    calendar = [(f"D{d}", s, 7 * s, 50) for d in range(dyads) for s in range(1, sessions + 1)]
    info = {"schema_version": 1, "name": "own", "title": "SIMULATED", "licence": "CC0-1.0", "simulated": True}
    root.mkdir()
    (root / "study.yaml").write_text(yaml.safe_dump(info | {"indicators": indicators, "measures": measures}))
    tables = tables | {
        "participants.tsv": pd.DataFrame(people, columns=["participant_id", "dyad", "role"]),
        "sessions.tsv": pd.DataFrame(calendar, columns=["dyad", "session", "start", "length_min"]),
    }
    for name, table in tables.items():
        table.to_csv(root / name, sep="\t", index=False)
    return root


def _standards(plate, flat=False, seed=0):
    rng = np.random.default_rng(seed)
    signal = [1.0 if flat else float(_falling(x) * (1 + 0.01 * rng.normal())) for x in np.repeat(STANDARDS, 2)]
    return [
        (plate, "standard", "STD", y, x, "", "", "", "") for x, y in zip(np.repeat(STANDARDS, 2), signal, strict=True)
    ]


def _sample(plate, name, level, person, session, phase="after", wells=2):
    return [(plate, "sample", name, float(_falling(level)), "", 1, person, session, phase)] * wells


def _assay(root, wells):
    table = pd.DataFrame(wells, columns=_WELLS).assign(well=lambda t: t.groupby("plate").cumcount())
    source = {"kind": "assay", "file": "plates.tsv", "matrix": "saliva", "method": "ELISA", "extracted": True}
    indicator = {"quantity": "oxytocin", "person": "patient", "unit": "pg/ml", "transform": "log"}
    return _folder(root, {"ot": source}, {"ot": indicator}, {"plates.tsv": table})


def _values(found):
    rows = found.rows.set_index(["participant_id", "session"])
    return {key: (float(row["value"]), row["plate"]) for key, row in rows.iterrows()}


@pytest.mark.parametrize("seed", range(5))
def test_names_that_start_anew_on_each_plate_stay_with_their_person(tmp_path, seed):
    """Any split of persons over plates, names from SPL1 on each, a curve missing here and there."""
    rng = np.random.default_rng(seed)
    truth = {(f"P{d}", str(s)): float(rng.uniform(30, 400)) for d in range(4) for s in (1, 2, 3)}
    plates = rng.integers(0, 4, len(truth))
    flat = int(rng.integers(0, 4)) if len(set(plates)) > 1 else -1
    wells = [row for p in range(4) for row in _standards(f"pl{p}", p == flat, seed)]
    count = dict.fromkeys(range(4), 0)
    for (person, session), plate in zip(truth, plates.tolist(), strict=True):
        count[plate] += 1
        wells += _sample(f"pl{plate}", f"SPL{count[plate]}", truth[person, session], person, session)
    order = rng.permutation(len(wells))
    found = measure(_assay(tmp_path / "own", [wells[k] for k in order]))
    read = {key for key, plate in zip(truth, plates.tolist(), strict=True) if plate != flat}
    values = _values(found)
    assert set(values) == read
    for key, plate in zip(truth, plates.tolist(), strict=True):
        if key in read:
            assert values[key] == (pytest.approx(truth[key], rel=0.05), f"pl{plate}")
    assert sum(found.record["ot"]["wells"].values()) == len(wells)
    assert found.record["ot"]["wells"].get("no curve", 0) == 2 * (len(truth) - len(read))
    missing = found.status[found.status["status"].str.startswith("no value: no curve")]
    assert len(missing) == len(truth) - len(read)


def test_every_well_of_a_study_has_a_status_and_the_plate_travels(tmp_path):
    wells = [
        *_standards("pl1"), *_standards("pl2", seed=1), *_standards("pl3", flat=True),
        *_sample("pl1", "S1", 40, "P0", "1"), *_sample("pl1", "S2", 60, "P0", "2"), *_sample("pl1", "S3", 0.01, "P0", "3"),
        *_sample("pl1", "S4", 9e4, "P1", "1"), *_sample("pl1", "S5", 30, "T0", "1"), *_sample("pl1", "S6", 30, "P99", "1"),
        *_sample("pl1", "S7", 30, "P1", "9"), *_sample("pl1", "S8", 30, "", ""), *_sample("pl3", "S1", 50, "P1", "2"),
        *_sample("pl2", "S1", 80, "P0", "2"), *_sample("pl2", "S9", 90, "P1", "2"),
    ]  # fmt: skip
    root = _assay(tmp_path / "own", wells)
    found = CliRunner().invoke(app, ["measure", str(root), "--out", str(tmp_path / "f")])
    assert found.exit_code == 0, found.output
    counts = {"standard": 48, "scored": 6, "below": 2, "above": 2, "another role": 2, "unknown id": 4, "unknown session": 2,
              "no curve": 2, "replaced by a re-run": 2}  # fmt: skip
    kept = pd.read_csv(root / "wells_ot.tsv", sep="\t", keep_default_na=False)
    assert kept["status"].value_counts().to_dict() == counts
    assert len(kept) == len(wells)
    assert "70 wells = 48 standard + " in found.stdout
    assert "unknown id 'P99': sample 'S6' of plate 'pl1'" in found.output
    table = read_study(root).measurements.set_index(["participant_id", "session"])
    assert table["plate"].to_dict() == {
        ("P0", "1"): "pl1", ("P0", "2"): "pl2", ("P0", "3"): "pl1", ("P1", "1"): "pl1", ("P1", "2"): "pl2",
    }  # fmt: skip
    assert table.loc[("P0", "2"), "value"] == pytest.approx(80, rel=0.05)  # the later plate counts
    assert table.loc[("P1", "1"), "limit"] == "above"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (("pl1", "S1", 50, "P1", "1"), "sample 'S1' of P1 1 after, of another in row 18"),
        (("pl1", "S2", 50, "P0", "1"), "who has 'S1' \\(row 18\\) on the same plate"),
    ],
)
def test_one_sample_one_person(tmp_path, second, message):
    wells = [*_standards("pl1"), *_sample("pl1", "S1", 40, "P0", "1"), *_sample(*second)]
    with pytest.raises(DataError, match=message) as caught:
        measure(_assay(tmp_path / "own", wells))
    assert caught.value.faults[0].row == 20


def test_a_well_that_names_nobody_belongs_to_its_sample(tmp_path):
    wells = [
        *_standards("pl1"),
        *_sample("pl1", "S1", 40, "", "", "", 1),
        *_sample("pl1", "S1", 40, "P0", "1", "before", 1),
    ]
    found = measure(_assay(tmp_path / "own", wells))
    assert found.rows[["participant_id", "phase", "plate"]].to_numpy().tolist() == [["P0", "before", "pl1"]]
    assert found.record["ot"]["wells"]["scored"] == 2


def _questionnaire(root, table, **options):
    source = {"kind": "questionnaire", "file": "pss10.tsv", "instrument": "pss10"} | options
    indicator = {"quantity": "stress", "person": "patient", "unit": "points"}
    return _folder(root, {"stress": source}, {"stress": indicator}, {"pss10.tsv": table}, 8, 8)


def _answers_of_eight():
    key, table = answers("pss10", people=8)
    items = [c for c in table if c.startswith("pss10")]
    keys = {"participant_id": table["participant_id"], "session": np.tile(np.arange(1, 9), 8)}
    return key, items, pd.DataFrame(keys).join(table[items].astype(int))


def test_items_turned_twice_are_said_on_the_screen(tmp_path):
    key, items, table = _answers_of_eight()
    already = table.assign(**{f"pss10_{k}": 4 - table[f"pss10_{k}"] for k in key.reversed})
    root = _questionnaire(tmp_path / "own", already)
    found = CliRunner().invoke(app, ["measure", str(root), "--out", str(tmp_path / "f")])
    assert "items 4, 5, 7, 8 run against the other 6 (item-rest correlations -0." in found.stdout
    assert "stress: 0 scores of 64" in found.stdout
    assert measure(root).status["status"].str.contains("turned twice").all()
    mended = measure(_questionnaire(tmp_path / "mended", already, turned=True))
    assert mended.rows["value"].astype(float).tolist() == already[items].sum(axis=1).tolist()
    assert mended.status["status"].eq("ok").all()


def test_doubts_about_answers_stand_in_the_status_of_their_score(tmp_path):
    _, items, table = _answers_of_eight()
    table = table.astype({"pss10_2": object})
    table.loc[5, "pss10_2"], table.loc[9, items] = 1.5, 4
    root = _questionnaire(tmp_path / "own", table)
    out = CliRunner().invoke(app, ["measure", str(root), "--out", str(tmp_path / "f")])
    assert "1 score doubtful: 1.5 to item 2: no whole number" in out.stdout
    found = measure(root)
    assert len(found.rows) == 64
    doubtful = found.status[found.status["status"].str.startswith("doubtful")]
    assert doubtful[["dyad", "session"]].to_numpy().tolist() == [["D0", "6"], ["D1", "2"]]
    again = pd.concat([table, table.iloc[[0]]], ignore_index=True)
    with pytest.raises(DataError, match="row 66"):
        measure(_questionnaire(tmp_path / "twice", again))
    with pytest.raises(DataError, match="row 2, column 'participant_id'"):
        measure(_questionnaire(tmp_path / "unknown", table.replace({"participant_id": {"P0": "P99"}})))


def test_games_before_and_after_a_session_are_two_games(tmp_path):
    rows = [
        ("P0", "T0", 1, phase, r, 10, sent, 3, "") for phase, sent in (("before", 2), ("after", 8)) for r in range(3)
    ] + [(f"P{d}", f"T{d}", 1, "before", r, 10, 5 + r, 3, "") for d in (1, 2, 3) for r in range(3)]
    columns = ["trustor", "trustee", "session", "phase", "round", "endowment", "sent", "multiplier", "returned"]
    table = pd.DataFrame(rows, columns=columns)
    source, indicator = (
        {"kind": "trust_game", "file": "trust.tsv"},
        {"quantity": "trust", "person": "patient", "unit": "share"},
    )

    def folder(name, games):
        return _folder(tmp_path / name, {"sent": source}, {"sent": indicator}, {"trust.tsv": games})

    found = measure(folder("own", table)).rows.set_index(["participant_id", "phase"])["value"].astype(float)
    assert found["P0", "before"] == pytest.approx(0.2)
    assert found["P0", "after"] == pytest.approx(0.8)
    per_player = table.loc[table.index.repeat(2)].reset_index(drop=True)
    with pytest.raises(
        DataError, match="row 3, column 'round': 15 times, first got the trustor, trustee, round of row 2 again"
    ):
        measure(folder("wide", per_player))
