#!/bin/sh
# pyreadstat 1.3.7: a Stata column of format %tC (milliseconds since 1960 that count leap seconds) is read as if it were %tc (without
# them). Expected: 27 s less for any moment since 2017, or the plain number, as pandas gives it with a warning.
# It misleads because both columns come back as dates of the same kind: one moment kept in both formats differs by 27 s.
# Run: sh findings/pyreadstat-stata-leap-second-clock.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyreadstat==1.3.7 pandas==2.3.3 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from warnings import catch_warnings

import pandas as pd
import pyreadstat

LEAP_SECONDS = 27  # inserted from 1972 to 2016, none since
clock = pd.Timestamp("2024-07-07 12:00:00")
milliseconds = (clock - pd.Timestamp("1960-01-01")).total_seconds() * 1000
frame = pd.DataFrame({"plain": [milliseconds], "counted": [milliseconds + 1000.0 * LEAP_SECONDS]})
pyreadstat.write_dta(frame, "clock.dta", variable_format={"plain": "%tc", "counted": "%tC"})
found, meta = pyreadstat.read_dta("clock.dta")
with catch_warnings(record=True) as caught:
    by_pandas = pd.read_stata("clock.dta")
print("pyreadstat", version("pyreadstat"), meta.original_variable_types)
print(f"12:00:00 as %tc: {found['plain'][0]}")
print(f"12:00:00 as %tC: {found['counted'][0]}")
print(f"pandas for %tC:  {by_pandas['counted'][0]:.0f}, with the warning: {str(caught[0].message).strip()[:60]}")
assert version("pyreadstat") == "1.3.7"
assert meta.original_variable_types == {"plain": "%tc", "counted": "%tC"}, meta.original_variable_types
assert found["plain"][0] == clock, found
assert (found["counted"][0] - clock).total_seconds() == LEAP_SECONDS, "no longer read as %tc: the behaviour has changed"
print("seen: the same moment twice, 27 s apart, without a warning")
PYTHON
