#!/bin/sh
# Empath 0.89: analyze() cuts the text at white space only and compares letter for letter, so that a word before a comma or a full stop, or
# with a capital, belongs to no category. "I am sad, and angry." has no sadness and no rage; "I am sad and angry" has both.
# Expected of a lexicon of categories: the same counts, and a share of the words. It misleads because running text still gives
# counts, too low by what stands at a comma or at the start of a sentence: speakers differ by their transcriber's punctuation.
# Run: sh findings/empath-misses-words-at-commas.sh   (needs Python 3.11+ and a package index; a minute or two)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q empath==0.89
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from empath import Empath

lexicon = Empath()
LINES = ["I am sad and angry", "I am sad, and angry.", "Sad and Angry, I am"]
CATEGORIES = ["sadness", "rage", "negative_emotion"]
found = [lexicon.analyze(line, categories=CATEGORIES) for line in LINES]
print("empath", version("empath"))
for line, counts in zip(LINES, found, strict=True):
    print(f"{line!r}: {counts}")
assert version("empath") == "0.89"
assert found[0] == {"sadness": 1.0, "rage": 1.0, "negative_emotion": 2.0}, found[0]
assert not any(found[1].values()), f"{found[1]}: punctuation no longer matters"
assert not any(found[2].values()), f"{found[2]}: capitals no longer matter"
print("seen: punctuation and capitals take words out of the count")
PYTHON
