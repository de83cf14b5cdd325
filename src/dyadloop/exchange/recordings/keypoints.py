"""Tracked points of bodies and faces as movement: DeepLabCut, SLEAP, and wide tables of points (MediaPipe).

Movement is the mean way that the points of an individual go from one frame to the next, in the unit of the file. Points
whose tracking is not trusted are gaps: 0.6 is DeepLabCut's own bound, 0.5 MediaPipe's.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from dyadloop.exchange.formats.delimited import decoded
from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.formats.headings import first_rows
from dyadloop.exchange.recordings.frames import is_frame, read_frame
from dyadloop.exchange.recordings.tables import Signals, needs_rate, unique_names

TRUSTED = {"DeepLabCut": 0.6, "MediaPipe": 0.5, "SLEAP": 0.0}
"""Least likelihood of a point that counts, by program; SLEAP leaves doubtful points out itself."""
_WIDE = re.compile(r"^(.*?)[_. ](x|y|z|visibility|likelihood|score|presence)$", re.IGNORECASE)
_FARTHEST = 1e9  # no picture is so wide: a damaged number
_MOST_MISSING = 0.5  # share of an individual's points that may be missing in a frame


def is_keypoints(path: Path) -> bool:
    """Return whether a file holds tracked points."""
    if path.suffix.lower() in (".h5", ".hdf5"):
        return _is_sleap_file(path) or is_frame(path)
    rows = first_rows(path, 4)
    if len(rows) > 2 and rows[0][:1] == ["scorer"] and [row[:1] for row in rows[1:4] if row[:1] == ["coords"]]:
        return True
    names = rows[0] if rows else []
    return {"track", "frame_idx"} <= set(names) or len(_points(names)) >= 2


def read_keypoints(path: Path, fs: float | None = None) -> list[Signals]:
    """Return the movement of every individual.

    Raises
    ------
    DataError
        If the rate is not given, frames do not go on, or a coordinate is no number.
    """
    if path.suffix.lower() in (".h5", ".hdf5"):
        program, bodies = ("DeepLabCut", _frame_file(path)) if is_frame(path) else ("SLEAP", _sleap_file(path))
    else:
        rows = first_rows(path, 4)
        if rows[0][:1] == ["scorer"]:
            program, bodies = "DeepLabCut", _deeplabcut(path)
        elif {"track", "frame_idx"} <= set(rows[0]):
            program, bodies = "SLEAP", _sleap_table(path)
        else:
            program, bodies = "MediaPipe", {"movement": _wide(path)}
    farthest = max(
        (float(np.abs(points[np.isfinite(points)]).max(initial=0.0)) for points in bodies.values()), default=0.0
    )
    if farthest > _FARTHEST:
        raise refusal(path, f"a coordinate of {farthest:g}", "pixels, or shares of the picture", "export it again")
    rate = float(needs_rate(path, fs, f"points of {program}"))
    moved = {name: movement(points, TRUSTED[program]) * rate for name, points in bodies.items()}
    columns = unique_names([name or "movement" for name in moved], "movement")
    values = np.column_stack(list(moved.values()))
    told = {"Movement": "mean way of the tracked points per second", "LeastLikelihood": TRUSTED[program]}
    return [Signals("", columns, values, rate, 0.0, None, dict.fromkeys(columns, "units of the file per s"), told)]


def movement(points: np.ndarray, trusted: float) -> np.ndarray:
    """Return the mean way of points from the frame before, NaN in the first frame and where most are missing.

    Parameters
    ----------
    points
        Coordinates and likelihood (frame, point, (x, y, likelihood)).
    trusted
        Least likelihood of a point that counts.
    """
    sound = (points[..., 2:] >= trusted) & np.isfinite(points).all(axis=2, keepdims=True)
    place = np.where(sound, points[..., :2], np.nan)
    way = np.full(points.shape[:2], np.nan)
    way[1:] = np.linalg.norm(np.diff(place, axis=0), axis=2)
    known = np.isfinite(way)
    enough = known.mean(axis=1) > 1 - _MOST_MISSING
    total = np.where(known, way, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(enough, total, np.nan)


def _numbers(path: Path, header: int) -> tuple[list[list[str]], pd.DataFrame]:
    """Return the rows of headings and the numbers below them."""
    text, _ = decoded(path, {})
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()]
    heads, body = rows[:header], rows[header:]
    wrong = next((k for k, row in enumerate(body) if len(row) != len(heads[0])), None)
    if wrong is not None or not body:
        got = "no frames" if not body else f"{len(body[wrong or 0])} fields"
        line = None if wrong is None else wrong + header + 1
        raise refusal(path, got, f"{len(heads[0])} in each row", "export it again", line)
    return heads, pd.DataFrame(body, columns=pd.RangeIndex(len(heads[0])))


def _floats(path: Path, columns: pd.DataFrame, header: int) -> np.ndarray:
    filled = columns.replace({"": "nan", "NaN": "nan", "NA": "nan"})
    found = filled.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    wrong = np.isnan(found) & (filled != "nan").to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        raise refusal(path, "a coordinate that is no number", "numbers", "export it again", row + header + 1)
    return found


def _on_frames(path: Path, frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return rows by frame from the first to the last, NaN where a frame is not there."""
    if not len(frames):
        raise refusal(path, "no frames", "points in frames", "export it again")
    if not np.isfinite(frames).all() or (np.diff(frames) <= 0).any() or (frames != np.round(frames)).any():
        raise refusal(
            path, "frames that do not go on one by one", "rising numbers of frames", "sort or export it again"
        )
    place = (frames - frames[0]).astype(int)
    if place[-1] > 50 * len(place) + 1000:
        raise refusal(path, f"{len(place)} of {place[-1] + 1} frames", "most of them", "check the numbers of frames")
    found = np.full((int(place[-1]) + 1, *values.shape[1:]), np.nan)
    found[place] = values
    return found


