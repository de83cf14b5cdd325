"""Language style matching: how alike two persons use function words, in the language of the word lists."""

import re
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.turns import two_speakers
from dyadloop.signals.series import Floats
from dyadloop.yaml_files import load_yaml

_LSM = "Ireland et al. 2011, doi:10.1177/0956797610392928; word lists of dyadloop, not LIWC's"
_LEAST = {"session": 50, "turn": 10}
_SHARE_OF_LANGUAGE = 0.3
"""Share of words on the shipped lists below which a text is not English (measured in docs/measures.md)."""

Lists = dict[str, frozenset[str]]


@cache
def function_words() -> Lists:
    """Return the shipped English function words by category."""
    text = (files("dyadloop.measures.synchrony") / "function_words.yaml").read_text(encoding="utf-8")
    return {category: frozenset(words) for category, words in load_yaml(text).items()}


def language_style(
    turns: pd.DataFrame, by: str = "session", words: Lists | None = None, least: int | None = None
) -> xr.Dataset:
    """Return language style matching: how alike two persons use function words.

    Parameters
    ----------
    turns
        Columns ``speaker`` and ``text``.
    by
        ``session``: all words of each person; ``turn``: each turn with the next turn of the other person, averaged.
    words
        Words by category, in the language of the text; default: the shipped English lists.
    least
        Fewest words of a person that are compared; default: 50 by session, 10 by turn (assumed).

    Returns
    -------
    xarray.Dataset
        ``category_match`` (category): 1 - |p1 - p2| / (p1 + p2 + 0.0001), p in percent of words; NaN where neither
        person uses the category; ``categories``: how many were used; ``share_listed`` (person): share of words that are
        on a list; ``score``: mean match of the used categories; ``error``: over turns, NaN by session.

    Raises
    ------
    MeasureError
        If there is too little text, ``by`` is neither session nor turn, almost no word of a person is on the shipped
        lists (the text is in another language), or no category is used.
    """
    if by not in _LEAST:
        raise MeasureError(f"by={by!r}; expected session or turn")
    names = two_speakers(turns, ("speaker", "text"))
    lists, fewest = function_words() if words is None else words, _LEAST[by] if least is None else least
    who = turns["speaker"].astype(str).tolist()
    said = [_tokens(text) for text in turns["text"].map(lambda said: said if isinstance(said, str) else "")]
    whole = [
        [word for speaker, part in zip(who, said, strict=True) if speaker == name for word in part] for name in names
    ]
    pairs = (
        [whole] if by == "session" else [[said[k], said[k + 1]] for k in range(len(said) - 1) if who[k] != who[k + 1]]
    )
    pairs = [pair for pair in pairs if min(map(len, pair)) >= max(fewest, 1)]
    if not pairs:
        raise MeasureError(f"no {by} in which both persons say {fewest} words; expected at least one")
    listed = _listed(whole, names, lists, None if words is not None else _SHARE_OF_LANGUAGE)
    matches = np.array([_matches(pair, lists) for pair in pairs])
    used = ~np.isnan(matches)
    if not used.any():
        raise MeasureError(
            f"no word of either person is in a category ({', '.join(lists)}); is the list of this language?"
        )
    per_text = mean(matches, 1)
    return result(
        "language",
        mean(per_text),
        error_of_mean(per_text),
        "mean match of the categories that are used",
        _LSM,
        {"by": by, "least": fewest},
        variables={
            "category_match": ("category", mean(matches, 0)),
            "categories": ((), int(used.any(axis=0).sum())),
            "share_listed": ("person", listed),
            "texts": ((), len(matches)),
        },
        coords={"category": list(lists), "person": list(names)},
    )


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower().replace("\u2019", "'"))


def _listed(whole: list[list[str]], names: tuple[str, str], lists: Lists, least: float | None) -> Floats:
    """Return the share of each person's words that is on a list; too small a share is another language."""
    known = frozenset().union(*lists.values())
    shares = np.array([sum(word in known for word in said) / len(said) for said in whole])
    few = [name for name, share in zip(names, shares, strict=True) if share == 0 or share < (least or 0)]
    if few:
        told = " and ".join(f"{shares[names.index(name)]:.0%} of the words of {name!r}" for name in few)
        what = (
            "the word lists given"
            if least is None
            else f"the shipped word lists, which are English (at least {least:.0%})"
        )
        raise MeasureError(
            f"language_style: {told} are on the lists; expected text in the language of {what}; "
            "give lists of the text's language (words=), or function_words() itself for terse English"
        )
    return shares


def _matches(pair: list[list[str]], lists: Lists) -> list[float]:
    rows = []
    for members in lists.values():
        p, q = (100 * sum(word in members for word in said) / len(said) for said in pair)
        rows.append(1 - abs(p - q) / (p + q + 0.0001) if p + q > 0 else np.nan)
    return rows
