#!/bin/sh
# multiSyncPy 0.1.2: one missing sample of one person makes symbolic_entropy count that person as "high" at every moment.
# The tercile borders become NaN, no comparison with NaN is true, and the entropy falls as if the group were in step: no warning.
# Run: sh findings/multisyncpy-gap-empties-a-person.sh   (needs Python 3.11+ and a package index; about a minute)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q multiSyncPy==0.1.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W error - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from multiSyncPy.synchrony_metrics import symbolic_entropy

group = np.random.default_rng(0).normal(size=(3, 300))  # three independent persons
gap = group.copy()
gap[1, 50] = np.nan  # one of 900 samples is missing
two = symbolic_entropy(group[[0, 2]])
whole, found = symbolic_entropy(group), symbolic_entropy(gap)
print("multiSyncPy", version("multiSyncPy"))
print(f"entropy of three independent persons: {whole:.4f} nats (3 ln 3 = {3 * np.log(3):.4f})")
print(f"with one sample missing:              {found:.4f} nats")
print(f"of the two other persons alone:       {two:.4f} nats")
assert version("multiSyncPy") == "0.1.2"
assert abs(whole - 3.2656) < 1e-3, whole
assert abs(found - two) < 1e-12, "the person no longer vanishes: the behaviour has changed"
print("seen: the person with the gap has vanished, without a warning")
PYTHON
