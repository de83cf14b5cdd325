"""Which hypothesis wins: against a fit of the same study by sampling, and counted by hand."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from arviz_stats.base.array import array_stats

from dyadloop.design import assurance, skeleton
from dyadloop.design.contest import Contest, _as_chain, _with_data
from dyadloop.design.reader import design_of
from dyadloop.design.replication import Bench, simulated
from dyadloop.design.tallies import by_hypothesis
from dyadloop.design.worlds import world_of
from dyadloop.errors import FitError
from dyadloop.inference.mode import constraining, mode_near
from dyadloop.inference.sampling import Settings, sample
from tests.design.small import content


def small():
    measures = {name: {"quantity": name, "when": "before", "reliability": 0.9} for name in ("trust", "depression")} | {
        "plasma": {"quantity": "oxytocin", "when": ["before", "after"], "assay": {"method": "mass_spectrometry"}}
    }
    return design_of(
        content("framework", dyads=30, measures=measures, events={"work_trust": {"share": 0.5}})
        | {"sessions": {"count": 6, "every": "7 d", "length": "50 min"}}
    )


@pytest.fixture(scope="module")
def made():
    return assurance(
        small(), ("none", "reciprocal"), 3, compare=("M0", "reciprocal"),
        values={"a_trust": 2.0, "w_trust": 0.5}, seed=4,
    )  # fmt: skip


def test_the_hypothesis_that_made_strong_data_wins(made):
    table = made.comparisons.set_index(["truth", "hypothesis"])
    assert table.loc[("reciprocal", "reciprocal"), "best"] == 1
    assert table.loc[("none", "reciprocal"), "alone"] == 0
    assert (table["studies"] == 3).all()
    assert table.loc["none", "bad_k"].max() < 0.2


@pytest.mark.slow
def test_differences_are_those_of_posteriors_that_are_sampled(tmp_path):
    """Sampling both hypotheses of two studies gives the same winner, and a difference within two standard errors."""
    bench = Bench(skeleton(small()))
    bench.add(world_of(bench.plan, "reciprocal", {"a_trust": 2.0, "w_trust": 0.5}))
    contest = Contest(bench, ["none", "reciprocal"])
    for number in range(2):
        rows = {row["hypothesis"]: row for row in contest.study("reciprocal", [4, 4], number)}
        study = simulated(bench, bench.worlds["reciprocal"][0], [4, 4], number)
        sums = {}
        for name, rival in contest.rivals.items():
            problem = _with_data(rival.problem, study)
            mode = mode_near(problem, rival.posterior, rival.reference)
            place = tmp_path / f"{name}{number}"
            place.mkdir()
            drawn = sample(rival.posterior, problem.panel, mode, Settings(2, 200, 400), 1, place)["position"]
            values = constraining(problem)(jnp.asarray(drawn.reshape(-1, drawn.shape[-1])))
            density = problem.pointwise(_as_chain({key: np.asarray(value) for key, value in values.items()})).values
            sums[name] = [float(array_stats.loo(density[..., row])[0]) for row in range(density.shape[-1])]
        gap = np.array(sums["none"]) - np.array(sums["reciprocal"])
        assert gap.sum() < 0
        assert rows["reciprocal"]["best"]
        assert abs(gap.sum() - rows["none"]["difference"]) < 2 * rows["none"]["difference_se"]


def test_rows_of_claims_are_kept_apart(made):
    assert "hypothesis" not in made.claims
    assert set(made.rows["fit"]) == {"mode"}
    assert made.claims["studies"].eq(3).all()


def test_a_comparison_needs_two():
    with pytest.raises(FitError, match="compare=none: a comparison needs two"):
        assurance(small(), ("none",), 1, compare=("none", "M0"))


def test_wins_are_counted_by_study():
    rows = pd.DataFrame(
        [("", "t", study, name, best, told, 0.0) for study, name, best, told in (
            (0, "a", True, False), (0, "b", False, True), (0, "c", False, False),
            (1, "a", True, False), (1, "b", False, True), (1, "c", False, True),
            (2, "a", False, True), (2, "b", True, False), (2, "c", False, True),
            (3, "a", True, False), (3, "b", False, False), (3, "c", False, True),
        )],
        columns=["design", "truth", "study", "hypothesis", "best", "told", "bad_k"],
    )  # fmt: skip
    found = by_hypothesis(rows).set_index("hypothesis")
    assert found["best"].to_dict() == {"a": 0.75, "b": 0.25, "c": 0.0}
    assert found["alone"].to_dict() == {"a": 0.25, "b": 0.25, "c": 0.0}
    assert found.loc["a", "best_se"] == pytest.approx((0.75 * 0.25 / 4) ** 0.5)
