#!/bin/sh
# statsmodels 0.15.0: combine_effects(method_re="dl") keeps a negative between-study variance. Expected: DerSimonian and Laird's estimate
# cut at 0, so that random effects fall back to fixed effects (method_re="pm" does so). Seen: with five studies that agree well, the
# random-effects interval is half as wide as the fixed-effect one and the mean moves from .25 to .22; with a more negative
# value the standard error is NaN. No warning.
# Run: sh findings/statsmodels-negative-tau2-narrows-the-interval.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q statsmodels==0.15.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from statsmodels.stats.meta_analysis import combine_effects

effect = np.array([0.10, 0.42, 0.18, 0.35, 0.30])
variance = np.array([0.04, 0.05, 0.03, 0.06, 0.04])
print("statsmodels", version("statsmodels"))
found = {method: combine_effects(effect, variance, method_re=method) for method in ("dl", "pm")}
for method, result in found.items():
    print(
        f"{method}: tau2 {result.tau2:.4f}, fixed {result.mean_effect_fe:.3f} (error {result.sd_eff_w_fe:.3f}),"
        f" random {result.mean_effect_re:.3f} (error {result.sd_eff_w_re:.3f})"
    )
dl, pm = found["dl"], found["pm"]
assert version("statsmodels") == "0.15.0"
assert pm.tau2 == 0 and abs(pm.sd_eff_w_re - pm.sd_eff_w_fe) < 1e-12, pm.tau2
assert dl.tau2 < -0.02, "tau2 is cut at 0 now: the behaviour has changed"
assert dl.sd_eff_w_re < 0.6 * dl.sd_eff_w_fe, "random effects are no longer more certain than fixed ones"
print("seen: random effects are twice as certain as fixed effects")
PYTHON
