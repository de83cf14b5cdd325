"""Random calls of measures with odd input, and what becomes of each.

A call is answered (numbers, and a reason where there is none), refused in words, or it is broken: an error that is not
ours, or a number that is not finite without a reason.
"""

import dataclasses

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop import signals as recordings
from dyadloop.errors import DyadloopError
from dyadloop.measures import assays, games
from dyadloop.measures import questionnaires as items
from dyadloop.measures import synchrony as sync
from tests.odd_samples import series

ODD_NUMBERS = (
    0,
    -1,
    1,
    2,
    3,
    0.0,
    -0.5,
    1e-9,
    0.01,
    0.3,
    0.5,
    0.99,
    5,
    17,
    60,
    1000,
    1e6,
    1e12,
    1e300,
    float("nan"),
    float("inf"),
)
ODD_THINGS = (None, True, False, "", "word", [], [1], (0.05, 0.5), (0.5, 0.05), (0, 1), [0.1, 0.4], (float("nan"), 1))
QUICK = ("windowed", "rmea", "segments", "susy", "phase", "hilbert", "coherence", "granger", "regression", "concordance",
         "locking", "circular", "envelope", "best_lag", "wcc", "rolling")  # fmt: skip
NEEDED = {"crqa": {"radius": 0.5}}
CALLS = {}


def call(function):
    """Enter a function that takes a generator of random numbers and returns what a measure makes of odd input."""
    CALLS[function.__name__.replace("_", " ")] = function
    return function


def _length(rng):
    few = rng.random() < 0.2
    return int(rng.integers(0, 31) if few else rng.choice([40, 100, 200, 600]))


def _settings(rng, method, share=0.35):
    """Return settings of a method, most of a size that fits a short recording, some odd."""
    fitting = {"window": (1, 2, 5), "step": (0.5, 1, 2), "segment": (0.5, 1, 5), "lag": (0, 0.2, 1), "piece": (1, 5),
               "dimension": (1, 2, 3), "draws": (2, 20), "surrogates": (2, 10), "band": ((0.05, 0.5), (0.5, 2))}  # fmt: skip
    found = {name: value for name, value in NEEDED.get(method, {}).items()}
    for name in sync.METHODS[method].settings():
        if name in ("draws", "surrogates"):
            found[name] = int(rng.choice([0, 1, 2, 19, 30]))
        elif name in fitting and rng.random() < 0.7:
            found[name] = fitting[name][int(rng.integers(len(fitting[name])))]
        elif rng.random() < share * 0.4:
            odd = ODD_NUMBERS if rng.random() < 0.75 else ODD_THINGS
            found[name] = odd[int(rng.integers(len(odd)))]
    return found


def _pair(rng):
    n = _length(rng)
    first = series(rng, n, extremes=True)
    kind = rng.random()
    other = series(rng, n if kind < 0.9 else _length(rng), extremes=True)
    return first, first.copy() if kind < 0.05 else -first if kind < 0.08 else other


def _rate(rng):
    return 10.0 if rng.random() < 0.9 else rng.choice([0, -1, 1, 0.1, 29.97, 1e6, np.nan])


@call
def synchrony(rng):
    """Any method on two series."""
    method = str(rng.choice(list(sync.METHODS)))
    prepared = {
        "transform": str(rng.choice(["none", "log", "rank", "difference", "whiten"])),
        "smooth": float(rng.choice([0, 0.5, 3])),
        "spikes": [None, 3.0, 10.0][int(rng.integers(3))],
        "missing": str(rng.choice(["pairwise", "mask", "refuse"], p=[0.6, 0.2, 0.2])),
        "cut": bool(rng.random() < 0.5),
    }
    chosen = prepared if rng.random() < 0.4 else {}
    return sync.synchrony(*_pair(rng), _rate(rng), method, **chosen, **_settings(rng, method))


@call
def group_synchrony(rng):
    """Methods for groups on one to five persons."""
    method = str(rng.choice([name for name, known in sync.METHODS.items() if known.group]))
    n, persons = _length(rng), int(rng.integers(1, 6))
    return sync.group_synchrony(
        np.stack([series(rng, n, extremes=True) for _ in range(persons)], axis=1),
        _rate(rng),
        method,
        **_settings(rng, method),
    )


@call
def synchrony_test(rng):
    """Surrogate tests of any method; few draws."""
    method = str(rng.choice(QUICK))
    settings = {name: v for name, v in _settings(rng, method, 0.1).items() if name not in ("draws", "seed")}
    return sync.synchrony_test(
        *_pair(rng), _rate(rng), method, surrogate=str(rng.choice(list(sync.SURROGATES))), draws=19, **settings
    )


@call
def group_test(rng):
    """Real dyads against pseudo-dyads."""
    dyads = {
        f"D{k}": (series(rng, 200, extremes=True), series(rng, 200, extremes=True))
        for k in range(int(rng.integers(0, 7)))
    }
    return sync.group_test(dyads, 10, "windowed", draws=19, window=2, step=1, lag=0.5)


