"""A posterior as the table that R's package posterior reads: one row per draw."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

DATA, SCRIPT = "draws.csv", "draws.R"


def write_draws(post: xr.DataTree, out: Path) -> list[Path]:
    """Write ``draws.csv`` (``draws_df`` of the package posterior) and ``draws.R``, which reads it."""
    draws_table(post).to_csv(out / DATA, index=False, float_format="%.17g")
    (out / SCRIPT).write_text(_SCRIPT, encoding="utf-8")
    return [out / DATA, out / SCRIPT]


def draws_table(post: xr.DataTree) -> pd.DataFrame:
    """Return the parameters by draw, then ``lp__``, then ``.chain``, ``.iteration`` and ``.draw`` from 1."""
    posterior = post["posterior"].to_dataset()
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    found = {
        str(name): np.asarray(values.transpose("chain", "draw")).ravel()
        for name, values in posterior.data_vars.items()
        if set(values.dims) == {"chain", "draw"}
    }
    if "sample_stats" in post.children and "lp" in post["sample_stats"]:
        found["lp__"] = np.asarray(post["sample_stats"]["lp"]).ravel()
    found[".chain"] = np.repeat(np.arange(1, chains + 1), draws)
    found[".iteration"] = np.tile(np.arange(1, draws + 1), chains)
    found[".draw"] = np.arange(1, chains * draws + 1)
    return pd.DataFrame(found)


_SCRIPT = """# Read the draws of dyadloop with the package posterior.
library(posterior)
draws <- as_draws_df(read.csv("draws.csv", check.names = FALSE))
print(summarise_draws(draws))
"""
