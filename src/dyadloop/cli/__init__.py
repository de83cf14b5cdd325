"""The command line: thin doors, no science."""

from dyadloop.cli.app import app, main

__all__ = ["app", "main"]
