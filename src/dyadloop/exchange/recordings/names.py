"""Names of files that every system allows."""


def file_stem(name: str) -> str:
    """Return a name of letters, digits, dashes and underscores."""
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
    return plain.strip("_") or "recording"
