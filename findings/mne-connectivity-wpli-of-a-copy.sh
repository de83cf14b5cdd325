#!/bin/sh
# mne-connectivity 0.9.0: PLI and wPLI of a channel and its exact copy are far from 0. Both are meant to be 0 for what reaches two
# channels at once; for a copy the imaginary part is rounding noise of order 1e-17, and only its sign and its ratio to itself count.
# ciPLV of the same data is 0 to rounding. No warning.
# Run: sh findings/mne-connectivity-wpli-of-a-copy.sh   (needs Python 3.11+ and a package index; about two minutes)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q mne-connectivity==0.9.0 mne==1.13.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import mne
import numpy as np
from mne_connectivity import spectral_connectivity_epochs

mne.set_log_level("ERROR")
one = np.random.default_rng(0).normal(size=(30, 1, 200))  # 30 epochs of 20 s at 10 Hz
copies = np.concatenate([one, one], axis=1)
found = spectral_connectivity_epochs(
    copies, method=["ciplv", "pli", "wpli"], mode="fourier", sfreq=10.0, fmin=1.0, fmax=2.0, verbose=False
)
largest = {c.method: float(np.abs(c.get_data(output="dense")[1, 0]).max()) for c in found}
print("mne-connectivity", version("mne-connectivity"))
for name, value in largest.items():
    print(f"largest {name} of a channel and its copy, 1 to 2 Hz: {value:.3g}")
assert version("mne-connectivity") == "0.9.0"
assert largest["ciplv"] < 1e-12, largest
assert largest["pli"] > 0.1 and largest["wpli"] > 0.1, "both are near 0 now: the behaviour has changed"
print("seen: rounding noise passes for a phase lag")
PYTHON
