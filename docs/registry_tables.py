"""Renew tables that registries make, of methods and kinds of observation: `python docs/registry_tables.py`."""

import re
from collections.abc import Callable
from pathlib import Path

from dyadloop.measures.synchrony import METHODS
from dyadloop.observation.kinds import kinds

ROOT = Path(__file__).parent
_MARKED = re.compile(r"(<!-- (methods|kinds): made by docs/registry_tables.py -->\n)(.*?)(<!-- end -->)", re.DOTALL)
PAGES = ("measures.md", "study-folder.md")


def methods() -> str:
    """Return the methods of synchrony as a Markdown table."""
    heads = ("method", "what", "looks at", "same moment within [s]", "standard error", "cannot tell")
    rows = [(f"`{m.name}`", m.title, m.family, " + ".join(m.span) or "-", m.error, m.limits) for m in METHODS.values()]
    return _table(heads, rows)


def observations() -> str:
    """Return the kinds of observation as a Markdown table."""
    heads = ("kind", "what a value is", "keys of the indicator", "columns")
    rows = []
    for kind in kinds():
        own = [*(kind.keys.model_fields if kind.keys else ()), *(f"transform: {word}" for word in kind.transforms)]
        keys, columns = (", ".join(f"`{name}`" for name in names) or "-" for names in (own, kind.columns))
        rows.append((f"`{kind.name}`", kind.summary, keys, columns))
    return _table(heads, rows)


TABLES: dict[str, Callable[[], str]] = {"methods": methods, "kinds": observations}


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)])


def renewed(text: str) -> str:
    """Return a page with its tables made anew."""
    return _MARKED.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n{match[4]}", text)


if __name__ == "__main__":
    for name in PAGES:
        page = ROOT / name
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
