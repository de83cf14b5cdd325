"""Convert published ratings of couples, who re-lived a filmed conversation with a dial, into a study folder.

Butler & Barnard (2019), doi:10.1097/PSY.0000000000000703; the table comes with the R package rties (GPL-3) and is
not part of this one.
"""

from pathlib import Path

from dyadloop.data.schema import Indicator, StudyInfo
from dyadloop.exchange.published.account import Layout, written
from dyadloop.exchange.published.source import GAPS, read_published

_STEP_S = 2  # seconds between two ratings
_DIALS = {
    "1": ("dial_hers", Indicator(quantity="hers", person="partner", unit="points", scale=(0, 5), reason="her dial")),
    "0": ("dial_his", Indicator(quantity="his", person="partner", unit="points", scale=(0, 5), reason="his dial")),
}

_INFO = StudyInfo(
    schema_version=1,
    name="dial",
    title="Couples who rate with a dial how they felt during their conversation, every two seconds",
    licence="GPL-3.0",
    source="10.1097/PSY.0000000000000703",
    attribution="Butler & Barnard (2019), example data of the R package rties; every rating kept",
    simulated=False,
    theory="couple",
    indicators=dict(_DIALS.values()),
)
_COLUMNS = ("couple", "person", "female", "time", "dial")
_LAYOUT = Layout(
    id="dial",
    info=_INFO,
    keys={
        "dyad": "couple",
        "person": "person",
        "role": "female",
        "roles": dict.fromkeys(_DIALS, "partner"),
        "day": "time",
        "unit": "seconds",
    },
    scores={name: "dial" for name, _ in _DIALS.values()},
    reasons={"day": "steps of two seconds; a conversation is one session", "role": "whose dial a row has"},
    whole=("time",),
)


def convert_dial(source: str | Path, path: str | Path) -> Path:
    r"""Write a study folder from the published table of momentary ratings, one row per person and two seconds.

    Each conversation is one session; both partners have the role ``partner``.

    Raises
    ------
    DataError
        If the file is not the published one, or the folder exists already.

    Examples
    --------
    >>> from pathlib import Path
    >>> text = "couple,person,female,time,dial\n1,1,1,0,2.5\n1,2,0,0,3\n1,1,1,1,2.6\n1,2,0,1,2.9\n"  # SIMULATED
    >>> _ = Path("results/dial.csv").write_text(text)
    >>> folder = dl.convert_dial("results/dial.csv", "results/dial")
    >>> sorted(dl.read_study(folder).info.indicators)
    ['dial_hers', 'dial_his']
    """
    expected = "the table of momentary ratings of rties"
    records = read_published(Path(source), _COLUMNS, expected, ("dial",), ("time",), {"female": tuple(_DIALS)})
    couples: dict[str, int] = {}
    people, measurements = {}, []
    for record in records:
        dyad, seconds = f"C{record['couple']}", _STEP_S * int(float(record["time"]))
        couples[dyad] = max(couples.get(dyad, 0), seconds)
        name, _ = _DIALS[record["female"]]
        person = f"P{record['person']}"
        people[person] = {"participant_id": person, "dyad": dyad, "role": "partner"}
        if record["dial"] not in GAPS:
            moment = {"time": round(seconds / 86400, 9), "phase": "within", "session": 1}
            row = {"dyad": dyad, "participant_id": person, "indicator": name, "value": f"{float(record['dial']):g}"}
            measurements.append({**row, **moment})
    sessions = [
        {"dyad": dyad, "session": 1, "start": 0, "length_min": round(last / 60, 6)} for dyad, last in couples.items()
    ]
    return written(path, _LAYOUT, Path(source), records, {}, people.values(), sessions, measurements)
