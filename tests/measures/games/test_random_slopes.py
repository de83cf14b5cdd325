"""Random slopes by restricted maximum likelihood: against statsmodels, and by hand where nothing differs."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from dyadloop.measures.games.random_slopes import fit_random_slopes


def _drawn(seed, spread, n_groups=25, n_rows=14):
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), n_rows)
    design = np.column_stack([np.ones(len(group)), rng.normal(size=(len(group), 2))])
    own = rng.multivariate_normal([0, 0], spread, n_groups)
    target = design @ [0.3, 0.5, -0.2] + (design[:, :2] * own[group]).sum(axis=1) + 0.8 * rng.normal(size=len(group))
    return design, target, group


@pytest.mark.parametrize("spread", [[[0.5, 0.2], [0.2, 0.4]], [[1.0, -0.3], [-0.3, 0.3]]])
def test_it_agrees_with_statsmodels(spread):
    design, target, group = _drawn(3, spread)
    found = fit_random_slopes(design, target, group, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = sm.MixedLM(target, design, group, design[:, :2]).fit(reml=True, method="lbfgs")
    # statsmodels stops at a slope of about 1e-5 of its deviance
    np.testing.assert_allclose(found.mean, other.fe_params, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.error, other.bse_fe, rtol=1e-3)
    np.testing.assert_allclose(found.own, [other.random_effects[g] for g in range(25)], rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(
        found.own_covariance, [other.random_effects_cov[g] for g in range(25)], rtol=5e-3, atol=1e-4
    )


def test_where_groups_do_not_differ_it_is_least_squares():
    design, target, group = _drawn(5, np.zeros((2, 2)))
    target = target - design @ np.linalg.lstsq(design, target, rcond=None)[0] + design @ [1.0, 2.0, 3.0]
    # every group has the same course, so that nothing can differ between them
    design, target = np.tile(design[:14], (25, 1)), np.tile(target[:14], 25)
    found = fit_random_slopes(design, target, group, 2)
    np.testing.assert_allclose(found.mean, np.linalg.lstsq(design, target, rcond=None)[0], rtol=1e-8)
    np.testing.assert_allclose(found.own, 0.0, atol=1e-6)


def test_columns_that_say_the_same_are_refused():
    design, target, group = _drawn(1, np.eye(2))
    design[:, 2] = design[:, 1]
    with pytest.raises(np.linalg.LinAlgError):
        fit_random_slopes(np.zeros_like(design), target, group, 2)
