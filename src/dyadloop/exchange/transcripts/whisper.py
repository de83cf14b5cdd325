"""JSON of Whisper and WhisperX: segments, with speakers where a diarisation told them."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.turn import Turns, text_of


def read_whisper(path: Path, tiers: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the segments as stretches of speech; ``tiers`` keeps some speakers alone.

    Whisper alone does not tell who speaks: segments without a speaker are left out, and said.

    Raises
    ------
    DataError
        If the file is no such JSON, or no segment has a speaker.
    """
    try:
        content = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise refusal(path, f"no JSON ({str(error)[:80]})", "JSON of Whisper", "export it again") from None
    segments = content.get("segments") if isinstance(content, dict) else None
    if not isinstance(segments, list):
        raise refusal(path, "JSON without `segments`", "JSON of Whisper or WhisperX", "export it again")
    found = Turns(path.name)
    for number, segment in enumerate(segments, start=1):
        entry = segment if isinstance(segment, dict) else {}
        speaker = str(entry.get("speaker") or "")
        if not tiers or speaker in tiers:
            start, end = (_number(entry.get(key)) for key in ("start", "end"))
            found.add(speaker, start, end, str(entry.get("text", "")), f"segment {number}")
    return found.table()


def _number(value: Any) -> float | None:  # noqa: ANN401 - whatever JSON holds
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None
