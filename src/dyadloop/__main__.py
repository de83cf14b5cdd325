"""Run the command line with ``python -m dyadloop``."""

from dyadloop.cli import main

main()
