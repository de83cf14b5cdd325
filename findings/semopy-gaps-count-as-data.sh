#!/bin/sh
# semopy 2.3.11: rows with a gap count as whole rows in the standard errors, with the default objective and with FIML. Expected: an error
# that grows with the gaps. Of 400 persons 40 have the outcome; its regression on a complete predictor has a standard error of .22
# in those 40, and .06 from semopy given all 400 rows, about the error of data without gaps (.05): with FIML z is 12 instead of 3.
# It misleads because the estimate from FIML is right, and nothing warns.
# Run: sh findings/semopy-gaps-count-as-data.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q semopy==2.3.11 pandas==2.3.3 numpy==2.2.6 scipy==1.15.3
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
import contextlib
import io
from importlib.metadata import version

import numpy as np
import pandas as pd
import semopy

rng = np.random.default_rng(0)
alliance = rng.normal(size=400)
whole = pd.DataFrame({"alliance": alliance, "outcome": 0.5 * alliance + rng.normal(size=400)})
gaps = whole.copy()
gaps.loc[40:, "outcome"] = np.nan


def slope(data: pd.DataFrame, objective: str) -> tuple[float, float]:
    """The slope of outcome on alliance and its standard error."""
    model = semopy.Model("outcome ~ alliance")
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(data, obj=objective)
        row = model.inspect().iloc[0]
    return float(row["Estimate"]), float(row["Std. Err"])


print("semopy", version("semopy"))
seen = {
    "no gaps, 400 rows": slope(whole, "MLW"),
    "the 40 whole rows": slope(gaps.dropna(), "MLW"),
    "400 rows, default": slope(gaps, "MLW"),
    "400 rows, FIML": slope(gaps, "FIML"),
}
for name, (estimate, error) in seen.items():
    print(f"{name:18} slope {estimate:.3f}, standard error {error:.3f}, z {estimate / error:.1f}")
assert version("semopy") == "2.3.11"
error = {name: value[1] for name, value in seen.items()}
assert abs(seen["400 rows, FIML"][0] - seen["the 40 whole rows"][0]) < 0.02, "FIML should give the slope of the 40 here"
assert error["the 40 whole rows"] > 3 * error["400 rows, default"], "the errors grow with the gaps now"
assert error["the 40 whole rows"] > 3 * error["400 rows, FIML"], "the errors grow with the gaps now"
print("seen: 360 missing outcomes make the slope as certain as 400 observed ones")
PYTHON
