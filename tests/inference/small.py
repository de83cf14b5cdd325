"""A study small enough to be fitted many times: simulated, with few variables."""

import numpy as np
import pandas as pd
from scipy.special import expit

from dyadloop.simulation import simulate_study
from dyadloop.theory import keep
from tests.linear import rival

PAIR = ["oxytocin", "trust"]


def theory(variables):
    return keep(rival("reciprocal"), variables)


def make(path, variables, seed=1, values=None):
    return simulate_study(path, theory=theory(variables), seed=seed, values=values)


def shorten(folder, n_dyads):
    """Keep the first dyads of a study folder."""
    participants = (folder / "participants.tsv").read_text().splitlines()
    place = participants[0].split("\t").index("dyad")
    kept = sorted({line.split("\t")[place] for line in participants[1:]})[:n_dyads]
    for name in ("participants.tsv", "sessions.tsv", "measurements.tsv"):
        lines = (folder / name).read_text().splitlines()
        place = lines[0].split("\t").index("dyad")
        rows = [line for line in lines[1:] if line.split("\t")[place] in kept]
        (folder / name).write_text("\n".join([lines[0], *rows]) + "\n")
    return folder


def coarse(folder):
    """Round trust to whole points of a scale from 4 to 7."""
    lines = (folder / "measurements.tsv").read_text().splitlines()
    head, rows = lines[0].split("\t"), [line.split("\t") for line in lines[1:]]
    value, indicator = head.index("value"), head.index("indicator")
    for row in rows:
        if row[indicator] == "trust":
            row[value] = str(int(np.clip(round(float(row[value])), 4, 7)))
    (folder / "measurements.tsv").write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    return _declared(folder, "scale: [4, 7]", "step: 1", "ends_are_limits: true")


def _declared(folder, *lines):
    """Declare more of the indicator of trust."""
    text = (folder / "study.yaml").read_text()
    known = "trust:\n    quantity: trust\n"
    assert known in text
    (folder / "study.yaml").write_text(text.replace(known, known + "".join(f"    {line}\n" for line in lines)))
    return folder


def answered(folder, thresholds):
    """Turn trust into answers from 1 to 5 with these thresholds, to be estimated."""
    values = table(folder / "measurements.tsv")
    here = values["indicator"] == "trust"
    raw = values.loc[here, "value"].astype(float)
    centred = 3 + (raw - raw.mean()) / raw.std() * 1.2
    values.loc[here, "value"] = [str(1 + number) for number in np.searchsorted(thresholds, centred)]
    values.to_csv(folder / "measurements.tsv", sep="\t", index=False)
    return _declared(folder, "scale: [1, 5]", "step: 1", "ends_are_limits: true", "thresholds: free")


def counted(folder, change=lambda row, head: None):
    """Turn trust into a count of trusting choices out of ten."""
    lines = (folder / "measurements.tsv").read_text().splitlines()
    head = [*lines[0].split("\t"), "trials"]
    rows = [[*line.split("\t"), ""] for line in lines[1:]]
    value, indicator = head.index("value"), head.index("indicator")
    generator = np.random.default_rng(2)
    for row in rows:
        if row[indicator] == "trust":
            row[value], row[-1] = str(generator.binomial(10, expit(float(row[value]) - 4.5))), "10"
            change(row, head)
    (folder / "measurements.tsv").write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    text = (folder / "study.yaml").read_text()
    old = next(part for part in text.split("\n") if part.strip().startswith("sd_within"))
    (folder / "study.yaml").write_text(text.replace(old, "    transform: logit", 1))
    return folder


def table(path):
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def shared(folder, therapist_of, plate_of=lambda row: "", shift=None):
    """Name therapists and plates in a study folder; ``shift`` is added to the trust of each therapist's patients."""
    people, values = table(folder / "participants.tsv"), table(folder / "measurements.tsv")
    number = people["dyad"].str[1:].astype(int)
    people["therapist"] = [
        therapist_of(n) if role == "patient" else "" for n, role in zip(number, people["role"], strict=True)
    ]
    values["plate"] = [plate_of(row) if row["indicator"] == "saliva_patient" else "" for _, row in values.iterrows()]
    if shift:
        moved = values["dyad"].str[1:].astype(int).map(lambda n: shift[therapist_of(n)]).astype(float)
        here = values["indicator"].isin(["trust", "alliance"])
        values.loc[here, "value"] = (values["value"].astype(float) + moved)[here].map("{:.6f}".format)
    people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    if not (values["plate"] == "").all():
        values.to_csv(folder / "measurements.tsv", sep="\t", index=False)
    else:
        values.drop(columns="plate").to_csv(folder / "measurements.tsv", sep="\t", index=False)
    return folder
