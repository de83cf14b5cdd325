"""From the wells of plates to concentrations: duplicates, dilutions, detection limits, plates, parallelism.

A value beyond a limit is written as the limit with its side; it is never replaced by a number.
"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from dyadloop.errors import MeasureError
from dyadloop.measures.assays.curve import Curve, standard_curve
from dyadloop.measures.assays.plate_units import plates_apart
from dyadloop.measures.assays.replicates import read_sample, sides_of
from dyadloop.measures.assays.wells import NAMED, checked_wells, plate_doubts

LARGEST_CV_PERCENT = 25.0
"""CV of the wells of one sample beyond which it is named; the usual rules repeat an assay at 15 to 25 percent."""
CLASS_COLUMNS = ("matrix", "method", "extracted")
"""What makes values of two assays comparable on the raw scale."""


class Plates(NamedTuple):
    """Result of :func:`read_plates`.

    Attributes
    ----------
    samples
        Per plate and sample: ``value`` (concentration before dilution), ``error`` (standard error of its logarithm),
        ``limit`` (below, above or empty; ``value`` is then the limit), ``cv_percent`` of the wells, ``wells``,
        ``status`` (ok, or which wells lie beyond the curve; ``value`` is NaN where they contradict each other).
    plates
        Per plate: parameters, ``lod``, ``lloq``, ``uloq``, ``median_cv_percent``, ``status``.
    curves
        Fitted curves by plate.
    plate_sd
        SD between plates of the logarithm of controls that stand on several plates; NaN without such controls.
    wells
        What became of every well: ``row``, ``plate``, ``kind``, ``sample``, ``dilution``, ``signal``, ``status``
        (curve, read, below, above, saturated, no signal, no curve).
    doubts
        What may be a mistake, in words.
    """

    samples: pd.DataFrame
    plates: pd.DataFrame
    curves: dict[str, Curve]
    plate_sd: float
    wells: pd.DataFrame
    doubts: tuple[str, ...] = ()


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

    Examples
    --------
    >>> import pandas as pd
    >>> standards = pd.DataFrame({"kind": "standard", "concentration": [0, 10, 30, 100, 300, 1000],
    ...                           "signal": [2.0, 1.8, 1.45, 0.9, 0.45, 0.2]})
    >>> sample = pd.DataFrame({"kind": ["sample"] * 2, "sample": "s1", "signal": [1.2, 1.25]})
    >>> wells = pd.concat([standards, sample]).assign(plate="P1").fillna({"sample": ""})
    >>> plates = dl.read_plates(wells)
    >>> print(plates.samples[["sample", "wells", "status"]])
      sample  wells status
    0     s1      2     ok
    """
    table = checked_wells(wells, name)
    curves: dict[str, Curve] = {}
    rows, read = [], []
    for plate, whole in table.groupby("plate", sort=False):
        part = whole[whole["status"] != "no signal"]
        standards, blanks = (part[(part["kind"] == k) & (part["status"] == "")] for k in ("standard", "blank"))
        try:
            curve = standard_curve(
                standards["concentration"], standards["signal"], model, weighting, blanks["signal"],
                name=f"plate {plate!r}",
            )  # fmt: skip
        except MeasureError as error:
            table.loc[part.index[part["kind"].isin(NAMED)], "status"] = "no curve"
            rows.append({"plate": plate, "status": str(error)})
            continue
        curves[str(plate)] = curve
        table.loc[part.index, "status"] = _well_status(part, curve)
        values = _samples(part[part["kind"].isin(NAMED)], curve, str(plate))
        read += values
        rows.append(_summary(str(plate), curve, _table(values)))
    if not curves:
        raise MeasureError(f"{name}: no plate has a usable standard curve; {rows[0]['status'] if rows else 'no wells'}")
    table.loc[table["status"] == "", "status"] = "curve"
    samples = _table(read)
    kept = table[["row", "plate", "kind", "sample", "dilution", "signal", "status"]]
    doubts = (*plate_doubts(table), *plates_apart(curves).doubts, *_sample_doubts(samples))
    return Plates(samples, pd.DataFrame(rows), curves, _plate_sd(samples), kept, doubts)


def _table(samples: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["plate", "kind", "sample", "dilution", "value", "error", "limit", "cv_percent", "wells", "status"]
    return pd.DataFrame(samples, columns=columns)


def _samples(part: pd.DataFrame, curve: Curve, plate: str) -> list[dict[str, Any]]:
    """Return one row per sample of a plate; a dilution series has one per dilution, all other samples one in all."""
    part = part.assign(series=part["dilution"].where(part["kind"] == "dilution", 0.0))
    rows = []
    for (kind, sample, _), wells in part.groupby(["kind", "sample", "series"], sort=False):
        dilutions = wells["dilution"].to_numpy(dtype=float)
        found = read_sample(wells["signal"].to_numpy(dtype=float), dilutions, curve)
        name = {"plate": plate, "kind": kind, "sample": sample, "dilution": float(dilutions[0])}
        rows.append(name | found._asdict() | {"wells": len(wells)})
    return rows


def _sample_doubts(samples: pd.DataFrame) -> list[str]:
    """Return in words which wells of one sample tell different concentrations."""
    odd = samples[samples["status"] != "ok"]
    found = [f"sample {s!r} of plate {p!r}: {why}" for p, s, why in odd[["plate", "sample", "status"]].to_numpy()]
    apart = samples[samples["cv_percent"] > LARGEST_CV_PERCENT]
    return found + [
        f"sample {s!r} of plate {p!r}: its wells differ by a CV of {cv:.0f} %"
        for p, s, cv in apart[["plate", "sample", "cv_percent"]].to_numpy()
    ]


def _well_status(part: pd.DataFrame, curve: Curve) -> np.ndarray:
    """Return what became of each well of a plate."""
    below, above = sides_of(part["signal"].to_numpy(dtype=float), curve)
    read = np.where(below, "below", np.where(above, "above", "read"))
    known = part["status"].to_numpy(dtype=object)
    return np.where(known == "", np.where(part["kind"].isin(NAMED), read, "curve"), known)


def _summary(plate: str, curve: Curve, values: pd.DataFrame) -> dict[str, Any]:
    known = values["cv_percent"].dropna()
    return {
        "plate": plate,
        **{name: getattr(curve, name) for name in ("a", "b", "c", "d", "g")},
        "residual": curve.residual,
        "lod": curve.detection,
        "lloq": curve.lowest,
        "uloq": curve.highest,
        "median_cv_percent": float(known.median()) if len(known) else math.nan,
        "share_censored": float((values["limit"] != "").mean()) if len(values) else math.nan,
        "status": "ok",
    }


def _plate_sd(samples: pd.DataFrame) -> float:
    """Return the SD between plates of log controls, by one-way components of variance per control."""
    controls = samples[(samples["kind"] == "control") & (samples["limit"] == "") & samples["value"].notna()]
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
    diluted = samples[(samples["kind"] == "dilution") & (samples["limit"] == "") & samples["value"].notna()]
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
