"""What this machine offers: its processors, its kind, and where compiled programs are kept."""

import os
import platform
import sys
import zlib
from pathlib import Path


def processors() -> int:
    """Return how many processors this process may use, which a scheduler may have limited."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kind() -> str:
    """Return what names a kind of machine: programs compiled for one may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        told = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        told = platform.processor()
    return f"{platform.machine()}-{zlib.crc32(told.encode()):08x}"


def runs(process: int) -> bool:
    """Return whether a process of this machine runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def program_cache() -> Path:
    """Return the folder in the user's cache where compiled programs of this kind of machine are kept."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "dyadloop" / "programs" / kind()


def keep_programs() -> None:
    """Let JAX keep what takes half a second to compile, unless the user says otherwise; before JAX is imported."""
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(program_cache()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")
