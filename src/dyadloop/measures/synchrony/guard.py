"""No result without a number: the one guard that every measure passes.

A measure has a finite score, or it is an error that says why. What else is not finite is NaN, never infinite, and the
attribute ``status`` names it. No p value stands beside a score that does not exist.
"""

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError


class NoScoreError(MeasureError):
    """Nothing on which both persons are known and vary."""


_CHUNK = 1 << 16
_KNOWN = {
    "error": "no standard error is known",
    "lead": "no leader is certain",
    "delay": "no delay is certain",
}


def checked(found: xr.Dataset) -> xr.Dataset:
    """Return a result whose score is finite, with a ``status``: ok, or what has no value and why.

    Raises
    ------
    NoScoreError
        If the score is not finite.
    """
    if "score" in found and not np.isfinite(float(found["score"])):
        raise NoScoreError(f"{found.attrs.get('method', 'measure')}: no score: {_why(found)}")
    replaced, absent = {}, []
    for name, values in found.data_vars.items():
        if values.dtype.kind != "f":
            continue
        if _infinite(values.values):
            replaced[name] = values.where(np.isfinite(values))
        told = str(found.attrs.get(f"{name}_status", "ok")) != "ok"
        if (values.ndim == 0 and not np.isfinite(float(values))) or (values.ndim and told):
            absent.append(str(name))
    reasons = [f"{name}: {_reason(found, name)}" for name in absent]
    return found.assign(replaced).assign_attrs(status="; ".join(reasons) or "ok")


def _infinite(values: np.ndarray) -> bool:
    """Return whether a value is infinite, without a second array of that size."""
    flat = values.reshape(-1)
    return any(bool(np.isinf(flat[k : k + _CHUNK]).any()) for k in range(0, flat.size, _CHUNK))


def _reason(found: xr.Dataset, name: str) -> str:
    told = str(found.attrs.get(f"{name}_status", "ok"))
    return told if told != "ok" else _KNOWN.get(name, "not defined on these data")


def _why(found: xr.Dataset) -> str:
    told = [f"{name} {float(found[name]):.0%}" for name in ("still_first", "still_second") if name in found]
    still = f" (share of time still: {', '.join(told)})" if told else ""
    return (
        f"there is no window, segment or moment in which both persons are known and vary{still}; "
        "expected movement of both; choose other windows, or record longer"
    )
