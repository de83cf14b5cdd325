"""From the wells of plates to concentrations: duplicates, dilutions, detection limits, plates, parallelism.

A value beyond a limit is written as the limit with its side; it is never replaced by a number.
"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from dyadloop.errors import DataError, Fault, MeasureError
from dyadloop.measures.assays.curve import Curve, standard_curve

WELL_COLUMNS = ("plate", "kind", "sample", "signal", "concentration", "dilution")
KINDS = ("standard", "blank", "sample", "control", "dilution")
CLASS_COLUMNS = ("matrix", "method", "extracted")
"""What makes values of two assays comparable on the raw scale."""


class Plates(NamedTuple):
    """Result of :func:`read_plates`.

    Attributes
    ----------
    samples
        Per plate and sample: ``value`` (concentration before dilution), ``error`` (standard error of its logarithm),
        ``limit`` (below, above or empty; ``value`` is then the limit), ``cv_percent`` of the wells, ``wells``.
    plates
        Per plate: parameters, ``lod``, ``lloq``, ``uloq``, ``median_cv_percent``, ``status``.
    curves
        Fitted curves by plate.
    plate_sd
        SD between plates of the logarithm of controls that stand on several plates; NaN without such controls.
    """

    samples: pd.DataFrame
    plates: pd.DataFrame
    curves: dict[str, Curve]
    plate_sd: float


def read_plates(
    wells: pd.DataFrame,
    model: Literal["4pl", "5pl"] = "4pl",
    weighting: Literal["relative", "constant"] = "relative",
    name: str = "plates",
) -> Plates:
    """Turn plate readings into concentrations.

    Parameters
    ----------
    wells
        Columns ``plate``, ``kind`` (standard, blank, sample, control, dilution), ``sample``, ``signal``, and
        ``concentration`` (of standards) and ``dilution`` (factor; empty: 1).
    model, weighting
        As in :func:`standard_curve`.
    name
        Name of the file for messages.

    Raises
    ------
    DataError
        If a well is not usable; all faults at once, with their rows.
    MeasureError
        If no plate has a usable curve. A bad plate does not stop the others: its ``status`` says why.
    """
    table = _checked(wells, name)
    curves: dict[str, Curve] = {}
    rows, found = [], []
    for plate, part in table.groupby("plate", sort=False):
        standards, blanks = part[part["kind"] == "standard"], part[part["kind"] == "blank"]
        try:
            curve = standard_curve(
                standards["concentration"], standards["signal"], model, weighting, blanks["signal"],
                name=f"plate {plate!r}",
            )  # fmt: skip
        except MeasureError as error:
            rows.append({"plate": plate, "status": str(error)})
            continue
        curves[str(plate)] = curve
        values = _samples(part[part["kind"].isin(["sample", "control", "dilution"])], curve, str(plate))
        found.append(values)
        rows.append(_summary(str(plate), curve, values))
    if not curves:
        raise MeasureError(f"{name}: no plate has a usable standard curve; {rows[0]['status'] if rows else 'no wells'}")
    samples = pd.concat(found, ignore_index=True)
    return Plates(samples, pd.DataFrame(rows), curves, _plate_sd(samples))


def _checked(wells: pd.DataFrame, name: str) -> pd.DataFrame:
    absent = [c for c in WELL_COLUMNS[:4] if c not in wells.columns]
    if absent:
        faults = [Fault(name, 1, c, "no such column", f"a column {c!r}", "add it") for c in absent]
        raise DataError(name, faults)
    table, faults = wells.reset_index(drop=True).copy(), []
    for column, default in (("concentration", math.nan), ("dilution", 1.0)):
        if column not in table:
            table[column] = default
    for column in ("signal", "concentration", "dilution"):
        given = table[column].where(~table[column].isin(["", "n/a"]))
        numbers = pd.to_numeric(given, errors="coerce").astype(float)
        odd = numbers.isna() & given.notna()
        faults += [
            Fault(name, int(k) + 2, column, repr(table[column].iloc[k]), "a number", "correct it")
            for k in np.flatnonzero(odd.to_numpy())
        ]
        table[column] = numbers
    table["dilution"] = table["dilution"].fillna(1.0)
    for k, row in enumerate(table.to_dict("records")):
        if row["kind"] not in KINDS:
            faults.append(Fault(name, k + 2, "kind", repr(row["kind"]), f"one of {', '.join(KINDS)}", "correct it"))
        elif row["kind"] == "standard" and not row["concentration"] >= 0:
            faults.append(Fault(name, k + 2, "concentration", "none", "the standard's concentration", "fill it in"))
        if not row["dilution"] > 0:
            faults.append(Fault(name, k + 2, "dilution", f"{row['dilution']:g}", "a factor above 0", "correct it"))
    if faults:
        raise DataError(name, sorted(faults, key=lambda fault: fault.row or 0))
    return table.dropna(subset=["signal"])


def _samples(part: pd.DataFrame, curve: Curve, plate: str) -> pd.DataFrame:
    rows = []
    for (kind, sample, dilution), wells in part.groupby(["kind", "sample", "dilution"], sort=False):
        signals = wells["signal"].to_numpy(dtype=float)
        value, error, limit = _concentration(signals, curve)
        read = curve.read_back(signals)
        cv = (
            100 * float(np.std(read, ddof=1) / np.mean(read)) if len(read) > 1 and np.isfinite(read).all() else math.nan
        )
        rows.append(
            {
                "plate": plate,
                "kind": kind,
                "sample": sample,
                "dilution": dilution,
                "value": value * float(dilution),  # pyright: ignore[reportArgumentType]
                "error": error,
                "limit": limit,
                "cv_percent": cv,
                "wells": len(signals),
            }
        )
    columns = ["plate", "kind", "sample", "dilution", "value", "error", "limit", "cv_percent", "wells"]
    return pd.DataFrame(rows, columns=columns)


def _concentration(signals: np.ndarray, curve: Curve) -> tuple[float, float, str]:
    """Return concentration, error of its logarithm and limit of the mean signal of a sample's wells."""
    mean = float(signals.mean())
    lowest = max(curve.lowest, curve.detection) if curve.detection > 0 else curve.lowest
    value = float(curve.read_back(mean))
    if math.isnan(value):
        empty = abs(mean - curve.a) < abs(mean - curve.d)
        return (lowest, math.nan, "below") if empty else (curve.highest, math.nan, "above")
    if value < lowest:
        return lowest, math.nan, "below"
    if value > curve.highest:
        return curve.highest, math.nan, "above"
    error = float(curve.log_error(mean, len(signals)))
    if len(signals) > 1:  # the wells themselves may differ more than the curve's residuals say
        slope = float(curve.log_error(mean, 10**9))
        read = np.log(curve.read_back(signals))
        seen = float(np.nanstd(read, ddof=1)) / math.sqrt(len(signals))
        error = max(error, math.hypot(slope, seen)) if math.isfinite(seen) else error
    return value, error, ""


