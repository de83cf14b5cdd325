"""The best schedule for each of several budgets, as JSON: ``python -m dyadloop.app.frontier DESIGN CLAIM BUDGETS``."""

import json
import sys

from dyadloop.app.requests import plain
from dyadloop.errors import DyadloopError


def main(design: str, claim: str, budgets: str) -> int:
    """Print the frontier of a design; errors go to stderr, as those of a command do."""
    from dyadloop.design import frontier

    try:
        table = frontier(design, claim, [float(part) for part in budgets.split(",")])
    except DyadloopError as error:
        print(f"dyadloop: {error}", file=sys.stderr)
        return 3
    print(json.dumps(plain(table.to_dict("records"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
