"""A command that behaves as ``dyadloop run`` does, without its cost: blocks on disk, counts on stderr, a safe stop.

``python -m tests.app.stand_in OUT BLOCKS SECONDS [deaf|fails|short]``
"""

import json
import signal
import sys
import time
from pathlib import Path

import numpy as np

from dyadloop.files import replacing

BLOCK = 10
CLAIM = {
    "claim": "C1.trust", "statement": "Trust raises oxytocin", "unit": "SD", "rope_low": -0.05, "rope_high": 0.05,
    "median": 0.3, "low": 0.1, "high": 0.5, "randomised_median": None, "randomised_low": None, "randomised_high": None,
    "rests_on": "association",
    "verdict": "undecided", "reason": "nothing is randomised <img src=x onerror=window.hurt=1>", "misfit": "",
}  # fmt: skip


def main(out, blocks, seconds, manner="", *_):
    chain = Path(out) / "chains" / "chain-1.npz"
    chain.parent.mkdir(parents=True, exist_ok=True)
    if manner == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("begins", file=sys.stderr, flush=True)
    if manner == "fails":
        print("dyadloop: study.yaml: nothing to fit", file=sys.stderr)
        return 3
    try:
        while (done := len(np.load(chain)["diverging"]) if chain.is_file() else 0) < BLOCK * blocks:
            time.sleep(seconds)
            with replacing(chain) as draft, draft.open("wb") as stream:
                np.savez(stream, diverging=np.zeros(done + BLOCK, dtype=bool))
            print(f"sampling {done + BLOCK}/{BLOCK * blocks}, 0 divergences", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; run the same command to go on", file=sys.stderr)
        return 130
    loop = CLAIM | {"claim": "C3.trust", "unit": "1", "median": 0.002, "low": -0.001, "high": 0.004}
    untold = CLAIM | {"claim": "C6", "verdict": "not testable here", "median": None, "reason": "no second component"}
    (Path(out) / "claims.json").write_text(json.dumps([CLAIM, loop, untold]))
    (Path(out) / "claims.csv").write_text("claim,verdict\nC1.trust,undecided\n")
    (Path(out) / "report.html").write_text("<!doctype html><title>report</title><h1>SIMULATED report</h1>")
    print(json.dumps({"finished": True}))
    if manner == "short":
        print("not converged: too few; run again with --draws 30", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]))
