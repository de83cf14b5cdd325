"""The command line: thin doors, no science."""

from dyadloop.cli.program import app, main

__all__ = ["app", "main"]
