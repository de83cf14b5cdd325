"""Odd and corrupted files of SPSS, Stata and R: sound ones with odd cells, labels and codes, and then spoiled bytes."""

import warnings

import numpy as np
import pandas as pd

from tests.exchange.made import spss
from tests.exchange.odd import bytes_edit

FAMILIES = ("spss", "stata", "r")
_ENDINGS = {"spss": (".sav", ".zsav", ".por"), "stata": (".dta",), "r": (".rds", ".rda")}
_KINDS = (
    "columns swapped", "headings alike", "rows twice", "a row empty", "a column empty", "no rows", "words for numbers",
    "odd numbers", "odd dates", "odd ids", "a huge cell", "formulas as text", "a tail", "other letters", "none", "none",
)  # fmt: skip
_WORDS = ("viel", "3. Mai", "1,2,3", "∞", "--", "0x1F", "½", "1 000", "NA", ".", "\t", "a\nb")
_DATES = ("31.02.2024", "1.1.1", "2024-13-01", "gestern", "1899-01-01", "2024-01-01T25:00", "45352")
_IDS = ("VP1\tx", 'VP"1', " VP01", "vp01", "=VP1", "\u200bVP01", "VP01\u00a0", "", "NA")
_NUMBERS = (np.inf, -np.inf, 1e300, -1e300, 1e-300, 2.0**53 + 2, -2147483648.0, 1e12, -0.0)


def frame_edit(frame, rng):
    """Return a data frame with one edit of a random kind, and its name."""
    frame, kind = frame.copy(), str(rng.choice(_KINDS))
    column = str(rng.choice(frame.columns))
    some = rng.random(len(frame)) < 0.3
    if kind == "columns swapped":
        other = str(rng.choice(frame.columns))
        frame[[column, other]] = frame[[other, column]].to_numpy(dtype=object)
    elif kind == "headings alike":
        frame[column.upper() if column.upper() != column else f"{column}_"] = frame[column]
    elif kind == "rows twice":
        frame = pd.concat([frame, frame.iloc[: int(rng.integers(1, len(frame)))]], ignore_index=True)
    elif kind == "a row empty":
        frame.iloc[int(rng.integers(len(frame)))] = None
    elif kind == "a column empty":
        frame[column] = None
    elif kind == "no rows":
        frame = frame.iloc[:0]
    elif kind == "words for numbers":
        frame[column] = np.where(some, rng.choice(_WORDS, len(frame)), frame[column].astype(str))
    elif kind == "odd numbers":
        frame[column] = np.where(some, rng.choice(_NUMBERS, len(frame)), 1.0)
    elif kind == "odd dates":
        frame[column] = rng.choice(_DATES, len(frame))
    elif kind == "odd ids":
        frame["code"] = np.where(some, rng.choice(_IDS, len(frame)), frame["code"])
    elif kind == "a huge cell":
        frame["note"] = ["x" * int(rng.choice([255, 256, 20_000, 32_000])), *[""] * (len(frame) - 1)]
    elif kind == "formulas as text":
        frame[column] = rng.choice(["=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+3", "-2+3"], len(frame))
    elif kind == "a tail":
        frame = pd.concat([frame, pd.DataFrame({"code": ["Mittelwert", "Quelle: Institut"]})], ignore_index=True)
    elif kind == "other letters":
        frame["ort"] = rng.choice(["Köln", "Łódź", "東京", "Ærø"], len(frame))
    return frame, kind


class Statistics:
    """Sound tables of one family of readers, and odd files made of them."""

    def __init__(self, name, folder):
        import pyreadstat

        self.name, self.folder, self.beside = name, folder, []
        folder.mkdir(parents=True, exist_ok=True)
        frame, _ = pyreadstat.read_sav(str(spss(folder / "sound.sav")), user_missing=True)
        self.wide = frame[[column for column in frame.columns if not column.endswith(("_t7", "_t8", "_t9", "_t10"))]]
        stems = ("date", "wai_p", "wai_t", "bdi")
        parts = [
            frame[["code", "sex", *(f"{stem}_t{s}" for stem in stems)]].set_axis(["code", "sex", *stems], axis=1)
            for s in range(1, 7)
        ]
        self.long = pd.concat([part.assign(session=float(s)) for s, part in enumerate(parts, 1)], ignore_index=True)

    def odd(self, rng):
        """Write one odd file; return it and what was done to it."""
        path = self.folder / f"odd{rng.choice(_ENDINGS[self.name])}"
        frame, first = frame_edit(self.wide if rng.random() < 0.5 and self.name != "r" else self.long, rng)
        try:
            self._write(path, frame, rng)
        except Exception:  # what the writer refuses cannot be in a file of it
            first += ", which cannot be written, so none"
            self._write(path, self.long, rng)
        raw, kind = bytes_edit(path.read_bytes(), rng)
        if kind == "whole" and rng.random() < 0.1 and self.name == "spss":
            raw, kind = raw.replace(b"UTF-8", b"ASCII"), "another encoding declared"
        path.write_bytes(raw)
        return path, f"{path.suffix}, {first}, {kind}"

    def _write(self, path, frame, rng):
        import pyreadstat
        import rdata

        frame = frame.copy()
        if path.suffix in (".rds", ".rda", ".por"):
            for name in frame.select_dtypes(object).columns:
                frame[name] = [value if value is None or value != value else str(value) for value in frame[name]]
        numbers = [name for name in frame.columns if frame[name].dtype.kind == "f"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix == ".rds":
                rdata.write_rds(path, frame, compression=(None, "gzip", "bzip2", "xz")[int(rng.integers(4))])
            elif path.suffix == ".rda":
                rdata.write_rda(
                    path, {"d": frame, "n": frame.iloc[:2]}, compression=(None, "gzip")[int(rng.integers(2))]
                )
            elif path.suffix == ".dta":
                codes = {name: ["a", "b"] for name in numbers[:1] if rng.random() < 0.3}
                version = int(rng.choice([8, 10, 12, 13, 14, 15]))
                pyreadstat.write_dta(frame, str(path), version=version, missing_user_values=codes)
            elif path.suffix == ".por":
                pyreadstat.write_por(frame, str(path))
            else:
                labels = {name: {1.0: "nie", 7.0: "immer", 99.0: "keine Angabe"} for name in numbers}
                ranges = {name: [99.0, {"lo": -9, "hi": float(rng.choice([-1, 5]))}] for name in numbers[1:]}
                told = {"variable_value_labels": labels, "missing_ranges": ranges} if rng.random() < 0.5 else {}
                pyreadstat.write_sav(
                    frame,
                    str(path),
                    row_compress=path.suffix == ".sav" and rng.random() < 0.5,
                    compress=path.suffix == ".zsav",
                    **told,
                )

    def counted(self, path, plan):
        """Return the number of filled cells, as the library counts them."""
        import pyreadstat
        import rdata

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix == ".rds":
                frames = [rdata.read_rds(path)]
            elif path.suffix == ".rda":
                frames = list(rdata.read_rda(path).values())
            elif path.suffix == ".por":
                frames = [pyreadstat.read_por(str(path))[0]]
            else:
                read = pyreadstat.read_dta if path.suffix == ".dta" else pyreadstat.read_sav
                frames = [read(str(path), user_missing=True, disable_datetime_conversion=True)[0]]
        return sum(_filled(value) for frame in frames for name in frame.columns for value in frame[name])


def _filled(value):
    if isinstance(value, str):
        return bool(value.strip())
    return not (pd.isna(value) or (value == -(2**31) and isinstance(value, int | np.integer)))
