"""Trust game, iterated trust and public goods: shares and slopes per person, with errors, shrunk to the group.

A slope of few rounds is mostly noise; the hierarchical estimates pull each person towards the group by as much as the
person's own data are uncertain.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dyadloop.errors import DataError, Fault
from dyadloop.measures.games.copied_rounds import copied_rounds
from dyadloop.measures.games.decisions import OCCASIONS, mirrored, numbers, repeated
from dyadloop.signals.series import Floats

TRUST_COLUMNS = ("trustor", "trustee", "round", "endowment", "sent", "multiplier", "returned")
GOODS_COLUMNS = ("group", "participant", "round", "endowment", "contributed")
_FEWEST_ROUNDS = 3


class Scores(NamedTuple):
    """Scores of a game.

    Attributes
    ----------
    table
        ``participant``, ``scale``, ``score`` and ``error`` (shrunk), ``estimate`` and ``estimate_error`` (the person's
        own data alone, for use in a further model), ``rounds``; NaN where undefined.
    group
        ``scale``, ``mean``, ``error``, ``sd_between`` of the group.
    doubts
        What may be a mistake, in words, such as rounds that stand twice.
    """

    table: pd.DataFrame
    group: pd.DataFrame
    doubts: tuple[str, ...] = ()


def trust_game(table: pd.DataFrame, name: str = "trust") -> Scores:
    """Score trust games of one or many rounds.

    Parameters
    ----------
    table
        One row per decision: ``trustor``, ``trustee``, ``round``, ``endowment``, ``sent``, ``multiplier`` and
        ``returned``; ``returned`` may be missing where nothing was sent or the trustee did not decide. Rounds that
        start anew are told apart by a column ``session``.
    name
        Name of the file for messages.

    Returns
    -------
    Scores
        ``sent_share``: sent over endowment, per trustor (trust); ``returned_share``: returned over multiplied, per
        trustee, undefined where nothing was sent (trustworthiness); ``reciprocity``: slope of the returned share on the
        share sent, within a trustee; ``repayment_response``: change of the sent share from one round to the next on
        the returned share before it, within a trustor.

    Raises
    ------
    DataError
        If a decision is impossible or stands on two rows, one per player; all faults at once, with their rows.

    References
    ----------
    .. [1] Berg, Dickhaut & McCabe (1995). doi:10.1006/game.1995.1027
    .. [2] Johnson & Mislin (2011). doi:10.1016/j.joep.2011.05.007

    Notes
    -----
    The multiplier matters (raising it from 2 to 3 lowers returned shares): compare games with the same one.

    Examples
    --------
    >>> import pandas as pd
    >>> game = pd.DataFrame({"trustor": "A", "trustee": "B", "round": [1, 2, 3], "endowment": 10.0,
    ...                      "sent": [5.0, 6.0, 8.0], "multiplier": 3.0, "returned": [7.0, 10.0, 12.0]})
    >>> print(dl.trust_game(game).table[["participant", "scale", "score"]].head(2).round(2))
      participant           scale  score
    0           A      sent_share   0.63
    1           B  returned_share   0.51
    """
    sound = _checked_trust(table, name)
    games = [*sound.columns.intersection(list(OCCASIONS))]
    sound = sound.sort_values(["trustor", "trustee", *games, "round"], kind="stable")
    sent = (sound["sent"] / sound["endowment"]).to_numpy()
    received = (sound["sent"] * sound["multiplier"]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        back = np.where(received > 0, sound["returned"].to_numpy() / received, np.nan)
    trustor, trustee = sound["trustor"].astype(str).to_numpy(), sound["trustee"].astype(str).to_numpy()
    game = sound.groupby(["trustor", "trustee", *games], sort=False).ngroup().to_numpy()
    same = game[1:] == game[:-1]
    change = np.where(same, np.diff(sent), np.nan)
    before = np.where(same, back[:-1], np.nan)
    parts = [
        hierarchical_means(sent, trustor, "sent_share"),
        hierarchical_means(back, trustee, "returned_share"),
        hierarchical_slopes(back, sent, trustee, "reciprocity"),
        hierarchical_slopes(change, before, trustor[1:], "repayment_response"),
    ]
    doubts = copied_rounds(sound, ("trustor", "trustee"), ("endowment", "sent", "multiplier", "returned"))
    return _joined(parts, doubts)


def _checked_trust(table: pd.DataFrame, name: str) -> pd.DataFrame:
    sound, faults = numbers(table, TRUST_COLUMNS, ("trustor", "trustee"), name, optional=("returned",))
    for k, row in enumerate(sound.to_dict("records")):
        most = row["sent"] * row["multiplier"]
        for column, low, high in (
            ("endowment", math.ulp(0.0), math.inf),
            ("multiplier", math.ulp(0.0), math.inf),
            ("sent", 0.0, row["endowment"]),
            ("returned", 0.0, most),
        ):
            value = row[column]
            if not math.isnan(value) and not low <= value <= high + 1e-9:
                expected = f"0 to {high:g}" if math.isfinite(high) else "a number above 0"
                faults.append(Fault(name, k + 2, column, f"{value:g}", expected, "correct the decision"))
    faults += repeated(sound, ("trustor", "trustee", "round"), name)
    faults += mirrored(sound, "trustor", "trustee", ("sent", "returned"), name)
    if faults:
        raise DataError(name, sorted(faults, key=lambda fault: fault.row or 0))
    return sound


def public_goods(table: pd.DataFrame, name: str = "public_goods") -> Scores:
    """Score a public goods game.

    Parameters
    ----------
    table
        One row per contribution: ``group``, ``participant``, ``round``, ``endowment``, ``contributed``. Rounds that
        start anew are told apart by a column ``session``.
    name
        Name of the file for messages.

    Returns
    -------
    Scores
        ``contributed_share``; ``conditional_cooperation``: slope of the own share on the mean share of the others in
        the round before; ``end_drop``: share in the last round minus the mean of the rounds before.

    Raises
    ------
    DataError
        If a contribution is impossible or stands on two rows; all faults at once.

    References
    ----------
    .. [1] Fischbacher, Gächter & Fehr (2001). doi:10.1016/S0165-1765(01)00394-9

    Examples
    --------
    >>> import pandas as pd
    >>> given = {"A": (10, 8, 6), "B": (12, 9, 5)}
    >>> rows = [("g", p, r, 20.0, c) for p, course in given.items() for r, c in enumerate(course, 1)]
    >>> game = pd.DataFrame(rows, columns=["group", "participant", "round", "endowment", "contributed"])
    >>> print(dl.public_goods(game).group[["scale", "mean"]].head(1).round(2))
                   scale  mean
    0  contributed_share  0.42
    """
    sound, faults = numbers(table, GOODS_COLUMNS, ("group", "participant"), name)
    for k, row in enumerate(sound.to_dict("records")):
        if row["endowment"] <= 0 or not 0 <= row["contributed"] <= row["endowment"] + 1e-9:
            got = f"{row['contributed']:g} of {row['endowment']:g}"
            faults.append(Fault(name, k + 2, "contributed", got, "0 to the endowment", "correct it"))
    faults += repeated(sound, ("group", "participant", "round"), name)
    if faults:
        raise DataError(name, sorted(faults, key=lambda fault: fault.row or 0))
    games = ["group", *sound.columns.intersection(list(OCCASIONS))]
    sound = sound.assign(share=sound["contributed"] / sound["endowment"])
    sound = sound.sort_values([*games, "participant", "round"])
    sums = sound.groupby([*games, "round"])["share"].transform("sum")
    counts = sound.groupby([*games, "round"])["share"].transform("count")
    others = (sums - sound["share"]) / (counts - 1).where(counts > 1)
    player = [sound[column] for column in (*games, "participant")]
    before = others.groupby(player).shift()
    who = sound["participant"].astype(str).to_numpy()
    last = sound["round"] == sound.groupby(games)["round"].transform("max")
    share = sound["share"].to_numpy()
    earlier = sound["share"].where(~last).groupby(player).transform("mean")
    parts = [
        hierarchical_means(share, who, "contributed_share"),
        hierarchical_slopes(share, before.to_numpy(dtype=float), who, "conditional_cooperation"),
        hierarchical_means(np.where(last, share - earlier.to_numpy(), np.nan), who, "end_drop"),
    ]
    return _joined(parts, copied_rounds(sound, ("group", "participant"), ("endowment", "contributed")))


def _joined(parts: list[Scores], doubts: list[str]) -> Scores:
    tables, groups = ([p.table for p in parts], [p.group for p in parts])
    return Scores(pd.concat(tables, ignore_index=True), pd.concat(groups, ignore_index=True), tuple(doubts))


def hierarchical_means(values: Floats, person: np.ndarray, scale: str) -> Scores:
    """Return each person's mean, shrunk to the group's, with its standard error.

    One-way random effects with one variance within persons; with a single round per person nothing is known about the
    variance within, means are not shrunk and have no error.
    """
    known = ~np.isnan(values)
    y, who = values[known], person[known]
    names, place, counts = np.unique(who, return_inverse=True, return_counts=True)
    if not len(names):
        return _nothing(person, scale)
    means = np.bincount(place, weights=y) / counts
    freedom = len(y) - len(names)
    if freedom < 1 or len(names) < 3:
        table = _table(names, scale, means, np.nan, means, np.nan, counts)
        spread = float(means.std(ddof=1)) if len(names) > 1 else math.nan
        return Scores(table, _group(scale, float(means.mean()), spread / math.sqrt(len(names)), math.nan))
    within = float(((y - means[place]) ** 2).sum()) / freedom
    centre, between = _pooled(means, within / counts)
    weight = between / (between + within / counts)
    score = centre[0] + weight * (means - centre[0])
    error = np.sqrt(weight * within / counts + (1 - weight) ** 2 * centre[1] ** 2)
    table = _table(names, scale, score, error, means, np.sqrt(within / counts), counts)
    return Scores(table, _group(scale, centre[0], centre[1], math.sqrt(between)))


def hierarchical_slopes(y: Floats, x: Floats, person: np.ndarray, scale: str) -> Scores:
    """Return each person's slope of y on x, shrunk to the group's, with its standard error.

    Two stages: least squares per person with one residual variance for all, then random effects over persons. Persons
    with fewer than 3 usable rounds or one value of x have the group's slope to go by and are left out.
    """
    known = ~(np.isnan(y) | np.isnan(x))
    names, slopes, weights, counts = [], [], [], []
    left, freedom = 0.0, 0
    for name in np.unique(person[known]):
        mine = known & (person == name)
        dx, dy = x[mine] - x[mine].mean(), y[mine] - y[mine].mean()
        spread = float(dx @ dx)
        if mine.sum() < _FEWEST_ROUNDS or spread < 1e-12:
            continue
        slope = float(dx @ dy) / spread
        names.append(name)
        slopes.append(slope)
        weights.append(spread)
        counts.append(int(mine.sum()))
        left += float(((dy - slope * dx) ** 2).sum())
        freedom += int(mine.sum()) - 2
    if freedom < 5 or len(names) < 3:
        return _nothing(person, scale)
    variance = left / freedom / np.array(weights)
    found = np.array(slopes)
    centre, between = _pooled(found, variance)
    weight = between / (between + variance) if between > 0 else np.zeros(len(found))
    score = centre[0] + weight * (found - centre[0])
    error = np.sqrt(weight * variance + (1 - weight) ** 2 * centre[1] ** 2)
    table = _table(names, scale, score, error, found, np.sqrt(variance), counts)
    return Scores(table, _group(scale, centre[0], centre[1], math.sqrt(between)))


def _pooled(estimates: Floats, variances: Floats) -> tuple[tuple[float, float], float]:
    """Return mean and standard error of the group, and the variance between persons (Paule-Mandel)."""
    from scipy.optimize import brentq

    freedom = len(estimates) - 1

    def excess(between: float) -> float:
        weight = 1 / (variances + between)
        mean = float(weight @ estimates / weight.sum())
        return float(weight @ (estimates - mean) ** 2) - freedom

    top = float(np.var(estimates, ddof=1)) * 10 + 1e-12
    tiny = float(np.min(variances)) <= 0
    between = top / 10 if tiny else (float(np.asarray(brentq(excess, 0.0, top))) if excess(0.0) > 0 else 0.0)
    weight = 1 / (variances + between) if (variances + between > 0).all() else np.ones(len(estimates))
    mean = float(weight @ estimates / weight.sum())
    return (mean, float(1 / math.sqrt(weight.sum()))), float(between)


def _table(
    names: NDArray | list[str],
    scale: str,
    score: Floats | float,
    error: Floats | float,
    estimate: Floats | float,
    estimate_error: Floats | float,
    rounds: NDArray[np.int64] | list[int] | int,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": names,
            "scale": scale,
            "score": score,
            "error": error,
            "estimate": estimate,
            "estimate_error": estimate_error,
            "rounds": rounds,
        }
    )


def _group(scale: str, mean: float, error: float, between: float) -> pd.DataFrame:
    return pd.DataFrame([{"scale": scale, "mean": mean, "error": error, "sd_between": between}])


def _nothing(person: np.ndarray, scale: str) -> Scores:
    names = np.unique(person)
    table = _table(names, scale, np.nan, np.nan, np.nan, np.nan, 0)
    return Scores(table, _group(scale, math.nan, math.nan, math.nan))
