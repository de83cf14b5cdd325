#!/bin/sh
# pandas 3.1.1 with odfpy 1.4.1: the time in an .ods cell is taken from the text on display, not from the value in the file.
# 90 s shown as "01:30" become one hour and a half; a quarter of a second shown as "00:00.3" becomes 18 s; 12:45:30 shown as "12:45"
# loses its seconds. Expected: the value (office:time-value), as for numbers and dates in the same sheet, and as calamine reads it.
# It misleads because the result depends on the column's number format and every value is a plausible time. No warning.
# Run: sh findings/pandas-ods-times-from-the-display.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pandas==3.1.1 odfpy==1.4.1 python-calamine==0.9.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
from datetime import time
from importlib.metadata import version

import pandas as pd
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

CELLS = [  # value in the file, text on display, the time meant
    ("PT00H01M30S", "01:30", time(0, 1, 30)),
    ("PT00H00M00.25S", "00:00.3", time(0, 0, 0, 250000)),
    ("PT12H45M30S", "12:45", time(12, 45, 30)),
    ("PT12H45M30S", "12:45:30", time(12, 45, 30)),
]
document = OpenDocumentSpreadsheet()
table = Table(name="latency")
for value, shown, _ in CELLS:
    cell = TableCell(valuetype="time", timevalue=value)
    cell.addElement(P(text=shown))
    row = TableRow()
    row.addElement(cell)
    table.addElement(row)
document.spreadsheet.addElement(table)
document.save("times.ods")
found = pd.read_excel("times.ods", header=None, engine="odf")[0].tolist()
by_calamine = pd.read_excel("times.ods", header=None, engine="calamine")[0].tolist()
print("pandas", version("pandas"), "odfpy", version("odfpy"), "python-calamine", version("python-calamine"))
for (value, shown, _), odf, calamine in zip(CELLS, found, by_calamine, strict=True):
    print(f"{value:15} shown as {shown:9} engine odf: {odf}   engine calamine: {calamine}")
assert version("pandas") == "3.1.1"
assert by_calamine == [meant for _, _, meant in CELLS], by_calamine
assert found == [time(1, 30), time(0, 0, 18), time(12, 45), time(12, 45, 30)], found
print("seen: the display decides, not the value")
PYTHON
