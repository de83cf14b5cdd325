"""Names that a person may give: those that are known, and the one that was probably meant."""

from collections.abc import Iterable

from dyadloop.data.wording import nearest


def known_names(known: Iterable[object], *given: object) -> str:
    """Return the known names as a list, with the nearest of them as a question where a given one is close to it."""
    names = [str(name) for name in known]
    listed = ", ".join(names) or "none"
    meant = dict.fromkeys(filter(None, (nearest(name, names) for name in given)))
    return "; ".join([listed, *meant])
