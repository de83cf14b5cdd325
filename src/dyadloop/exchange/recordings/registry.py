"""All formats of recordings, and which one a file is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dyadloop.errors import DataError
from dyadloop.exchange.formats.format import refusal, sound_file
from dyadloop.exchange.recordings import acq, edf, embrace, features, intervals, keypoints, shimmer, xdf
from dyadloop.exchange.recordings.names import file_stem
from dyadloop.exchange.recordings.tables import Signals, check_new, write_signals
from dyadloop.files import replacing_folder

Unpack = Callable[[Path, Path, float | None], list[Path]]


@dataclass(frozen=True)
class RecordingFormat:
    """One kind of recording; fields as in :class:`dyadloop.exchange.formats.format.Format`."""

    id: str
    title: str
    endings: tuple[str, ...]
    reads: str
    leaves: str
    library: str
    truth: str
    unpack: Unpack = field(repr=False)
    recognises: Callable[[Path], bool] | None = field(default=None, repr=False)


def _tables(read: Callable[[Path, float | None], list[Signals]]) -> Unpack:
    """Return what writes the signals that a reader finds."""

    def unpack(file: Path, folder: Path, fs: float | None) -> list[Path]:
        check_new(folder)
        found = read(sound_file(file), fs)
        with replacing_folder(folder) as draft:
            names = [write_signals(draft, file_stem(file.stem), signals) for signals in found]
        return [folder / name for name in names]

    return unpack


RECORDINGS: dict[str, RecordingFormat] = {
    entry.id: entry
    for entry in (
        RecordingFormat(
            "edf", "EDF, EDF+, BDF", (".edf", ".bdf"), "signals at their own rates, units, the start; breaks of EDF+D",
            "annotations", "", "edfio, which wrote the files", lambda file, out, fs: edf.unpack_edf(file, out),
        ),
        RecordingFormat(
            "xdf", "XDF of the Lab Streaming Layer", (".xdf",),
            "all streams on one clock, rates as the stamps tell them, units; breaks of any length as gaps; markers",
            "compressed .xdfz", "", "pyxdf 1.17, and files whose breaks are known", xdf.unpack_xdf,
        ),
        RecordingFormat(
            "acq", "BIOPAC AcqKnowledge", (".acq",),
            "channels at their own rates, units; appended parts set apart by a gap",
            "markers, journals", "bioread", "bioread's own sample files, tried by hand; made markers", acq.unpack_acq,
        ),
        RecordingFormat(
            "sleap", "SLEAP and DeepLabCut, points as wide tables (MediaPipe)", (".h5",),
            "movement of each individual; frames without it as gaps; the rate is asked for",
            "points in space", "", "points that move by known ways; files that pandas and PyTables wrote, by hand",
            _tables(keypoints.read_keypoints), keypoints.is_keypoints,
        ),
        RecordingFormat(
            "embrace", "EmbracePlus, raw data (Avro)", (".avro",),
            "every sensor at its own rate, with its unit, on one clock; marks in the sidecar",
            "systolic peaks, steps; other packings than deflate", "",
            "a made file of known numbers; files that fastavro wrote, tried by hand",
            _tables(embrace.read_embrace), embrace.is_embrace,
        ),
        RecordingFormat(
            "shimmer", "Shimmer (Consensys)", (), "calibrated signals with their units; lost samples as gaps",
            "what uncalibrated columns mean", "", "files of the layout of public ones",
            _tables(shimmer.read_shimmer), shimmer.is_shimmer,
        ),
        RecordingFormat(
            "intervals", "RR intervals: Polar Sensor Logger, lists of intervals (Polar Flow, Movesense)", (),
            "interbeat intervals on an even clock; pauses and doubtful beats as gaps",
            "the times of arrival, which jitter", "", "intervals that are known",
            _tables(intervals.read_intervals), intervals.is_intervals,
        ),
        RecordingFormat(
            "opensmile", "openSMILE", (), "descriptors by frame, on the clock of `frameTime`", "functionals, ARFF", "",
            "a table of known numbers", _tables(features.read_opensmile), features.is_opensmile,
        ),
        RecordingFormat(
            "pyfeat", "py-feat", (),
            "action units, emotions, pose of one face; frames without a face as gaps; the rate is asked for",
            "landmarks, several faces in one frame", "", "a table of known numbers", _tables(features.read_pyfeat),
            features.is_pyfeat,
        ),
    )
}  # fmt: skip
"""Formats of recordings by name."""


def unpack(path: str | Path, out: str | Path, fs: float | None = None) -> list[Path]:
    """Write a recording as tables with sidecars, which `dyadloop measure` and `dyadloop synchrony` read.

    Parameters
    ----------
    path
        Recording, see :data:`RECORDINGS`. Tables of MEA and rMEA, OpenFace, E4 and EmbracePlus are read as they are.
    out
        Folder to make.
    fs
        Samples or frames per second, where the file does not tell them.

    Raises
    ------
    DataError
        If the format is unknown, the file cannot be read, or something that it does not tell is not given.
    """
    file = sound_file(Path(path), None)
    return _format_of(file).unpack(file, Path(out), fs)


def _format_of(file: Path) -> RecordingFormat:
    name = file.name.lower()
    for entry in RECORDINGS.values():
        if entry.recognises is not None and _recognised(entry, file):
            return entry
        if entry.recognises is None and name.endswith(entry.endings):
            return entry
    known = ", ".join(entry.title for entry in RECORDINGS.values())
    raise refusal(file, "none of the layouts known here", known, "plain tables with a rate are read as they are")


def _recognised(entry: RecordingFormat, file: Path) -> bool:
    try:
        return entry.recognises is not None and entry.recognises(file)
    except (DataError, OSError):
        return False
