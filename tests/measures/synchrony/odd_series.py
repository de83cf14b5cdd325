"""Random calls of every measure with odd but valid series: no traceback, and no number without a value or a reason.

``python -m tests.measures.synchrony.odd_series [NUMBER] [SEED]`` makes calls and prints what is wrong with any.
"""

import sys
import warnings
from collections import Counter

import numpy as np

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import (
    METHODS,
    SURROGATES,
    group_synchrony,
    group_test,
    kuramoto_test,
    mdcrqa,
    still_time,
    synchrony,
    synchrony_multiverse,
    synchrony_test,
)
from tests.odd_samples import gap, series


def pair(rng, n):
    """Two series: unrelated, equal, of opposite sign, delayed, or with other gaps."""
    one = series(rng, n)
    kind = rng.integers(6)
    if kind == 0:
        return one, one.copy()
    if kind == 1:
        return one, -one
    if kind == 2:
        return one, np.roll(one, int(rng.integers(1, max(n // 4, 2))))
    if kind == 3:
        return one, gap(rng, one.copy())
    return one, series(rng, n)


def settings_of(rng, method, seconds):
    """Settings that fit a recording of some seconds, most of the time."""
    known = METHODS[method].settings()
    chosen = {}
    for name, share in (("window", 6), ("segment", 8), ("piece", 5), ("slope_window", 20), ("reach", 20)):
        if name in known and (known[name] is not None or rng.random() < 0.3):
            chosen[name] = seconds / share * rng.uniform(0.3, 1.5)
    if "step" in known and "window" in chosen:
        chosen["step"] = chosen["window"] * rng.choice([0.1, 0.5, 1.0])
    if "lag" in known:
        chosen["lag"] = seconds / 30 * rng.uniform(0.3, 1.5)
    if "band" in known and rng.random() < 0.5:
        low = rng.uniform(4, 20) / seconds
        chosen["band"] = (low, low * rng.uniform(1.3, 8))
    if known.get("radius", 0) is not None and "radius" in known:
        chosen["radius"] = float(rng.choice([0.05, 0.5, 3.0]))
    if "dimension" in known:
        chosen |= {"dimension": int(rng.integers(1, 4)), "delay": int(rng.integers(1, 4))}
    if method == "crqa" and rng.random() < 0.3:
        chosen |= {"categorical": True, "standardise": False, "radius": 0.01}
    if "kind" in known:
        chosen["kind"] = rng.choice(METHODS[method].choices("kind")).item()
    if "surrogates" in known:
        chosen["surrogates"] = 19
    if "draws" in known:
        chosen["draws"] = 29
    return chosen


def _settings_of_a_test(rng, method, seconds):
    return {name: value for name, value in settings_of(rng, method, seconds).items() if name not in ("draws", "seed")}


def _call(rng):
    """Return the name of a random call and a function that makes it."""
    n, fs = int(rng.choice([2, 20, 60, 200, 600, 1500, 1500, 3000])), float(rng.choice([0.2, 1.0, 10.0, 29.97]))
    a, b = pair(rng, n)
    method = str(rng.choice(list(METHODS)))
    chosen = settings_of(rng, method, n / fs)
    roll = rng.random()
    if roll < 0.7:
        how = {"missing": str(rng.choice(["pairwise", "mask"])), "smooth": float(rng.choice([0, 0, 3 / fs]))}
        how |= {"spikes": 10.0 if rng.random() < 0.2 else None}
        how |= {"transform": str(rng.choice(["none", "none", "none", "rank", "difference", "whiten"]))}
        return method, lambda: synchrony(a, b, fs, method, **how, **chosen)
    if roll < 0.8:
        name = str(rng.choice([m for m in METHODS if "surrogates" not in METHODS[m].settings()]))
        chosen, kind = _settings_of_a_test(rng, name, n / fs), str(rng.choice(list(SURROGATES)))
        return f"test of {name}", lambda: synchrony_test(a, b, fs, name, surrogate=kind, draws=19, **chosen)
    if roll < 0.86:
        group = np.stack([series(rng, n) for _ in range(int(rng.integers(2, 6)))], axis=1)
        name = str(rng.choice([m for m in METHODS if METHODS[m].group]))
        chosen = settings_of(rng, name, n / fs)
        return f"group {name}", lambda: group_synchrony(group, fs, name, **chosen)
    if roll < 0.9:
        return "still_time", lambda: still_time(a, b, fs, shortest=3 / fs)
    if roll < 0.93:
        both = [np.stack([series(rng, n) for _ in range(2)], axis=1) for _ in range(2)]
        return "mdcrqa", lambda: mdcrqa(*both, fs, 0.5)
    if roll < 0.96:
        dyads = {f"d{k}": pair(rng, int(n * rng.uniform(0.7, 1.3)) + 2) for k in range(int(rng.integers(2, 8)))}
        some = settings_of(rng, "windowed", n / fs)
        return "group_test", lambda: group_test(dyads, fs, draws=99, **some)
    if roll < 0.98:
        groups = {f"g{k}": np.stack([series(rng, n) for _ in range(3)], axis=1) for k in range(int(rng.integers(2, 6)))}
        return "kuramoto_test", lambda: kuramoto_test(groups, fs)
    return "multiverse", lambda: synchrony_multiverse(
        a, b, fs, grid={"window": (n / fs / 8, n / fs / 5)}, draws=19, lag=n / fs / 30
    )


def faults(found):
    """What is wrong with a result: numbers without a value that no reason names, infinite cells."""
    if not hasattr(found, "data_vars"):
        return []
    told, wrong = str(found.attrs.get("status", "")), []
    for name, values in found.data_vars.items():
        if values.dtype.kind != "f":
            continue
        if np.isinf(values.values).any():
            wrong.append(f"{name} is infinite")
        if values.ndim == 0 and not np.isfinite(float(values)) and f"{name}:" not in told:
            wrong.append(f"{name} is NaN without a reason")
    return wrong


def tried(seed):
    """Return what was called with a seed, and how it went: ok, refused, or what is wrong."""
    rng = np.random.default_rng(seed)
    name, call = _call(rng)
    try:
        wrong = faults(call())
    except MeasureError:
        return name, "refused"
    except Exception as error:
        return name, f"{type(error).__name__}: {error}"
    return name, "; ".join(wrong) or "ok"


def main(number, first):
    """Print how random calls went."""
    counts = Counter()
    for seed in range(first, first + number):
        name, how = tried(seed)
        counts[how if how in ("ok", "refused") else "wrong"] += 1
        if how not in ("ok", "refused"):
            print(seed, name, how, sep="\t", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    warnings.simplefilter("error")
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [5000, 0][len(given) :]))
