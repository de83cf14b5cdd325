"""Priors of composites, such as the alliance as a whole, from those that somebody gives to what makes them up."""

from collections.abc import Collection

import pandas as pd

from dyadloop.theory import Prior, Quantity, Theory, lumped_coefficients

_NEEDED = {"family", "location", "scale", "unit", "source"}


def composite_coefficients(theory: Theory, given: pd.DataFrame, quantities: Collection[str]) -> dict[str, Quantity]:
    """Return what a table of priors says of the arrows of composites that a study measures, by id of the arrow.

    Parameters
    ----------
    theory
        Theory in its linear form, before anything is lumped.
    given
        Priors in the form of :func:`dyadloop.priors`; a table without its columns says nothing.
    quantities
        Quantities that a study measures.
    """
    if _NEEDED - set(given.columns):
        return {}
    known = {coupling.id for coupling in theory.couplings}
    numbers = {
        str(name): Quantity(
            value=float(row["location"]),
            unit=str(row["unit"]),
            prior=Prior.model_validate({name: row[name] for name in ("family", "location", "scale")}),
            assumed=str(row["source"]) or "as given",
        )
        for name, row in given.iterrows()
        if name in known
    }
    return lumped_coefficients(theory, numbers, quantities)