def _deeplabcut(path: Path) -> dict[str, np.ndarray]:
    header = next(k for k, row in enumerate(first_rows(path, 4)) if row[:1] == ["coords"]) + 1
    heads, table = _numbers(path, header)
    bodies = heads[1] if header == 4 else [""] * len(heads[0])
    values = _floats(path, table, header)
    names = list(zip(bodies[1:], heads[-2][1:], heads[-1][1:], strict=True))
    return _bodies(path, names, values[:, 0], values[:, 1:])


def _frame_file(path: Path) -> dict[str, np.ndarray]:
    """Return the bodies of a table of DeepLabCut in HDF5: scorer, perhaps individual, point, coordinate."""
    names, frames, values = read_frame(path)
    if not names or len(names[0]) not in (3, 4):
        raise refusal(path, "a table without the headings of points", "scorer, bodyparts, coords", "export it as CSV")
    if values.shape != (len(frames), len(names)):
        got, expected = f"{' x '.join(map(str, values.shape))} numbers", f"{len(frames)} frames of {len(names)} columns"
        raise refusal(path, got, expected, "export it again")
    places = [(name[1] if len(name) == 4 else "", name[-2], name[-1]) for name in names]
    return _bodies(path, places, frames, values)


def _bodies(
    path: Path, names: list[tuple[str, str, str]], frames: np.ndarray, values: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the points of each individual from columns named by individual, point and coordinate."""
    found: dict[str, list[np.ndarray]] = {}
    for who, point in dict.fromkeys(name[:2] for name in names):
        place = {name[2]: k for k, name in enumerate(names) if name[:2] == (who, point)}
        if not {"x", "y"} <= set(place):
            raise refusal(
                path, f"{point!r} with {', '.join(place)}", "x, y and likelihood", "export points in the plane"
            )
        sure = values[:, place["likelihood"]] if "likelihood" in place else np.ones(len(values))
        found.setdefault(who, []).append(np.column_stack([values[:, place["x"]], values[:, place["y"]], sure]))
    return {who: _on_frames(path, frames, np.stack(parts, axis=1)) for who, parts in found.items()}


def _sleap_table(path: Path) -> dict[str, np.ndarray]:
    (names,), table = _numbers(path, 1)
    points = _points(names)
    columns = [k for point in points for k in (names.index(f"{point}.x"), names.index(f"{point}.y"))]
    frames = _floats(path, table[[names.index("frame_idx")]], 1)[:, 0]
    values = _floats(path, table[columns], 1).reshape(len(table), len(points), 2)
    values = np.concatenate([values, np.ones((*values.shape[:2], 1))], axis=2)
    tracks = table[names.index("track")].to_numpy(dtype=str)
    found = {}
    for track in dict.fromkeys(tracks.tolist()):
        mine = tracks == track
        order = np.argsort(frames[mine], kind="stable")
        found[track] = _on_frames(path, frames[mine][order], values[mine][order])
    return _of_one_length(found, frames, tracks)


def _of_one_length(bodies: dict[str, np.ndarray], frames: np.ndarray, tracks: np.ndarray) -> dict[str, np.ndarray]:
    """Return tracks from the first frame of all to the last."""
    first, size = int(frames.min()), int(frames.max() - frames.min()) + 1
    found = {}
    for track, values in bodies.items():
        begin = int(frames[tracks == track].min()) - first
        found[track] = np.full((size, *values.shape[1:]), np.nan)
        found[track][begin : begin + len(values)] = values
    return found


def _is_sleap_file(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return {"tracks", "node_names"} <= set(file)
    except (OSError, RuntimeError, KeyError, ValueError):  # how h5py says that a file is damaged
        return False


def _sleap_file(path: Path) -> dict[str, np.ndarray]:
    """Return the tracks of an analysis file: (track, xy, node, frame)."""
    try:
        with h5py.File(path, "r") as file:
            tracks = np.asarray(file["tracks"], dtype=float)
            own = np.ravel(np.asarray(file["track_names"])) if "track_names" in file else []
            names = [str(n, "utf-8") if isinstance(n, bytes) else str(n) for n in own]
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        got = f"an analysis file that cannot be read ({' '.join(str(error).split())[:100]})"
        raise refusal(path, got, "a whole file", "export it again") from None
    if tracks.ndim != 4 or tracks.shape[1] != 2:
        raise refusal(path, f"tracks of the shape {tracks.shape}", "(track, 2, node, frame)", "export an analysis file")
    names = names if len(names) == len(tracks) else [f"track_{k}" for k in range(len(tracks))]
    places = np.moveaxis(tracks, 3, 1).swapaxes(2, 3)
    return {n: np.concatenate([p, np.ones((*p.shape[:2], 1))], axis=2) for n, p in zip(names, places, strict=True)}


def _points(names: Iterable[str]) -> list[str]:
    """Return the points of a wide table: those with an x and a y."""
    known: dict[str, set[str]] = {}
    for name in names:
        if match := _WIDE.match(name.strip()):
            known.setdefault(match[1], set()).add(match[2].lower())
    return [point for point, axes in known.items() if {"x", "y"} <= axes]


def _wide(path: Path) -> np.ndarray:
    (names,), table = _numbers(path, 1)
    found = []
    for point in _points(names):
        place = {
            match[2].lower(): k for k, name in enumerate(names) if (match := _WIDE.match(name)) and match[1] == point
        }
        sure = next((place[a] for a in ("visibility", "likelihood", "score", "presence") if a in place), None)
        xy = _floats(path, table[[place["x"], place["y"]]], 1)
        trust = np.ones(len(xy)) if sure is None else _floats(path, table[[sure]], 1)[:, 0]
        found.append(np.column_stack([xy, trust]))
    values = np.stack(found, axis=1)
    frame = next((names.index(n) for n in ("frame", "frame_idx", "frame_number") if n in names), None)
    return values if frame is None else _on_frames(path, _floats(path, table[[frame]], 1)[:, 0], values)
