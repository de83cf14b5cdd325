"""How often the rules for what was not recorded are right: the table of docs/measures.md, printed with `-s`."""

import pytest

from tests.signals.gap_rates import table

pytestmark = pytest.mark.slow


def test_rates_of_the_rules_for_gaps():
    for name, kind, hits, false in table():
        print(f"| {name} | {kind} | {'' if hits != hits else f'{hits:.3f}'} | {false:.4f} |")
        assert false < 0.03
        assert kind in ("clean", "8 s") or hits > 0.8
