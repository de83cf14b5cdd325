#!/bin/sh
# factor_analyzer 0.5.1: after an oblique rotation (promax is the default) the factors are sorted by variance, but the matrix of
# factor correlations phi_ is not: its row and column 0 need not be column 0 of loadings_. Expected: one order for both. Seen, with
# factors that correlate .7, .3 and .1: phi_ gives the pair of .1 the .7 of another pair. The structure matrix is sorted like the
# loadings, so that the right correlations can be had from those two. No warning.
# Run: sh findings/factor-analyzer-correlations-of-other-factors.sh   (needs Python 3.11+ and a package index; a minute or two)
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

TRUE = np.array([[1.0, 0.7, 0.1], [0.7, 1.0, 0.3], [0.1, 0.3, 1.0]])
rng = np.random.default_rng(0)
factors = rng.multivariate_normal(np.zeros(3), TRUE, size=20_000)
loadings = np.zeros((12, 3))
loadings[:3, 0], loadings[3:7, 1], loadings[7:, 2] = 0.6, 0.7, 0.8
items = factors @ loadings.T + 0.6 * rng.normal(size=(20_000, 12))
correlations = np.corrcoef(items.T)
print("factor_analyzer", version("factor-analyzer"))
for rotation in ("promax", "oblimin"):
    fit = FactorAnalyzer(3, rotation=rotation).fit(items)
    found = np.abs(fit.loadings_).argmax(axis=1)
    column = found[[0, 3, 7]]  # where the factors of the first, second and third block of items stand
    assert np.array_equal(found, np.repeat(column, [3, 4, 5])), found
    from_structure = np.linalg.lstsq(fit.loadings_, fit.structure_, rcond=None)[0]
    error, misfit = [], []
    for name, matrix in (("phi_", fit.phi_), ("structure", from_structure)):
        pairs = matrix[np.ix_(column, column)]
        rest = correlations - fit.loadings_ @ matrix @ fit.loadings_.T
        error.append(np.abs(pairs - TRUE).max())
        misfit.append(np.abs(rest - np.diag(np.diag(rest))).max())
        values = f"{pairs[0, 1]:.2f}, {pairs[1, 2]:.2f}, {pairs[0, 2]:.2f}"
        print(f"{rotation}, {name:9}: pairs 1-2, 2-3, 1-3 (true .7, .3, .1) {values};", end=" ")
        print(f"largest residual correlation {misfit[-1]:.3f}")
    assert error[1] < 0.1 and misfit[1] < 0.03, (error, misfit)
    assert error[0] > 0.3 and misfit[0] > 0.2, "phi_ follows the loadings now: the behaviour has changed"
assert version("factor-analyzer") == "0.5.1"
print("seen: phi_ belongs to another order of the factors than loadings_")
PYTHON
