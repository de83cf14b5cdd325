#!/bin/sh
# FilterPy 2.0.0: update(None) is the documented call for a missing measurement and leaves the state alone, but log_likelihood is then
# that of a measurement exactly on the prediction, with the residual variance of the last observed day. Expected: 0, nothing was
# observed. The sum over the days, which one maximises to estimate the noise, is off by one such term for each missing day; the term
# grows without bound as the noise shrinks, so that gaps pull both variances towards 0.
# Run: sh findings/filterpy-missing-day-adds-likelihood.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q filterpy==2.0.0 numpy==2.4.6 scipy==1.17.1 matplotlib==3.11.2
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from filterpy.kalman import KalmanFilter
from scipy.stats import multivariate_normal

DIARY = [1.0, -0.5, None, None, 0.2, None, 0.8]


def level(noise: float) -> KalmanFilter:
    """A first-order autoregression seen with noise."""
    filter_ = KalmanFilter(dim_x=1, dim_z=1)
    filter_.x, filter_.P, filter_.F = np.zeros((1, 1)), np.eye(1), np.array([[0.9]])
    filter_.H, filter_.Q, filter_.R = np.eye(1), 0.5 * noise * np.eye(1), noise * np.eye(1)
    return filter_


def summed(noise: float, skip: bool) -> float:
    """The sum of log_likelihood over the diary, missing days left out or not."""
    filter_, total = level(noise), 0.0
    for value in DIARY:
        filter_.predict()
        filter_.update(value)
        total += 0.0 if skip and value is None else float(filter_.log_likelihood)
    return total


def by_hand(noise: float) -> float:
    """The log-likelihood of the observed days from their joint normal distribution."""
    days = np.arange(len(DIARY))
    variance = [0.81 + 0.5 * noise]
    for _ in days[1:]:
        variance.append(0.81 * variance[-1] + 0.5 * noise)
    early = np.minimum.outer(days, days)
    cov = np.array(variance)[early] * 0.9 ** np.abs(np.subtract.outer(days, days)) + noise * np.eye(len(days))
    seen = [day for day in days if DIARY[day] is not None]
    return float(multivariate_normal.logpdf([DIARY[day] for day in seen], cov=cov[np.ix_(seen, seen)]))


print("filterpy", version("filterpy"))
for noise in (1.0, 0.1):
    print(f"noise {noise}: sum {summed(noise, False):.3f}, without missing days {summed(noise, True):.3f}, by hand {by_hand(noise):.3f}")
assert version("filterpy") == "2.0.0"
for noise in (1.0, 0.1):
    assert abs(summed(noise, True) - by_hand(noise)) < 1e-9, "the filter itself is off"
surplus = {noise: summed(noise, False) - by_hand(noise) for noise in (1.0, 0.1)}
assert surplus[1.0] < -3 and surplus[0.1] > surplus[1.0] + 2, f"{surplus}: the behaviour has changed"
print(f"seen: three missing days add {surplus[1.0]:.2f} or {surplus[0.1]:.2f} to the log-likelihood")
PYTHON
