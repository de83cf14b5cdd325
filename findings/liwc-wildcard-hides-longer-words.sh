#!/bin/sh
# liwc 0.5.0 (reader of LIWC dictionaries): a wildcard hides every longer entry that starts with the same letters, and even the exact word.
# With "hope*" as positive and "hopeless" or "hopeless*" as negative, "hopeless" counts as positive and never as negative; with "use*"
# and "use", "use" gets the categories of "use*" alone. Expected: the more specific entry, or the categories of both.
# It misleads because each entry works in a dictionary without the other: adding one line changes counts of other words.
# Run: sh findings/liwc-wildcard-hides-longer-words.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q liwc==0.5.0
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import liwc

HEADER = "%\n1\tpositive\n2\tnegative\n3\tverb\n%\n"


def categories(entries: str, word: str) -> list[str]:
    """What a dictionary of these entries says of a word."""
    Path("small.dic").write_text(HEADER + entries, encoding="utf-8")
    return list(liwc.load_token_parser("small.dic")[0](word))


alone = categories("hopeless*\t2\nhopeless\t2\nuse\t3\n", "hopeless")
both = {w: categories("hope*\t1\nhopeless*\t2\nhopeless\t2\nuse*\t1\nuse\t3\n", w) for w in ("hopeful", "hopeless", "hopelessness", "use")}
swapped = categories("hopeless*\t2\nhopeless\t2\nhope*\t1\n", "hopeless")
print("liwc", version("liwc"))
print('"hopeless", dictionary without "hope*":', alone)
for word, found in both.items():
    print(f'"{word}", dictionary with the wildcards: {found}')
assert version("liwc") == "0.5.0"
assert alone == ["negative"], alone
assert both == {w: ["positive"] for w in both}, f"{both}: the behaviour has changed"
assert swapped == ["positive"], "the order of the lines matters now"
print("seen: the longer entries cannot be reached, in whatever order the lines stand")
PYTHON
