"""Studies of two quantities of one person with known truth, and posteriors of them without any sampling."""

import jax.numpy as jnp
import numpy as np
import xarray as xr
from scipy.linalg import expm, solve_continuous_lyapunov

from dyadloop.appraisal.replication import sampled
from dyadloop.data import StudyInfo, read_study, write_study
from dyadloop.inference.convergence import diagnose
from dyadloop.inference.fitting import _attributes, _posterior, _statistics, _storable, prior_draws
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.inference.sampling import Settings
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import keep, read_theory

TWO = ["alliance_patient", "symptoms"]


def theory(*variables):
    return keep(read_theory("alliance"), variables or TWO)


def wandering(seed, drift, noise, gap, shape, error=0.0, means=1.0):
    """Return an Ornstein-Uhlenbeck process of two states, exactly, with person means and errors (dyad, time, state)."""
    generator = np.random.default_rng(seed)
    settled = solve_continuous_lyapunov(drift, -noise)
    step = expm(drift * gap)
    shock = np.linalg.cholesky(settled - step @ settled @ step.T)
    state = generator.standard_normal((shape[0], 2)) @ np.linalg.cholesky(settled).T
    found = []
    for _ in range(shape[1]):
        found.append(state)
        state = state @ step.T + generator.standard_normal(state.shape) @ shock.T
    own = means * generator.standard_normal((shape[0], 1, 2))
    return np.stack(found, axis=1) + own + error * generator.standard_normal((*shape, 2))


def written(path, values, days, points=(4.0, 3.0), phases=("after", "after"), length=0.0, covariates=None):
    """Write values (dyad, time, indicator) at days (time) as a study of WAI and PHQ-9; NaN is missing."""
    names = {"wai": ("alliance", 44.0, points[0]), "phq": ("symptoms", 12.0, points[1])}
    about = {
        name: {"quantity": quantity, "person": "patient", "unit": "points"} for name, (quantity, *_) in names.items()
    }
    info = {"schema_version": 1, "name": "two", "title": "SIMULATED", "licence": "CC0-1.0", "simulated": True}
    columns = {name: {"reason": "simulated"} for name in covariates or {}}
    info = StudyInfo.model_validate({**info, "theory": "alliance", "indicators": about, "covariates": columns})
    labels = [f"D{d + 1:03d}" for d in range(len(values))]
    people = [{"participant_id": f"P{dyad}", "dyad": dyad, "role": "patient"} for dyad in labels]
    people += [{"participant_id": f"T{dyad}", "dyad": dyad, "role": "therapist"} for dyad in labels]
    sessions, rows = [], []
    for d, s in np.ndindex(values.shape[:2]):
        dyad, day = labels[d], days[s]
        extra = {name: column[s] for name, column in (covariates or {}).items()}
        sessions.append({"dyad": dyad, "session": s + 1, "start": float(day), "length_min": length, **extra})
        for j, (name, (_, middle, unit)) in enumerate(names.items()):
            if np.isfinite(values[d, s, j]):
                key = {"dyad": dyad, "participant_id": f"P{dyad}", "session": s + 1, "phase": phases[j]}
                rows.append({**key, "indicator": name, "value": repr(float(middle + unit * values[d, s, j]))})
    return read_study(write_study(path, info, people, sessions, rows))


def problem_of_study(study, *variables):
    return build_problem(scale_scores(study), theory(*variables))


def laplace(study, problem, n_draws=600, seed=1):
    """Return what a fit returns, with draws of the normal at the mode instead of sampled ones."""
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed, starts=1)
    z = np.random.default_rng(seed).standard_normal((2, n_draws // 2, posterior.size))
    position = mode.center + z @ mode.factor.T
    draws = _posterior(problem, posterior, position)
    normals = list(problem.normals)
    still = dict.fromkeys(("diverging", "num_steps", "accept_prob", "potential_energy"), np.zeros(position.shape[:2]))
    groups = {
        "posterior": draws.drop_vars(normals),
        **({"auxiliary": draws[normals]} if normals else {}),
        "log_likelihood": xr.Dataset({"dyads": problem.pointwise(draws)}),
        "prior": prior_draws(problem.priors, seed, 500),
        "sample_stats": _statistics(still),
        "observed_data": _storable(problem.scores),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = _attributes(study, problem, mode, seed, Settings())
    return diagnose(tree)


def values_at(post, place=None):
    """Return the numbers of one draw, or the medians."""
    group = sampled(post)
    pick = {name: group[name].values.reshape(-1, *group[name].shape[2:]) for name in group.data_vars}
    return {str(n): jnp.asarray(np.median(v, axis=0) if place is None else v[place]) for n, v in pick.items()}
