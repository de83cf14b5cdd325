"""What ordinary data break: simulated studies that violate one assumption each, with no arrow or with a planted one.

Two quantities of one person follow Ornstein-Uhlenbeck processes and are rated at the same moments. In half of the
studies neither acts on the other; in the other half the first acts on the second. Everything here is simulated; sizes
of violations are assumptions named in each entry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import expm, solve_continuous_lyapunov

Scores = Float[np.ndarray, "person time 2"]
NOISE = -0.4  # correlation of what happens to both
SIGNAL, ERROR = 0.8, 0.7  # SDs of state and error in a score
PLANTED = 0.3
"""Lasting change of the second state per lasting unit of the first, where an arrow is planted."""


@dataclass(frozen=True)
class Design:
    """Who is asked when about what, and how fast it changes.

    Attributes
    ----------
    words
        The design in words.
    persons, days, prompts
        Number of persons, of days with prompts, and of prompts on each.
    tau
        Time constant of both states [d].
    every
        Distance of days with prompts [d].
    theory, names
        Theory that is fitted and its two quantities.
    apart
        How long after the first quantity the second one is rated [d]; 0: both at one moment.
    """

    words: str
    persons: int
    days: int
    prompts: int
    tau: float
    every: float = 1.0
    theory: str = "affect"
    names: tuple[str, str] = ("sad", "cheerful")
    apart: float = 0.0

    def moments(self) -> Float[np.ndarray, " time"]:
        """Return when anything is rated [d]: prompts of a day are 2.5 hours apart."""
        hours = 2.5 * np.arange(self.prompts) / 24
        prompts = (self.every * np.arange(self.days)[:, None] + hours).ravel()
        return np.stack([prompts, prompts + self.apart], axis=1).ravel() if self.apart else prompts

    def rated(self) -> Bool[np.ndarray, "time 2"]:
        """Return which quantity is rated when."""
        times = len(self.moments())
        if not self.apart:
            return np.ones((times, 2), dtype=bool)
        return np.arange(times)[:, None] % 2 == np.arange(2)


FAST = Design("45 persons, 60 prompts in 10 days, moods of 6 hours", 45, 10, 6, 0.25)
SLOW = Design("40 persons, 50 daily prompts, moods of 3 days", 40, 50, 1, 3.0)
WEEKLY = Design(
    "40 dyads, 50 weekly ratings, trust and stress of 3 weeks", 40, 50, 1, 21.0, 7.0, "framework", ("trust", "stress")
)
VISIT = Design(
    "40 dyads, 30 weekly visits, stress before and trust an hour later, both of 10 days",
    40, 30, 1, 10.0, 7.0, "framework", ("stress", "trust"), 1 / 24,
)  # fmt: skip


@dataclass(frozen=True)
class Violation:
    """One broken assumption: what it is, in words, and how it changes a study."""

    words: str
    change: Callable[[np.random.Generator, "Plain"], Scores]
    design: Design = FAST
    declared: tuple[str, ...] = ()
    """Kinds of covariates of the calendar with which the study is fitted."""


@dataclass(frozen=True)
class Plain:
    """A study that breaks nothing: days of the prompts, states, errors and person means, each with SD 1."""

    days: Float[np.ndarray, " time"]
    states: Scores
    errors: Scores
    means: Float[np.ndarray, "person 2"]

    def scores(self, states: Scores | None = None, errors: Scores | None = None) -> Scores:
        """Return scores of other states or errors."""
        own = self.states if states is None else states
        noise = self.errors if errors is None else errors
        return SIGNAL * own + ERROR * noise + self.means[:, None, :]


def paths(
    rng: np.random.Generator, days: Float[np.ndarray, " time"], arrow: float, tau: Float[np.ndarray, " person"]
) -> Scores:
    """Return states of persons who differ in their time constant; the first state acts on the second by ``arrow``."""
    found = np.zeros((len(tau), len(days), 2))
    gaps = np.round(np.diff(days), 9)
    for value in np.unique(tau):
        here = np.flatnonzero(tau == value)
        normals = rng.standard_normal((len(days), len(here), 2))
        state = normals[0] @ np.linalg.cholesky(_still(arrow)).T
        found[here, 0] = state
        for place, gap in enumerate(gaps, start=1):
            move, spread = _step(arrow, gap / value)
            state = state @ move.T + normals[place] @ spread.T
            found[here, place] = state
    return found


def _drift(arrow: float) -> Float[np.ndarray, "2 2"]:
    return np.array([[-1.0, 0.0], [arrow, -1.0]])


@lru_cache(maxsize=64)
def _still(arrow: float) -> Float[np.ndarray, "2 2"]:
    """Return the covariance at rest; without an arrow both variances are 1."""
    return solve_continuous_lyapunov(_drift(arrow), -2.0 * np.array([[1.0, NOISE], [NOISE, 1.0]]))


@lru_cache(maxsize=4096)
def _step(arrow: float, gap: float) -> tuple[Float[np.ndarray, "2 2"], Float[np.ndarray, "2 2"]]:
    """Return what an interval of some time constants does to a state, and a factor of what it adds."""
    move, still = expm(_drift(arrow) * gap), _still(arrow)
    return move, np.linalg.cholesky(still - move @ still @ move.T)


def plain(
    rng: np.random.Generator, arrow: float, design: Design = FAST, tau: Float[np.ndarray, " person"] | None = None
) -> Plain:
    """Return a study that breaks nothing."""
    days = design.moments()
    states = paths(rng, days, arrow, np.full(design.persons, design.tau) if tau is None else tau)
    return Plain(days, states, rng.normal(size=states.shape), rng.normal(size=(design.persons, 2)))


def simulated(rng: np.random.Generator, name: str, arrow: float) -> Scores:
    """Return the scores of a study that breaks an assumption, with an arrow of some size or none."""
    entry = VIOLATIONS[name]
    tau = entry.design.tau
    differ = rng.choice([tau / 2, 2 * tau], size=entry.design.persons) if name == "dynamics_differ" else None
    return np.where(entry.design.rated(), entry.change(rng, plain(rng, arrow, entry.design, differ)), np.nan)


def _shared_error(correlation: float) -> Callable[[np.random.Generator, Plain], Scores]:
    def change(rng: np.random.Generator, study: Plain) -> Scores:
        first = study.errors[..., 0]
        second = correlation * first + np.sqrt(1 - correlation**2) * study.errors[..., 1]
        return study.scores(errors=np.stack([first, second], axis=-1))

    return change


def _visit_error(correlation: float) -> Callable[[np.random.Generator, Plain], Scores]:
    """Let the error of the second quantity go with that of the first one, which was rated before it."""

    def change(rng: np.random.Generator, study: Plain) -> Scores:
        first, second = study.errors[..., 0], study.errors[..., 1].copy()
        second[:, 1:] = correlation * first[:, :-1] + np.sqrt(1 - correlation**2) * second[:, 1:]
        return study.scores(errors=np.stack([first, second], axis=-1))

    return change


def _trend(rng: np.random.Generator, study: Plain) -> Scores:
    course = np.linspace(-0.5, 0.5, len(study.days))[:, None] * np.array([-1.0, 1.0])
    return study.scores() + course


def _own_trends(rng: np.random.Generator, study: Plain) -> Scores:
    slope = rng.normal(size=(len(study.means), 1, 1)) * np.array([-1.0, 1.0])
    return study.scores() + slope * np.linspace(-0.5, 0.5, len(study.days))[:, None]


def _time_of_day(rng: np.random.Generator, study: Plain) -> Scores:
    wave = np.sin(2 * np.pi * (study.days % 1.0) / 0.6)[:, None] * np.array([-0.4, 0.4])
    return study.scores() + wave


def _weekend(rng: np.random.Generator, study: Plain) -> Scores:
    free = (np.floor(study.days) % 7 >= 5)[:, None] * np.array([-0.5, 0.5])
    return study.scores() + free


def _reactivity(rng: np.random.Generator, study: Plain) -> Scores:
    return study.scores() + np.exp(-study.days / 1.0)[:, None] * np.array([0.6, -0.6])


def _floor(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    return np.maximum(scores, np.quantile(scores, 0.3, axis=(0, 1)))


def _skips(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    missing = rng.random(scores.shape[:2]) < 0.6 / (1 + np.exp(-1.5 * study.states[..., 0]))
    return np.where(missing[..., None], np.nan, scores)


def _dropout(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    hazard = 0.02 / (1 + np.exp(-2.0 * study.states[..., 0]))
    gone = np.cumsum(rng.random(hazard.shape) < hazard, axis=1) > 0
    return np.where(gone[..., None], np.nan, scores)


def _common_cause(rng: np.random.Generator, study: Plain) -> Scores:
    cause = paths(rng, study.days, 0.0, np.full(len(study.means), 1.0))[..., :1]
    return study.scores(states=study.states + 0.8 * cause * np.array([-1.0, 1.0]))


def _outlier(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    lagged = np.roll(study.states[0, :, 0], 1)
    scores[0] = 6.0 * np.stack([study.states[0, :, 0], lagged], axis=-1) + study.means[0]
    return scores


def _wrong_minutes(rng: np.random.Generator, study: Plain) -> Scores:
    shifted = np.clip(np.arange(len(study.days)) + rng.integers(-1, 2, size=len(study.days)), 0, len(study.days) - 1)
    return np.stack([study.scores()[:, shifted, 0], study.scores()[..., 1]], axis=-1)


def _two_speeds(rng: np.random.Generator, study: Plain) -> Scores:
    drift = paths(rng, study.days, 0.0, np.full(len(study.means), 10.0))
    return study.scores(states=study.states + 0.8 * drift)


def _heavy_tails(rng: np.random.Generator, study: Plain) -> Scores:
    return study.scores(errors=rng.standard_t(3, size=study.errors.shape) / np.sqrt(3.0))


def _rounded(rng: np.random.Generator, study: Plain) -> Scores:
    return np.round(study.scores() / 1.2) * 1.2


def _style(rng: np.random.Generator, study: Plain) -> Scores:
    own = rng.uniform(0.4, 1.8, size=(len(study.means), 1, 1))
    return own * study.scores()


VIOLATIONS: dict[str, Violation] = {
    "none": Violation("nothing is broken", lambda rng, study: study.scores()),
    "error_minus": Violation("errors of one prompt correlate by -.6 (mood of the moment)", _shared_error(-0.6)),
    "error_plus": Violation("errors of one prompt correlate by +.5 (halo, style)", _shared_error(0.5)),
    "error_small": Violation("errors of one prompt correlate by -.3", _shared_error(-0.3)),
    "slow": Violation("nothing is broken, slow rhythm", lambda rng, study: study.scores(), SLOW),
    "slow_error_minus": Violation("errors of one day correlate by -.6", _shared_error(-0.6), SLOW),
    "slow_error_small": Violation("errors of one day correlate by -.3", _shared_error(-0.3), SLOW),
    "slow_error_plus": Violation("errors of one day correlate by +.5", _shared_error(0.5), SLOW),
    "weekly": Violation("nothing is broken, trust and stress by week", lambda rng, study: study.scores(), WEEKLY),
    "weekly_error_small": Violation("errors of one session correlate by -.3", _shared_error(-0.3), WEEKLY),
    "weekly_error_minus": Violation("errors of one session correlate by -.5", _shared_error(-0.5), WEEKLY),
    "visit": Violation("nothing is broken, one rating before and one after a session", lambda r, s: s.scores(), VISIT),
    "visit_error_minus": Violation("errors before and after a session correlate by -.6", _visit_error(-0.6), VISIT),
    "visit_error_small": Violation("errors before and after a session correlate by -.3", _visit_error(-0.3), VISIT),
    "visit_error_plus": Violation("errors before and after a session correlate by +.5", _visit_error(0.5), VISIT),
    "trend": Violation("both levels change by 1 SD over the study in everybody", _trend),
    "own_trends": Violation("levels change by a person's own amount, SD 1 over the study", _own_trends),
    "time_of_day": Violation("levels follow the time of day, amplitude .4 SD", _time_of_day),
    "weekend": Violation("levels differ by .5 SD at the weekend", _weekend),
    "time_of_day_fitted": Violation(
        "as time_of_day, fitted with a covariate of it", _time_of_day, declared=("time_of_day",)
    ),
    "weekend_fitted": Violation("as weekend, fitted with a covariate of it", _weekend, declared=("weekend",)),
    "reactivity": Violation("first answers are .6 SD off and return within a day", _reactivity),
    "dynamics_differ": Violation("time constants differ by a factor of 4 between persons", lambda r, s: s.scores()),
    "style": Violation("persons use the scale differently, .4 to 1.8 times", _style),
    "floor": Violation("three answers in ten lie at the lowest point", _floor),
    "rounded": Violation("answers come in steps of 1.2 SD", _rounded),
    "heavy_tails": Violation("errors have heavy tails (t with 3 degrees of freedom)", _heavy_tails),
    "skips": Violation("prompts are skipped more often in one state", _skips),
    "dropout": Violation("persons drop out more often in one state", _dropout),
    "common_cause": Violation("a common cause of a day moves both, .8 SD", _common_cause),
    "outlier": Violation("one person of 45 is six times as variable and follows another rule", _outlier),
    "wrong_minutes": Violation("half of the prompts of one quantity carry the time of a neighbour", _wrong_minutes),
    "two_speeds": Violation("a slow drift of ten days runs below the moods", _two_speeds),
}
"""Broken assumptions by name; sizes are assumed, of the order seen in diaries."""
