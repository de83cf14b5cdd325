"""What an import would do and what it did: the plan of a reading, and the account of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dyadloop.data import Study
from dyadloop.data.doubts import Doubt
from dyadloop.exchange.folder import News
from dyadloop.exchange.grid import Grid, Remark
from dyadloop.exchange.mapping import ASK, Mapping


@dataclass
class Plan:
    """How sources would be read: the tables, the mapping as text, and what it leaves open.

    Attributes
    ----------
    sources
        Files by name.
    grids
        Tables, in the order of the mapping.
    text
        Content of import.yaml.
    open
        What must be said: place and question.
    guessed
        Whether the mapping is a guess that nobody has confirmed.
    """

    sources: dict[str, Path]
    grids: list[Grid]
    text: str
    mapping: Mapping
    open: list[tuple[str, str]]
    guessed: bool
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Phase:
    """Whether an indicator was given before or after the session, and why that was guessed; empty where it was said."""

    phase: str
    guess: str

    def __str__(self) -> str:
        """Return it as a cell of a table."""
        return f"{self.phase} (guess)" if self.guess else self.phase


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    path
        Study folder.
    study
        The study in it.
    news
        What is new in it.
    counts
        Per table: cells, used and reported, and the number of reported cells by kind.
    remarks
        Every cell, or column, that is not taken as it stands.
    doubts
        What is possible in the study but unlikely.
    phases
        Which indicators were given before or after the session, and which of that is a guess.
    trend_per_days
        The linear trend that the mapping gives the study [d], None where it has none.
    """

    path: Path
    study: Study = field(repr=False)
    news: News
    counts: list[dict[str, Any]]
    remarks: list[Remark] = field(repr=False)
    doubts: list[Doubt] = field(repr=False)
    phases: dict[str, Phase] = field(default_factory=dict, repr=False)
    trend_per_days: float | None = None


def phases_of(plan: Plan) -> dict[str, Phase]:
    """Return which indicators of a plan were given before or after the session, and which of that is a guess."""
    found = {}
    for number, table in enumerate(plan.mapping.tables, start=1):
        for name, score in table.scores.items() if table.holds == "sessions" else ():
            if (phase := phase_of_score(plan, number, name)) is not None:
                own = score.indicator or name
                found[own] = _both(found[own], phase) if own in found else phase
    return found


def phase_of_score(plan: Plan, number: int, name: str) -> Phase | None:
    """Return whether a score of a table (1 is the first) was given before or after, None where that is not said."""
    phase = plan.mapping.tables[number - 1].scores[name].phase
    why = plan.reasons.get(f"tables.{number}.scores.{name}.phase", "")
    return None if phase is None else Phase(phase, "" if phase == ASK else why)


def _both(one: Phase, other: Phase) -> Phase:
    """Return the phases of an indicator that two columns give."""
    return Phase(f"{one.phase} and {other.phase}", one.guess or other.guess)