def _summary(plate: str, curve: Curve, values: pd.DataFrame) -> dict[str, Any]:
    return {
        "plate": plate,
        **{name: getattr(curve, name) for name in ("a", "b", "c", "d", "g")},
        "residual": curve.residual,
        "lod": curve.detection,
        "lloq": curve.lowest,
        "uloq": curve.highest,
        "median_cv_percent": float(values["cv_percent"].median()) if len(values) else math.nan,
        "share_censored": float((values["limit"] != "").mean()) if len(values) else math.nan,
        "status": "ok",
    }


def _plate_sd(samples: pd.DataFrame) -> float:
    """Return the SD between plates of log controls, by one-way components of variance per control."""
    controls = samples[(samples["kind"] == "control") & (samples["limit"] == "")]
    groups = controls.assign(log=np.log(controls["value"])).groupby("sample")["log"]
    freedom = int((groups.count() - 1).clip(lower=0).sum())
    if freedom < 1:
        return math.nan
    spread = float((groups.var() * (groups.count() - 1)).sum()) / freedom
    own = float((controls["error"] ** 2).mean())
    return math.sqrt(max(spread - own, 0.0))


def dilution_recovery(samples: pd.DataFrame) -> pd.DataFrame:
    """Return, per diluted sample, the value of each dilution over that of the weakest one [percent].

    80 to 120 % is the usual bound; values outside tell of interference.
    """
    diluted = samples[(samples["kind"] == "dilution") & (samples["limit"] == "")]
    rows = []
    for (plate, sample), part in diluted.groupby(["plate", "sample"], sort=False):
        part = part.sort_values("dilution")
        first = float(part["value"].iloc[0])
        for dilution, value in zip(part["dilution"], part["value"], strict=True):
            rows.append({"plate": plate, "sample": sample, "dilution": dilution, "percent": 100 * value / first})
    return pd.DataFrame(rows, columns=["plate", "sample", "dilution", "percent"])


