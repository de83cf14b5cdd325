"""Transcripts: one file per format, and one registry; each becomes stretches of speech."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.chat import read_chat
from dyadloop.exchange.transcripts.elan import read_elan
from dyadloop.exchange.transcripts.subtitles import read_subtitles
from dyadloop.exchange.transcripts.textgrid import read_textgrid
from dyadloop.exchange.transcripts.whisper import read_whisper

TRANSCRIPTS: dict[str, tuple[str, Callable[[Path, tuple[str, ...]], pd.DataFrame]]] = {
    ".eaf": ("ELAN: annotations with times of their own", read_elan),
    ".textgrid": ("Praat: intervals with words, long and short files", read_textgrid),
    ".vtt": ("WebVTT: voice tags, or a name before the words", read_subtitles),
    ".srt": ("SubRip: a name before the words", read_subtitles),
    ".json": ("Whisper and WhisperX: segments with speakers", read_whisper),
    ".cha": ("CHAT: main lines with time marks", read_chat),
}
"""Readers of transcripts by the ending of the file, each with what it reads."""

_TIERED = (".eaf", ".textgrid")


def read_turns(path: str | Path, tiers: Sequence[str] = ()) -> pd.DataFrame:
    r"""Read a transcript as stretches of speech.

    Parameters
    ----------
    path
        ELAN, TextGrid, WebVTT, SubRip, JSON of Whisper, or CHAT.
    tiers
        Tiers or speakers to keep; default: all.

    Returns
    -------
    pandas.DataFrame
        ``speaker``, ``start``, ``end`` [s] and ``text``, in time; ``attrs["left_out"]`` lists what has no speaker or no
        times. ``dyadloop.measures.synchrony.turn_taking`` takes it.

    Raises
    ------
    DataError
        If the file cannot be read, or nothing in it has a speaker and times.

    Examples
    --------
    >>> from pathlib import Path
    >>> ada = "00:00:01.000 --> 00:00:02.500\n<v Ada>How was your week?\n\n"
    >>> ben = "00:00:03.000 --> 00:00:04.000\n<v Ben>Good.\n"
    >>> _ = Path("results/talk.vtt").write_text("WEBVTT\n\n" + ada + ben)
    >>> print(dl.read_turns("results/talk.vtt"))
      speaker  start  end                text
    0     Ada    1.0  2.5  How was your week?
    1     Ben    3.0  4.0               Good.
    """
    file = Path(path)
    if file.suffix.lower() not in TRANSCRIPTS:
        known = ", ".join(TRANSCRIPTS)
        raise refusal(file, f"the ending {file.suffix!r}", f"one of {known}", "export it in one of these")
    read = TRANSCRIPTS[file.suffix.lower()][1]
    if not tiers or file.suffix.lower() in _TIERED:
        return read(file, tuple(tiers))
    found = read(file, ())
    speakers = sorted(set(found["speaker"]))
    if absent := [name for name in tiers if name not in speakers]:
        got, expected = f"no speaker {', '.join(absent)}", f"one of {', '.join(speakers)}"
        raise refusal(file, got, expected, "correct the name")
    kept = found[found["speaker"].isin(tiers)].reset_index(drop=True)
    kept.attrs = found.attrs
    return kept


__all__ = ["TRANSCRIPTS", "read_turns"]
