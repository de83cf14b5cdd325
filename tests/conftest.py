"""Shared fixtures: 64-bit arithmetic, the shipped study, one simulated study."""

import gc
import importlib.util
import os
import time
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# two workers share the cores; the threads of BLAS would wait for each other on the smallest matrices
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# the same programs are compiled by many tests, by both workers and by the commands that tests start
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
# tests compile much and run little; with these flags compiling takes about half the time. A jaxlib that does not know
# one of them ends the process, and the versions on which they were tried are these
if version("jaxlib").startswith(("0.9.", "0.10.")):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1")

import jax  # noqa: E402 - it reads the lines above
from jaxtyping import install_import_hook  # noqa: E402

import tests.checked  # noqa: E402, F401 - named below

jax.config.update("jax_enable_x64", True)
# types and shapes of arguments and results are checked where this is asked for, see the Makefile: it takes a sixth of
# the time of all tests. Kernels are left to numba
CHECKED = ("appraisal", "dynamics", "estimands", "inference", "likelihood", "model", "observation", "simulation")
if os.environ.get("CHECK_SHAPES"):
    install_import_hook([f"dyadloop.{room}" for room in CHECKED], "tests.checked.checked")


MUCH = 3_000_000_000  # bytes of memory of a worker from which compiled programs are dropped after a file of tests
MORE = 500_000_000  # bytes that must have come since, for not all memory is given back


_left = [0]  # memory of this worker after programs were dropped the last time [bytes]


def _resident() -> int:
    """Return the memory that this process holds [bytes]; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


@pytest.fixture(autouse=True, scope="module")
def programs_do_not_pile_up():
    """Every file of tests has programs of its own; those of earlier files are read from disk where they come again."""
    yield
    if _resident() > max(MUCH, _left[0] + MORE):
        jax.clear_caches()
        gc.collect()
        _left[0] = _resident()


@pytest.fixture(scope="session")
def school_folder() -> Path:
    return ROOT / "examples" / "school"


@pytest.fixture(scope="session")
def haifa_folder(tmp_path_factory) -> Path:
    from dyadloop.simulation import simulate_study

    return simulate_study(tmp_path_factory.mktemp("simulated") / "haifa", seed=3)


@pytest.fixture(scope="session")
def small_fit(tmp_path_factory):
    """A simulated study of oxytocin, trust and depression, and its fit in a result folder; made once for all workers."""
    from dyadloop.inference import load_result

    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small"
    try:
        root.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 900
        while not (root / "done").exists():
            assert time.monotonic() < deadline, "the other worker has not finished the shared fit"
            time.sleep(0.5)
    else:
        _fit_small(root)
        (root / "done").touch()
    return root / "example-study", load_result(root / "example")


@pytest.fixture(scope="session")
def small_claims(small_fit):
    """The claims table of the small fit; not to be changed."""
    from dyadloop.claims import judge_claims

    return judge_claims(small_fit[1])


def _fit_small(root):
    """Make the study and the fit from which the examples of the documents begin."""
    spec = importlib.util.spec_from_file_location("example_result", ROOT / "docs" / "example_result.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make(root)
