"""What a measurement says on the screen: what is done as a matter of course is no doubt, and is said once."""

import pandas as pd

from dyadloop.reporting.raw import measured_lines


def test_what_recordings_have_in_common_is_one_line():
    rate = "D{0}_1_EDA.csv has 4 Hz, D{0}_1_own.csv 10: both were brought to 4 Hz"
    late = "D{0}_1_own.csv starts 2{0} s after D{0}_1_EDA.csv; compared: the common 340.0 s"
    notes = {f"D{d} session 1": [rate.format(d), late.format(d)] for d in range(1, 9)}
    notes["D3 session 1"].append("first person is 999 in 40 samples, far from all others: declare it")
    status = pd.DataFrame({"indicator": "skin", "status": ["ok"] * 8})
    lines = measured_lines("skin", {"scores": 8, "kind": "synchrony", "notes": notes}, status)[1:]
    assert lines == [
        f"  note: D1 session 1 and 7 more: {rate.format(1)}",
        f"  note: D1 session 1 and 7 more: {late.format(1)}",
        "  doubt: D3 session 1: first person is 999 in 40 samples, far from all others: declare it",
    ]


def test_one_doubtful_score_is_one_score():
    status = pd.DataFrame({"indicator": "saliva", "status": ["ok", "doubtful: 1 of 2 wells beyond the curve"]})
    lines = measured_lines("saliva", {"scores": 2, "kind": "assay"}, status)
    assert lines[-1] == "  1 score doubtful: 1 of 2 wells beyond the curve"
