"""Convert the published experience sampling of a mindfulness trial into a study folder.

Bringmann et al. (2013), doi:10.1371/journal.pone.0060188, CC BY: 129 persons with residual depressive symptoms, six
days of ten prompts before and after mindfulness-based cognitive therapy or a waiting list.
"""

from pathlib import Path

from dyadloop.data.schema import Covariate, Indicator, StudyInfo
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.published.account import Layout, written
from dyadloop.exchange.published.source import GAPS, read_published

_ITEMS = {
    name: Indicator(quantity=name, person="patient", unit="points", scale=(1, 7), reason=f"the item {name!r} itself")
    for name in ("sad", "worry", "cheerful")
}
_FIRST_PROMPT, _PROMPT = 7.5 / 24, 1.5 / 24  # ten blocks of 90 minutes from half past seven [d]
_NOON = 0.625  # a day counts as a session of length 0 in the middle of its prompts [d]
_APART = 75.0  # the second burst begins two to three months after the first; the day is not published [d]

_INFO = StudyInfo(
    schema_version=1,
    name="mindfulness",
    title="Momentary affect before and after mindfulness-based cognitive therapy or a waiting list",
    licence="CC-BY-4.0",
    source="10.1371/journal.pone.0060188",
    attribution="Bringmann et al. (2013), supporting information; items translated, prompts put on a clock of "
    "90-minute blocks, bursts set 75 days apart, five answers without a prompt number left out",
    simulated=False,
    theory="affect",
    randomised=("intervention",),
    indicators=_ITEMS,
    covariates={
        "second": Covariate(reason="the second burst, in both arms: what time and repeated questions do"),
        "intervention": Covariate(reason="the second burst of those who had mindfulness therapy: the trial's contrast"),
    },
)
_COLUMNS = ("person", "day", "beep", "therapy", "post", *_ITEMS)
_LAYOUT = Layout(
    id="mindfulness",
    info=_INFO,
    keys={
        "dyad": "person",
        "person": "person",
        "session": "day",
        "clock": "beep",
        "length_min": 0,
        "covariates": {
            "second": {"column": "post", "of": "session"},
            "intervention": {"column": "therapy", "of": "patient"},
        },
    },
    scores={item: item for item in _ITEMS},
    reasons={
        "session": "a day is a session of length 0; days of the second burst are 11 and above, 75 days later",
        "clock": "the number of the prompt: blocks of 90 minutes from half past seven, which is assumed",
    },
    whole=("day", "post", "therapy"),
)


def convert_mindfulness(source: str | Path, path: str | Path) -> Path:
    r"""Write a study folder from the published supporting information, with its columns named in English.

    Each person is a patient without a partner; each day is a session of length 0. The arm enters as a covariate.
    Answers without the number of their prompt are left out, for their time is not known.

    Raises
    ------
    DataError
        If the file is not the published one, or the folder exists already.

    Examples
    --------
    >>> from pathlib import Path
    >>> text = "person,day,beep,therapy,post,sad,worry,cheerful\n1,1,1,1,0,3,4,5\n1,1,1,1,1,2,3,6\n"  # SIMULATED
    >>> _ = Path("results/mindfulness.csv").write_text(text)
    >>> folder = dl.convert_mindfulness("results/mindfulness.csv", "results/mindfulness")
    >>> dl.summarise(dl.read_study(folder)).sessions
    2
    """
    expected = "the published table, its columns named in English"
    every = read_published(Path(source), _COLUMNS, expected, (*_ITEMS, "beep", "therapy"), ("day", "post"))
    left_out = {row: why for row, record in enumerate(every) if (why := _why_left_out(record))}
    records = [record for row, record in enumerate(every) if row not in left_out]
    therapy = {record["person"]: float(record["therapy"]) for record in records if record["therapy"] not in GAPS}
    _arms_known(Path(source), records, therapy)
    sessions: dict[tuple[str, int], dict[str, object]] = {}
    measurements = []
    for record in records:
        person, second = record["person"], int(float(record["post"]))
        day = int(float(record["day"])) - 1 + second * _APART
        number = int(float(record["day"])) + 10 * second
        key = {"dyad": f"D{person}", "session": number}
        own = {"start": day + _NOON, "length_min": 0, "second": second, "intervention": second * int(therapy[person])}
        sessions[person, number] = {**key, **own}
        moment = {"participant_id": f"P{person}", "time": day + _FIRST_PROMPT + _PROMPT * (float(record["beep"]) - 1)}
        for item in _ITEMS:
            if record[item] not in GAPS:
                measurements.append({**key, **moment, "indicator": item, "value": f"{float(record[item]):g}"})
    people = [{"participant_id": f"P{person}", "dyad": f"D{person}", "role": "patient"} for person in sorted(therapy)]
    calendar = [sessions[key] for key in sorted(sessions)]
    return written(path, _LAYOUT, Path(source), every, left_out, people, calendar, measurements)


def _why_left_out(record: dict[str, str]) -> str:
    """Return why a row is no part of the study, nothing where it is one."""
    if all(record[item] in GAPS for item in _ITEMS):
        return "a prompt without an answer"
    return "no number of its prompt, so its time is not known" if record["beep"] in GAPS else ""


def _arms_known(source: Path, records: list[dict[str, str]], therapy: dict[str, float]) -> None:
    """Refuse persons whose arm is nowhere told."""
    unknown = sorted({record["person"] for record in records} - set(therapy))
    if unknown:
        got = f"no arm of {', '.join(unknown[:4])}"
        raise DataError(str(source), [Fault(source.name, None, "therapy", got, "0 or 1 per person", "fill it in")])
