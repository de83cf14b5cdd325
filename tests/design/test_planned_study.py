"""The planned study: its moments, its events, and what it loses."""

from dataclasses import replace

import numpy as np
import pytest

from dyadloop.design.losses import lose
from dyadloop.design.planned_study import drawn_events, skeleton
from dyadloop.design.reader import design_of
from dyadloop.design.schema import Assay, Given, Measure, Missing
from tests.design.small import content, theory_file


@pytest.fixture(scope="module")
def plan():
    """Oxytocin and trust over five sessions, a dose in some."""
    measures = {
        "trust": {"quantity": "trust", "when": ["before", "after"], "reliability": 0.5, "scale": [1, 7], "step": 1.0,
                  "sd_within": 1.2},
        "saliva": {"quantity": "oxytocin", "when": ["before", "within", "after"], "spoilt_by": ["dose"],
                   "assay": {"method": "mass_spectrometry", "limit_pg_ml": 3.0, "typical_pg_ml": 6.0}},
    }  # fmt: skip
    own = content("framework", measures=measures, events={"dose": {"amount": 24, "share": 0.4}}, dyads=50)
    own["sessions"]["count"] = 5
    return skeleton(design_of(own))


def test_every_planned_value_is_there(plan):
    panel = plan.fitted.panel
    assert panel.score.shape == (50, 15, 2)  # start, middle and end of five sessions
    seen = dict(zip(plan.fitted.observed.indicators, np.asarray(panel.seen).sum(axis=(0, 1)), strict=True))
    assert seen == {"trust": 50 * 10, "saliva": 50 * 15}
    assert plan.fitted.randomised.variables == ("oxytocin",)
    assert len(panel.durations) == 3  # one calendar: none, half a session, and between sessions


def test_events_are_drawn_within_each_dyad(plan):
    one, two = (plan.events(np.random.default_rng(seed)) for seed in (1, 2))
    assert set(np.unique(one)) == {0.0, 24.0}
    assert ((one != 0).sum(axis=1) == 2).all()
    assert (one != two).any()
    assert (one == plan.events(np.random.default_rng(1))).all()


def test_events_of_an_arm_are_all_or_none():
    amounts = np.tile([0.0, 5.0, 0.0, 5.0], (9, 1))
    drawn = drawn_events(np.random.default_rng(3), amounts, Given(by="dyad", share=1 / 3))
    assert sorted(drawn.sum(axis=1)) == [0.0] * 6 + [10.0] * 3


def test_stated_errors_and_reliabilities_are_those_of_the_fit(plan):
    priors = plan.fitted.priors
    assert priors.loc["error_saliva", "location"] == pytest.approx(0.15 / np.sqrt(2))  # duplicates
    assert priors.loc["error_trust", "location"] == pytest.approx(np.sqrt(0.5))
    assert Assay(method="mass_spectrometry", duplicates=False, error=0.4).error_sd == 0.4
    assert Measure(quantity="trust").phases == ("after",)


def _lost(plan, missing, scores=None, seed=1):
    design = plan.design.model_copy(update={"missing": missing})
    shape = plan.fitted.panel.score.shape
    given = np.where(np.asarray(plan.fitted.panel.seen), 0.0 if scores is None else scores, np.nan)
    rng = np.random.default_rng(seed)
    return lose(rng, replace(plan, design=design), np.broadcast_to(given, shape).copy(), plan.events(rng)), rng


def test_scales_limits_and_spoilt_samples(plan):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, plan.fitted.panel.score.shape)
    event = plan.events(np.random.default_rng(5))
    found = lose(np.random.default_rng(1), plan, np.where(np.asarray(plan.fitted.panel.seen), scores, np.nan), event)
    trust, saliva = (plan.fitted.observed.indicators.index(name) for name in ("trust", "saliva"))
    answers = found.scores[..., trust][found.seen[..., trust]] * 1.2 + 4
    assert set(np.round(answers, 9)) == {1, 2, 3, 4, 5, 6, 7}
    kept = found.scores[..., saliva][found.seen[..., saliva]]
    assert kept.min() >= np.log(0.5)
    assert found.below_limit > 0
    after_dose = np.roll(event[..., 0] != 0, 1, axis=1) | np.roll(event[..., 0] != 0, 2, axis=1)
    assert not (found.seen[..., saliva] & after_dose).any()
    assert found.seen[..., saliva][event[..., 0] != 0].any()  # what comes before a dose of its moment stays


def test_dropout_has_its_rate_and_follows_the_alliance(plan):
    (found, _) = _lost(plan, Missing(dropout=0.4))
    shares = [_lost(plan, Missing(dropout=0.4), seed=seed)[0].dropped_out / 50 for seed in range(40)]
    assert np.mean(shares) == pytest.approx(0.4, abs=3 * np.sqrt(0.24 / 2000))
    low = np.where(np.arange(50) < 25, -2.0, 2.0)[:, None, None]
    lost = [_lost(plan, Missing(dropout=0.4, dropout_alliance=1.0), low, seed)[0] for seed in range(20)]
    ends = np.mean([~entry.seen[:, -1].any(axis=-1) for entry in lost], axis=0)
    assert ends[:25].mean() > 0.8
    assert ends[25:].mean() < 0.15
    assert found.seen.any()


def test_values_are_lost_by_chance(plan):
    (found, _) = _lost(plan, Missing(values=0.3), 0.5)
    trust = plan.fitted.observed.indicators.index("trust")
    assert found.seen[..., trust].sum() / 500 == pytest.approx(0.7, abs=3 * np.sqrt(0.21 / 500))


def test_therapists_and_plates_are_those_of_the_design(tmp_path):
    assay = {"method": "mass_spectrometry", "plates": 4}
    measures = {"saliva": {"quantity": "oxytocin", "when": ["before", "after"], "assay": assay},
                "trust": {"quantity": "trust"}}  # fmt: skip
    made = skeleton(design_of(content("framework", measures=measures, events={}, dyads=8, therapists=4)))
    assert made.fitted.random_levels.n_therapists == 4
    assert made.fitted.random_levels.n_plates == 4
    assert theory_file(tmp_path).exists()
