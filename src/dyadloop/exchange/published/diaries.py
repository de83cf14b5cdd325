"""Convert published experience sampling of people with few or many depressive symptoms into a study folder.

Dejonckheere et al. (2019), doi:10.1080/02699931.2018.1524747, CC BY 4.0 in the openESM edition: 100 persons, two weeks
of seven prompts a day.
"""

from pathlib import Path

from dyadloop.data.schema import Covariate, Indicator, StudyInfo
from dyadloop.exchange.published.account import Layout, written
from dyadloop.exchange.published.source import GAPS, read_published

_ITEMS = {
    "happy": Indicator(
        quantity="cheerful",
        person="patient",
        unit="points",
        scale=(0, 100),
        reason="happiness, the item nearest to cheerfulness",
    ),
    "stress": Indicator(
        quantity="stress", person="patient", unit="points", scale=(0, 100), reason="the item 'stress' itself"
    ),
    "relaxed": Indicator(
        quantity="relaxed",
        person="patient",
        unit="points",
        scale=(0, 100),
        use=False,
        reason="all but the opposite of stress: fitted together, what happens moves both at once (noise correlation "
        "near -0.99), so nothing can be told of arrows between them",
    ),
}
_FIRST_PROMPT, _PROMPT = 10 / 24, 100 / 1440  # seven blocks of 100 minutes from ten o'clock [d]
_NOON = 0.625  # a day counts as a session of length 0 in the middle of its prompts [d]

_INFO = StudyInfo(
    schema_version=1,
    name="diaries",
    title="Momentary affect of 100 persons with few or many depressive symptoms: two weeks of seven prompts a day",
    licence="CC-BY-4.0",
    source="10.1080/02699931.2018.1524747",
    attribution="Dejonckheere et al. (2019), openESM edition; three items selected, prompts put on a clock of "
    "100-minute blocks, which is assumed",
    simulated=False,
    theory="affect",
    indicators=_ITEMS,
    covariates={"symptoms": Covariate(of="patient", per=0.5, reason="mean of the CES-D items, in half points")},
)
_COLUMNS = ("id", "day", "beep_new", "ces_dmean", *_ITEMS)
_LAYOUT = Layout(
    id="diaries",
    info=_INFO,
    keys={
        "dyad": "id",
        "person": "id",
        "session": "day",
        "clock": "beep_new",
        "length_min": 0,
        "covariates": {"symptoms": {"column": "ces_dmean", "of": "patient", "per": 0.5}},
    },
    scores={item: item for item in _ITEMS},
    reasons={
        "session": "a day is a session of length 0 in the middle of its prompts",
        "clock": "the number of the prompt: blocks of 100 minutes from ten o'clock, which is assumed",
    },
    whole=("day", "beep_new"),
)


def convert_diaries(source: str | Path, path: str | Path) -> Path:
    r"""Write a study folder from the published ``daily.csv``.

    Each person is a patient without a partner; each day is a session of length 0. Depressive symptoms enter as a
    covariate of the person. The clock of the prompts is not published and is assumed.

    Raises
    ------
    DataError
        If the file is not the published one, or the folder exists already.

    Examples
    --------
    >>> from pathlib import Path
    >>> head = "id,day,beep_new,ces_dmean,happy,stress,relaxed"
    >>> text = head + "\n1,1,1,0.5,60,20,70\n1,1,2,0.5,55,30,60\n"  # SIMULATED
    >>> _ = Path("results/daily.csv").write_text(text)
    >>> folder = dl.convert_diaries("results/daily.csv", "results/diaries")
    >>> dl.summarise(dl.read_study(folder)).sessions
    1
    """
    needed = ("day", "beep_new", "ces_dmean")
    records = read_published(Path(source), _COLUMNS, "the published daily.csv", tuple(_ITEMS), needed)
    symptoms = {record["id"]: round(float(record["ces_dmean"]), 4) for record in records}
    sessions: dict[tuple[str, int], dict[str, object]] = {}
    measurements = []
    for record in records:
        person, day, prompt = record["id"], int(float(record["day"])), int(float(record["beep_new"]))
        key = {"dyad": f"D{person}", "session": day}
        sessions[person, day] = {**key, "start": day - 1 + _NOON, "length_min": 0}
        moment = {"participant_id": f"P{person}", "time": round(day - 1 + _FIRST_PROMPT + _PROMPT * (prompt - 1), 6)}
        for item in _ITEMS:
            if record[item] not in GAPS:
                measurements.append({**key, **moment, "indicator": item, "value": f"{float(record[item]):g}"})
    people = [
        {"participant_id": f"P{person}", "dyad": f"D{person}", "role": "patient", "symptoms": symptoms[person]}
        for person in sorted(symptoms)
    ]
    calendar = [sessions[key] for key in sorted(sessions)]
    return written(path, _LAYOUT, Path(source), records, {}, people, calendar, measurements)
