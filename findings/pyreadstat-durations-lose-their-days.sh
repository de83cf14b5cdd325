#!/bin/sh
# pyreadstat 1.3.7: an SPSS duration (formats TIME and DTIME, stored as seconds) comes back as a time of day: 100 hours become 04:00,
# and one minute before an event becomes 23:59. Whole days are dropped without a warning. Expected: the duration, or the seconds.
# It misleads because short durations are right, so that sleep, latency and time since a session look plausible and average wrongly.
# SPSS writes hours beyond 24 in TIME and days in DTIME; disable_datetime_conversion=True gives the seconds.
# Run: sh findings/pyreadstat-durations-lose-their-days.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyreadstat==1.3.7 pandas==2.3.3 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
from datetime import time
from importlib.metadata import version

import pandas as pd
import pyreadstat

seconds = [1800.0, 26 * 3600.0, 100 * 3600.0, -60.0]
frame = pd.DataFrame({"since": seconds})
print("pyreadstat", version("pyreadstat"))
assert version("pyreadstat") == "1.3.7"
for form in ("TIME11", "DTIME14"):
    pyreadstat.write_sav(frame, "durations.sav", variable_format={"since": form})
    found = pyreadstat.read_sav("durations.sav")[0]["since"].tolist()
    raw = pyreadstat.read_sav("durations.sav", disable_datetime_conversion=True)[0]["since"].tolist()
    assert raw == seconds, "the file does not hold the seconds that were written"
    for true, seen in zip(seconds, found, strict=True):
        print(f"{form}: {true / 3600:8.3f} hours in the file, read as {seen}")
    assert found == [time(0, 30), time(2, 0), time(4, 0), time(23, 59)], found
print("seen: days and the sign are lost")
PYTHON
