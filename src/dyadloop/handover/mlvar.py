"""A script for mlVAR (R): a multilevel vector autoregression of lag 1, and its data.

References
----------
.. [1] Epskamp et al. (2018), The Gaussian graphical model in cross-sectional and time-series data.
   doi:10.1080/00273171.2018.1454823
"""

from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.handover.cells import figure, names
from dyadloop.handover.statement import Statement
from dyadloop.handover.steps import Step, observed, step_of

DATA, SCRIPT = "mlvar.csv", "mlvar.R"


def write_mlvar(statement: Statement, out: Path) -> list[Path]:
    """Write ``mlvar.csv`` and ``mlvar.R``."""
    told = names(list(statement.indicators), taken=("dyad", "beep"))
    step = step_of(statement)
    gridded(statement, step).rename(columns=told).to_csv(out / DATA, index=False, na_rep="NA", float_format="%.9g")
    (out / SCRIPT).write_text(script(statement, told, step), encoding="utf-8")
    return [out / DATA, out / SCRIPT]


def gridded(statement: Statement, step: Step) -> pd.DataFrame:
    """Return the values with the number of their step; of several in one step their mean."""
    rows = observed(statement)
    beep = np.round(rows["time"] / step.days).astype(int)
    own = list(statement.indicators)
    return rows.assign(beep=beep).groupby(["dyad", "beep"], sort=False)[own].mean().reset_index()


def script(statement: Statement, told: dict[str, str], step: Step) -> str:
    """Return the script."""
    plain = list(told.values())
    owners = {
        int(np.flatnonzero(row)[0]): name
        for row, name in reversed(list(zip(statement.matrices["loading"], plain, strict=True)))
    }
    states = sorted(owners)
    first = ", ".join(f'"{owners[k]}"' for k in states)
    rows = ["c(" + ", ".join(figure(step.matrix[i, j]) for j in states) + ")" for i in states]
    said = "\n".join(f"# - {words}" for words in statement.unstated)
    listed = ", ".join(f'"{name}"' for name in plain)
    return f"""# The linear model of a study, stated by dyadloop for mlVAR. Not run by dyadloop: R reads it.
# Steps of {step.days:.6g} days; of several values in one step the mean.
#
# What the model of the study has and this script has not:
# - errors of measurement and loadings: mlVAR takes each value for the state itself, which pulls its effects to 0
# - continuous time: here an effect of lag 1 over one step; a missing step breaks the chain
# - sessions that open a gate, events and covariates
# - arrows that are 0 by the theory: all are free here
{said}
library(mlVAR)
data <- read.csv("{DATA}")

# What dyadloop's numbers say of one step, row = to, column = from, of the first indicator of each quantity. Values
# without error would follow it.
expected <- rbind(
  {("," + chr(10) + "  ").join(rows)})
dimnames(expected) <- list(c({first}), c({first}))

fit <- mlVAR(data, vars = c({listed}), idvar = "dyad", beepvar = "beep", lags = 1,
             temporal = "correlated", contemporaneous = "correlated")
print(summary(fit))
print(expected)
"""
