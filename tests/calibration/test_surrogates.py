"""The level of every surrogate test, measured where nothing can be shared: re-paired real persons, and AR(.95) noise.

Run with ``make calibrate``; it prints the table of docs/measures.md. Bounds as declared beforehand: type I error at .05
inside .03 to .08, SD of the effect inside .9 to 1.1.
"""

import numpy as np
import pytest

from dyadloop.measures.synchrony import group_test, synchrony, synchrony_test
from tests.measures.conftest import autoregressive, shared, therapy  # noqa: F401 - fixtures

_RUNS = 380


def _told(name, effects, p):
    level, mean, spread = np.mean(np.array(p) <= 0.05), np.mean(effects), np.std(effects)
    print(f"| {name} | {len(p)} | {level:.3f} | {mean:.2f} | {spread:.2f} |", flush=True)
    return level, spread


def _real_pairs(therapy):  # noqa: F811
    names = list(therapy)
    pairs = [(a, b) for a in names for b in names if a != b]
    return [(therapy[a][0], therapy[b][1]) for a, b in pairs]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("surrogate", "transform", "runs", "draws"),
    [("shift", "none", _RUNS, 79), ("permutation", "none", _RUNS, 199), ("phase", "log", _RUNS, 79), ("iaaft", "log", 190, 39)],
)  # fmt: skip
def test_on_re_paired_real_persons(therapy, surrogate, transform, runs, draws):  # noqa: F811
    effects, p = [], []
    pairs = _real_pairs(therapy)
    for seed, (a, b) in enumerate(pairs[:: len(pairs) // runs]):
        found = synchrony_test(a, b, 25, surrogate=surrogate, draws=draws, seed=seed, transform=transform)
        effects.append(float(found["effect"]))
        p.append(float(found["p_value"]))
    level, spread = _told(
        f"real, re-paired: windowed, {surrogate}" + ("" if transform == "none" else ", log"), effects, p
    )
    assert 0.03 <= level <= 0.08
    assert 0.9 <= spread <= 1.1


@pytest.mark.slow
@pytest.mark.parametrize("surrogate", ["shift", "permutation", "phase", "iaaft"])
def test_on_autoregressive_noise(surrogate):
    effects, p = [], []
    for seed in range(_RUNS if surrogate != "iaaft" else 190):
        a, b = autoregressive(6000, 0.95, 20_000 + 2 * seed), autoregressive(6000, 0.95, 20_001 + 2 * seed)
        found = synchrony_test(a, b, 10, surrogate=surrogate, draws=79, seed=seed, window=20, step=10, lag=2)
        effects.append(float(found["effect"]))
        p.append(float(found["p_value"]))
    level, spread = _told(f"AR(.95), 10 min: windowed, {surrogate}", effects, p)
    assert 0.03 <= level <= 0.08
    assert 0.9 <= spread <= 1.1


@pytest.mark.slow
def test_segments_and_groups(therapy):  # noqa: F811
    effects, p = [], []
    for seed, (a, b) in enumerate(_real_pairs(therapy)):
        found = synchrony(a, b, 25, "segments", segment=30, lag=5, seed=seed, draws=999)
        effects.append(float(found["effect"]))
        p.append(float(found["p_value"]))
    level, spread = _told("real, re-paired: segments", effects, p)
    assert 0.03 <= level <= 0.08
    assert 0.9 <= spread <= 1.1
    effects, p, dyads = [], [], []
    for seed in range(400):
        pairs = {
            f"d{k}": (autoregressive(1500, 0.95, 10**6 + 40 * seed + 2 * k), autoregressive(1500, 0.95, 10**6 + 40 * seed + 2 * k + 1))
            for k in range(10)
        }  # fmt: skip
        found = group_test(pairs, 10, draws=499, seed=seed, window=20, step=10, lag=2)
        effects.append(float(found["effect"]))
        p.append(float(found["p_value"]))
        dyads.extend(found["dyad_effect"].values)
    level, spread = _told("AR(.95): group of 10 dyads, between dyads", effects, p)
    print(f"effects of single dyads against pseudo-dyads: SD {np.std(dyads):.2f}")
    assert 0.03 <= level <= 0.08
    assert 0.9 <= spread <= 1.1
    assert 0.9 <= np.std(dyads) <= 1.1
