"""Who was measured when: the number of values of each person in each stretch of time."""

from typing import Any

import numpy as np
import pandas as pd

from dyadloop.data import Study

STRETCHES = 60


def study_map(study: Study) -> dict[str, Any]:
    """Return counts of values by person and stretch of time, the persons of a dyad beside each other.

    Times count from each dyad's first, as everywhere; persons without any value are there too.
    """
    values = study.measurements
    persons = study.participants.sort_values(["dyad", "participant_id"])
    last = float(values["time"].max()) if len(values) else 1.0
    sessions = float(study.sessions["end"].max()) if len(study.sessions) else 0.0
    edges = np.linspace(0.0, max(last, sessions, 1e-9), STRETCHES + 1)
    place = np.clip(np.searchsorted(edges, values["time"], side="right") - 1, 0, STRETCHES - 1)
    counts = pd.crosstab(values["participant_id"], place).reindex(columns=range(STRETCHES), fill_value=0)
    rows = [
        {
            "person": str(row["participant_id"]), "dyad": str(row["dyad"]), "role": str(row["role"]),
            "counts": counts.loc[row["participant_id"]].tolist() if row["participant_id"] in counts.index
            else [0] * STRETCHES,
        }
        for row in persons.to_dict("records")
    ]  # fmt: skip
    return {"edges": edges, "rows": rows, "simulated": bool(study.info.simulated)}
