"""Random calls of the commands: sound and odd values of every option, sound and spoiled files, and what comes of each.

A call is answered (exit code 0 or 4), refused in words (2 or 3), stopped (it computes for long), or it is broken: a
traceback, another exit code, a refusal without a word, JSON that is none, a number that is not finite.
"""

import json
import os
import re
import shutil
import signal
import typing
from pathlib import Path

import numpy as np

from dyadloop.theory.presets import PRESETS
from tests.cli.program import dyadloop
from tests.cli.test_modes import COMMANDS
from tests.data.edits import first_dyads, therapy

ROOT = Path(__file__).parents[2]
LONGEST = 20  # seconds of the processor
HEAVY = {("run",), ("compare",), ("multiverse",), ("calibrate",)}
"""They fit; here they are given what they must refuse before, or what lists and ends."""
NUMBERS = (
    "1",
    "2",
    "3",
    "7",
    "0.5",
    "1",
    "2",
    "0",
    "-1",
    "1.5",
    "1e300",
    "1e-300",
    "nan",
    "inf",
    "x",
    "",
    " 2",
    "1,5",
    "0x10",
)
TIMES = ("7 d", "3.5 d", "50 min", "0 d", "-3 d", "nan d", "7", "x", "1e9 d", "2 weeks", "", "1 h", "inf d", "60 min")
SOUND = {
    "hypothesis": ("none", "biomarker", "driver", "reciprocal", "synergistic", "network", "common_cause"),
    "on": ("habituation", "habituation", "gate", "x"),
    "values": ("w_trust=0.5", "a_trust=0.1", "w_trust=", "w_trust=nan", "w_trust=inf", "=1", "x=1", "w_trust=1e300", "w"),
    "event": ("dose:2", "dose:2:24", "rupture:1", "dose", "dose:x", ":2", "dose:-1", "dose:0", "dose:999", "dose:1:nan"),
    "design": ("haifa", "alliance", "x", ""),
    "kind": ("count", "mean", "z", "sceptical", "evidence", "flat", "x"),
    "prior_set": ("sceptical", "evidence", "flat", "x"),
    "method": ("windowed", "rmea", "susy", "segments", "wcc", "crqa", "coherence", "wavelet", "granger", "x", ""),
    "columns": ("patient,therapist", "patient", "patient,patient", "therapist,x", ",", "patient,therapist,note", "note,patient"),
    "settings": ("window=5", "step=2", "lag=1", "window=0", "lag=-1", "window=nan", "x=1", "window", "radius=0.5", "band=[0.05,0.5]",
                 "segment=5", "window=\"a\"", "window=1e300", "absolute=false"),
    "surrogate": ("shift", "segments", "phase", "between", "x"),
    "statistic": ("score", "lead", "x"),
    "missing": ("pairwise", "mask", "refuse", "x"),
    "transform": ("none", "log", "rank", "difference", "whiten", "x"),
    "variables": ("oxytocin,trust", "trust", "x", ""),
    "to": ("sbml", "latex", "json", "yaml", "x"),
    "horizontal": ("trust", "oxytocin", "panic", "x", ""),
    "vertical": ("oxytocin", "trust", "threat", "x"),
    "pair": ("trust,support", "trust", "x,y", ""),
    "outcome": ("depression", "oxytocin", "x"),
    "parameter": ("w_trust", "a_trust", "x", ""),
    "variable": ("trust", "oxytocin", "x"),
    "cut": ("oxytocin", "w_*", "a_trust", "x"),
    "box": ("0,1", "-3,3", "1,0", "x", "nan,1", "trust=0,1"),
    "source": ("oxytocin", "trust", "x", ""),
    "target": ("trust", "stress", "depression", "x"),
    "of": ("school", "mindfulness", "diaries", "dial", "x"),
    "only": ("x", "with_relaxed", ""),
    "region": ("patient=0,0,9,9", "a=1,2", "x", "a=0,0,-1,nan"),
    "fault": ("sign", "x"),
    "dyads": ("D1", "2,4", "x", ""),
    "hypotheses": ("none,biomarker", "none", "x,y", ""),
    "vary": ("w_trust", "x"),
    "vary_by_therapist": ("w_trust", "x"),
}  # fmt: skip


