"""A study folder of raw files to rows with errors, statuses and provenance; the commands that do it."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from dyadloop.cli import app
from dyadloop.data import read_study
from dyadloop.errors import DataError, MeasureError
from dyadloop.inference.problem import build_problem
from dyadloop.measures.raw import measure
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import framework
from tests.conftest import ROOT
from tests.measures.conftest import follower

_DYADS, _SESSIONS = 8, 4


def _info():
    rating = {"person": "patient", "unit": "points"}
    return {
        "schema_version": 1, "name": "raw", "title": "A made-up study for tests", "licence": "CC0-1.0", "simulated": True,
        "indicators": {
            "sync": {"quantity": "synchrony", "person": "patient", "unit": "SD of the null"},
            "trust": {"quantity": "trust", **rating}, "ot": {"quantity": "oxytocin", "person": "patient", "unit": "pg/ml", "transform": "log"},
            "sent": {"quantity": "trust", **rating}, "felt": {"quantity": "empathy", "person": "therapist", "unit": "z"},
        },
        "measures": {
            "sync": {"kind": "synchrony", "files": "recordings/{dyad}_{session}.csv", "fs": 10, "settings": {"window": 20, "step": 10, "lag": 2},
                     "surrogate": "between", "value": "effect"},
            "trust": {"kind": "questionnaire", "file": "phenotype/waisr.tsv", "instrument": "waisr", "scale": "bond"},
            "ot": {"kind": "assay", "file": "assays/plates.tsv", "matrix": "saliva", "method": "ELISA", "extracted": True},
            "sent": {"kind": "trust_game", "file": "games/trust.tsv"},
            "felt": {"kind": "empathic_accuracy", "files": "recordings/rate_{dyad}_{session}.csv", "target": "target", "perceiver": "guess", "fs": 1},
        },
    }  # fmt: skip


@pytest.fixture
def study(tmp_path):
    rng, root = np.random.default_rng(0), tmp_path / "raw"
    for folder in ("recordings", "phenotype", "assays", "games"):
        (root / folder).mkdir(parents=True)
    (root / "study.yaml").write_text(yaml.safe_dump(_info(), sort_keys=False))
    people, sessions, answers, games, wells = [], [], [], [], []
    for level in np.repeat([1, 3, 10, 30, 100, 300.0], 2):
        signal = (0.1 + 1.9 / (1 + (level / 50) ** 1.1)) * (1 + 0.02 * rng.normal())
        wells.append(("p1", "standard", f"s{level:g}", signal, level, "", "", "", ""))
    for d in range(_DYADS):
        people += [(f"P{d}", f"D{d}", "patient"), (f"T{d}", f"D{d}", "therapist")]
        for s in range(1, _SESSIONS + 1):
            sessions.append((f"D{d}", s, 7 * s + 0.1 * d, 50))
            pair = pd.DataFrame(
                np.column_stack(follower(n=900, delay=3, noise=1.0, seed=10 * d + s)), columns=["patient", "therapist"]
            )
            pair.to_csv(root / "recordings" / f"D{d}_{s}.csv", index=False)
            target = np.repeat(rng.normal(size=30), 5)
            rated = pd.DataFrame({"target": target, "guess": target + rng.normal(size=150)})
            rated.to_csv(root / "recordings" / f"rate_D{d}_{s}.csv", index=False)
            mood = rng.normal()
            answers.append((f"P{d}", s, *np.clip(np.round(3 + mood + rng.normal(size=12)), 1, 5).astype(int)))
            games += [(s, f"P{d}", f"T{d}", r, 10, int(rng.integers(0, 11)), 3, "") for r in range(4)]
            for phase in ("before", "after"):
                level = 0.1 if (d, s, phase) == (0, 1, "before") else float(np.exp(rng.normal(3, 0.5)))
                for _ in range(2):
                    signal = (0.1 + 1.9 / (1 + (level / 50) ** 1.1)) * (1 + 0.02 * rng.normal())
                    wells.append(("p1", "sample", f"P{d}-{s}-{phase}", signal, "", 1, f"P{d}", s, phase))
    tables = {
        "participants.tsv": (people, ["participant_id", "dyad", "role"]),
        "sessions.tsv": (sessions, ["dyad", "session", "start", "length_min"]),
        "phenotype/waisr.tsv": (answers, ["participant_id", "session", *[f"waisr_{i}" for i in range(1, 13)]]),
        "games/trust.tsv": (games, ["session", "trustor", "trustee", "round", "endowment", "sent", "multiplier", "returned"]),
        "assays/plates.tsv": (
            wells, ["plate", "kind", "sample", "signal", "concentration", "dilution", "participant_id", "session", "phase"],
        ),
    }  # fmt: skip
    for name, (rows, columns) in tables.items():
        pd.DataFrame(rows, columns=columns).to_csv(root / name, sep="\t", index=False)
    return root


def test_every_kind_gives_rows_with_errors(study):
    found = measure(study)
    counts = found.rows["indicator"].value_counts().to_dict()
    whole = _DYADS * _SESSIONS
    assert counts == {"sync": whole, "trust": whole, "ot": 2 * whole, "sent": whole, "felt": whole}
    assert (found.status["status"] == "ok").all()
    rows = found.rows.set_index("indicator")
    assert (rows.loc["sync", "error"] == "1").all()
    for name in ("trust", "sent", "felt"):
        assert (rows.loc[name, "error"].astype(float) > 0).all(), name
    limited = found.rows[found.rows["limit"] == "below"]
    assert limited[["participant_id", "session", "phase"]].to_numpy().tolist() == [["P0", "1", "before"]]
    assert found.rows[found.rows["indicator"] == "felt"]["participant_id"].str.startswith("T").all()
    record = found.record
    assert record["sync"]["group_p_value"] < 0.05
    assert record["sync"]["sign"].startswith("positive lag")
    assert record["trust"]["reliability"]["alpha"] > 0.5
    assert record["trust"]["error_from"] == "alpha of changes within persons, in this study"
    assert record["ot"]["assay_class"]["extracted"] is True
    assert len(record["sync"]["files"]) == whole


def test_the_command_writes_what_a_fit_can_use(study, tmp_path, monkeypatch):
    monkeypatch.setattr("dyadloop.measures.raw._MOST_TRACES", 1)
    runner = CliRunner()
    out = runner.invoke(app, ["measure", str(study), "--out", str(tmp_path / "figures"), "--quiet"])
    assert out.exit_code == 0, out.output
    assert "sync: 32 scores of 32" in out.output
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"status.svg", "sync.svg", "sync", "ot.svg"}
    assert len(list((tmp_path / "figures" / "sync").iterdir())) == 1
    record = json.loads((study / "measures.json").read_text())
    assert set(record) == {"sync", "trust", "ot", "sent", "felt"}
    text = (study / "measurements.tsv").read_text()
    kept = text.replace("D0\tP0\t1\t\tbefore\tot\t", "D0\tP0\t1\t\tbefore\tot\t", 1)
    again = runner.invoke(app, ["measure", str(study), "--out", str(tmp_path / "figures"), "--quiet"])
    assert again.exit_code == 0
    assert (study / "measurements.tsv").read_text() == kept  # the same files give the same rows, none twice
    info = yaml.safe_load((study / "study.yaml").read_text())
    info["indicators"]["ot"]["use"] = False  # one value lies below its limit
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    scores = scale_scores(read_study(study))
    errors = scores["error"].sel(indicator="trust").values
    assert np.isfinite(errors[np.isfinite(scores["score"].sel(indicator="trust").values)]).all()
    problem = build_problem(scores, framework())
    place = problem.observed.indicators.index("trust")
    assert float(problem.panel.known_variance[..., place].max()) > 0
    assert problem.priors.loc["error_trust", "location"] == 0.2


def test_other_rows_stay_and_a_dry_run_writes_nothing(study, tmp_path, monkeypatch):
    monkeypatch.setattr("dyadloop.measures.raw._MOST_TRACES", 0)
    info = _info()
    info["indicators"]["diary"] = {"quantity": "stress", "person": "patient", "unit": "points"}
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    header = "dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit\n"
    (study / "measurements.tsv").write_text(header + "D0\tP0\t1\t\tbefore\tdiary\t4\t\n")
    runner = CliRunner()
    dry = runner.invoke(app, ["measure", str(study), "--dry-run", "--json", "--out", str(tmp_path / "f")])
    assert dry.exit_code == 0
    assert (study / "measurements.tsv").read_text().count("\n") == 2
    assert not (study / "measures.json").exists()
    runner.invoke(app, ["measure", str(study), "--out", str(tmp_path / "f")])
    found = read_study(study).measurements
    assert (found["indicator"] == "diary").sum() == 1
    assert len(found) == 1 + 6 * _DYADS * _SESSIONS


def test_a_bad_recording_stops_no_other(study):
    (study / "recordings" / "D0_1.csv").write_text("patient,therapist\n1,2\nx,3\n")
    (study / "recordings" / "D1_1.csv").unlink()
    pd.DataFrame({"patient": [1.0] * 900, "therapist": range(900)}).to_csv(
        study / "recordings" / "D2_1.csv", index=False
    )
    found = measure(study).status.query("indicator == 'sync'").set_index(["dyad", "session"])["status"]
    assert "row 3, column 'patient'" in found["D0", "1"]
    assert found["D1", "1"] == "no recording"
    assert "never varies" in found["D2", "1"]
    assert (found == "ok").sum() == _DYADS * _SESSIONS - 3


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda info: info.pop("measures"), DataError, "at least one source"),
        (lambda info: info["measures"].update(nothing=info["measures"]["trust"]), DataError, "nothing is no indicator"),
        (lambda info: info["measures"]["trust"].update(kind="magic"), DataError, "kind"),
    ],
)
def test_bad_declarations(study, change, error, message):
    info = _info()
    change(info)
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    with pytest.raises(error, match=message):
        measure(study)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda info: info["measures"]["trust"].update(instrument="nothing"), MeasureError, "shipped"),
        (lambda info: info["measures"]["trust"].update(scale="nothing"), MeasureError, "no scale 'nothing'"),
        (lambda info: info["measures"]["trust"].update(file="../other.tsv"), MeasureError, "outside the study folder"),
        (lambda info: info["measures"]["trust"].update(file="phenotype/x.tsv"), MeasureError, "no such file"),
        (lambda info: info["measures"]["sync"].update(files="recordings/x_{dyad}.csv"), MeasureError, "no file fits"),
    ],
)
def test_a_source_that_cannot_be_used_stops_no_other(study, change, error, message):
    info = _info()
    change(info)
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    found = measure(study)
    ((name, why),) = found.failed.items()
    assert isinstance(why, error)
    assert message in str(why)
    assert set(found.rows["indicator"]) == set(info["measures"]) - {name}
    (status,) = found.status[found.status["indicator"] == name].to_dict("records")
    assert (status["dyad"], status["session"]) == ("", "")
    assert status["status"].startswith("no score: ")
    info["measures"] = {name: info["measures"][name]}
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    with pytest.raises(error, match=message):
        measure(study)


def test_where_no_source_can_be_used_all_faults_are_told(study):
    info = _info()
    info["measures"] = {name: entry for name, entry in info["measures"].items() if name in ("trust", "sync")}
    info["measures"]["trust"]["instrument"] = "nothing"
    info["measures"]["sync"]["files"] = "recordings/x_{dyad}.csv"
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    with pytest.raises(DataError) as caught:
        measure(study)
    assert [fault.column for fault in caught.value.faults] == ["measures.sync", "measures.trust"]


def test_unknown_persons_and_sessions_are_faults(study):
    path = study / "phenotype" / "waisr.tsv"
    path.write_text(path.read_text().replace("P0\t1\t", "P0\t9\t", 1))
    assert "'9' of dyad 'D0'" in str(measure(study).failed["trust"])


def test_devices_with_their_own_clock_are_brought_together(study):
    info = _info()
    info["measures"] = {
        "sync": {"kind": "synchrony", "files": "recordings/p_{dyad}_{session}.tsv", "second_files": "recordings/t_{dyad}_{session}.tsv",
                 "settings": {"window": 20, "step": 10, "lag": 2}}
    }  # fmt: skip
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    a, b = follower(n=2000, delay=10, noise=0.2)
    for name, values, rate, start in (("p", a, 10, 0.0), ("t", b[30::2], 5, 3.0)):
        np.savetxt(study / "recordings" / f"{name}_D0_1.tsv", values)
        side = {"SamplingFrequency": rate, "StartTime": start, "Columns": ["motion"]}
        (study / "recordings" / f"{name}_D0_1.json").write_text(json.dumps(side))
    found = measure(study)
    result = found.results["sync"]["D0 session 1"]
    assert result.attrs["fs"] == 5
    assert float(result["peak_lag"].median()) == pytest.approx(1.0, abs=0.25)


def test_raw_signals_are_turned_on_the_way(tmp_path):
    """Video, hearts, skin and voices of a session reach two series on one clock."""
    import neurokit2

    from dyadloop.data.sources import SynchronySource
    from dyadloop.signals.channels import two_channels

    def source(**options):
        return SynchronySource.model_validate({"kind": "synchrony", "files": "x", **options})

    for name, seed in (("p", 1), ("t", 2)):
        ecg = neurokit2.ecg_simulate(30, sampling_rate=200, heart_rate=60 + 10 * seed, random_state=seed)
        eda = neurokit2.eda_simulate(30, sampling_rate=200, random_state=seed)
        pd.DataFrame({"ecg": ecg, "eda": eda[: len(ecg)]}).to_csv(tmp_path / f"{name}.csv", index=False)
    files = tmp_path / "p.csv", tmp_path / "t.csv"
    hearts = two_channels(source(signal="ecg", first="ecg", second="ecg", fs=200), *files)
    assert hearts.fs == 4
    assert len(hearts.first) == len(hearts.second)
    assert [60000 / np.nanmean(s) for s in (hearts.first, hearts.second)] == pytest.approx([70, 80], rel=0.05)
    skin = two_channels(source(signal="eda", first="eda", second="eda", fs=200), *files)
    assert skin.fs == 200
    assert abs(np.nanmean(skin.first)) < np.nanstd(skin.first)
    with pytest.raises(MeasureError, match="name first and second"):
        two_channels(source(fs=200), _three(tmp_path))


def _three(tmp_path):
    pd.DataFrame(np.arange(30.0).reshape(10, 3), columns=list("abc")).to_csv(tmp_path / "three.csv", index=False)
    return tmp_path / "three.csv"


def test_a_film_becomes_a_recording_on_the_command_line(film, tmp_path):
    out = tmp_path / "film_motion.tsv"
    call = [
        "motion",
        str(film),
        str(out),
        "--region",
        "left=0,0,80,120",
        "--region",
        "right=80,0,159,0,159,119,80,119",
        "-q",
    ]
    assert CliRunner().invoke(app, call).exit_code == 0
    found = CliRunner().invoke(
        app, ["synchrony", str(out), "--set", "window=2", "--set", "step=0.4", "--set", "lag=0.8", "--json"]
    )
    assert json.loads(found.stdout)["attrs"]["fs"] == pytest.approx(25)
    with_regions = {"left": [0, 0, 80, 120], "right": [80, 0, 80, 120]}
    from dyadloop.data.sources import SynchronySource
    from dyadloop.signals.channels import two_channels

    source = SynchronySource(
        kind="synchrony", files="x", signal="video", regions=with_regions, first="right", second="left"
    )
    assert two_channels(source, film).fs == pytest.approx(25)
    bad = CliRunner().invoke(app, ["motion", str(film), str(out), "--region", "left=1,2"])
    assert bad.exit_code == 3
    assert "at least 3 corners" in bad.stderr


def test_the_shipped_study_says_what_it_says():
    found = measure(ROOT / "examples" / "survival")
    written = read_study(ROOT / "examples" / "survival").measurements
    np.testing.assert_allclose(written["value"], found.rows.sort_values("dyad")["value"].astype(float), atol=1e-9)
    assert found.record["motion_synchrony"]["group_p_value"] == pytest.approx(0.0319, abs=1e-4)
    assert len(found.record["motion_synchrony"]["files"]) == 12


def test_two_files_and_no_study(tmp_path):
    a, b = follower(n=3000, delay=10, noise=0.5)
    for name, values in (("a", a), ("b", b)):
        pd.DataFrame({"motion": values}).to_csv(tmp_path / f"{name}.csv", index=False)
    pd.DataFrame({"x": a, "y": b}).to_csv(tmp_path / "both.csv", index=False)
    runner, files = CliRunner(), [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    out = runner.invoke(app, ["synchrony", *files, "--fs", "10", "--method", "rmea", "--json"])
    assert out.exit_code == 0
    assert json.loads(out.stdout)["data_vars"]["score"]["data"] > 0.1
    tested = runner.invoke(
        app,
        ["synchrony", str(tmp_path / "both.csv"), "--fs", "10", "--columns", "x,y", "--set", "window=20", "--set", "step=10",
         "--set", "lag=2", "--surrogate", "shift", "--draws", "19", "--figure", str(tmp_path / "f.svg"), "--quiet"],
    )  # fmt: skip
    assert tested.exit_code == 0, tested.output
    assert "p = 0.05" in tested.output
    svg = (tmp_path / "f.svg").read_text()
    assert "x leads" in svg
    assert "null: the two series" in svg
    grid = runner.invoke(
        app,
        ["synchrony", *files, "--fs", "10", "--multiverse", "--draws", "19", "--figure", str(tmp_path / "m.svg"), "-q"],
    )
    assert "share_above_chance" in grid.output
    directed = runner.invoke(app, ["synchrony", *files, "--fs", "10", "--method", "granger", "--set", "lag=0.1", "-q"])
    assert "persons: first a, second b" in directed.output
    assert "p_value, first to second: not known" in directed.output
    assert "not known: p_value: what the pasts leave over is autocorrelated" in directed.output
    assert "window 10" in (tmp_path / "m.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.csv", "b.csv"], "sampling rate is unknown"),
        (["a.csv", "b.csv", "--fs", "10", "--set", "window"], "NAME=VALUE"),
        (["a.csv", "b.csv", "--fs", "10", "--columns", "x,y"], "expected one of motion"),
        (["three.csv", "--fs", "10"], "which two of p, q, r"),
        (["nothing.csv", "b.csv", "--fs", "10"], "no such file"),
    ],
)
def test_bad_calls_of_synchrony(tmp_path, arguments, message):
    pd.DataFrame({"motion": np.arange(100.0)}).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"motion": np.arange(100.0)}).to_csv(tmp_path / "b.csv", index=False)
    pd.DataFrame({"p": np.arange(9.0), "q": 1.0, "r": 2.0}).to_csv(tmp_path / "three.csv", index=False)
    call = [str(tmp_path / part) if part.endswith(".csv") else part for part in arguments]
    found = CliRunner().invoke(app, ["synchrony", *call])
    assert found.exit_code == (2 if "--set" in arguments else 3)
    assert isinstance(found.exception, SystemExit)  # no traceback
    assert message in found.stderr


def test_the_registry_on_the_command_line():
    runner = CliRunner()
    assert "stai_s" in runner.invoke(app, ["instruments"]).stdout
    assert "title: Perceived Stress Scale" in runner.invoke(app, ["instruments", "pss10"]).stdout
    assert json.loads(runner.invoke(app, ["instruments", "pss10", "--json"]).stdout)["reversed"] == [4, 5, 7, 8]
    assert set(json.loads(runner.invoke(app, ["instruments", "--json"]).stdout)) >= {"phq9", "waisr"}