@call
def rests_in_common(rng):
    """Still time."""
    first, second = (
        np.where(np.repeat(rng.random(20) < 0.4, 10), 1.0, series(rng, 200, extremes=True)) for _ in range(2)
    )
    return sync.still_time(first, second, _rate(rng), float(rng.choice([0.2, 0.5, 1, 0, -1, 1e9])))


@call
def events_of_two(rng):
    """Event synchrony."""
    first, second = (np.cumsum(np.abs(series(rng, _length(rng), extremes=True))) for _ in range(2))
    return sync.event_synchrony(first, second, float(rng.choice([0, 0.5, 2, -1, np.nan, 1e9])))


@call
def changes_over_sessions(rng):
    """Synchrony of changes."""
    shape = int(rng.integers(0, 5)), int(rng.integers(0, 12))
    first, second = (series(rng, shape[0] * shape[1], extremes=True).reshape(shape) for _ in range(2))
    return sync.change_synchrony(first, second, *map(float, rng.choice([0, 0.1, 1, -1, np.nan, 100], 2)))


@call
def phases_of_groups(rng):
    """The test of Kuramoto order over groups."""
    persons = int(rng.integers(1, 5))
    groups = [
        np.stack([series(rng, 60, extremes=True) for _ in range(persons)], axis=1)
        for _ in range(int(rng.integers(1, 9)))
    ]
    return sync.kuramoto_test(groups, _rate(rng), None if rng.random() < 0.5 else (0.1, 1.0))


@call
def recurrence_of_channels(rng):
    """Multidimensional cross-recurrence."""
    n, channels = _length(rng), int(rng.integers(1, 4))
    first, second = (np.stack([series(rng, n, extremes=True) for _ in range(channels)], axis=1) for _ in range(2))
    return sync.mdcrqa(first, second, _rate(rng), float(rng.choice([0, 0.1, 1, -1, 1e9])), int(rng.choice([1, 2, 4])))


@call
def turns(rng):
    """Turns of a conversation."""
    n = int(rng.integers(0, 60))
    start = (
        np.cumsum(1.0 + np.abs(series(rng, n, extremes=True))) if rng.random() < 0.8 else series(rng, n, extremes=True)
    )
    names = rng.choice(["P", "T", "X"], n, p=[0.52, 0.475, 0.005])
    table = pd.DataFrame({"speaker": names, "start": start, "end": start + np.abs(rng.normal(size=n)) + 0.1})
    return sync.turn_taking(table)


@call
def words(rng):
    """Language style."""
    known = ["I", "you", "and", "the", "not", "of", "ich", "und", "", "a lot", "??", "12", "é"]
    n = int(rng.integers(0, 30))
    text = [" ".join(rng.choice(known, int(rng.integers(0, 40)))) for _ in range(n)]
    speakers = rng.choice(["P", "T", ""], n, p=[0.5, 0.45, 0.05])
    return sync.language_style(pd.DataFrame({"speaker": speakers, "text": text}), str(rng.choice(["session", "turn"])))


@call
def answers(rng):
    """Questionnaires with answers in and out of their range."""
    key = items.read_instrument(str(rng.choice(list(items.instruments()))))
    n, count = int(rng.integers(0, 12)), key.items if rng.random() < 0.9 else key.items + 1
    low, high = key.scale
    table = rng.integers(int(low), int(high) + 1, (n, count)).astype(float)
    odd = rng.random((n, count)) < rng.choice([0, 0.02, 0.3])
    table[odd] = rng.choice([np.nan, 9, 99, -1, 0.5])
    names = [f"{key.id}_{k + 1}" for k in range(count)]
    return items.score_items(pd.DataFrame(table, columns=pd.Index(names)), key.id)


@call
def reliability(rng):
    """Reliability of items."""
    n, count = int(rng.integers(0, 40)), int(rng.integers(0, 6))
    level = rng.normal(size=n)
    return items.reliability(
        np.stack([level + series(rng, n, extremes=True) for _ in range(count)], axis=1) if count else np.empty((n, 0))
    )


