"""What a theory can be used for: whether a fit, and so a verdict on its claims, is possible, and if not why."""

from dyadloop.errors import TheoryError
from dyadloop.theory.nodes import coupling_numbers, variable_numbers
from dyadloop.theory.presets import linear_form
from dyadloop.theory.schema import Theory

MOST_VARYING = 2
"""Parameters that may differ between dyads in one fit."""


def fit_faults(theory: Theory) -> list[str]:
    """Return everything for which a fit refuses a theory, whatever is measured; empty where it takes it.

    A theory that names a linear form is fitted in that form.
    """
    try:
        fitted = linear_form(theory).active()
    except TheoryError as error:
        return [str(error)]
    numbers = {name: n for v in fitted.variables if v.dynamics == "state" for name, n in variable_numbers(v).items()}
    for coupling in fitted.couplings:
        numbers |= coupling_numbers(coupling)
    numbers |= {entry.id: entry.coefficient for entry in fitted.inputs}
    if fitted.correlations is not None:
        numbers |= {f"correlations.{name}": getattr(fitted.correlations, name) for name in ("between", "noise")}
    found = [
        f"{name} has no prior; a number that is fitted needs one" for name in numbers if numbers[name].prior is None
    ]
    if len(theory.varies) > MOST_VARYING:
        found.append(f"varies names {', '.join(theory.varies)}; at most {MOST_VARYING} can differ between dyads")
    able = {entry.id for entry in (*fitted.couplings, *fitted.inputs)}
    able |= {f"{prefix}_{v.id}" for v in fitted.variables for prefix in ("tau", "sd", "start")}
    for key, names in (("varies", theory.varies), ("varies_by_therapist", theory.varies_by_therapist)):
        found += [
            f"{key} names {name!r}; couplings, inputs, time constants, sds and starts can vary"
            for name in names
            if name in numbers and name not in able
        ]
    return found
