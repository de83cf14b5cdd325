"""Renew the table of formats in docs/import.md from the registry: `python docs/format_table.py`."""

import re
from pathlib import Path

from dyadloop.exchange import EXPORTS, FORMATS
from dyadloop.exchange.recordings import RECORDINGS
from dyadloop.handover import HAND_OVERS

PAGE = Path(__file__).parent / "import.md"
_MARKED = re.compile(
    r"(<!-- (formats|exports|recordings): made by docs/format_table.py -->\n)(.*?)(<!-- end -->)", re.DOTALL
)


def tables() -> dict[str, str]:
    """Return the tables of formats and of exports as Markdown."""
    rows = [
        (e.id, e.title, " ".join(f"`{ending}`" for ending in e.endings) or "by its headings", e.reads, e.leaves, e.library or "-", e.truth)
        for e in FORMATS.values()
    ]  # fmt: skip
    recordings = [
        (e.id, e.title, " ".join(f"`{ending}`" for ending in e.endings) or "by its headings", e.reads, e.leaves, e.library or "-", e.truth)
        for e in RECORDINGS.values()
    ]  # fmt: skip
    heads = ("format", "from", "files", "what is read", "what is not", "library", "what its test compares with")
    return {
        "formats": _table(heads, rows),
        "recordings": _table(heads, recordings),
        "exports": _table(
            ("`--to`", "what is written"), [(e.id, e.title) for e in (*EXPORTS.values(), *HAND_OVERS.values())]
        ),
    }


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)])


def renewed(text: str) -> str:
    """Return a page with its tables made anew."""
    found = tables()
    return _MARKED.sub(lambda match: match[1] + "\n" + found[match[2]] + "\n" + match[4], text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
