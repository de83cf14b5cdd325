"""Data sets of BIDS as others make them: several tasks, inherited descriptions, subjects that are persons of dyads."""

import json

import pytest

from dyadloop.exchange.importing import import_study

ANSWERS = {"length_min": "50", "phase": "null"}


@pytest.fixture
def write(tmp_path):
    def _write(place, content):
        path = tmp_path / "data" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    _write("dataset_description.json", {"Name": "x", "BIDSVersion": "1.9.0"})
    return _write


def _sessions(write, subject, column="", values=("", "", "")):
    rows = [["session_id", "acq_time", column]]
    rows += [[f"ses-{s}", f"2024-03-{7 * s:02d}T10:00:00", str(v)] for s, v in zip((1, 2, 3), values, strict=True)]
    kept = [row if column else row[:2] for row in rows]
    write(f"sub-{subject}/sub-{subject}_sessions.tsv", "".join("\t".join(row) + "\n" for row in kept))


def _read(tmp_path):
    return import_study(tmp_path / "data", tmp_path / "study", answers=ANSWERS)


def test_equal_headings_of_two_tasks_are_two_indicators(tmp_path, write):
    write("participants.tsv", "participant_id\nsub-1\nsub-2\nsub-3\n")
    write("task-wai_beh.json", {"total": {"Description": "WAI mean", "Minimum": 1, "Maximum": 5}})
    levels = {"Levels": {"-9": "not answered"}}
    write("task-phq_beh.json", {"total": {"Description": "PHQ-9 sum", "Minimum": 0, "Maximum": 27} | levels})
    for p in (1, 2, 3):
        _sessions(write, p)
        for s in (1, 2, 3):
            base = f"sub-{p}/ses-{s}/beh/sub-{p}_ses-{s}"
            write(f"{base}_task-wai_beh.tsv", f"total\n{1 + (p + s) % 5}\n")
            write(f"{base}_task-phq_beh.tsv", f"total\n{-9 if p == s == 1 else p + s}\n")
    done = _read(tmp_path)
    told = {name: (entry.quantity, entry.scale) for name, entry in done.study.info.indicators.items()}
    assert told == {"total": ("depression", (0, 27)), "total_2": ("alliance", (1, 5))}
    by = {
        k: v
        for k, v in zip(
            zip(*(done.study.measurements[c] for c in ("indicator", "dyad", "session")), strict=True),
            done.study.measurements["value"],
            strict=True,
        )
    }
    assert by == {("total", str(p), str(s)): float(p + s) for p in (1, 2, 3) for s in (1, 2, 3) if not p == s == 1} | {
        ("total_2", str(p), str(s)): float(1 + (p + s) % 5) for p in (1, 2, 3) for s in (1, 2, 3)
    }


def test_the_nearest_description_that_applies_counts(tmp_path, write):
    """The root says 0 to 3 and another task 0 to 1; each subject's own says 0 to 10."""
    write("participants.tsv", "participant_id\nsub-1\nsub-2\nsub-3\n")
    write("task-x_beh.json", {"mood": {"Description": "of the root", "Minimum": 0, "Maximum": 3}})
    write("task-y_beh.json", {"mood": {"Description": "of another task", "Minimum": 0, "Maximum": 1}})
    for p in (1, 2, 3):
        write(f"sub-{p}/sub-{p}_task-x_beh.json", {"mood": {"Description": "stress", "Minimum": 0, "Maximum": 10}})
        _sessions(write, p)
        for s in (1, 2, 3):
            write(f"sub-{p}/ses-{s}/beh/sub-{p}_ses-{s}_task-x_beh.tsv", f"mood\n{3 * p + s - 2}\n")
    study = _read(tmp_path).study
    assert (study.info.indicators["mood"].quantity, study.info.indicators["mood"].scale) == ("stress", (0, 10))
    assert sorted(study.measurements["value"]) == sorted(float(3 * p + s - 2) for p in (1, 2, 3) for s in (1, 2, 3))


@pytest.mark.parametrize("roles", [True, False])
def test_subjects_that_are_persons_are_put_into_their_dyads(tmp_path, write, roles):
    people = [(d, r) for d in (1, 2, 3) for r in ("patient", "therapist")]
    heads = "participant_id\tdyad_id" + ("\trole" if roles else "")
    rows = [f"sub-{d}{r[0]}\tD{d}" + (f"\t{r}" if roles else "") for d, r in people]
    write("participants.tsv", "\n".join([heads, *rows]) + "\n")
    for d, r in people:
        _sessions(write, f"{d}{r[0]}", "wai", [1 + (d + s + (r == "patient")) % 5 for s in (1, 2, 3)])
    done = _read(tmp_path)
    study, values = done.study, done.study.measurements
    assert study.dyads == ["D1", "D2", "D3"]
    role = dict(zip(study.participants["participant_id"], study.participants["role"], strict=True))
    assert set(role.values()) == ({"patient", "therapist"} if roles else {"partner"})
    found = {(p, s): v for p, s, v in zip(values["participant_id"], values["session"], values["value"], strict=True)}
    assert found == {
        (f"{d}{r[0]}", str(s)): float(1 + (d + s + (r == "patient")) % 5) for d, r in people for s in (1, 2, 3)
    }
    assert all(count["cells"] == count["used"] + count["reported"] for count in done.counts)
