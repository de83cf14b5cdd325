"""Transcripts in every format say the same: who spoke from when to when."""

import json

import numpy as np
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.transcripts import read_turns
from dyadloop.measures.synchrony import turn_taking
from tests.cli.program import dyadloop

THREE = [("T", 0.5, 2.0, "How are you?"), ("P", 2.25, 4.5, 'Fine, "really".'), ("T", 5.0, 6.125, "Good.")]
TURNS = [(who, start + 8 * k, end + 8 * k, text) for k in range(4) for who, start, end, text in THREE]


def _elan():
    slots, tiers = "", {"T": "", "P": ""}
    for k, (who, start, end, text) in enumerate(TURNS):
        slots += f'<TIME_SLOT TIME_SLOT_ID="a{k}" TIME_VALUE="{start * 1000:.0f}"/><TIME_SLOT TIME_SLOT_ID="b{k}" TIME_VALUE="{end * 1000:.0f}"/>'
        value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
        tiers[who] += (
            f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="x{k}" TIME_SLOT_REF1="a{k}" TIME_SLOT_REF2="b{k}">{value}</ALIGNABLE_ANNOTATION></ANNOTATION>'
        )
    tiers["P"] += (
        '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="y" TIME_SLOT_REF1="a0" TIME_SLOT_REF2="z"><ANNOTATION_VALUE>loose</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>'
    )
    body = "".join(f'<TIER TIER_ID="{who}" PARTICIPANT="{who}">{part}</TIER>' for who, part in tiers.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT><TIME_ORDER>{slots}<TIME_SLOT TIME_SLOT_ID="z"/></TIME_ORDER>{body}</ANNOTATION_DOCUMENT>'


def _textgrid():
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        "xmax = 7",
        "tiers? <exists>",
        "size = 2",
        "item []:",
    ]
    for n, who in enumerate("TP", start=1):
        parts, last = [], 0.0
        for _, start, end, text in [turn for turn in TURNS if turn[0] == who]:
            parts += [(last, start, ""), (start, end, text.replace('"', '""'))]
            last = end
        lines += [
            f"    item [{n}]:",
            '        class = "IntervalTier"',
            f'        name = "{who}"',
            "        xmin = 0",
            "        xmax = 7",
            f"        intervals: size = {len(parts)}",
        ]
        for k, (start, end, text) in enumerate(parts, start=1):
            lines += [
                f"        intervals [{k}]:",
                f"            xmin = {start}",
                f"            xmax = {end}",
                f'            text = "{text}"',
            ]
    return "\n".join(lines) + "\n"


def _short_textgrid():
    """The short form holds the values alone."""
    import re

    found = []
    for line in _textgrid().split("\n"):
        if match := re.match(r"\s*(?:intervals: )?(?:xmin|xmax|text|name|class|size) = (.*)$", line):
            found.append(match[1])
    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    return "\n".join([*head, *found[:2], "<exists>", *found[2:]]) + "\n"


def _clock(seconds, mark="."):
    return f"00:00:{seconds:06.3f}".replace(".", mark)


def _chat():
    lines = [f"*{who}:\t{text} \x15{start * 1000:.0f}_{end * 1000:.0f}\x15" for who, start, end, text in TURNS]
    return "\n".join(["@Begin", "@Participants:\tT Therapist, P Patient", *lines, "*P:\tno time .", "@End"]) + "\n"


FILES = {
    "a.eaf": _elan(),
    "a.TextGrid": _textgrid(),
    "b.TextGrid": _short_textgrid(),
    "a.vtt": "WEBVTT\n\n" + "\n\n".join(f"{_clock(s)} --> {_clock(e)}\n<v {w}>{t}</v>" for w, s, e, t in TURNS) + "\n",
    "a.srt": "\n\n".join(
        f"{k}\n{_clock(s, ',')} --> {_clock(e, ',')}\n{w}: {t}" for k, (w, s, e, t) in enumerate(TURNS, 1)
    )
    + "\n",
    "a.json": json.dumps({"segments": [{"start": s, "end": e, "text": f" {t}", "speaker": w} for w, s, e, t in TURNS]}),
    "a.cha": _chat(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_tells_the_same_turns(tmp_path, name):
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    found = read_turns(path)
    assert list(found.itertuples(index=False, name=None)) == TURNS
    assert len(found.attrs["left_out"]) == (name in ("a.eaf", "a.cha"))
    assert turn_taking(found) is not None
    path.write_text(FILES[name].replace("\n", "\r\n"), encoding="utf-16")
    if name not in ("a.eaf",):
        assert len(read_turns(path)) == len(TURNS)


def test_what_does_not_tell_who_speaks_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"segments": [{"start": 0, "end": 1, "text": "Hello"}]}))
    with pytest.raises(DataError, match="no speaker"):
        read_turns(path)


