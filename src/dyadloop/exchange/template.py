"""Template studies: a folder with everything declared and rows to write over."""

from dataclasses import dataclass
from pathlib import Path

from dyadloop.data import Indicator, StudyInfo, write_study
from dyadloop.data.schema import Covariate
from dyadloop.errors import DataError, Fault

_TREND = {"trend": Covariate(of="time", per=30, reason="what changes in everybody with time")}


@dataclass(frozen=True)
class Template:
    """A kind of study: what it measures, and rows that show where values go."""

    title: str
    indicators: dict[str, Indicator]
    people: tuple[dict[str, str], ...]
    sessions: tuple[dict[str, object], ...]
    values: tuple[dict[str, object], ...]
    theory: str = "framework"


def _pair(dyad: str) -> tuple[dict[str, str], ...]:
    return (
        {"participant_id": f"{dyad}_patient", "dyad": dyad, "role": "patient", "therapist": "T1"},
        {"participant_id": f"{dyad}_therapist", "dyad": dyad, "role": "therapist", "therapist": ""},
    )


_PHASES = {"phq9": "before"}  # the other values of sessions are those of after


def _value(dyad: str, who: str, session: int, indicator: str, value: float, **more: object) -> dict[str, object]:
    own = {
        "dyad": dyad,
        "participant_id": f"{dyad}_{who}",
        "session": session,
        "phase": _PHASES.get(indicator, "after"),
        "indicator": indicator,
        "value": f"{value:g}",
    }
    return own | more


_ALLIANCE = {
    "wai_patient": Indicator(
        quantity="alliance", person="patient", unit="points", scale=(1, 5), reason="WAI-SR mean, after the session"
    ),
    "wai_therapist": Indicator(
        quantity="alliance", person="therapist", unit="points", scale=(1, 5), reason="WAI-SR mean, after the session"
    ),
    "phq9": Indicator(
        quantity="symptoms",
        person="patient",
        unit="points",
        scale=(0, 27),
        recall_days=7,
        reason="PHQ-9 sum, asked about the week since the last session, before the session",
    ),
}
_RECORDED = {
    "movement": Indicator(
        quantity="synchrony", person="patient", unit="1", reason="synchrony of movement of a session"
    ),
    "saliva": Indicator(
        quantity="oxytocin", person="patient", unit="pg/ml", transform="log", reason="saliva, extracted"
    ),
    "wai_patient": Indicator(quantity="trust", person="patient", unit="points", scale=(1, 5), reason="WAI-SR mean"),
}
_MOMENTARY = {
    "trust": Indicator(quantity="trust", person="patient", unit="points", scale=(1, 7), reason="one item per prompt"),
    "support": Indicator(
        quantity="support", person="patient", unit="points", scale=(1, 7), reason="one item per prompt"
    ),
    "stress": Indicator(quantity="stress", person="patient", unit="points", scale=(1, 7), reason="one item per prompt"),
}
_DAYS = ("2026-01-05T10:00:00", "2026-01-12T10:00:00")
_WEEKLY = tuple(
    {"dyad": "D1", "session": k, "start": day, "length_min": 50, "events": ""} for k, day in enumerate(_DAYS, start=1)
)
_PROMPTS = tuple(
    {"dyad": "D1", "session": k, "start": f"2026-01-05T{hour}:00:00", "length_min": 0, "events": ""}
    for k, hour in enumerate(("09", "12", "15"), start=1)
)

TEMPLATES: dict[str, Template] = {
    "alliance": Template(
        "Alliance and symptoms, session by session",
        _ALLIANCE,
        _pair("D1"),
        _WEEKLY,
        tuple(
            _value("D1", who, session, name, value + session / 10)
            for session in (1, 2)
            for who, name, value in (
                ("patient", "wai_patient", 3.5),
                ("therapist", "wai_therapist", 3.2),
                ("patient", "phq9", 12.0),
            )
        ),
        theory="alliance",
    ),
    "recordings": Template(
        "Synchrony of movement and saliva, session by session",
        _RECORDED,
        _pair("D1"),
        _WEEKLY,
        tuple(
            _value("D1", "patient", session, name, value + session / 10)
            for session in (1, 2)
            for name, value in (("movement", 0.2), ("saliva", 14.0), ("wai_patient", 3.5))
        ),
    ),
    "ema": Template(
        "Momentary ratings: each prompt is a session of length 0",
        _MOMENTARY,
        _pair("D1")[:1],
        _PROMPTS,
        tuple(
            _value("D1", "patient", session, name, value + session % 2, phase="")
            for session in (1, 2, 3)
            for name, value in (("trust", 4.0), ("support", 5.0), ("stress", 3.0))
        ),
    ),
}
"""Templates by name."""


def new_study(path: str | Path, template: str = "alliance") -> Path:
    """Write a template study: everything declared, with made-up rows to write over.

    Parameters
    ----------
    path
        Folder to make.
    template
        One of ``alliance``, ``recordings``, ``ema``.

    Raises
    ------
    DataError
        If the template is unknown, or the folder exists already.

    Examples
    --------
    >>> folder = dl.new_study("results/mine", "alliance")
    >>> sorted(path.name for path in folder.iterdir())
    ['measurements.tsv', 'participants.tsv', 'sessions.tsv', 'study.yaml']
    """
    if template not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise DataError(
            str(path), [Fault(str(path), None, None, f"the template {template!r}", f"one of {known}", "choose")]
        )
    kind = TEMPLATES[template]
    info = StudyInfo(
        schema_version=1, name=Path(path).name.lstrip(". ") or "study", title=kind.title, licence="not stated",
        simulated=True, theory=kind.theory, indicators=kind.indicators, covariates=_TREND,
    )  # fmt: skip
    return write_study(path, info, kind.people, kind.sessions, kind.values)
