#!/bin/sh
# python-calamine 0.9.1: a cell of an .xlsx workbook that holds an error such as #DIV/0! comes back as the empty text '', like a cell that was
# never filled. Expected: the text of the error, or an exception, as openpyxl shows it. It misleads because a computed score that failed in Excel
# and a missing answer become the same, so nobody asks why values are missing.
# Run: sh findings/calamine-error-cells-are-empty.sh   (needs Python 3.11+ and a package index; about a minute)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q python-calamine==0.9.1 openpyxl==3.1.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import openpyxl
from python_calamine import CalamineWorkbook

book = openpyxl.Workbook()
book.active.append(["mean_of_items", "sum", "empty"])
book.active.append(["#DIV/0!", 12.5, None])
book.active.append(["#N/A", 3.0, None])
book.save("scores.xlsx")
by_openpyxl = [row[0] for row in openpyxl.load_workbook("scores.xlsx").active.iter_rows(min_row=2, values_only=True)]
rows = CalamineWorkbook.from_path("scores.xlsx").get_sheet_by_index(0).to_python()[1:]
print("python-calamine", version("python-calamine"), "openpyxl", version("openpyxl"))
print("openpyxl:", by_openpyxl)
print("calamine:", [row[0] for row in rows], "and for cells never filled:", [row[2] if len(row) > 2 else "" for row in rows])
assert version("python-calamine") == "0.9.1"
assert by_openpyxl == ["#DIV/0!", "#N/A"], by_openpyxl
assert [row[0] for row in rows] == ["", ""], "errors are told now: the behaviour has changed"
assert [row[1] for row in rows] == [12.5, 3.0], rows
print("seen: a failed formula and a missing value are the same")
PYTHON