def test_entities_are_refused_and_tiers_of_one_person_must_be_named(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]>' + FILES["a.eaf"].split("?>")[1])
    with pytest.raises(DataError, match="defines entities"):
        read_turns(path)
    path.write_text(FILES["a.eaf"].replace('TIER_ID="P" PARTICIPANT="P"', 'TIER_ID="gaze" PARTICIPANT="T"'))
    with pytest.raises(DataError, match="several tiers of T"):
        read_turns(path)
    assert len(read_turns(path, ["T"])) == 8


def test_odd_transcripts_are_read_or_refused_in_words(tmp_path):
    rng, seen = np.random.default_rng(4), set()
    for name, text in FILES.items():
        raw = text.encode()
        for _ in range(15):
            at, kind = int(rng.integers(len(raw))), int(rng.integers(4))
            changed = [raw[:at], raw[:at] + b"\x00\xff<" + raw[at:], raw[:at] + raw[at + 9 :], raw + raw[: at + 1]][
                kind
            ]
            (tmp_path / name).write_bytes(changed)
            try:
                seen.add(len(read_turns(tmp_path / name)) > 0)
            except DataError as error:
                seen.add(name in str(error) or str(error))
    assert seen == {True}


def test_the_command_writes_a_table(tmp_path):
    (tmp_path / "a.cha").write_text(FILES["a.cha"])
    run = dyadloop("turns", tmp_path / "a.cha", tmp_path / "turns.tsv")
    assert run.returncode == 0
    assert "left out: line of P: no time" in run.stderr
    assert (tmp_path / "turns.tsv").read_text().splitlines()[1] == "T\t0.5\t2\tHow are you?"
    assert dyadloop("turns", tmp_path / "a.txt").returncode == 3


def _grid(tiers):
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "9", "<exists>", str(len(tiers))]
    for name, intervals in tiers.items():
        lines += ['"IntervalTier"', f'"{name}"', "0", "9", str(len(intervals))]
        lines += [f'{start} {end} "{text}"' for start, end, text in intervals]
    return "\n".join(lines) + "\n"


def test_marks_of_silence_are_no_speech_and_words_stay_whole(tmp_path):
    said = "my name = Ada [2] text = x"
    path = tmp_path / "a.TextGrid"
    path.write_text(_grid({"T": [(0, 1, said), (1, 2, "silent"), (2, 3, "sil")], "P": [(0, 1, "<p:>"), (1, 2, "yes")]}))
    found = read_turns(path)
    assert found[["speaker", "text"]].to_numpy().tolist() == [["T", said], ["P", "yes"]]
    assert found.attrs["left_out"] == ["tier 'T': 2 marked as silence", "tier 'P': 1 marked as silence"]


def test_tiers_that_hold_no_speech_are_no_persons(tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_text(_grid({"T - words": [(0, 1, "hi")], "T - phones": [(0, 1, "HH")], "P - words": [(1, 2, "yes")]}))
    with pytest.raises(DataError, match="hold no speech by their names: T - phones"):
        read_turns(path)
    assert set(read_turns(path, ["T - words", "P - words"])["speaker"]) == {"T - words", "P - words"}
    path = tmp_path / "a.eaf"
    path.write_text(FILES["a.eaf"].replace('TIER_ID="P" PARTICIPANT="P"', 'TIER_ID="P-gesture"'))
    with pytest.raises(DataError, match="P-gesture"):
        read_turns(path)


def test_names_before_words_are_of_their_line_and_stand_more_than_once(tmp_path):
    lines = [
        ("T: How are you?\nP: Fine.\nMy boss said: go"),
        "T: And then?",
        "P: No.",
        "I told him: never",
        "T: Ah.",
        "P: Yes.",
    ]
    path = tmp_path / "a.srt"
    path.write_text(
        "\n\n".join(f"{k}\n{_clock(k, ',')} --> {_clock(k + 0.5, ',')}\n{text}" for k, text in enumerate(lines, 1))
    )
    found = read_turns(path)
    assert found["speaker"].tolist() == ["T", "P", "T", "P", "T", "P"]
    assert found["text"].tolist()[:2] == ["How are you?", "Fine. My boss said: go"]
    assert len(found.attrs["left_out"]) == 2
    assert "no speaker ('I told him: never')" in found.attrs["left_out"][1]
    with pytest.raises(DataError, match="no speaker X; expected one of P, T"):
        read_turns(path, ["X"])
