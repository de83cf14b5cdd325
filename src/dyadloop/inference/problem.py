"""One fitting problem: the reduced theory, the observation model, the panel and the priors."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from dyadloop.data import StudyPrior
from dyadloop.dynamics import SessionSchedule
from dyadloop.errors import FitError
from dyadloop.evidence import Discount, coefficient_priors
from dyadloop.evidence.coefficients import PriorSet
from dyadloop.files import sha256
from dyadloop.inference.cache import Cache, made_once
from dyadloop.inference.composites import composite_coefficients
from dyadloop.inference.quasi_steady import fixed_at_median, oxytocin_timescale
from dyadloop.inference.randomised import PREFIX, Randomised, confounded, contrasted, randomised
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.panel import LATENT, Panel, panel, personal
from dyadloop.likelihood.programs import program
from dyadloop.likelihood.random_levels import RandomLevels, random_levels
from dyadloop.likelihood.random_parameters import RandomParameters, random_parameters
from dyadloop.model import ProcessModel, Plan, compile_theory, exchangeable
from dyadloop.observation.kinds import kinds
from dyadloop.observation.partners import counterparts, exchanged, partner_states
from dyadloop.observation.plan import Observation, ObservationPlan, observe
from dyadloop.theory import Prior, Quantity, Theory, as_measured, composite_remarks, linear_form

_POSITIVE = ("tau_", "sd_", "between_", "error_", "spread_")
PRIOR_COLUMNS = ("family", "location", "scale", "unit", "source")


@dataclass(frozen=True)
class Problem:
    """Everything that a likelihood and its priors need."""

    plan: Plan
    observed: ObservationPlan
    panel: Panel
    priors: pd.DataFrame
    scores: xr.Dataset
    schedule: SessionSchedule | None
    random_parameters: RandomParameters = field(default_factory=RandomParameters)
    random_levels: RandomLevels = field(default_factory=RandomLevels)
    randomised: Randomised = field(default_factory=Randomised)
    unused_priors: tuple[str, ...] = ()
    held_out: str = ""
    cache: Cache = field(default_factory=Cache, compare=False, repr=False)
    """What was made for problems that differ from this one in their data alone; any other gets a new one."""

    def __post_init__(self) -> None:
        parts = (
            self.plan,
            self.observed,
            self.priors,
            self.schedule,
            self.random_parameters,
            self.random_levels,
            self.randomised,
        )
        object.__setattr__(self, "cache", self.cache.serving(*parts))

    @property
    def left_out(self) -> list[str]:
        """What the study or the theory holds and the fit does not use, in words."""
        unused = [f"the declared prior of {name!r} names no parameter of this fit" for name in self.unused_priors]
        parts = (self.plan, self.observed, self.random_parameters, self.random_levels, self.randomised)
        return [*(entry for part in parts for entry in part.left_out), *unused]

    @property
    def oxytocin_timescale(self) -> str:
        """Whether oxytocin is fitted with its full dynamics or as quasi-steady, and why, in words."""
        return oxytocin_timescale(self.plan, self.scores, self.priors)

    @property
    def normals(self) -> dict[str, int]:
        """How many auxiliary standard normals are sampled with the parameters, by name."""
        latent = {LATENT: self.panel.n_latent} if self.panel.n_latent else {}
        return latent | self.random_levels.normals

    def log_likelihood(
        self, values: dict[str, Array] | dict[str, float], panel: Panel | None = None
    ) -> Float[Array, " dyad"]:
        """Return the log-likelihood of each dyad at parameter values in the units of the theory file.

        Where values are not seen as numbers, ``latent_value`` holds one standard normal for each, and so does
        ``therapist_effect`` or ``plate_effect`` where dyads share a therapist and values a plate; the likelihood is
        exact when these are integrated out. ``panel`` stands for the problem's own, so that one compiled
        likelihood serves all data of one shape.
        """
        panel = self.panel if panel is None else panel
        numbers = {name: jnp.asarray(value, dtype=float) for name, value in values.items()}
        if not self.random_parameters.names:
            return self._of_one_kind(numbers, panel)
        return logsumexp(self.by_node(numbers, panel), axis=0)

    def by_node(self, values: dict[str, Array], panel: Panel) -> Float[Array, "node dyad"]:
        """Return the log-likelihood of each dyad at each node of what varies, plus the log weight of the node."""
        places, log_weights = self.random_parameters.nodes()
        found = jax.vmap(lambda z: self._of_one_kind(self.random_parameters.of(values, z), panel))(jnp.asarray(places))
        return found + jnp.asarray(log_weights)[:, None]

    def _of_one_kind(self, values: dict[str, Array], panel: Panel) -> Float[Array, " dyad"]:
        """Return the log-likelihood of each dyad if all have these parameters."""
        process, observation = self.process_of(values, panel), self.observed.observation(values)
        panel = self.alone(values, observation, panel)
        if panel.n_latent or process.nonlinear is not None:
            return filter_jointly(process, observation, panel, values.get(LATENT)).log_density
        return log_likelihood(process, observation, panel)

    def added(
        self, values: dict[str, Array], observation: Observation, panel: Panel
    ) -> Float[Array, "dyad time indicator"] | float:
        """Return what therapists, plates and randomised events add to each score."""
        found, response = self.random_levels.offset(values, observation, panel), self.response(values, panel)
        if self.randomised.plan is None:
            return found
        return found + observation.loading * jnp.asarray(response)[..., jnp.array(observation.states)]

    def response(self, values: dict[str, Array], panel: Panel) -> Float[Array, "dyad time state"] | float:
        """Return by how much randomised events have moved the states, with the time constants of each therapist."""
        return self.randomised.response(values | self.random_levels.own(values, panel), panel)

    def alone(self, values: dict[str, Array], observation: Observation, panel: Panel) -> Panel:
        """Return the panel as it were without therapists, plates and randomised events: scores, limits and events."""
        added = self.added(values, observation, panel)
        if isinstance(added, float):
            return panel
        return eqx.tree_at(lambda panel: panel.score, self.randomised.natural(panel), panel.score - added)

    def process_of(self, values: dict[str, Array], panel: Panel) -> ProcessModel:
        """Return the field of all dyads, or one for each where therapists differ in more than levels."""
        own = self.random_levels.own(values, panel)
        return jax.vmap(lambda part: self.plan.process_model(values | part))(own) if own else self.plan.process_model(values)

    def of_randomised(self) -> "Problem":
        """Return the problem whose arrows are those that rest on randomised events, under their usual names.

        It takes values as :meth:`Randomised.values` returns them.
        """
        assert self.randomised.plan is not None
        plain = {PREFIX + name: name for name in self.randomised.arrows}
        others = self.priors.drop(index=[name for name in self.randomised.arrows if name in self.priors.index])
        return replace(self, plan=self.randomised.plan, priors=others.rename(index=plain))

    def at_mean(self, values: dict[str, Array] | dict[str, float]) -> ProcessModel:
        """Return the linear field near the own mean of a person with average contexts."""
        return self.plan.process_model(values).at_mean()

    def with_panel(self, panel: Panel, name: str) -> "Problem":
        """Return the same problem with other data of the same shape; ``name`` says which, for the fingerprint.

        Both share what is compiled.
        """
        return replace(self, panel=panel, held_out=name)

    def without(self, held_out: np.ndarray, name: str) -> "Problem":
        """Return the same problem with some moments unseen.

        Parameters
        ----------
        held_out
            Whether each moment of the panel is held out (dyad, time).
        name
            What is held out, in words; part of the fingerprint.
        """
        seen = self.panel.seen & ~jnp.asarray(held_out)[..., None]
        return self.with_panel(eqx.tree_at(lambda panel: panel.seen, self.panel, seen), name)

    def pointwise(self, posterior: xr.Dataset) -> xr.DataArray:
        """Return the log-likelihood of each dyad at each draw (chain, draw, dyad), states and means integrated out.

        ``posterior`` holds the parameters and the auxiliary normals where there are any.
        """
        values = {name: jnp.asarray(posterior[name].values.ravel()) for name in self.priors.index}
        for name, size in self.normals.items():
            values[name] = jnp.asarray(posterior[name].values.reshape(-1, size))
        shape = (posterior.sizes["chain"], posterior.sizes["draw"], self.scores.sizes["dyad"])
        found = np.asarray(_pointwise(self)(values, self.panel)).reshape(shape)
        coords = {name: posterior[name] for name in ("chain", "draw")} | {"dyad": self.scores["dyad"].values}
        return xr.DataArray(found, dims=("chain", "draw", "dyad"), coords=coords)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the theory, the priors and the study."""
        parts = [
            self.plan.theory.model_dump_json(by_alias=True),
            priors_to_json(self.priors),
            self.scores.attrs["digest"],
            self.held_out,
        ]
        return sha256("\x00".join(parts))