class Files:
    """Sound and spoiled files of every kind, in one folder."""

    def __init__(self, top: Path, result: Path) -> None:
        self.top = top
        shutil.copytree(result, top / "result")
        rng = np.random.default_rng(0)
        first_dyads(ROOT / "examples" / "school", top / "school", 2)
        therapy(top / "therapy")
        for name in ("unreadable", "empty", "odd"):
            therapy(top / name)
        (top / "unreadable" / "study.yaml").write_text("indicators: [", encoding="utf-8")
        (top / "empty" / "sessions.tsv").write_bytes(b"")
        (top / "odd" / "participants.tsv").write_bytes(b"\xff\xfe\x00")
        self._recordings(rng)
        self._tables()
        (top / "nothing").mkdir()
        (top / "file").write_text("no folder")
        self.results = [top / "result", top / "nothing", top / "school"]
        self.studies = [
            top / n
            for n in (
                "school",
                "therapy",
                "school",
                "therapy",
                "unreadable",
                "empty",
                "odd",
                "nothing",
                "file",
                "absent",
            )
        ]
        self.recordings = [*sorted((top / "recordings").iterdir()), top / "nothing", top / "absent.csv"]
        self.tables = [*sorted((top / "tables").iterdir()), top / "nothing", top / "absent.csv"]
        self.theories = [*PRESETS, *map(str, sorted((top / "theories").iterdir())), "absent.yaml", "", "absent"]

    def _recordings(self, rng) -> None:
        folder = self.top / "recordings"
        folder.mkdir()
        both = rng.normal(size=(400, 2)).cumsum(axis=0)
        lines = [f"{a:.4f},{b:.4f}" for a, b in both]
        plain = "patient,therapist\n" + "\n".join(lines) + "\n"
        (folder / "both.csv").write_text(plain)
        (folder / "marked.csv").write_bytes(plain.encode("utf-16"))
        (folder / "commas.csv").write_text(plain.replace(",", ";").replace(".", ","))
        (folder / "short.csv").write_text("\n".join(plain.splitlines()[:4]) + "\n")
        (folder / "still.csv").write_text("patient,therapist\n" + "1,2\n" * 300)
        (folder / "gaps.csv").write_text(plain.replace("1.", "n/a,").replace("n/a,", "1.", 400))
        (folder / "note.csv").write_text(
            "patient,therapist,note\n" + "".join(f"{line},x\n" for line in lines)
        )  # fmt: skip
        (folder / "one.txt").write_text("".join(f"{a:.3f}\n" for a in both[:, 0]))
        (folder / "broken.csv").write_bytes(plain.encode()[:300] + b"\xff\x00")
        (folder / "ragged.csv").write_text(plain + "1,2,3\n")
        (folder / "empty.csv").write_text("")
        (folder / "side.csv").write_text(plain)
        (folder / "side.json").write_text('{"SamplingFrequency": "n/a", "StartTime": 0}')
        times = "".join(f"{k / 10:.1f},{line}\n" for k, line in enumerate(lines))
        (folder / "timed.csv").write_text("time,patient,therapist\n" + times)

    def _tables(self) -> None:
        (self.top / "tables").mkdir()
        (self.top / "theories").mkdir()
        source = ROOT / "src" / "dyadloop"
        shipped = next((source / "evidence").rglob("*.csv"))
        text = shipped.read_text(encoding="utf-8")
        rows = text.splitlines()
        places = {"sound": text, "header": rows[0], "empty": "", "cut": text[: len(text) // 2], "semicolons": text.replace(",", ";"),
                  "numbers": text.replace("0.", "-0,")}  # fmt: skip
        for name, content in places.items():
            (self.top / "tables" / f"{name}.csv").write_text(content, encoding="utf-8")
        panic = (source / "theory" / "library" / "panic.yaml").read_text(encoding="utf-8")
        half = panic.splitlines()
        for name, content in {"half": "\n".join(half[: len(half) // 2]), "list": "- 1\n- 2\n", "words": "theory", "none": "",
                              "tabs": "a:\n\t- 1", "changed": panic.replace("1", "-1"), "panic": panic}.items():  # fmt: skip
            (self.top / "theories" / f"{name}.yaml").write_text(content, encoding="utf-8")


def _pick(rng, values, share=0.6):
    """Return one of some values, whose first half is sound, as a rule one of these."""
    known = values[: -(-len(values) // 2)] if rng.random() < share else values
    return str(known[int(rng.integers(len(known)))])


def value_of(command, parameter, words, files, rng) -> str:
    """Return a value of a parameter, sound or odd."""
    name, hint = parameter.name, str(typing.get_type_hints(command.callback, include_extras=False)[parameter.name])
    if name == "result":
        return _pick(rng, files.results, 0.9)
    if name == "study":
        return _pick(rng, files.studies)
    if name in ("first", "second") and words[0] == "synchrony":
        return _pick(rng, files.recordings)
    if name in ("path", "source", "table", "rows") and words[0] == "evidence" and "Path" in hint:
        return _pick(rng, files.tables)
    if name in ("theory", "first", "second") or (name == "name" and words[0] == "theory"):
        return _pick(rng, files.theories, 0.4)
    if "Path" in hint:
        ends = (
            "out.svg",
            "new/out.svg",
            "out.svg",
            "out.csv",
            "out",
            "nothing",
            "file/below",
            "absent.csv",
            "recordings/both.csv",
        )
        return str(files.top / _pick(rng, ends))
    if name in ("every", "length", "span", "minutes"):
        return _pick(rng, TIMES)
    if name in SOUND:
        return _pick(rng, SOUND[name])
    if "int" in hint or "float" in hint:
        return _pick(rng, NUMBERS)
    return _pick(rng, ("phq9", "OT-TRU-1", "haifa", "vicious_cycle", "x", ""))


def typed(words, files, rng) -> list[str]:
    """Return a call of a command as it is typed."""
    command = COMMANDS[words]
    call: list[str] = []
    for parameter in command.params:
        option = next((o for o in parameter.opts if o.startswith("--")), None)
        if parameter.name == "as_json":
            call += ["--json"] if rng.random() < 0.5 else []
        elif option is None:
            if parameter.required or rng.random() < 0.8:
                call.append(value_of(command, parameter, words, files, rng))
        elif parameter.required or rng.random() < 0.2:
            call.append(option)
            if not getattr(parameter, "is_flag", False):
                call.append(value_of(command, parameter, words, files, rng))
    if words in HEAVY:
        call = [part if part not in map(str, files.studies[:2]) else str(files.studies[4]) for part in call]
        call += {"multiverse": ["--list"], "calibrate": ["--replicates", "1"]}.get(words[0], [])
    return [*words, *call]


class Long(Exception):
    """A call that computes for long."""


def _stop(*_):
    raise Long


def outcome(words, files, rng) -> tuple[str, list[str]]:
    """Return what becomes of a call, and the call."""
    call, here = typed(words, files, rng), Path.cwd()
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    work = files.top / "work"
    work.mkdir(exist_ok=True)
    try:
        os.chdir(work)
        run = dyadloop(*call)
    except Long:
        return "stopped", call
    except BaseException as error:
        from tests.laws.calls import where

        return f"broken: {where(error)}", call
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.chdir(here)
    return _judged(run, call), call


def _judged(run, call) -> str:
    if run.returncode not in (0, 2, 3, 4):
        return f"broken: exit code {run.returncode}"
    if "Traceback" in run.stderr and Long.__name__ in run.stderr:
        return "stopped"  # within a library that prints what it cannot raise
    if "Traceback" in run.stderr:
        return "broken: a traceback is printed"
    if run.returncode in (2, 3) and not run.stderr.strip():
        return "broken: refused without a word"
    if "--json" in call and run.returncode in (0, 3):
        try:
            json.loads(run.stdout, parse_constant=_no_number)
        except ValueError as error:
            return f"broken: {error}"
    elif run.returncode == 0 and re.search(r"(?<![\w-])(nan|inf)(?![\w-])", run.stdout):
        return "broken: prints nan or inf"
    return "answered" if run.returncode in (0, 4) else "refused"


def _no_number(text: str) -> float:
    raise ValueError(f"JSON holds {text}")
