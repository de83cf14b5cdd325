#!/bin/sh
# statsmodels 0.15.0: in UnobservedComponents, one missing day in front of a series lowers the log-likelihood by 7.8, at the same
# parameters. Expected: a missing day carries no information. The first moments are left out of the likelihood because the start is
# diffuse, but they are counted in rows, not in observations: the gap uses them up, and the first observation is then judged against
# a prior variance of a million. AIC of persons whose diaries start late cannot be added to or compared with the others.
# Further gaps in front change nothing more; use_exact_diffuse=True is not affected.
# Run: sh findings/statsmodels-leading-gap-changes-the-likelihood.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q statsmodels==0.15.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from statsmodels.tsa.statespace.structural import UnobservedComponents

rng = np.random.default_rng(0)
diary = np.cumsum(rng.normal(size=60)) + rng.normal(size=60)
late = np.r_[np.nan, diary]
middle = np.r_[diary[:30], np.nan, diary[30:]]


def likelihood(series: np.ndarray, exact: bool) -> float:
    """Log-likelihood of a local level with both variances 1."""
    return float(UnobservedComponents(series, "llevel", use_exact_diffuse=exact).loglike([1.0, 1.0]))


print("statsmodels", version("statsmodels"))
for exact in (False, True):
    print(f"exact diffuse {exact!s:5}: no gap {likelihood(diary, exact):.3f}, one missing day in front {likelihood(late, exact):.3f}")
print(f"default, the missing day in the middle: {likelihood(middle, False):.3f}")
fall = likelihood(late, False) - likelihood(diary, False)
assert version("statsmodels") == "0.15.0"
assert abs(likelihood(late, True) - likelihood(diary, True)) < 1e-6, "the exact start should not care"
assert abs(fall - -0.5 * np.log(2 * np.pi * 1e6)) < 0.01, f"the fall is {fall} now: the behaviour has changed"
print(f"seen: {fall:.2f}, the log density of the first value under a variance of a million")
PYTHON