@made_once
def _pointwise(problem: Problem) -> Callable[[dict[str, Array], Panel], Array]:
    """Return the program that finds the log-likelihood of each dyad at many draws (draw, dyad)."""
    return program(lambda draws, panel: jax.lax.map(lambda one: problem.log_likelihood(one, panel), draws))


def build_problem(
    scores: xr.Dataset,
    theory: Theory,
    priors: pd.DataFrame | None = None,
    declared: Mapping[str, StudyPrior] | None = None,
    split: bool = True,
) -> Problem:
    """Bring a study and a theory together, keeping what the study measures.

    Parameters
    ----------
    scores
        Result of :func:`dyadloop.scale_scores`.
    theory
        Theory, possibly restricted to a hypothesis; one that is not linear is fitted in its linear form.
    priors
        Table of :func:`priors`; its rows replace the priors of the theory file and of the study.
    declared
        Priors that the study declares in study.yaml; those of parameters that do not enter the fit have no effect.
    split
        Whether randomised events have arrows of their own (see :mod:`dyadloop.inference.randomised`), on which claims
        rest; without it a hypothesis says that both kinds of arrow are the same, which is how rivals are compared.

    Raises
    ------
    FitError
        If the study measures nothing of the theory, or a prior names no parameter.
    TheoryError
        If the theory is not linear and names no linear form.
    """
    events, contexts = tuple(scores["event"].values.tolist()), personal(scores)
    whole, used = linear_form(theory), {str(q) for q in scores["quantity"].values[scores["use"].values > 0]}
    linear = as_measured(whole, used)
    measured = _measured(scores, linear)
    split = split and not counterparts(scores)  # what randomised events do is not yet told apart for such partners
    plan = compile_theory(linear, measured, events, contexts)
    if split and plan.is_linear and contrasted(plan, scores)[0]:
        linear = confounded(linear, plan)
        plan = compile_theory(linear, measured, events, contexts)
    plan = replace(plan, left_out=(*plan.left_out, *composite_remarks(whole, used)))
    plan = fixed_at_median(plan, scores, {*(declared or {}), *(priors.index if priors is not None else ())})
    observed = exchanged(observe(plan, scores), scores)
    plan = exchangeable(plan, partner_states(observed, scores))
    varied, common = random_parameters(plan), random_levels(plan, observed, scores)
    pushed = randomised(linear, plan, scores) if split else Randomised()
    own = (varied.parameters(plan), observed.parameters(), common.parameters(plan), pushed.parameters())
    table = prior_table(plan.parameters() | {name: number for part in own for name, number in part.items()})
    unused = tuple(name for name in declared or {} if name not in table.index)
    for name, prior in (declared or {}).items():
        if name in table.index:
            row = [
                prior.family,
                prior.location,
                prior.scale,
                table.loc[name, "unit"],
                f"declared by the study: {prior.assumed}",
            ]
            table.loc[name] = row
    if priors is not None:
        extra = prior_table(composite_coefficients(whole, priors, used))
        table = _replaced(table, pd.concat([priors, extra]) if len(extra) else priors)
    positive = (*_POSITIVE, *(prefix for kind in kinds() for prefix in kind.positive))
    wrong = [n for n, family in table["family"].items() if str(n).startswith(positive) and family != "lognormal"]
    if wrong:
        raise FitError(f"{', '.join(map(str, wrong))}: positive parameters need a lognormal prior")
    ties = {name: own for name, own in plan.ties if own in table.index}
    arrays = panel(scores, plan, observed, pd.concat([table, table.loc[list(ties.values())].set_axis(list(ties))]))
    return Problem(plan, observed, arrays, table, scores, _schedule(scores), varied, common, pushed, unused)


