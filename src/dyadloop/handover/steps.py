"""The linear model of a study from one moment of an even grid to the next, for programs in discrete time."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import expm

from dyadloop.handover.statement import Statement


@dataclass(frozen=True)
class Step:
    """One step of the grid.

    Attributes
    ----------
    days
        Length [d]: the median interval between moments with values, sessions of no length taken as one moment.
    in_session
        Share of a step that lies in sessions.
    matrix, noise
        Transition and covariance of its noise.
    """

    days: float
    in_session: float
    matrix: np.ndarray
    noise: np.ndarray


def step_of(statement: Statement) -> Step:
    """Return the step of a study's grid; what a session adds acts for the average share of sessions."""
    seen = observed(statement)
    gaps = np.concatenate([np.diff(own["time"].to_numpy()) for _, own in seen.groupby("dyad", sort=False)] or [[]])
    days = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1.0
    rows = statement.rows
    lengths = rows.groupby("dyad", sort=False)["time"].diff().fillna(0.0)
    whole = float(lengths.sum())
    share = float(lengths[rows["gate"] == 1].sum()) / whole if whole > 0 else 0.0
    drift = statement.matrices["drift"] + share * statement.matrices["gated"]
    matrix, noise = discrete(drift, statement.matrices["noise"], days)
    return Step(days, share, matrix, noise)


def discrete(drift: np.ndarray, noise: np.ndarray, days: float) -> tuple[np.ndarray, np.ndarray]:
    """Return transition and covariance of the noise over an interval.

    References
    ----------
    .. [1] Van Loan (1978), Computing integrals involving the matrix exponential. doi:10.1109/TAC.1978.1101743
    """
    n, halvings = len(drift), max(0, math.ceil(math.log2(max(1e-9, np.abs(drift).sum() * days))))
    block = np.zeros((2 * n, 2 * n))
    block[:n, :n], block[:n, n:], block[n:, n:] = -drift, noise, drift.T
    whole = expm(block * days / 2**halvings)
    matrix = whole[n:, n:].T
    spread = matrix @ whole[:n, n:]
    for _ in range(halvings):  # a long interval of a fast state would overflow as a whole
        matrix, spread = matrix @ matrix, spread + matrix @ spread @ matrix.T
    return matrix, spread


def observed(statement: Statement) -> pd.DataFrame:
    """Return the moments at which something was observed."""
    names = list(statement.indicators)
    return statement.rows[statement.rows[names].notna().any(axis=1)]
