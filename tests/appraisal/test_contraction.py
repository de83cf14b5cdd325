"""What data told beyond priors: by hand where the posterior is known, and for a fit and its study."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dyadloop.appraisal import practical_identifiability
from dyadloop.appraisal.contraction import _directions, _halves
from dyadloop.errors import FitError
from dyadloop.inference.prior_scale import Scale

PRIORS = pd.DataFrame(
    {"family": ["normal", "normal", "lognormal"], "location": [0.0, 0.0, 2.0], "scale": [1.0, 1.0, 0.5]},
    index=["a", "b", "tau"],
)


def draws(covariance, seed=1, chains=4, count=2000):
    normal = np.random.default_rng(seed).standard_normal((chains, count, len(covariance)))
    return normal @ np.linalg.cholesky(covariance).T


def test_a_sum_that_is_told_leaves_the_difference_to_the_prior():
    # only a + b is measured, with a variance of .02: information 50 along (1, 1) / sqrt 2 twice over
    precision = np.eye(3) + 50 * np.outer([1, 1, 0], [1, 1, 0]) + np.diag([0, 0, 9])
    scale = Scale.of(PRIORS)
    weak, rank = _directions(scale, np.array([0.5, 2.0, 0.0]), *_halves(draws(np.linalg.inv(precision))))
    assert rank == (2, 3)
    assert weak["told"][0] == pytest.approx(0.0, abs=0.07)
    assert weak["words"][0].endswith(": only their sum, with weights, is told")


def test_posterior_and_prior_alike_are_hardly_told_in_every_direction():
    weak, rank = _directions(Scale.of(PRIORS), np.zeros(3), *_halves(draws(np.eye(3))))
    assert rank[0] == 0
    assert len(weak) == 3


def test_noise_of_few_draws_is_not_taken_for_a_lack_of_data():
    # all of 12 directions are told half as much as the prior tells; 100 draws a chain spread sample variances widely
    table = pd.concat([PRIORS.iloc[:1]] * 12).set_axis([f"p{k}" for k in range(12)])
    found = [
        _directions(Scale.of(table), np.zeros(12), *_halves(draws(np.eye(12) / 1.5, seed, 4, 200)))[1][0]
        for seed in range(10)
    ]
    assert np.mean(found) > 11.5


def test_fewer_draws_than_parameters_are_refused():
    with pytest.raises(FitError, match="6 draws: expected more than 6 for 3 parameters"):
        _directions(Scale.of(PRIORS), np.zeros(3), *_halves(draws(np.eye(3), chains=2, count=3)))


def test_of_a_fit_and_of_its_study(small_fit):
    folder, post = small_fit
    sampled = practical_identifiability(post)
    table = sampled.parameters.set_index("parameter")
    normal = post["posterior"]["a_trust"].values.std()
    assert table.loc["a_trust", "posterior_sd"] == pytest.approx(normal, rel=0.01)
    assert table.loc["mean_depression", "contraction"] > 0.5
    assert sampled.rank[1] == len(table)
    assert sampled.sentences()[0].startswith(f"Data tell of {sampled.rank[0]} of {sampled.rank[1]} directions")
    labelled = practical_identifiability(post, labels={"a_trust": "Trust -> oxytocin"})
    assert "Trust -> oxytocin" in labelled.parameters["label"].tolist()
    pd.testing.assert_series_equal(labelled.parameters["contraction"], sampled.parameters["contraction"])
    assert isinstance(post, xr.DataTree)
    assert folder.exists()
