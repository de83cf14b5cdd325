"""The same study under several priors, side by side: where a verdict is the prior's and not the data's."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from dyadloop.claims.claims_table import judge_claims
from dyadloop.errors import FitError


def compare_priors(posts: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Return the claims of fits of one study that differ in their priors.

    Parameters
    ----------
    posts
        Posteriors by the name of the prior set, such as evidence, sceptical, flat.

    Returns
    -------
    pandas.DataFrame
        One row per claim: ``claim``, ``statement``, per set ``median_SET``, ``low_SET``, ``high_SET`` and
        ``verdict_SET``, and ``depends``: yes where the verdicts differ.

    Raises
    ------
    FitError
        If there are fewer than two fits, or they are of different studies or theories.

    Examples
    --------
    >>> post = dl.load_result("results/example")
    >>> table = dl.compare_priors({"sceptical": post, "again": post})
    >>> table["depends"].unique().tolist()
    ['no']
    """
    if len(posts) < 2:
        raise FitError(f"{len(posts)} fits; a comparison of priors needs at least two")
    for what in ("study_digest", "theory"):
        if len({str(post.attrs[what]) for post in posts.values()}) > 1:
            raise FitError(
                f"the fits differ in their {what.replace('_digest', '')}; compare fits of one study and one theory"
            )
    joined: pd.DataFrame | None = None
    for name, post in posts.items():
        table = judge_claims(post)[["claim", "statement", "median", "low", "high", "verdict"]]
        table = table.rename(columns={column: f"{column}_{name}" for column in ("median", "low", "high", "verdict")})
        joined = table if joined is None else joined.merge(table.drop(columns="statement"), on="claim")
    assert joined is not None
    verdicts = joined[[f"verdict_{name}" for name in posts]]
    return joined.assign(depends=(verdicts.nunique(axis=1) > 1).map({True: "yes", False: "no"}))
