"""Print time and peak memory of large imports and recordings: `python benchmarks/doors.py [SCALE]`.

Each runs in a process of its own, whose peak memory is that of the system's account. SCALE 1: a million rows of CSV,
200,000 rows of xlsx, 2 GB of XDF; 0.01 is a try.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))


def csv_file(path: Path, rows: int) -> None:
    """Write a long table: one row per prompt, seven columns."""
    rng = np.random.default_rng(1)
    per_person = 100
    with path.open("w") as stream:
        stream.write("code;session;date;length;trust;stress;mood\n")
        for person in range(max(rows // per_person, 3)):
            answers = rng.integers(1, 8, (per_person, 3))
            for k in range(per_person):
                day, month = k % 28 + 1, k // 28 + 1
                a, b, c = answers[k]
                stream.write(f"P{person};{k + 1};2024-{month:02d}-{day:02d};50;{a};{b};{c}\n")


def xlsx_file(path: Path, rows: int) -> None:
    """Write the same table as a workbook."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("data")
    with tempfile.TemporaryDirectory() as folder:
        csv_file(Path(folder) / "a.csv", rows)
        for line in (Path(folder) / "a.csv").read_text().splitlines():
            sheet.append([int(cell) if cell.isdigit() else cell for cell in line.split(";")])
    book.save(path)


def xdf_file(path: Path, megabytes: float) -> None:
    """Write a stream of 32 channels at 1000 Hz, packets of 100 samples, until the file is large enough."""
    from tests.exchange import xdf_files

    names = [f"c{k}" for k in range(32)]
    packets = max(int(megabytes * 1e6 / (100 * (1 + 32 * 4))), 20)
    values = np.random.default_rng(1).normal(size=(100, 32)).astype("f4")
    bare = np.zeros(100, np.dtype([("flag", "u1"), ("value", "<f4", (32,))]))
    bare["value"] = values
    with path.open("wb") as stream:
        start = xdf_files.write(path.with_suffix(".head"), xdf_files.header(1, "EEG", 1000.0, names)).read_bytes()
        path.with_suffix(".head").unlink()
        stream.write(start)
        for packet in range(packets):
            first = xdf_files.samples(1, [50.0 + packet / 10], values[:1], "float32")
            rest = bare[1:].tobytes()
            # a packet with one stamp: the chunk of its first sample, with the others behind it
            body = first[5:7] + first[7:12] + (100).to_bytes(4, "little") + first[16:] + rest
            stream.write(b"\x04" + len(body).to_bytes(4, "little") + body)


_RUNS = {
    "csv": "from dyadloop.exchange import import_study; import_study([{path!r}], {out!r})",
    "xlsx": "from dyadloop.exchange import import_study; import_study([{path!r}], {out!r})",
    "xdf": "from dyadloop.exchange.recordings import read_xdf; "
    "s = read_xdf({path!r})[0]; assert s.values.shape[1] == 32 and s.rows is None",
    "xdf, as tables": "from dyadloop.exchange.recordings import unpack; unpack({path!r}, {out!r})",
}


def measured(code: str) -> tuple[float, float]:
    """Return seconds and peak memory [MiB] of a process that runs some code."""
    told = f"{code}\nimport resource, sys; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    begun = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return time.perf_counter() - begun, int(run.stderr.split()[-1]) / 1024


def main(scale: float) -> None:
    """Make the files, import each, print a table."""
    print("| file | size | seconds | peak memory, MiB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        csv_file(root / "a.csv", int(1_000_000 * scale))
        xlsx_file(root / "a.xlsx", int(200_000 * scale))
        xdf_file(root / "a.xdf", 2000 * scale)
        for place, (name, code) in enumerate(_RUNS.items()):
            path = root / f"a.{name.split(',')[0]}"
            if name == "xdf, as tables":
                xdf_file(path, 100 * scale)
            seconds, peak = measured(code.format(path=str(path), out=str(root / f"out{place}")))
            rows = f"{int({'csv': 1e6, 'xlsx': 2e5}.get(name, 0) * scale):,} rows, " if name in ("csv", "xlsx") else ""
            print(f"| {name} | {rows}{path.stat().st_size / 1e6:.0f} MB | {seconds:.0f} | {peak:.0f} |", flush=True)
    print(f"\nthis process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
