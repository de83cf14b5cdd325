"""Renew docs/rooms.md: what each room of the package exports, with the first line of its docstring."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

ROOMS = (
    "data", "exchange", "exchange.transcripts", "exchange.recordings", "exchange.published", "handover", "signals",
    "measures.synchrony", "measures.questionnaires", "measures.assays", "measures.games", "theory", "evidence", "dynamics",
    "simulation", "observation.kinds", "inference", "appraisal", "claims", "design",
)  # fmt: skip
HEAD = """# Rooms

What each room of the package exports beside the names of `dyadloop` itself, made from docstrings (`python docs/rooms.py`). `from dyadloop.evidence import
pool_bayes` takes one. Only the names of `import dyadloop as dl` are public in the sense of [versions](versioning.md); names of rooms may change with a note.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for name in ROOMS:
        room = import_module(f"dyadloop.{name}")
        lines = "\n".join(f"| `{export}` | {_line(getattr(room, export))} |" for export in sorted(room.__all__))
        about = (inspect.getdoc(room) or "").splitlines()[0]
        parts.append(f"## dyadloop.{name}\n{about}\n\n| name | what |\n|---|---|\n{lines}\n")
    return "\n".join(parts)


def _line(thing: Any) -> str:  # noqa: ANN401 - anything that a room exports
    """Return the first line of the docstring of a function or class, or of what type a constant is."""
    if not callable(thing) and not inspect.isclass(thing):
        return f"constant ({type(thing).__name__})"
    text = (inspect.getdoc(thing) or "type").splitlines()[0]
    return text.replace("|", "or").replace("<", "&lt;")


if __name__ == "__main__":
    (Path(__file__).parent / "rooms.md").write_text(page(), encoding="utf-8")
