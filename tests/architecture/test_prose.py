"""Pages are written in short sentences, so that a reader in a second language can follow them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONG = 30  # words
MOST = 0.10  # share of sentences that may be longer
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if not {"_build", "generated"} & set(path.parts)
    ),
]


def _sentences(text):
    """Return the sentences of a page without code blocks, tables, headings and comments; code in a line is one word."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^\s*(\||#|<!--).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*([-*]|\d+\.)\s", "\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]*`", "X", text)
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        found += re.split(r"(?<=[.!?:;])\s+(?=[A-Z*\[X(\"])", " ".join(paragraph.split()))
    return [sentence for sentence in found if sentence.strip()]


def test_sentences_are_told_apart():
    page = "# Head\nOne two. Three `a b c`: Four.\n\n- five six\n- seven\n\n| a | b |\n```text\nno. No\n```\n"
    assert _sentences(page) == ["One two.", "Three X:", "Four.", "five six", "seven"]


@pytest.mark.parametrize("page", PAGES)
def test_nine_of_ten_sentences_are_short(page):
    lengths = [(len(sentence.split()), sentence) for sentence in _sentences((ROOT / page).read_text())]
    long = sorted(item for item in lengths if item[0] >= LONG)
    assert len(long) <= MOST * len(lengths) + 1, long
