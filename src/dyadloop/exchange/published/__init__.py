"""Published data sets: one file per study, and one registry."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dyadloop.exchange.published.dial import convert_dial
from dyadloop.exchange.published.diaries import convert_diaries
from dyadloop.exchange.published.mindfulness import convert_mindfulness
from dyadloop.exchange.published.school import convert_school


@dataclass(frozen=True)
class Published:
    """A published study: what it is, where it is from, and how its table becomes a study folder."""

    id: str
    title: str
    source: str
    convert: Callable[[str | Path, str | Path], Path]


PUBLISHED: dict[str, Published] = {
    entry.id: entry
    for entry in (
        Published("school", "momentary ratings of pupils at school", "10.12688/f1000research.157148.1", convert_school),
        Published(
            "mindfulness",
            "momentary ratings of a mindfulness trial",
            "10.1371/journal.pone.0060188",
            convert_mindfulness,
        ),
        Published(
            "diaries",
            "momentary ratings of people with few or many depressive symptoms",
            "10.1080/02699931.2018.1524747",
            convert_diaries,
        ),
        Published("dial", "ratings of couples in conversation", "10.1097/PSY.0000000000000703", convert_dial),
    )
}
"""Published studies by name."""

__all__ = ["PUBLISHED", "Published", "convert_dial", "convert_diaries", "convert_mindfulness", "convert_school"]
