"""Replicated data against what is known about them."""

import numpy as np
import pytest

from dyadloop.appraisal.replication import predictive_checks, statistics
from dyadloop.inference.result import problem_of


def test_statistics_by_hand():
    scores = np.array([[[1.0, 2.0], [3.0, 4.0], [np.nan, 6.0]], [[2.0, 1.0], [2.0, 1.0], [5.0, 1.0]]])
    found = statistics(scores, ["x", "y"])
    assert found["x: SD within persons"] == pytest.approx((8 / 3) ** 0.5)  # (1+1+1+1+4) / (1 + 2)
    assert found["y: SD of person means"] == pytest.approx(1.5)
    assert found["y: correlation with its last value"] == pytest.approx(0.0)


def test_a_well_specified_model_reproduces_its_study(small_fit):
    post = small_fit[1]
    checks = predictive_checks(problem_of(post), post, n_draws=60)
    outside = ((checks["share_above"] < 0.01) | (checks["share_above"] > 0.99)).values
    assert outside.mean() < 0.2
    assert np.isfinite(checks["replicated"].values).all()
