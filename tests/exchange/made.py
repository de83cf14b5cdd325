"""Files as three labs have them: a German Excel export, a REDCap export with dictionary, an SPSS file; with faults."""

import csv
import datetime as dt

import numpy as np

PATIENTS, SESSIONS = 20, 10
GERMAN = "Chiffre;Therapeut;Sitzung;Datum;WAI-SR Gesamt;PHQ-9 Summe;Größe des Vertrauens;Bemerkung;Alter"


def german(path, seed=1):
    """Write a CSV as a German Excel does: semicolons, decimal commas, Windows-1252, a title; with kinds of faults."""
    rng = np.random.default_rng(seed)
    lines = ["Therapiestudie 2024" + ";" * 8, "", GERMAN]
    for p in range(1, PATIENTS + 1):
        first, age, level = dt.date(2024, 1, 8) + dt.timedelta(days=int(rng.integers(30))), rng.integers(20, 60), 3.5
        for s in range(1, SESSIONS + 1):
            level = 0.7 * level + 1.05 + rng.normal(0, 0.3)
            date = first + dt.timedelta(days=7 * (s - 1))
            date = dt.date(2204, 1, 1) if (p, s) == (5, 2) else date
            wai = f"{np.clip(level, 1, 5):.2f}".replace(".", ",")
            wai = {(6, 3): "k.A.", (7, 3): "01.03.2024"}.get((p, s), wai)
            phq = (
                "99"
                if (p, s) in ((3, 4), (9, 9))
                else str(int(np.clip(12 - 3 * (level - 3.5) + rng.normal(0, 2), 0, 27)))
            )
            code = "p04" if (p, s) == (4, 4) else f"P{p:02d}"
            fields = [
                code,
                f"T{p % 4 + 1}",
                s,
                f"{date:%d.%m.%Y}",
                wai,
                phq,
                rng.integers(1, 8),
                f"frei {p} {s}, ä",
                age,
            ]
            lines += [";".join(map(str, fields))] * (2 if (p, s) == (8, 5) else 1)
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("cp1252"))
    return path


FIELDS = (
    'Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",'
    "Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?"
)
DICTIONARY = [
    ["record_id", "base", "", "text", "Record ID", "", "", "", "", "", ""],
    ["dob", "base", "", "text", "Date of birth", "", "", "date_dmy", "", "", "y"],
    ["age", "base", "", "text", "Age", "", "", "integer", "18", "99", ""],
    ["sym", "base", "", "checkbox", "Symptoms", "1, Sleep | 2, Appetite", "", "", "", "", ""],
    ["session_date", "session", "", "text", "Date of session", "", "", "date_dmy", "", "", ""],
    ["length", "session", "", "text", "Length (min)", "", "", "integer", "", "", ""],
    ["therapist", "session", "", "dropdown", "Therapist", "1, Ada | 2, Ben | 3, Cid", "", "", "", "", ""],
    [
        "closeness",
        "session",
        "",
        "slider",
        "How close was the alliance?",
        "not | middle | very",
        "",
        "number",
        "",
        "",
        "",
    ],
    *[
        [
            f"phq9_{k}",
            "phq",
            "",
            "radio",
            f"Item {k}",
            "0, never | 1, some days | 2, many | 3, nearly all",
            "",
            "",
            "",
            "",
            "",
        ]
        for k in range(1, 10)
    ],
]


def redcap(path, dictionary, seed=2):
    """Write a longitudinal export, raw, with repeated instruments, and its data dictionary."""
    rng = np.random.default_rng(seed)
    dictionary.write_text(FIELDS + "\n" + "".join(_line(row) for row in DICTIONARY))
    items = [f"phq9_{k}" for k in range(1, 10)]
    head = [
        "record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "dob", "age", "sym___1",
        "sym___2", "base_complete", "session_date", "length", "therapist", "closeness", "session_complete", *items,
        "phq_complete",
    ]  # fmt: skip
    rows = [head]
    for p in range(1, PATIENTS + 1):
        first, level = dt.date(2023, 9, 1) + dt.timedelta(days=int(rng.integers(60))), 60.0
        rows.append([p, "baseline_arm_1", "", "", "1975-02-03", rng.integers(20, 60), 0, 1, 2, *[""] * 15])
        for s in range(1, SESSIONS + 1):
            level = 0.6 * level + 24 + rng.normal(0, 8)
            close = -99 if (p, s) == (2, 2) else int(np.clip(level, 0, 100))
            date = first + dt.timedelta(days=7 * (s - 1))
            rows.append([p, "therapy_arm_1", "session", s, *[""] * 5, date, 50, p % 3 + 1, close, 2, *[""] * 10])
            answers = [int(np.clip(rng.normal(1.5 - (level - 60) / 20, 0.7), 0, 3)) for _ in items]
            answers = [-99 if (p, s, k) == (4, 4, 3) else answer for k, answer in enumerate(answers)]
            rows.append([p, "therapy_arm_1", "phq", s, *[""] * 10, *answers, 2])
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def _line(row):
    return ",".join(f'"{text}"' if "," in text else text for text in row) + "\n"


def spss(path, seed=3):
    """Write a wide SPSS file: a row per patient, columns per session, codes declared missing as value and as range."""
    import pandas as pd
    import pyreadstat

    rng = np.random.default_rng(seed)
    rows = []
    for p in range(1, PATIENTS + 1):
        row = {"code": f"VP{p:02d}", "th_id": float(p % 4 + 1), "sex": float(p % 2)}
        for s in range(1, SESSIONS + 1):
            row[f"date_t{s}"] = dt.date(2023, 1, 9) + dt.timedelta(days=7 * s + p)
            row[f"wai_p_t{s}"] = 99.0 if (p, s) == (3, 3) else round(float(np.clip(rng.normal(5, 1), 1, 7)), 2)
            row[f"wai_t_t{s}"] = round(float(np.clip(rng.normal(5, 1), 1, 7)), 2)
            row[f"bdi_t{s}"] = -9.0 if (p, s) == (5, 2) else float(rng.integers(0, 40))
        rows.append(row)
    every = range(1, SESSIONS + 1)
    names = ("Date", "Alliance patient", "Alliance therapist", "BDI-II sum")
    labels = ["Code", "Therapist", "Sex", *(f"{name} session {s}" for s in every for name in names)]
    words = {1.0: "never", 7.0: "always", 99.0: "no answer"}
    pyreadstat.write_sav(
        pd.DataFrame(rows), str(path), column_labels=labels,
        missing_ranges={f"wai_p_t{s}": [99.0] for s in every} | {f"bdi_t{s}": [{"lo": -9, "hi": -1}] for s in every},
        variable_value_labels={f"wai_{who}_t{s}": words for s in every for who in "pt"},
    )  # fmt: skip
    return path
