"""What a study may measure of a theory: the quantities of its variables and its composites."""

from dyadloop.theory.presets import read_theory
from dyadloop.theory.schema import Theory


def quantities_of(theory: Theory) -> list[str]:
    """Return the quantities that an indicator may measure, of the theory and of the form in which it is fitted."""
    fitted = theory if theory.linear_form is None else read_theory(theory.linear_form)
    variables = {variable.measured_as for variable in theory.variables}
    return sorted(variables | {entry.id for entry in fitted.composites})
