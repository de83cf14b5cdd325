"""Whether a state lies where the equations have a kink, so that slopes there hold on one side only."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from dyadloop.model.system import Arrow, System
from dyadloop.theory import FORMS, JOINTS

_NEAR = 1e-9  # relative to 1 + |place|: as near as a state is solved for


def kinks_at(system: System, state: Float[ArrayLike, " state"], gate: bool) -> list[str]:
    """Return the arrows and activations that have a kink, or jump, exactly at a state, each in words.

    Derivatives there are those on the right of the kink (of a tie of sources: of the first); on the other side they
    are others, so eigenvalues and gains hold on one side only.
    """
    values, arguments = (np.asarray(part) for part in _probed(system, jnp.asarray(state), gate))
    found: list[str] = []
    for arrow, constants in zip(system.arrows, system.constants, strict=True):
        if not arrow.gated or gate:
            found += _of_arrow(system, arrow, constants, values)
    for index, node in enumerate(system.nodes):
        if node.activation is not None:
            numbers = {name: value for name, value in system.activations[index].items() if name != "bias"}
            argument = float(arguments[index]) + float(system.activations[index]["bias"])
            found += _of_form(f"activation of {node.id}", node.activation, numbers, argument)
    return list(dict.fromkeys(found))


@eqx.filter_jit
def _probed(system: System, state: Array, gate: bool) -> tuple[Array, Array]:
    """Return the acting value of each node and what enters its activation, 0 where it has none."""
    arguments = [
        jnp.zeros(()) if node.activation is None else system.argument(state, gate, index)
        for index, node in enumerate(system.nodes)
    ]
    return jnp.stack(system.acting(state, gate)), jnp.stack(arguments)


def _of_arrow(system: System, arrow: Arrow, constants: tuple[dict[str, Array], ...], values: np.ndarray) -> list[str]:
    found, parts = [], []
    for source, numbers in zip(arrow.sources, constants, strict=True):
        reached = [values[i] - (np.asarray(system.resting(i)) if source.centred else 0.0) for i in source.nodes]
        value = float(np.mean(reached))
        found += _of_form(arrow.id, source.form, numbers, value)
        parts.append(float(FORMS[source.form].value(np, np.float64(value), **_plain(numbers))))
    if arrow.joint is not None and JOINTS[arrow.joint].ties:
        low, second = sorted(parts)[:2]
        if second - low <= _NEAR * (1.0 + abs(low)):
            found.append(f"{arrow.id} (sources tie at {low:g})")
    return found


def _of_form(owner: str, form: str, numbers: Mapping[str, Array], value: float) -> list[str]:
    return [
        f"{owner} ({form} at {kink.at:g}: {_sides(kink.order, kink.left, kink.right)})"
        for kink in FORMS[form].kinks(**_plain(numbers))
        if kink.order < 2 and abs(value - kink.at) <= _NEAR * (1.0 + abs(kink.at))
    ]


def _sides(order: int, left: float, right: float) -> str:
    return "the value jumps" if order == 0 else f"slope {left:g} left and {right:g} right"


def _plain(numbers: Mapping[str, Array]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items()}
