"""What ``dyadloop synchrony`` prints: the methods and what each declares, a result in words, a summary in JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyadloop.cli.shared import say

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_MOST_VALUES = 1000
_WIDTH = 118
_PLAIN = ("word", "number", "yes or no", "yes, no or unit")
"""Units that need no naming."""


def print_methods(as_json: bool) -> None:
    """Print every method: what it answers, its settings with units, span, null, error, limits and source."""
    from dyadloop.measures.synchrony import METHODS

    rows = [method.row() for method in METHODS.values()]
    if as_json:
        print(json.dumps({row["method"]: row for row in rows}, indent=2))
        return
    print("\n\n".join("\n".join(_block(row)) for row in rows))


def _block(row: dict[str, Any]) -> list[str]:
    import textwrap

    settings = ", ".join(_setting(name, one) for name, one in row["settings"].items()) or "none"
    span = " + ".join(row["span"]) if row["span"] else "none"
    takes = ", of two or more persons" if row["takes"] == "group" else ""
    lines = [f"{row['method']}: {row['title']}{takes}"]
    for name, text in (
        ("answers", row["answers"]),
        ("settings", settings),
        ("span", f"{span}, or a twentieth of the recording if longer"),
        ("null", row["null"]),
        ("error", row["error"]),
        ("limits", row["limits"]),
        ("source", row["reference"]),
    ):
        lines += textwrap.wrap(
            text, _WIDTH, initial_indent=f"  {name:<9}", subsequent_indent=" " * 11, break_on_hyphens=False,
            break_long_words=False,
        )  # fmt: skip
    return lines


def _setting(name: str, one: dict[str, Any]) -> str:
    value = "needed" if one["needed"] else "not set" if one["default"] is None else _word(one["default"])
    others = [word for word in one.get("choices", []) if word != value]
    value += f" (or {', '.join(others)})" if others else ""
    return f"{name} {value}" if one["unit"] in _PLAIN else f"{name} {value} [{one['unit']}]"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def peak_lag_of(found: "xr.Dataset") -> float | None:
    """Return the median over windows of the lag of the highest correlation [s], None where a method has none."""
    if not hasattr(found, "data_vars") or "peak_lag" not in found or not bool(found["peak_lag"].notnull().any()):
        return None
    return float(found["peak_lag"].median())


def print_result(found: "xr.Dataset", tested: "xr.Dataset | None") -> None:
    """Print the numbers of a result with their units, what was computed, how it was tested."""
    persons = [found.attrs[key] for key in ("first_person", "second_person") if key in found.attrs]
    if persons:
        print(f"persons: first {persons[0]}, second {persons[1]}")
    for name, values in found.data_vars.items():
        unit = values.attrs.get("units") or (found.attrs.get("lead_units") if name == "lead" else None)
        if values.ndim == 0:
            print(f"{name}: {_number(float(values), unit)}")
        elif values.dims == ("direction",):
            for place in values["direction"].values:
                print(f"{name}, {str(place).replace('_', ' ')}: {_number(float(values.sel(direction=place)), unit)}")
    if (lag := peak_lag_of(found)) is not None:
        print(f"median peak lag: {lag:+.3g} s")
    if found.attrs.get("status", "ok") != "ok":
        print(f"not known: {found.attrs['status']}")
    for key, text in described(found).items():
        print(f"{key}: {text}")
    for key in ("statistic", "sign", "source"):
        print(f"{key}: {found.attrs[key]}")
    if tested is not None:
        print(f"effect: {float(tested['effect']):.3f} SD of the null; p = {float(tested['p_value']):.4g}")
        print(f"null: {tested.attrs['null']}")


def _number(value: float, unit: str | None) -> str:
    if value != value:
        return "not known"
    return f"{value:.6g}" + (f" {unit}" if unit and unit != "1" else "")


def described(found: "xr.Dataset") -> dict[str, str]:
    """Return in words which settings were used, in their units, and of how much recording."""
    from dyadloop.measures.synchrony import METHODS

    attrs = found.attrs
    units = METHODS[attrs["method"]].units() if attrs["method"] in METHODS else {}
    used = [_used(name, attrs[name], unit) for name, unit in units.items() if name in attrs]
    texts = {"settings": ", ".join(used) or "none"}
    if "n_samples" in attrs and "fs" in attrs:
        seconds = attrs["n_samples"] / attrs["fs"]
        texts["recording"] = f"{seconds:g} s, {attrs['n_samples']} samples at {attrs['fs']:g} Hz"
    for name in ("window", "segment"):
        count = found.sizes.get(name) or attrs.get(f"{name}s")
        if count:
            texts[f"{name}s"] = str(count)
    return texts


def _used(name: str, value: object, unit: str) -> str:
    words = " to ".join(f"{part:g}" for part in value) if isinstance(value, list | tuple) else _word(value)
    plain = unit in _PLAIN or words == "none"
    if unit == "yes or no":
        words = _word(bool(value))
    return f"{name} {words}" if plain else f"{name} {words} {unit}"


def print_summary(found: "xr.Dataset") -> None:
    """Print a result as JSON: all numbers, and arrays of more than a thousand values by their range."""
    print(json.dumps(summary(found), indent=2))


def summary(found: "xr.Dataset") -> dict[str, Any]:
    """Return a result for JSON: numbers and short arrays as they are, long arrays by shape, range and share known."""
    content = {"attrs": {str(name): plain(value) for name, value in found.attrs.items()}}
    for part in ("coords", "data_vars"):
        content[part] = {str(name): _values(values) for name, values in getattr(found, part).items()}
    return content


def _values(values: "xr.DataArray") -> dict[str, Any]:
    import numpy as np

    told: dict[str, Any] = {
        "dims": list(map(str, values.dims)),
        "attrs": {k: plain(v) for k, v in values.attrs.items()},
    }
    if values.size <= _MOST_VALUES:
        return told | {"data": plain(values.values.tolist())}
    numbers = np.asarray(values.values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    quantiles = np.quantile(known, [0, 0.5, 1]).tolist() if known.size else [None] * 3
    return told | {
        "shape": list(values.shape),
        "least": quantiles[0],
        "median": quantiles[1],
        "largest": quantiles[2],
        "share_known": known.size / numbers.size,
    }


def plain(content: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a content for JSON, which knows no NaN and no infinity: null."""
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if hasattr(content, "item"):
        content = content.item()
    if isinstance(content, float) and content - content != 0:
        return None
    return content if isinstance(content, str | int | float | bool | None) else str(content)


def write_arrays(found: "xr.Dataset", path: Path, quiet: bool) -> None:
    """Write a result with all its arrays as NetCDF and say where."""
    found.to_netcdf(path, engine="h5netcdf")
    say(f"arrays: {path}", quiet)


def print_multiverse(table: "pd.DataFrame", conclusions: dict[str, Any]) -> None:
    """Print every setting of a grid with what it gives, and how far the conclusion depends on them."""
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep="-"))
    for name, value in conclusions.items():
        pairs = value.items() if isinstance(value, dict) else ()
        words = ", ".join(f"{key} {_short(one)}" for key, one in pairs) if pairs else _short(value)
        print(f"{name}: {words}")


def _short(value: Any) -> str:  # noqa: ANN401 - a number or some
    if isinstance(value, list):
        return ", ".join(_short(one) for one in value)
    return "-" if isinstance(value, float) and value != value else f"{value:.3g}"
