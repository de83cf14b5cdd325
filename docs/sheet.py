"""Write the SIMULATED sheet of the tutorial on session scores, docs/tutorials/sessions.csv: ``python docs/sheet.py``.

20 patients of 5 therapists, 12 weekly sessions, under the theory ``alliance`` with an arrow of .6 from the patient's
alliance to symptoms. It looks like an export of Excel in Germany, with a code and a word for no answer.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import dyadloop as dl

TARGET = Path(__file__).parent / "tutorials" / "sessions.csv"


def sheet() -> str:
    """Return the sheet as text."""
    with TemporaryDirectory() as scratch:
        truth = {"c_symptoms_patient": 0.6}
        folder = dl.simulate_alliance(Path(scratch) / "study", dyads=20, therapists=5, seed=7, values=truth)
        study = dl.read_study(folder)
    scores = study.measurements.pivot_table(index=["dyad", "session"], columns="indicator", values="value")
    scores = scores.reset_index().astype({"session": int}).sort_values(["dyad", "session"], ignore_index=True)
    calendar = study.sessions.astype({"session": int}).set_index(["dyad", "session"])["start"]
    starts = calendar.loc[list(zip(scores["dyad"], scores["session"], strict=True))].to_numpy(dtype=float)
    therapists = study.participants.query("role == 'patient'").set_index("dyad")["therapist"]
    columns = {
        "Client": scores["dyad"],
        "Therapist": scores["dyad"].map(therapists),
        "Session": scores["session"],
        "Date": (pd.Timestamp("2024-01-08") + pd.to_timedelta(starts, "D")).strftime("%d.%m.%Y"),
        "WAI-SR patient": scores["wai_patient"],
        "WAI-SRT therapist": scores["wai_therapist"],
        "PHQ-9 sum": scores["phq9"],
    }
    table = pd.DataFrame(columns).astype(object)
    table = table.where(table.notna(), "").astype(str).replace(r"\.0$", "", regex=True)
    table.loc[4, "PHQ-9 sum"], table.loc[17, "WAI-SR patient"] = "99", "n.a."
    return table.to_csv(sep=";", index=False, lineterminator="\n")


if __name__ == "__main__":
    TARGET.write_text(sheet(), encoding="utf-8")
