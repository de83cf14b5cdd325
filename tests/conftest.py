"""Shared fixtures: 64-bit arithmetic, the shipped study, one simulated study."""

from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def school_folder() -> Path:
    return ROOT / "examples" / "school"


@pytest.fixture(scope="session")
def haifa_folder(tmp_path_factory) -> Path:
    from dyadloop.simulation import simulate_study

    return simulate_study(tmp_path_factory.mktemp("simulated") / "haifa", seed=3)
