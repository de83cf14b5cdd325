"""The likelihood beside ctsem 3.10.6 (Driver, Oud & Voelkle, R): its log-likelihood at its own points, and a maximum."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.panel import Panel, distinct_intervals
from dyadloop.model import ProcessModel, doublings
from dyadloop.observation.plan import Observation
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared"
POINTS, EXAMPLES = SHARED / "reference" / "ctsem", SHARED / "data" / "ctsem_examples"
pytestmark = pytest.mark.skipif(not POINTS.is_dir(), reason="ctsem's reference numbers are not beside the repository")


def panel_of(path: Path, manifest: list[str], impulse: str | None = None, fastest: float = 50.0) -> Panel:
    """Return a long table as a panel; an impulse acts before the row is observed, so it gets a moment of its own."""
    frames = [frame for _, frame in pd.read_csv(path).groupby("id", sort=False)]
    rows = [
        [part for _, row in frame.iterrows() for part in ([(row, True)] if impulse else []) + [(row, False)]]
        for frame in frames
    ]
    length = max(map(len, rows))
    days = np.full((len(rows), length), np.nan)
    score = np.full((len(rows), length, len(manifest)), np.nan)
    event = np.zeros((len(rows), length, int(impulse is not None)))
    for d, moments in enumerate(rows):
        for t, (row, is_impulse) in enumerate(moments):
            days[d, t] = row["time"]
            if is_impulse:
                event[d, t] = np.nan_to_num(row[impulse])
            else:
                score[d, t] = row[manifest].astype(float)
    pair, gates, durations = distinct_intervals(days, np.ones(days.shape, bool))
    seen = np.isfinite(score)
    return Panel(
        jnp.asarray(np.where(seen, score, 0.0)), jnp.asarray(seen), jnp.asarray(pair), jnp.asarray(gates),
        jnp.asarray(durations), jnp.asarray(event), jnp.zeros(score.shape), doublings(float(durations.max()), fastest),
    )  # fmt: skip


def process_of(drift, constant, diffusion, start, start_covariance, jumps) -> ProcessModel:
    """Return dx = (A x + b) dt + noise; the push b acts while a session runs, and here one always does."""
    n = drift.shape[0]
    zero = jnp.zeros((n, n))
    return ProcessModel(
        names=tuple("x" * (k + 1) for k in range(n)), kinds=("component",) * n, decay=-jnp.diagonal(drift),
        always=drift - jnp.diag(jnp.diagonal(drift)), session=zero, drive=constant, noise=diffusion, start=start,
        start_covariance=start_covariance, between=zero, jumps=jumps,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "path", "manifest", "impulse"),
    [
        ("sunspots", POINTS / "sunspots_long.csv", ["sunspots"], None),
        ("ctExample2", EXAMPLES / "ctExample2_long.csv", ["LeisureTime", "Happiness"], "MoneyInt"),
        ("s7_mild_fixed", POINTS / "s7_mild_fixed_long.csv", ["ATT", "EMP", "SYN", "TRU", "SUP", "OT", "SYM"], None),
    ],
)
def test_the_log_likelihood_is_that_of_ctsem(case, path, manifest, impulse):
    point = json.loads((POINTS / f"point_{case}.json").read_text())
    assert log_likelihood_at(point, path, manifest, impulse) == pytest.approx(point["ll"], abs=1e-6)


def log_likelihood_at(point, path, manifest, impulse):
    """Return our log-likelihood of a table at a point of ctsem."""
    m = {
        key.removeprefix("pop_"): jnp.asarray(value, dtype=float)
        for key, value in point.items()
        if key.startswith("pop_")
    }
    np.testing.assert_array_equal(m["LAMBDA"], np.eye(*m["LAMBDA"].shape))
    # covariances as ctsem uses them, inflated by 1e-5
    jumps = m["TDPREDEFFECT"].T if impulse else jnp.zeros((0, len(m["DRIFT"])))
    process = process_of(m["DRIFT"], m["CINT"][:, 0], m["DIFFUSIONcov"], m["T0MEANS"][:, 0], m["T0cov"], jumps)
    errors = jnp.sqrt(jnp.diagonal(m["MANIFESTcov"]))
    observation = Observation(tuple(range(len(manifest))), m["MANIFESTMEANS"][:, 0], jnp.ones(len(manifest)), errors)
    return float(log_likelihood(process, observation, panel_of(path, manifest, impulse)).sum())


def test_the_maximum_of_anomauth_is_reached_from_plain_starts():
    """2,722 persons, 5 waves: -2 log L of 23415.929 is published in ctsem's own tests."""
    panel = panel_of(EXAMPLES / "AnomAuth_long.csv", ["Y1", "Y2"])

    def factor(p):
        return jnp.array([[jnp.exp(p[0]), 0.0], [p[1], jnp.exp(p[2])]])

    @jax.jit
    @jax.value_and_grad
    def deviance(p):
        drift = jnp.array([[-jnp.exp(p[0]), p[1]], [p[2], -jnp.exp(p[3])]])
        noise, start = factor(p[4:7]), factor(p[7:10])
        process = process_of(drift, jnp.zeros(2), noise @ noise.T, p[10:12], start @ start.T, jnp.zeros((0, 2)))
        observation = Observation((0, 1), p[12:14], jnp.ones(2), jnp.zeros(2))
        return -2.0 * log_likelihood(process, observation, panel).sum()

    start = np.array([-0.7, 0, 0, -0.7, -0.5, 0, -0.5, -0.5, 0, -0.5, 0, 0, 2.5, 2.5])
    best = minimize(deviance, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-14})
    assert best.fun == pytest.approx(23415.929, abs=1e-3)
