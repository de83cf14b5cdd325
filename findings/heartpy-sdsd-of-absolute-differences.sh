#!/bin/sh
# HeartPy 1.2.7: sdsd, documented as the standard deviation of successive differences, is that of their absolute values. Expected:
# about rmssd (equal but for the squared mean difference, which is near 0). Seen: 27 ms beside an rmssd of 43 ms in the same result,
# where the simulated beats have 40 ms for both. For normal differences the factor is sqrt(1 - 2/pi) = .60, so the value looks
# plausible and cannot be compared with any other program or norm.
# Run: sh findings/heartpy-sdsd-of-absolute-differences.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q heartpy==1.2.7 numpy==1.26.4 scipy==1.12.0 matplotlib==3.8.4 setuptools==75.8.0
cd "$folder"
"$folder/venv/bin/python"  - <<'PYTHON'
from importlib.metadata import version

import heartpy as hp
import numpy as np

RATE = 100.0
rng = np.random.default_rng(0)
beats = np.cumsum(0.85 + 0.03 * rng.normal(size=200))
time = np.arange(0, beats[-1] + 1, 1 / RATE)
pulse = np.exp(-0.5 * ((time[:, None] - beats) / 0.06) ** 2).sum(axis=1)
found = hp.process(pulse + 0.01 * rng.normal(size=len(time)), RATE)[1]
differences = np.diff(np.diff(beats)) * 1000
print("heartpy", version("heartpy"))
print(f"HeartPy:    rmssd {found['rmssd']:.1f} ms, sdsd {found['sdsd']:.1f} ms, bpm {found['bpm']:.1f}")
print(f"true beats: rmssd {np.sqrt(np.mean(differences**2)):.1f} ms, sdsd {differences.std():.1f} ms, bpm {60 / np.diff(beats).mean():.1f}")
print(f"true beats: standard deviation of the absolute differences {np.abs(differences).std():.1f} ms")
assert version("heartpy") == "1.2.7"
assert abs(found["bpm"] - 60 / np.diff(beats).mean()) < 0.5, "the beats were not found"
assert abs(found["rmssd"] / differences.std() - 1) < 0.1, found["rmssd"]
assert found["sdsd"] < 0.75 * found["rmssd"], "sdsd is near rmssd now: the behaviour has changed"
assert abs(found["sdsd"] / np.abs(differences).std() - 1) < 0.1, found["sdsd"]
print("seen: sdsd is the spread of the absolute differences")
PYTHON