class Parallelism(NamedTuple):
    """Ratio of the slopes of diluted samples and of standards, with its 95 % interval; parallel if 1 lies inside."""

    ratio: float
    low: float
    high: float
    parallel: bool


def parallelism(
    standards: tuple[np.ndarray, np.ndarray], diluted: tuple[np.ndarray, np.ndarray], zero_signal: float
) -> Parallelism:
    """Compare the slopes of logit(signal / zero signal) on log concentration.

    Parameters
    ----------
    standards
        Concentrations and signals of the standards.
    diluted
        Relative amounts (such as 1, 0.5, 0.25) and signals of a serially diluted sample.
    zero_signal
        Signal without analyte (B0) of a competitive assay.

    Raises
    ------
    MeasureError
        If fewer than 3 points of either lie between 2 and 98 % of the zero signal.

    Notes
    -----
    Interval by Fieller's theorem. "Parallel" means that a difference was not shown, which few points make likely.
    """
    slopes, errors, freedoms = [], [], []
    for what, (amount, signal) in (("standards", standards), ("diluted sample", diluted)):
        share = np.asarray(signal, dtype=float) / zero_signal
        inside = (share > 0.02) & (share < 0.98)
        x = np.log(np.asarray(amount, dtype=float)[inside])
        y = np.log(share[inside] / (1 - share[inside]))
        if len(x) < 3:
            raise MeasureError(f"parallelism: {len(x)} usable points of the {what}; expected at least 3")
        slope, intercept = np.polyfit(x, y, 1)
        left = float(((y - slope * x - intercept) ** 2).sum()) / (len(x) - 2)
        slopes.append(float(slope))
        errors.append(left / float(((x - x.mean()) ** 2).sum()))
        freedoms.append(len(x) - 2)
    from scipy.stats import t

    q = float(t.ppf(0.975, sum(freedoms))) ** 2
    a, b, c = slopes[0] ** 2 - q * errors[0], -2 * slopes[0] * slopes[1], slopes[1] ** 2 - q * errors[1]
    ratio = slopes[1] / slopes[0]
    inner = b**2 - 4 * a * c
    if a <= 0 or inner < 0:
        return Parallelism(ratio, -math.inf, math.inf, True)
    low, high = sorted(((-b - math.sqrt(inner)) / (2 * a), (-b + math.sqrt(inner)) / (2 * a)))
    return Parallelism(ratio, low, high, low <= 1 <= high)


def check_pooling(table: pd.DataFrame, name: str = "assay") -> None:
    """Refuse values of different assay classes on one raw scale.

    Extracted and unextracted samples, ELISA, RIA and mass spectrometry, and different fluids differ by factors of ten
    to a hundred. Changes of logarithms within a person may be combined, raw values may not.

    Raises
    ------
    MeasureError
        If ``matrix``, ``method`` or ``extracted`` takes more than one value.
    """
    for column in CLASS_COLUMNS:
        values = sorted({str(value) for value in table[column]}) if column in table else []
        if len(values) > 1:
            raise MeasureError(
                f"{name}: column {column!r} has {', '.join(values)}; values of different assay classes have no common "
                "raw scale; analyse them apart, or as changes of logarithms"
            )
