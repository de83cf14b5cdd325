#!/bin/sh
# semopy 2.3.11: in calc_stats, LogLik is the fit function (0 for a perfect fit, larger for a worse one), and AIC and BIC subtract it as if
# it were a log-likelihood. Expected: a lower AIC for the model that fits. Seen: one factor for eight items made by two factors
# (chi-square 632, RMSEA .28) has the lower AIC and the lower BIC than the right model (chi-square 21, RMSEA .02). Whoever compares
# models by AIC keeps the worse one.
# Run: sh findings/semopy-aic-rewards-misfit.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q semopy==2.3.11 pandas==2.3.3 numpy==2.2.6 scipy==1.15.3
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pandas as pd
import semopy

rng = np.random.default_rng(0)
first = rng.normal(size=400)
second = 0.4 * first + np.sqrt(1 - 0.4**2) * rng.normal(size=400)
items = pd.DataFrame({f"x{i}": 0.8 * (first if i < 4 else second) + 0.6 * rng.normal(size=400) for i in range(8)})
MODELS = {"one factor": "F =~ " + " + ".join(items), "two factors": "F =~ x0 + x1 + x2 + x3\nG =~ x4 + x5 + x6 + x7"}
stats = {}
print("semopy", version("semopy"))
for name, text in MODELS.items():
    model = semopy.Model(text)
    model.fit(items)
    stats[name] = semopy.calc_stats(model).loc["Value"]
    print(name, stats[name][["DoF", "chi2", "RMSEA", "LogLik", "AIC", "BIC"]].astype(float).round(3).to_dict())
one, two = stats["one factor"], stats["two factors"]
assert version("semopy") == "2.3.11"
assert one["chi2"] > 500 and two["chi2"] < 40, "two factors are the right model for these data"
assert abs(one["LogLik"] - one["chi2"] / 400) < 1e-6, "LogLik is no longer the fit function"
assert one["AIC"] < two["AIC"] and one["BIC"] < two["BIC"], "AIC prefers the right model now: the behaviour has changed"
print("seen: the misfit lowers AIC and BIC")
PYTHON