def _measured(scores: xr.Dataset, theory: Theory) -> set[tuple[str, str]]:
    """Return the quantities and persons that a fit holds: those with an indicator that is used.

    One whose indicators are all put aside stays if the study pushed it, as by a nasal dose that contaminates saliva.
    """
    events = set(scores["event"].values.tolist())
    pushed = {theory.variable(entry.target).measured_as for entry in theory.inputs if entry.event in events}
    columns = (scores[name].values.tolist() for name in ("quantity", "person", "use"))
    return {(quantity, person) for quantity, person, use in zip(*columns, strict=True) if use or quantity in pushed}


def priors(
    theory: Theory,
    kind: PriorSet = "sceptical",
    discount: Discount | None = None,
    table: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the priors of a theory in its linear form, one row per parameter, to read or to change before a fit.

    Parameters
    ----------
    theory
        Theory.
    kind
        What the couplings are given: ``sceptical`` (the theory file's: centred on 0), ``evidence`` (pooled published
        effects, discounted and scaled) or ``flat`` (five times as wide as sceptical). Time constants, fluctuations and
        errors are the theory file's in all three.
    discount
        Discounts and scales of ``evidence``, all of them assumptions.
    table
        Table of published effects; default: the shipped one.

    Returns
    -------
    pandas.DataFrame
        Index ``parameter``; columns ``family``, ``location`` (median of a lognormal), ``scale``, ``unit`` and
        ``source`` (evidence ids, and what was assumed).

    Raises
    ------
    EvidenceError
        If the set does not exist.

    Examples
    --------
    >>> table = dl.priors(dl.framework(), "evidence")
    >>> table.loc["w_trust", "family"], round(float(table.loc["w_trust", "scale"]), 2)
    ('normal', 0.47)
    """
    linear = linear_form(theory)
    found = prior_table(compile_theory(linear).parameters())
    couplings = coefficient_priors(linear, kind, discount, table)
    known = [name for name in couplings.index if name in found.index]
    found.loc[known] = couplings.loc[known, list(PRIOR_COLUMNS)]
    return found


def coupling_priors(theory: Theory, kind: PriorSet) -> pd.DataFrame | None:
    """Return the rows of a prior set that replace those of a theory in a fit; None where nothing is replaced."""
    return None if kind == "sceptical" else coefficient_priors(linear_form(theory), kind)


def prior_table(parameters: dict[str, Quantity]) -> pd.DataFrame:
    """Return the priors as a table, one row per parameter."""
    fixed = [name for name, number in parameters.items() if number.prior is None]
    if fixed:
        raise FitError(f"{', '.join(fixed)}: no prior; a parameter that is fitted needs one in the theory file")
    rows = {
        name: (q.prior.family, q.prior.location, q.prior.scale, q.unit, q.source)
        for name, q in parameters.items()
        if q.prior is not None
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(PRIOR_COLUMNS)).rename_axis("parameter")


def priors_to_json(table: pd.DataFrame) -> str:
    """Return a prior table as JSON."""
    return json.dumps(table.reset_index().to_dict(orient="records"), sort_keys=True)


def priors_from_json(text: str) -> pd.DataFrame:
    """Return the prior table of :func:`priors_to_json`."""
    return pd.DataFrame(json.loads(text)).set_index("parameter")[list(PRIOR_COLUMNS)]


def _replaced(table: pd.DataFrame, priors: pd.DataFrame) -> pd.DataFrame:
    known = [name for name in priors.index if name in table.index]
    unknown = [str(name) for name in priors.index if name not in table.index]
    if not known or set(PRIOR_COLUMNS) - set(priors.columns):
        raise FitError(
            f"priors need the columns {', '.join(PRIOR_COLUMNS)} and rows among {', '.join(table.index)}; "
            f"got columns {', '.join(map(str, priors.columns))} and rows {', '.join(unknown)}"
        )
    for name in known:
        row = priors.loc[name]
        Prior.model_validate({"family": row["family"], "location": row["location"], "scale": row["scale"]})
    table = table.copy()
    table.loc[known] = priors.loc[known, list(PRIOR_COLUMNS)]
    return table


def _schedule(scores: xr.Dataset) -> SessionSchedule | None:
    """Return the median interval and length of the sessions, or None where the study has no sessions of length > 0."""
    intervals, lengths = [], []
    for row in range(scores.sizes["dyad"]):
        days, inside = scores["days"].values[row], scores["in_session"].values[row]
        starts = days[:-1][inside[1:] & ~inside[:-1]]
        ends = days[inside & ~pd.Series(inside).shift(-1, fill_value=False).to_numpy(dtype=bool)]
        intervals += list(starts[1:] - starts[:-1])
        lengths += list(ends - starts)
    if not intervals:
        return None
    return SessionSchedule(float(pd.Series(intervals).median()), float(pd.Series(lengths).median()))
