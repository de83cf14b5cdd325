"""Which hypotheses a plan can tell apart: the log-likelihood that a rival is expected to lose, at its best.

For each rival the parameters are sought that lie nearest to the truth of another hypothesis. Both are linear, so the
expectation over all studies is exact: a quadratic function has the same mean over a normal distribution as over the two
points at the root of its dimension on each of its axes.
"""

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy.optimize import minimize

from dyadloop.design.information import Moments, Planned
from dyadloop.design.planned_study import Skeleton, skeleton
from dyadloop.design.reader import design_of, theory_of
from dyadloop.design.schema import Design
from dyadloop.design.worlds import world_of
from dyadloop.likelihood.programs import program
from dyadloop.theory import hypothesis

APART = float(np.log(20.0))
"""Expected loss of log-likelihood from which two hypotheses count as told apart: 20 to 1."""
_MOST_DYADS = 100_000


def told_apart(plan: Skeleton, truth: str, rivals: Sequence[str]) -> pd.DataFrame:
    """Return how far a plan tells a hypothesis from each rival.

    Parameters
    ----------
    plan
        Planned study; nothing is lost.
    truth
        Hypothesis under which data are imagined, with the numbers of the theory file.
    rivals
        Hypotheses that are held against it, each at the parameters that lie nearest.

    Returns
    -------
    pandas.DataFrame
        ``truth``, ``rival``, ``nats`` (expected loss of log-likelihood of the rival in the whole study), ``apart`` and
        ``dyads_needed`` (missing where more than 100,000 are).
    """
    events = jnp.asarray(plan.events(np.random.default_rng(0)))
    world = world_of(plan, truth)
    source = replace(world.source, panel=world.source.panel.with_events(events))
    planned = Planned(source)
    point = planned.scale.place(world.truth(0))
    moments, rows = planned.moments()(point), []
    for rival in rivals:
        model = plan.source(hypothesis(rival, theory_of(plan.design)))
        other = Planned(replace(model, panel=model.panel.with_events(events)))
        nats = max(0.0, _expected(planned, moments)(point)[0] - _best(other, moments, world.truth(0)))
        needed = int(np.ceil(plan.design.dyads * APART / nats)) if nats * _MOST_DYADS > plan.design.dyads * APART else 0
        rows.append(
            {"truth": truth, "rival": rival, "nats": nats, "apart": nats >= APART, "dyads_needed": needed or None}
        )
    return pd.DataFrame(rows)


def _expected(planned: Planned, moments: Moments):  # noqa: ANN202 - a function of a point: value and slope
    """Return the function that gives the expected log-likelihood and its slope, over data of some moments."""
    size, factor = planned.n_values, np.linalg.cholesky(moments.covariance)
    axes = np.sqrt(size) * factor.T
    distinct, counts = np.unique(planned.event, axis=0, return_counts=True)
    places = [int(np.flatnonzero((planned.event == row).all(axis=(1, 2)))[0]) for row in distinct]
    values = np.concatenate([np.zeros((1, size)), axes, -axes, moments.mean[places]])
    nothing = np.zeros((2 * size + 1, *planned.event.shape[1:]))
    panel = planned.rows(np.concatenate([nothing, distinct]))
    panel = replace(panel, score=jnp.asarray(planned.scores(values)))
    n = planned.n_dyads
    weights = jnp.asarray(np.concatenate([[-float(n)], np.full(2 * size, n / (2 * size)), counts.astype(float)]))

    def total(point: jax.Array) -> jax.Array:
        found = planned.problem.log_likelihood(planned.scale.values(point) | planned._normals, panel)
        return weights @ found

    run = program(jax.value_and_grad(total))
    return lambda point: tuple(np.asarray(part) for part in run(jnp.asarray(point)))


def _best(planned: Planned, moments: Moments, values: dict[str, float]) -> float:
    """Return the highest expected log-likelihood of a theory, sought from the truth, other arrows at their prior.

    A hundredth of the prior keeps parameters that tell nothing from wandering off.
    """
    scale, at = planned.scale, _expected(planned, moments)
    middle = dict(zip(scale.names, np.where(scale.positive, np.exp(scale.middle), scale.middle), strict=True))
    start = scale.place({name: values.get(name, float(middle[name])) for name in scale.names})

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = at(scale.middle + scale.sd * point)
        if not np.isfinite(value):
            return 1e12, np.zeros_like(point)
        return float(-value + 0.005 * point @ point), -np.nan_to_num(slope) * scale.sd + 0.01 * point

    run = minimize(objective, (start - scale.middle) / scale.sd, jac=True, method="L-BFGS-B",
                   options={"maxiter": 500, "maxcor": 30, "ftol": 1e-10, "gtol": 1e-3})  # fmt: skip
    return float(at(scale.middle + scale.sd * run.x)[0])


def changes(design: Design) -> dict[str, Design]:
    """Return small changes of a design that give something a randomised event, each in words."""
    content = design.model_dump(mode="json")
    theory, measured = theory_of(design), {entry.quantity for entry in design.measures.values()}
    found = {}
    for entry in theory.inputs:
        if entry.kind != "event" or entry.event in design.events or entry.event is None:
            continue
        variable = theory.variable(entry.target)
        if variable.measured_as in measured:
            given = {"amount": entry.per or 1.0, "share": 0.5, "by": "session"}
            words = f"{entry.event} in a random half of the sessions"
            found[words] = design_of(content | {"events": {**content["events"], entry.event: given}})
    return found


def smallest_change(design: Design, truth: str, rival: str) -> tuple[str, float]:
    """Return the one change that tells two hypotheses apart best, in words, and the expected loss it leads to."""
    found = {
        words: float(told_apart(skeleton(changed), truth, [rival])["nats"].iloc[0])
        for words, changed in changes(design).items()
    }
    if not found:
        return "none: everything that is measured has a push already", float("nan")
    best = max(found, key=lambda words: found[words])
    return best, found[best]
