#!/bin/sh
# statsmodels 0.15.0: the standard error that MixedLM prints beside a random-effect variance ("Group Var") is not in that variance's unit.
# The optimiser works with the variance divided by the residual variance; the printed error is multiplied by the root of the residual
# variance, not by the residual variance. Expected: an outcome ten times as large has a variance and an error a hundred times as large.
# Seen: the error grows tenfold only, so the same data have an error of 197 % or of 2 % of the variance, by the unit of the outcome.
# Run: sh findings/statsmodels-mixedlm-variance-error-changes-with-the-unit.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q statsmodels==0.15.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import statsmodels.api as sm

PERSONS, DAYS = 60, 8
rng = np.random.default_rng(0)
person = np.repeat(np.arange(PERSONS), DAYS)
outcome = 2 * rng.normal(size=PERSONS)[person] + rng.normal(size=PERSONS * DAYS)
print("statsmodels", version("statsmodels"))
seen = {}
for unit in (0.1, 1.0, 10.0):
    data = unit * outcome
    fit = sm.MixedLM(data, np.ones(len(data)), groups=person).fit()
    variance, error = float(fit.cov_re[0, 0]), float(fit.bse_re[0])
    table = data.reshape(PERSONS, DAYS)  # balanced, so the error is known in closed form
    between = DAYS * table.mean(axis=1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    known = np.sqrt(2 * (between**2 / (PERSONS - 1) + within**2 / (PERSONS * (DAYS - 1)))) / DAYS
    assert abs(variance - (between - within) / DAYS) < 1e-3 * variance, "the estimate itself differs from the closed form"
    print(f"unit {unit:4}: variance {variance:9.4f}, printed error {error:8.4f}, error in closed form {known:8.4f}")
    seen[unit] = variance, error, error / np.sqrt(fit.scale) * fit.scale / known
assert version("statsmodels") == "0.15.0"
assert abs(seen[10.0][0] / seen[1.0][0] - 100) < 0.5, seen
assert abs(seen[10.0][1] / seen[1.0][1] - 10) < 0.5, "the error follows the variance now: the behaviour has changed"
assert all(abs(ratio - 1) < 0.1 for _, _, ratio in seen.values()), seen
print("seen: times the root of the residual variance, the printed errors agree with the closed form")
PYTHON
