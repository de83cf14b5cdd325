"""Motion energy from video: how much each person's region changes from one frame to the next.

Frames are read one at a time, so that the memory does not grow with the length of the film. Frames that tell about
the film and not about a person (cuts, flicker, duplicates, a shaken camera) are flagged and become gaps.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.signals.rates import rate_of, rounding_of
from dyadloop.signals.recording import Recording

Region = Sequence[float] | Sequence[tuple[float, float]]
FLAGS = ("cut", "flicker", "duplicate", "shake")
"""What can be wrong with a frame."""
_SMALL = (64, 48)
_CUT_CORRELATION = 0.5  # similarity of two small frames below which the scene is another one
_FLICKER_LEVELS = 2.0  # grey levels by which the whole picture changes
_TIME_ROUNDING = 1e-3  # containers keep times of frames in milliseconds
_SHAKE_SHARE = 0.01  # of the width of the picture


def motion_energy(
    path: str | Path,
    regions: Mapping[str, Region],
    kind: Literal["count", "mean", "z"] = "count",
    threshold: float = 12.0,
    mask: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Recording, pd.DataFrame]:
    """Return the motion energy of regions of a video, and the flags of its frames.

    Parameters
    ----------
    path
        Video file that OpenCV can read.
    regions
        Region by name, one or more per person and body part: a rectangle (left, top, width, height) or a polygon
        [(x, y), ...], in pixels.
    kind
        ``count``: pixels that change by more than the threshold; ``mean``: mean absolute change [grey levels];
        ``z``: mean absolute change of frames whose grey values were z-scored, which takes out changes of light.
    threshold
        Grey levels of 255 for ``count``.
    mask
        Make flagged frames gaps.
    progress
        Called with frames done and the number that the file claims.

    Returns
    -------
    Recording
        One channel per region and sample per frame from the second on; the rate is that of the frames' times.
    pandas.DataFrame
        ``cut``, ``flicker``, ``duplicate``, ``shake`` per sample.

    Raises
    ------
    MeasureError
        If the video cannot be read, a region lies outside, or OpenCV is not installed (``dyadloop[signals]``).

    References
    ----------
    .. [1] Ramseyer & Tschacher (2011). doi:10.1037/a0023419
    .. [2] Paxton & Dale (2013). doi:10.3758/s13428-012-0249-2

    Examples
    --------
    >>> import cv2, numpy as np
    >>> code = cv2.VideoWriter_fourcc(*"MJPG")
    >>> film = cv2.VideoWriter("results/film.avi", code, 25, (64, 48))  # SIMULATED: a square that jumps to and fro
    >>> for frame in range(50):
    ...     picture = np.zeros((48, 64, 3), np.uint8)
    ...     picture[10:20, 10 + frame % 5 : 20 + frame % 5] = 255
    ...     _ = film.write(picture)
    ...
    >>> film.release()
    >>> regions = {"patient": (0, 0, 32, 48), "therapist": (32, 0, 32, 48)}
    >>> energy, flags = dl.motion_energy("results/film.avi", regions)
    >>> list(energy.channels.columns), len(energy.channels)
    (['patient', 'therapist'], 49)
    """
    cv2 = _opencv()
    if kind not in ("count", "mean", "z"):
        raise MeasureError(f"kind {kind!r} does not exist; expected count, mean or z")
    if not Path(path).is_file():
        raise MeasureError(f"{path}: no such file; check the path")
    video = cv2.VideoCapture(str(path))
    try:
        good, frame = video.read()
        if not good:
            raise MeasureError(f"{Path(path).name}: no frame can be read; the file is damaged or of an unknown format")
        before = _grey(cv2, frame)
        masks = {name: _mask(cv2, name, region, before.shape) for name, region in regions.items()}
        if not masks:
            raise MeasureError("regions: none given; expected at least one, such as {'patient': (0, 0, 320, 480)}")
        claimed = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        energy: list[list[float]] = []
        flags: list[list[bool]] = []
        times = [video.get(cv2.CAP_PROP_POS_MSEC)]
        while True:
            good, frame = video.read()
            if not good:
                break
            now = _grey(cv2, frame)
            times.append(video.get(cv2.CAP_PROP_POS_MSEC))
            energy.append(_energies(now, before, masks, kind, threshold))
            flags.append(_flags(cv2, now, before))
            before = now
            if progress is not None and len(energy) % 25 == 0:
                progress(len(energy), max(claimed - 1, len(energy)))
        nominal = float(video.get(cv2.CAP_PROP_FPS))
    finally:
        video.release()
    if len(energy) < 2:
        raise MeasureError(f"{Path(path).name}: {len(energy) + 1} frames; expected at least 3")
    found = pd.DataFrame(flags, columns=list(FLAGS))
    channels = pd.DataFrame(energy, columns=list(masks))
    if mask:
        channels[found.any(axis=1)] = np.nan
    rate = _frame_rate(np.array(times), nominal)
    short = f", {claimed - len(energy) - 1} claimed frames missing" if claimed > len(energy) + 1 else ""
    return Recording(channels, rate, 1 / rate, f"{Path(path).name}{short}"), found


def _opencv() -> Any:  # noqa: ANN401 - a module
    try:
        import cv2
    except ImportError:
        raise MeasureError("motion energy needs OpenCV: pip install 'dyadloop[signals]'") from None
    return cv2


def _grey(cv2: Any, frame: NDArray) -> NDArray[np.float32]:  # noqa: ANN401
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)


def _mask(cv2: Any, name: str, region: Region, shape: tuple[int, ...]) -> NDArray[np.bool_]:  # noqa: ANN401
    """Return the pixels of a rectangle or a polygon."""
    corners = np.asarray(region, dtype=np.float64)
    if corners.shape == (4,):
        left, top, width, height = corners
        corners = np.array(
            [[left, top], [left + width - 1, top], [left + width - 1, top + height - 1], [left, top + height - 1]]
        )
    high, wide = shape[:2]
    inside = corners.ndim == 2 and corners.shape[1:] == (2,) and len(corners) >= 3
    if not inside or (corners < 0).any() or (corners[:, 0] >= wide).any() or (corners[:, 1] >= high).any():
        raise MeasureError(
            f"region {name!r}: got {region}; expected (left, top, width, height) or at least three corners inside "
            f"{wide} x {high} pixels"
        )
    filled = np.zeros((high, wide), dtype=np.uint8)
    cv2.fillPoly(filled, [np.round(corners).astype(np.int32)], 1)
    return filled.astype(bool)


def _energies(
    now: NDArray[np.float32],
    before: NDArray[np.float32],
    masks: dict[str, NDArray[np.bool_]],
    kind: str,
    threshold: float,
) -> list[float]:
    change = np.abs(_scored(now) - _scored(before)) if kind == "z" else np.abs(now - before)
    if kind == "count":
        return [float((change[mask] > threshold).sum()) for mask in masks.values()]
    return [float(change[mask].mean()) for mask in masks.values()]


def _scored(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    spread = float(frame.std())
    return (frame - frame.mean()) / (spread if spread > 0 else 1.0)


def _flags(cv2: Any, now: NDArray[np.float32], before: NDArray[np.float32]) -> list[bool]:  # noqa: ANN401
    """Return whether a frame is a cut, a flicker, a duplicate, or shaken."""
    change = now - before
    if not change.any():
        return [False, False, True, False]
    small, earlier = (cv2.resize(frame, _SMALL, interpolation=cv2.INTER_AREA) for frame in (now, before))
    spread = float(small.std() * earlier.std())
    alike = float(((small - small.mean()) * (earlier - earlier.mean())).mean()) / spread if spread > 0 else 1.0
    cut = alike < _CUT_CORRELATION
    step = float(np.median(small - earlier))
    rest = float(np.median(np.abs(small - earlier - step)))
    flicker = not cut and abs(step) >= _FLICKER_LEVELS and rest < abs(step) / 2
    (dx, dy), response = cv2.phaseCorrelate(earlier - earlier.mean(), small - small.mean())
    shake = (
        not cut
        and response > 0.3
        and math.hypot(dx, dy) > _SHAKE_SHARE * _SMALL[0]
        and _improves(cv2, small, earlier, dx, dy)
    )
    return [cut, flicker, False, shake]


def _improves(cv2: Any, small: NDArray, earlier: NDArray, dx: float, dy: float) -> bool:  # noqa: ANN401
    """Return whether shifting the picture before explains most of the change: the camera moved, not a person."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
    moved = cv2.warpAffine(earlier, matrix, _SMALL)
    inner = (slice(4, -4), slice(4, -4))
    return float(np.abs(small - moved)[inner].mean()) < 0.5 * float(np.abs(small - earlier)[inner].mean())


def _frame_rate(milliseconds: NDArray[np.float64], nominal: float) -> float:
    """Return the rate of the frames' times, or the nominal one where the file has no times."""
    steps = np.diff(milliseconds)
    if (steps > 0).all() and steps.size:
        times = (milliseconds - milliseconds[0]) / 1000
        return rate_of(times, max(rounding_of(times), _TIME_ROUNDING)).value
    if not 0 < nominal < 1000:
        raise MeasureError(f"the video tells no frame rate (got {nominal:g}); convert it with times")
    return nominal