def _dose(rng):
    n = int(rng.integers(0, 20))
    concentration = np.repeat(np.geomspace(1, 1000, n // 2 + 1), 2)[:n]
    signal = (
        2.0 / (1 + (concentration / 50) ** float(rng.choice([1, 1, 1, -1, 0, 3]))) * (1 + 0.02 * rng.normal(size=n))
    )
    if n and rng.random() < 0.2:
        signal[rng.integers(n)] = rng.choice([np.nan, 0, -1, 1e9, np.inf])
    return concentration, signal


@call
def standard_curve(rng):
    """Standard curves."""
    model, weights = str(rng.choice(["4pl", "5pl"])), str(rng.choice(["relative", "constant"]))
    return assays.standard_curve(*_dose(rng), model, weights, series(rng, int(rng.integers(0, 4))))  # pyright: ignore[reportArgumentType]


@call
def plates(rng):
    """Plates with their wells."""
    concentration, signal = _dose(rng)
    known = pd.DataFrame({"kind": "standard", "sample": "", "signal": signal, "concentration": concentration})
    n = int(rng.integers(0, 8))
    level = np.abs(series(rng, n, extremes=True))
    names = [str(rng.choice(["P1_1", "P1_2", ""], p=[0.5, 0.49, 0.01])) for _ in range(n)]
    sample = pd.DataFrame({"kind": "sample", "sample": names, "signal": level, "concentration": np.nan})
    dilution = rng.choice([1.0, 2.0, 0.0, np.nan], p=[0.8, 0.1, 0.02, 0.08])
    return assays.read_plates(pd.concat([known, sample]).assign(plate="pl1", dilution=dilution))


@call
def changes_of_assays(rng):
    """Changes of logarithms, areas and moments of censored values."""
    n = int(rng.integers(0, 8))
    value = np.abs(series(rng, n, extremes=True)) * rng.choice([1, 100, -1])
    limit = rng.choice(["", "below", "above"], n, p=[0.7, 0.2, 0.1]).tolist()
    if rng.random() < 0.5:
        return assays.log_moments(value, limit)
    return assays.area_under_curve(np.arange(n) * 1.0, value)


@call
def trust_game(rng):
    """Trust games."""
    n = int(rng.integers(0, 15))
    sent = rng.choice([0, 3, 10, 11, -1, np.nan], n, p=[0.3, 0.35, 0.3, 0.01, 0.01, 0.03])
    frame = {"trustor": rng.choice(["P1", "P2"], n), "trustee": rng.choice(["T1", "T2"], n), "round": np.arange(n) + 1,
             "endowment": 10, "sent": sent, "multiplier": 3, "returned": sent * rng.choice([0, 1, 1.5, 4])}  # fmt: skip
    return games.trust_game(pd.DataFrame(frame))


@call
def public_goods(rng):
    """Public goods games."""
    rounds, people = int(rng.integers(0, 6)), int(rng.integers(1, 5))
    rows = [("G1", f"P{p}", r + 1, 20, float(rng.choice([0, 5, 20, 20, 21], p=[0.3, 0.3, 0.2, 0.19, 0.01])))
            for r in range(rounds) for p in range(people)]  # fmt: skip
    names = ["group", "participant", "round", "endowment", "contributed"]
    return games.public_goods(pd.DataFrame(rows, columns=pd.Index(names)))


@call
def ratings(rng):
    """Empathic accuracy."""
    return games.empathic_accuracy(
        *_pair(rng), _rate(rng), float(rng.choice([0.5, 1, 2, 0, -1, 1e9])), float(rng.choice([0, 0, 2, -1]))
    )


@call
def truth_and_bias(rng):
    """Ratings of one another over sessions."""
    people, n = int(rng.integers(3, 9)), int(rng.integers(0, 60))
    frame = {"dyad": [f"D{k % people}" for k in range(n)], "judgement": series(rng, n, extremes=True), "truth": series(rng, n, extremes=True),
             "own": series(rng, n, extremes=True)}  # fmt: skip
    return games.truth_and_bias(pd.DataFrame(frame))


@call
def beats(rng):
    """Interbeat intervals."""
    found = np.cumsum(0.8 + 0.1 * series(rng, _length(rng), extremes=True))
    return recordings.interbeat_intervals(found, _rate(rng), 0.0, [None, 10.0, -1.0][int(rng.integers(3))])


def broken(found):
    """Say what is wrong with an answer: a number that is not finite without a reason; empty where nothing is."""
    if isinstance(found, xr.Dataset):
        status = str(found.attrs.get("status", ""))
        for name, values in found.data_vars.items():
            if values.dtype.kind != "f":
                continue
            if np.isinf(values.values).any():
                return f"{name} is infinite"
            if values.ndim == 0 and np.isnan(float(values)) and status and str(name) not in status:
                return f"{name} is NaN, status {status}"
        return "" if "score" not in found or np.isfinite(float(found["score"])) else "no score"
    if isinstance(found, pd.DataFrame):
        numbers = found.select_dtypes("number").to_numpy(dtype=float)
        if np.isinf(numbers).any():
            return "a column is infinite"
        return ""
    if isinstance(found, np.ndarray):
        return "infinite" if found.dtype.kind == "f" and np.isinf(found).any() else ""
    if dataclasses.is_dataclass(found):
        return next((f"{field.name}: {why}" for field in dataclasses.fields(found)
                     if (why := broken(getattr(found, field.name)))), "")  # fmt: skip
    if isinstance(found, float):
        return "infinite" if np.isinf(found) else ""
    return ""


def outcome(function, rng):
    """Return what becomes of a call: answered, refused, or broken with what and where."""
    try:
        wrong = broken(function(rng))
    except DyadloopError as error:
        return "refused" if len(str(error)) > 10 else f"broken: refused without words ({error!r})"
    except Exception as error:
        return f"broken: {where(error)}"
    return f"broken: {wrong}" if wrong else "answered"


def where(error):
    import traceback

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/dyadloop/" in frame.filename]
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "outside"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:120]}"
