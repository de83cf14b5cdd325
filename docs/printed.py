"""Renew what the pages say that the program prints: outputs of Python examples and of marked commands."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLE = re.compile(r"(```python\n(.*?)```\n+```text\n)(.*?)(```)", re.DOTALL)
MARKED = re.compile(r"(<!-- printed by `dyadloop (.*?)` -->\n```text\n)(.*?)(```)", re.DOTALL)


def output(call: list[str]) -> str:
    """Return what a program prints, 150 columns wide."""
    environment = {**os.environ, "COLUMNS": "150", "TERM": "dumb"}
    text = subprocess.run(call, capture_output=True, text=True, check=True, cwd=ROOT, env=environment).stdout
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def renewed(text: str) -> str:
    """Return a page with the first Python example and all marked commands run again."""
    text = EXAMPLE.sub(lambda m: m[1] + output([sys.executable, "-c", m[2]]) + m[4], text, count=1)
    return MARKED.sub(lambda m: m[1] + output([sys.executable, "-m", "dyadloop", *shlex.split(m[2])]) + m[4], text)


if __name__ == "__main__":
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        before = page.read_text(encoding="utf-8")
        if (after := renewed(before)) != before:
            page.write_text(after, encoding="utf-8")
            print(f"renewed {page.relative_to(ROOT)}")
