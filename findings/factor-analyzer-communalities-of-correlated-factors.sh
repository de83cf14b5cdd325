#!/bin/sh
# factor_analyzer 0.5.1: get_communalities, get_uniquenesses and get_factor_variance sum squared loadings also after an oblique rotation
# (promax is the default), where the factor correlation belongs in the sum. Expected: rotation leaves communalities alone, as in R's
# psych. Seen: an item of two factors that correlate .6 has a communality of .68 before rotation and .52 after it, others rise; the
# uniqueness is one minus that, and the explained variance changes with it. No warning.
# Run: sh findings/factor-analyzer-communalities-of-correlated-factors.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q factor-analyzer==0.5.1 scikit-learn==1.5.2 pandas==2.3.3 numpy==2.2.6 scipy==1.15.3
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from factor_analyzer import FactorAnalyzer

rng = np.random.default_rng(0)
factors = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=5000)
loadings = np.zeros((8, 2))
loadings[:4, 0] = loadings[4:, 1] = 0.7
loadings[0, 1] = loadings[4, 0] = 0.2
items = factors @ loadings.T + 0.6 * rng.normal(size=(5000, 8))
found = {rotation: FactorAnalyzer(2, rotation=rotation).fit(items) for rotation in (None, "varimax", "oblimin")}
print("factor_analyzer", version("factor-analyzer"))
for rotation, fit in found.items():
    shares = fit.get_communalities()
    share = fit.get_factor_variance()[2][-1]
    print(f"rotation {rotation}: first item {shares[0]:.3f}, second {shares[1]:.3f}, variance in all {share:.3f}")
oblique = found["oblimin"]
right = np.diag(oblique.loadings_ @ oblique.phi_ @ oblique.loadings_.T)
print(f"oblimin with the factor correlation ({oblique.phi_[0, 1]:.2f}): first item {right[0]:.3f}, second {right[1]:.3f}")
before, after = found[None].get_communalities(), oblique.get_communalities()
assert version("factor-analyzer") == "0.5.1"
assert np.allclose(found["varimax"].get_communalities(), before, atol=1e-6)
assert np.allclose(right, before, atol=1e-3), "loadings and phi_ should give the communalities before rotation"
assert before[0] - after[0] > 0.1 and after[1] - before[1] > 0.02, "rotation leaves them alone now: the behaviour has changed"
print("seen: an oblique rotation changes the communalities")
PYTHON
