"""Indicators of partners who cannot be told apart: which measure the same, and which parameters are then one."""

from dataclasses import replace

import xarray as xr

from dyadloop.errors import FitError
from dyadloop.observation.plan import ObservationPlan

COUNTERPART = "counterpart"
"""Coordinate of scores: the indicator that measures the same in the other partner, empty where there is none."""


def counterparts(scores: xr.Dataset) -> tuple[tuple[str, str], ...]:
    """Return the pairs of indicators that measure the same in either partner, each once."""
    if COUNTERPART not in scores.coords:
        return ()
    names = scores["indicator"].values.astype(str).tolist()
    others = scores[COUNTERPART].values.astype(str).tolist()
    return tuple(
        (name, other)
        for name, other in zip(names, others, strict=True)
        if other and other not in names[: names.index(name)]
    )


def partner_states(observed: ObservationPlan, scores: xr.Dataset) -> tuple[tuple[int, int], ...]:
    """Return the states that are the same quantity in either partner.

    Raises
    ------
    FitError
        If a state has two counterparts, or is its own.
    """
    found: dict[int, int] = {}
    for name, other in counterparts(scores):
        if name in observed.indicators and other in observed.indicators:
            pair = sorted(observed.states[observed.indicators.index(who)] for who in (name, other))
            if pair[0] == pair[1] or found.get(pair[0], pair[1]) != pair[1] or found.get(pair[1], pair[0]) != pair[0]:
                raise FitError(
                    f"exchangeable: {name!r} and {other!r} must be two quantities, each the other's only counterpart"
                )
            found |= {pair[0]: pair[1], pair[1]: pair[0]}
    return tuple(sorted((first, second) for first, second in found.items() if first < second))


def exchanged(observed: ObservationPlan, scores: xr.Dataset) -> ObservationPlan:
    """Return an observation plan in which the parameters of both partners' indicators are one.

    Raises
    ------
    FitError
        If the partners' indicators do not stand in the same order.
    """
    pairs = [p for p in counterparts(scores) if set(p) <= set(observed.indicators)]
    if not pairs:
        return observed
    swap = {name: name for name in observed.indicators}
    swap |= {a: b for a, b in pairs} | {b: a for a, b in pairs}
    states = {observed.names[k]: observed.names[k] for k in range(len(observed.names))}
    for first, second in partner_states(observed, scores):
        states |= {observed.names[first]: observed.names[second], observed.names[second]: observed.names[first]}
    names = list(observed.parameters())
    ties: dict[str, str] = {}
    for name, other in _renamed(observed, swap, states).items():
        if other not in names:
            raise FitError(
                f"exchangeable: {name!r} has no counterpart {other!r}; list the indicators of both partners in the "
                "same order in study.yaml, and declare the same of both"
            )
        if name != other and name not in ties:
            ties[other] = name
    return replace(observed, ties=tuple(ties.items()))


def _renamed(observed: ObservationPlan, swap: dict[str, str], states: dict[str, str]) -> dict[str, str]:
    """Return the name of each parameter once the partners are swapped."""
    known, found = list(observed.parameters()), {}
    for name in observed.indicators:
        for place in known:
            for prefix in ("mean_", "loading_", "error_"):
                if place == f"{prefix}{name}":
                    found[place] = f"{prefix}{swap[name]}"
            if place.startswith(f"width_{name}_"):
                found[place] = f"width_{swap[name]}_{place.removeprefix(f'width_{name}_')}"
    for later, earlier in observed.raters.pairs:
        a, b = observed.indicators[later], observed.indicators[earlier]
        swapped = (f"rho_error_{swap[a]}_{swap[b]}", f"rho_error_{swap[b]}_{swap[a]}")
        found[f"rho_error_{a}_{b}"] = next((name for name in swapped if name in known), swapped[0])
    for covariate, state in observed.effects:
        for prefix in ("effect", "spread"):
            if f"{prefix}_{covariate}_{state}" in known:
                found[f"{prefix}_{covariate}_{state}"] = f"{prefix}_{covariate}_{states[state]}"
    return found
