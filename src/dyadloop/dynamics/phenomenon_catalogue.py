"""Phenomena: what a theory must produce to explain anything, and in how much of its parameter space it does.

A phenomenon is a protocol, a statistic and a criterion. A theory explains it robustly if most parameter values that are
held possible beforehand produce it (van Dongen et al. 2025).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.model import compile_theory
from dyadloop.simulation import simulate
from dyadloop.theory import Theory, framework, patient_only, protocol, read_theory

Numbers = dict[str, np.ndarray]
_PERSONS = 60  # simulated persons behind one correlation


@dataclass(frozen=True)
class Phenomenon:
    """One phenomenon: what is seen, where it was published, and how a theory is asked for it.

    ``statistic`` takes a theory, parameter values (arrays of cases) and the number of cases, and returns one number
    per case; the phenomenon is there where ``low < number < high``, so that no effect at all never counts.
    """

    id: str
    statement: str
    source: str
    theory: str
    statistic: Callable[[Theory, Numbers, int], np.ndarray]
    low: float
    high: float

    def holds(self, numbers: np.ndarray) -> np.ndarray:
        """Return where the phenomenon is there."""
        return (numbers > self.low) & (numbers < self.high)


def _run(theory: Theory, cases: int, values: Numbers, **options):  # noqa: ANN003, ANN202 - passed to simulate
    return simulate(theory, dyads=cases, noise=False, between=False, values=values, **options)


def _twice_weekly(theory: Theory, values: Numbers, cases: int) -> np.ndarray:
    """Depression after eight weeks of two sessions a week, minus that of one a week [SD]."""
    ends = []
    for sessions, every in ((16, "3.5 d"), (8, "7 d")):
        run = _run(theory, cases, values, protocol=protocol(sessions, every))
        ends.append(run["depression"].values[:, -1])
    return ends[0] - ends[1]


def _rupture_v(theory: Theory, values: Numbers, cases: int) -> np.ndarray:
    """Return how deep trust falls, with a sign: positive where more than half is regained after the repair."""
    events = [{"event": "rupture", "sessions": [6]}, {"event": "repair", "sessions": [8]}]
    torn = _run(theory, cases, values, protocol=protocol(12, events=events))
    calm = _run(theory, cases, values, protocol=protocol(12))
    gap = torn["trust_logit"].values - calm["trust_logit"].values
    during = gap[:, (torn["session"].values == 6) & (torn["in_session"].values == 1)].min(axis=1)
    after = gap[:, (torn["session"].values == 8) & (torn["in_session"].values == 1)].max(axis=1)
    return np.where(after > during / 2, -during, during)


def _nasal(theory: Theory, values: Numbers, cases: int, points: int = 24):  # noqa: ANN202 - a Dataset
    given = protocol(1, "1 d", "240 min", events=[{"event": "dose_nasal", "sessions": [1], "amount": 24}])
    return _run(theory, cases, values, protocol=given, points=(points, 1))


def _plasma_gone(theory: Theory, values: Numbers, cases: int) -> np.ndarray:
    """Return the plasma concentration 90 minutes after a nasal dose as a share of its peak."""
    run = _nasal(theory, values, cases)
    level = run["plasma_concentration"].values
    at = int(np.argmin(np.abs(run["days"].values[0] * 1440 - 90)))
    return level[:, at] / level.max(axis=1)


def _correlation(first: str, second: str, minutes: tuple[float, float]) -> Callable[[Theory, Numbers, int], np.ndarray]:
    """Return a statistic: the correlation over persons who differ in what reaches each fluid."""

    def statistic(theory: Theory, values: Numbers, cases: int) -> np.ndarray:
        found = np.empty(cases)
        names = [name for name in values if name.startswith(("dose_", "absorption"))]
        priors = compile_theory(theory).parameters()
        for case in range(cases):
            generator = np.random.default_rng(case)
            persons = {
                name: column[case] * np.exp(_spread(priors, name, names) * generator.standard_normal(_PERSONS))
                for name, column in values.items()
            }
            run = _nasal(theory, persons, _PERSONS, points=16)
            clock = run["days"].values[0] * 1440
            picked = [
                run[name].values[:, int(np.argmin(np.abs(clock - at)))]
                for name, at in zip((first, second), minutes, strict=True)
            ]
            found[case] = np.corrcoef(np.log(picked))[0, 1]
        return found

    return statistic


def _spread(priors: dict, name: str, varied: list[str]) -> float:
    prior = priors[name].prior
    return prior.scale if name in varied and prior is not None else 0.0


def _responsive(theory: Theory, values: Numbers, cases: int) -> np.ndarray:
    """Return how much better off the client ends when it is the client who answers more, by a fifth."""

    def end(who: str) -> np.ndarray:
        more = {**values, f"answer_{who}": values[f"answer_{who}"] * 1.2}
        run = _run(theory, cases, more, span="60 min", start={"therapist": 1.0, "client": 0.0})
        return run["client"].values[:, -1] - run["therapist"].values[:, -1]

    return end("client") - end("therapist")


def _negative_start(theory: Theory, values: Numbers, cases: int) -> np.ndarray:
    """Return what a negative start of the therapist costs the client, against a positive one."""
    ends = [
        _run(theory, cases, values, span="60 min", start={"therapist": first, "client": 0.0})["client"].values[:, -1]
        for first in (1.0, -1.0)
    ]
    return ends[0] - ends[1]


PHENOMENA = (
    Phenomenon(
        "twice_weekly", "two sessions a week relieve depression faster than one", "doi:10.1192/bjp.2019.265",
        "framework", _twice_weekly, -np.inf, -0.01,
    ),
    Phenomenon(
        "rupture_repair", "trust falls in a rupture and has regained more than half of it after the repair (V shape)",
        "assumed: described in words, no published number was read", "framework", _rupture_v, 0.01, np.inf,
    ),
    Phenomenon(
        "plasma_gone", "plasma oxytocin is down to a tenth of its peak 90 minutes after a nasal dose", "pmid:22884888",
        "oxytocin_pk", _plasma_gone, 0.0, 0.1,
    ),
    Phenomenon(
        "plasma_not_csf", "plasma (15 min) and cerebrospinal fluid (75 min) do not correlate over persons",
        "doi:10.1038/srep03440", "oxytocin_pk", _correlation("plasma_concentration", "csf", (15.0, 75.0)), -0.3, 0.3,
    ),
    Phenomenon(
        "saliva_not_plasma", "saliva does not track plasma over persons after a nasal dose (60 min)",
        "Quintana et al. (2018), Horm Behav 102:85", "oxytocin_pk",
        _correlation("saliva", "plasma_concentration", (60.0, 60.0)), -0.3, 0.3,
    ),
    Phenomenon(
        "responsive_is_better_off", "the more responsive person reaches the more positive state",
        "doi:10.1080/10503307.2011.622314", "therapy_dyad", _responsive, 0.01, np.inf,
    ),
    Phenomenon(
        "negative_therapist", "therapy ends worst when the therapist starts negative",
        "doi:10.1080/10503307.2011.622314", "therapy_dyad", _negative_start, 0.1, np.inf,
    ),
)  # fmt: skip
"""Phenomena that need no data."""


def phenomena(
    names: tuple[str, ...] = (), *, theory: Theory | None = None, draws: int = 100, seed: int = 1
) -> pd.DataFrame:
    """Ask theories for phenomena: at the values of their files, and over draws from their priors.

    Parameters
    ----------
    names
        Ids of phenomena; default: all.
    theory
        Theory to ask instead of the one that each phenomenon names.
    draws
        Parameter draws from the priors (a tenth of it for correlations, each over 60 simulated persons).
    seed
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        One row per phenomenon: ``statement``, ``theory``, ``statistic`` at the values of the file, ``low`` and ``high``
        of the criterion, ``shown``, ``share`` of the draws that produce it, ``draws``, ``source``.

    Raises
    ------
    TheoryError
        If a phenomenon is unknown.

    Examples
    --------
    >>> table = dl.phenomena(("plasma_gone",), draws=5)
    >>> print(table[["statement", "shown"]].to_string(index=False))
                                                                       statement  shown
    plasma oxytocin is down to a tenth of its peak 90 minutes after a nasal dose   True
    """
    known = {entry.id: entry for entry in PHENOMENA}
    if unknown := [name for name in names if name not in known]:
        raise TheoryError(f"{', '.join(unknown)}: no phenomenon; known: {known_names(known, *unknown)}")
    rows = []
    for entry in [known[name] for name in names] if names else PHENOMENA:
        asked = theory or (patient_only(framework()) if entry.theory == "framework" else read_theory(entry.theory))
        count = max(draws // 10, 5) if entry.id.count("_not_") else draws
        generator = np.random.default_rng(seed)
        parameters = compile_theory(asked).parameters()
        usual = {name: np.full(1, number.value) for name, number in parameters.items()}
        drawn = {name: _drawn(number, count, generator) for name, number in parameters.items()}
        here, there = entry.statistic(asked, usual, 1), entry.statistic(asked, drawn, count)
        rows.append(
            {
                "phenomenon": entry.id,
                "statement": entry.statement,
                "theory": asked.id,
                "statistic": float(here[0]),
                "low": entry.low,
                "high": entry.high,
                "shown": bool(entry.holds(here)[0]),
                "share": float(entry.holds(there).mean()),
                "draws": count,
                "source": entry.source,
            }
        )
    return pd.DataFrame(rows)


def _drawn(number, count: int, generator: np.random.Generator) -> np.ndarray:  # noqa: ANN001 - a Quantity
    prior = number.prior
    noise = generator.standard_normal(count)
    if prior is None:
        return np.full(count, number.value)
    if prior.family == "lognormal":
        return prior.location * np.exp(prior.scale * noise)
    return prior.location + prior.scale * noise
