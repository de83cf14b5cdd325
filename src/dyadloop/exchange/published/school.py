"""Convert the published school experience-sampling study into a study folder.

Mölsä, Forsman & Söderberg (2024), doi:10.12688/f1000research.157148.1, CC BY 4.0, in the openESM edition.
"""

from pathlib import Path

from dyadloop.data.schema import Indicator, StudyInfo, StudyPrior
from dyadloop.exchange.published.account import Layout, written
from dyadloop.exchange.published.source import GAPS, read_published

_ITEMS = {
    "te_enc_all": Indicator(
        quantity="support",
        person="patient",
        unit="points",
        scale=(1, 5),
        reason="how encouraging the teacher was: support given by an adult in a helping role; peer support is "
        "another source and is left out",
    ),
    "te_fair_all": Indicator(
        quantity="trust",
        person="patient",
        unit="points",
        scale=(1, 5),
        reason="how fair the teacher was: fairness is a ground of trust, not trust itself; the weakest link of this "
        "mapping, set use: false to do without it",
    ),
    "stress_all": Indicator(
        quantity="stress", person="patient", unit="points", scale=(1, 5), reason="momentary stress, asked by that name"
    ),
}

_MOMENTARY = StudyPrior(
    family="lognormal",
    location=0.5,
    scale=1.3,
    assumed="the items ask about the present lesson and moment: a change lasts an hour to a week, not weeks",
)

_INFO = StudyInfo(
    schema_version=1,
    name="school",
    title="Pupils and their teachers: 10 school days of experience sampling in Finland, 2022",
    licence="CC-BY-4.0",
    source="10.12688/f1000research.157148.1",
    attribution="Mölsä, Forsman & Söderberg (2024), openESM edition; items renamed to quantities, nothing else changed",
    simulated=False,
    indicators=_ITEMS,
    priors={f"tau_{item.quantity}": _MOMENTARY for item in _ITEMS.values()},
)

_COLUMNS = ("id", "notification_time", "notification_no", *_ITEMS)
_LAYOUT = Layout(
    id="school",
    info=_INFO,
    keys={"dyad": "id", "person": "id", "date": "notification_time", "length_min": 0},
    scores={item: item for item in _ITEMS},
    reasons={"date": "each prompt is a session of length 0; sessions are numbered in the order of their times"},
)


def convert_school(source: str | Path, path: str | Path) -> Path:
    """Write a study folder from the published ``daily.csv``.

    A pupil takes the role of the patient; each prompt is a session of length 0 at its clock time. Oxytocin,
    synchrony, empathy, attachment, depression and fear were not measured and are absent.

    Raises
    ------
    DataError
        If the file is not the published one, or the folder exists already.

    Examples
    --------
    >>> folder = dl.convert_school("examples/source/school_daily.csv", "results/school")
    >>> sorted(path.name for path in folder.iterdir() if path.name.startswith("import"))
    ['import.json', 'import.yaml', 'import_log.tsv']
    """
    records = read_published(Path(source), _COLUMNS, "the published daily.csv", tuple(_ITEMS))
    pupils = sorted({record["id"] for record in records})
    ordered = sorted(records, key=lambda record: (record["id"], record["notification_time"]))
    participants = [{"participant_id": f"P{pupil}", "dyad": f"D{pupil}", "role": "patient"} for pupil in pupils]
    sessions, measurements, order = [], [], dict.fromkeys(pupils, 0)
    for record in ordered:
        order[record["id"]] += 1
        key = {"dyad": f"D{record['id']}", "session": order[record["id"]]}
        sessions.append({**key, "start": record["notification_time"], "length_min": 0})
        person = {"participant_id": f"P{record['id']}"}
        for item in _ITEMS:
            if record[item] not in GAPS:
                measurements.append({**key, **person, "indicator": item, "value": f"{float(record[item]):g}"})
    return written(path, _LAYOUT, Path(source), records, {}, participants, sessions, measurements)
