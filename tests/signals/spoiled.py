"""Clean simulated signals, ways to spoil them in known places, and how often each rule finds just these places."""

import numpy as np

SEEDS = range(20)


def heartbeats(seed, n=400, mean=0.85, breathing=0.04, slow=0.03, white=0.008):
    """Times of beats [s] of a heart with breathing, Mayer waves, a slow drift and noise."""
    rng = np.random.default_rng(seed)
    rate, phase = rng.uniform(0.15, 0.35), rng.uniform(0, 2 * np.pi, 2)
    drift, times = 0.0, [0.0]
    for _ in range(n):
        drift = 0.98 * drift + slow * 0.2 * rng.normal()
        waves = breathing * np.sin(2 * np.pi * rate * times[-1] + phase[0])
        waves += 0.03 * np.sin(2 * np.pi * 0.1 * times[-1] + phase[1])
        times.append(times[-1] + max(mean + waves + drift + white * rng.normal(), 0.35))
    return np.array(times)


def spoiled_beats(times, seed, kind, count=8):
    """Beats with some missed, invented or premature (``premature 30``: by 30 %), and the spans [s] that are wrong."""
    rng = np.random.default_rng(seed + 1000)
    at = np.sort(rng.choice(np.arange(15, len(times) - 15, 12), count, replace=False))
    if kind == "missed":
        return np.delete(times, at), [(times[a - 1], times[a + 1]) for a in at]
    if kind == "two missed in a row":
        return np.delete(times, np.concatenate([at, at + 1])), [(times[a - 1], times[a + 2]) for a in at]
    if kind == "invented":
        extra = times[at] + (times[at + 1] - times[at]) * rng.uniform(0.25, 0.75, count)
        return np.sort(np.concatenate([times, extra])), [(times[a], times[a + 1]) for a in at]
    early = times.copy()
    early[at] -= float(kind.split()[1]) / 100 * (times[at] - times[at - 1])
    return early, [(early[a - 1], early[a + 1]) for a in at]


def ecg(seed, seconds=60, fs=250, rate=75):
    """An electrocardiogram with a little noise."""
    import neurokit2

    return neurokit2.ecg_simulate(seconds, sampling_rate=fs, heart_rate=rate, noise=0.02, random_state=seed)


def spoiled_ecg(values, seed, kind, fs=250):
    """An electrocardiogram of which 23.5 to 41 s are not one, and these samples."""
    rng = np.random.default_rng(seed)
    found, marked = values.copy(), np.zeros(len(values), dtype=bool)
    marked[round(23.5 * fs) : 41 * fs] = True
    n, spread = int(marked.sum()), values.std()
    if kind == "lead off, flat":
        found[marked] = 0.0
    elif kind == "lead off, noise":
        found[marked] = spread * rng.normal(size=n)
    elif kind == "lead off, mains hum":
        found[marked] = 2 * spread * np.sin(2 * np.pi * 50.2 * np.arange(n) / fs) + 0.2 * spread * rng.normal(size=n)
    elif kind == "muscle noise, five times the ECG":
        found[marked] += 5 * spread * rng.normal(size=n)
    elif kind == "saturated":
        found[marked] = values.max() + 1
    return found, marked


def conductance(seed, seconds=480, fs=4, level=4.0):
    """Skin conductance [microsiemens]: responses at random moments on a level that drifts, three digits."""
    rng = np.random.default_rng(seed)
    n, t = seconds * fs, np.arange(20 * fs) / fs
    hits = (rng.random(n) < 0.1 / fs) * rng.lognormal(-1, 0.5, n)
    responses = np.convolve(hits, 1.7 * (np.exp(-t / 4) - np.exp(-t / 0.7)))[:n]
    drift = 0.5 * np.cumsum(rng.normal(size=n)) / np.sqrt(n)
    return np.round(np.maximum(level + responses + drift + 0.003 * rng.normal(size=n), 0.1), 3)


def spoiled_conductance(values, seed, kind, fs=4):
    """Skin conductance of which 100 to 160 s are wrong, and these samples."""
    rng = np.random.default_rng(seed)
    found, marked = values.copy(), np.zeros(len(values), dtype=bool)
    marked[100 * fs : 160 * fs] = True
    if kind == "band off":
        found[marked] = np.round(0.02 + 0.005 * rng.normal(size=marked.sum()), 3)
    elif kind == "flat at the floor":
        found[marked] = 0.0
    elif kind == "frozen value":
        found[marked] = found[100 * fs]
    elif kind == "pressed and let go":
        found[marked] += 15.0
        edges = np.abs(np.subtract.outer(np.arange(len(values)), np.array([100, 160]) * fs)).min(axis=1)
        marked = edges <= 2 * fs
    elif kind == "clipped":
        top = np.quantile(values, 0.9)
        marked = values >= top
        found = np.minimum(values, top)
    return found, marked


def movement(seed, n=9000):
    """Motion energy of two persons who have nothing to do with each other: whole pixels, with natural rest."""
    rng = np.random.default_rng(seed)
    smooth = np.array([np.convolve(rng.normal(size=n + 50), np.ones(15) / 15, "same")[25:-25] for _ in range(2)])
    return np.round(np.maximum(smooth * 120 - 5, 0))


def rates(found, marked):
    """Share of the wrong samples that a rule left out, and share of the sound ones."""
    return float(found[marked].mean()) if marked.any() else float("nan"), float(found[~marked].mean())
