"""Do fits recover the values that made the data? A small run always; the calibration over many runs on demand."""

import json

import numpy as np
import pytest
from scipy.stats import binom

from dyadloop.data import read_study
from dyadloop.inference import Settings, fit
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.problem import build_problem
from dyadloop.model import compile_theory
from dyadloop.observation.scaling import scale_scores
from tests.inference.small import make, theory

VARIABLES = ["oxytocin", "trust"]
RUNS = 50


def _covered(post, truth):
    """Whether the 90 % interval of each parameter holds its true value."""
    found = {}
    for name in post["posterior"].data_vars:
        if name in truth:
            low, high = np.quantile(post["posterior"][name].values, [0.05, 0.95])
            found[name] = bool(low <= truth[name] <= high)
    return found


def test_a_small_simulated_study_is_recovered(small_fit):
    folder, post = small_fit
    truth = json.loads((folder / "truth.json").read_text())["values"]
    covered = _covered(post, truth)
    assert {"a_trust", "w_trust", "tau_trust", "session_oxytocin", "error_trust"} <= set(covered)
    # 90 % intervals: fewer than this many hits happen once in a thousand studies
    assert sum(covered.values()) >= binom.ppf(0.001, len(covered), 0.9), covered
    draws = post["posterior"]["a_trust"].values
    assert (draws > 0).mean() > 0.95, "a true 0.3 with 20 dyads shows"


@pytest.mark.slow
def test_ninety_percent_intervals_cover_the_truth_at_their_rate(tmp_path):
    """Truth drawn from the prior, so that a calibrated posterior covers it at exactly the nominal rate."""
    scores = scale_scores(read_study(make(tmp_path / "template", VARIABLES)))
    priors = build_problem(scores, theory(VARIABLES)).priors
    known = compile_theory(theory(VARIABLES), events=()).parameters()
    table = priors.loc[[n for n in priors.index if n in known or n.startswith("error_")]]
    truths = prior_draws(table, seed=11)
    hits: dict[str, list[bool]] = {}
    for run in range(RUNS):
        truth = {name: float(truths[name].values[0, run]) for name in table.index}
        study = read_study(make(tmp_path / f"run-{run}", VARIABLES, seed=100 + run, values=truth))
        post = fit(study, theory(VARIABLES), seed=run, settings=Settings(chains=2, warmup=150, draws=150))
        for name, hit in _covered(post, truth).items():
            hits.setdefault(name, []).append(hit)
        print(f"run {run + 1}: {np.mean([h for row in hits.values() for h in row]):.3f} covered so far", flush=True)
    counts = {name: sum(row) for name, row in hits.items()}
    print(json.dumps(counts))
    # every parameter, at a familywise error of 1 in 100
    level = 0.01 / len(counts)
    low, high = binom.ppf(level / 2, RUNS, 0.9), binom.ppf(1 - level / 2, RUNS, 0.9)
    assert all(low <= count <= high for count in counts.values()), counts
    # and all together, the runs being the independent units
    shares = np.array([np.mean([row[run] for row in hits.values()]) for run in range(RUNS)])
    error = shares.std(ddof=1) / RUNS**0.5
    assert abs(shares.mean() - 0.9) < 2.58 * error, (shares.mean(), error)
