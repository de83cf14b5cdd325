"""Results on disk: a DataTree in the ArviZ schema with a manifest of SHA-256 sums that is checked on reading."""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr

from dyadloop.errors import ResultError
from dyadloop.files import replacing, sha256_of, write_text
from dyadloop.inference.fitted import Fitted
from dyadloop.inference.problem import Problem, build_problem, priors_from_json
from dyadloop.inference.randomised import PREFIX
from dyadloop.theory import Theory

POSTERIOR_FILE = "posterior.nc"
MANIFEST_FILE = "manifest.json"
RIVALS_FILE = "rivals.nc"
"""How well the rivals predict that were compared before a claim was called supported."""
RUN_FILE = "run.json"
"""What a finished run was of, and what it said in the end."""
RESULT_SCHEMA = 7
"""Version of the groups and attributes of a result; a reader refuses any other."""
_FITTED = Fitted()
PACKAGES = ("dyadloop", "jax", "jaxlib", "numpyro", "numpy", "scipy", "xarray")


def versions() -> dict[str, str]:
    """Return the versions that decide the numbers."""
    return {name: version(name) for name in PACKAGES}


def save_result(post: xr.DataTree, folder: str | Path) -> Path:
    """Write a posterior into a result folder and renew its manifest.

    Examples
    --------
    >>> from pathlib import Path
    >>> dl.save_result(dl.load_result("results/example"), "results/copy")
    PosixPath('results/copy/posterior.nc')
    >>> sorted(path.name for path in Path("results/copy").iterdir())
    ['manifest.json', 'posterior.nc']
    """
    path = Path(folder) / POSTERIOR_FILE
    with replacing(path) as draft:
        post.to_netcdf(draft, engine="h5netcdf")
    write_manifest(folder)
    return path


def write_manifest(folder: str | Path) -> None:
    """Write the SHA-256 of every file of a result folder, the running chains excepted."""
    root = Path(folder)
    names = sorted(p.name for p in root.iterdir() if p.is_file() and p.name != MANIFEST_FILE)
    sums = {name: sha256_of(root / name) for name in names}
    write_text(root / MANIFEST_FILE, json.dumps(sums, indent=2) + "\n")


def finished(folder: str | Path, wanted: Mapping[str, object], files: Iterable[str]) -> dict | None:
    """Return what a finished run left in its ``run.json``; None where it is of something else, altered or not finished.

    Parameters
    ----------
    folder
        Result folder.
    wanted
        What the run must have been of, as JSON can hold it.
    files
        Files that must be there as the run wrote them.
    """
    root = Path(folder)
    names = [RUN_FILE, POSTERIOR_FILE, *files]
    if not all((root / name).is_file() for name in (MANIFEST_FILE, *names)):
        return None
    sums = json.loads((root / MANIFEST_FILE).read_text(encoding="utf-8"))
    if any(sha256_of(root / name) != sums.get(name) for name in names):
        return None
    left = json.loads((root / RUN_FILE).read_text(encoding="utf-8"))
    return left if left["of"] == wanted else None


def save_rivals(comparison: xr.Dataset, folder: str | Path) -> None:
    """Write what a verdict takes of a comparison into a result folder."""
    comparison[["elpd"]].to_netcdf(Path(folder) / RIVALS_FILE, engine="h5netcdf")


def load_rivals(folder: str | Path) -> xr.Dataset | None:
    """Return what :func:`save_rivals` wrote; None where nothing was compared."""
    path = Path(folder) / RIVALS_FILE
    if not path.is_file():
        return None
    with xr.open_dataset(path, engine="h5netcdf") as found:
        return found.load()


def load_result(folder: str | Path) -> xr.DataTree:
    """Read a posterior and check it against its manifest.

    Raises
    ------
    ResultError
        If a file is missing, differs from its SHA-256 sum or was written by another version.

    Examples
    --------
    >>> post = dl.load_result("results/example")
    >>> post["posterior"].sizes["chain"], post["posterior"].sizes["draw"]
    (2, 700)
    """
    root = Path(folder)
    path, manifest = root / POSTERIOR_FILE, root / MANIFEST_FILE
    for needed in (path, manifest):
        if not needed.is_file():
            raise ResultError(f"{needed}: no such file; expected a folder written by `dyadloop run`")
    expected = json.loads(manifest.read_text(encoding="utf-8")).get(POSTERIOR_FILE)
    found = sha256_of(path)
    if found != expected:
        raise ResultError(f"{path}: SHA-256 {found[:12]}... differs from the manifest; the file was altered, fit again")
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        post = tree.load()
    if post.attrs.get("result_schema") != RESULT_SCHEMA:
        written = post.attrs.get("result_schema", "unknown")
        raise ResultError(f"{path}: result schema {written}, this version reads {RESULT_SCHEMA}; fit again")
    return post


def problem_of(post: xr.DataTree) -> Problem:
    """Return the fitting problem that a posterior answers, the same one as long as the posterior is in use."""
    return _FITTED.of(post, _rebuilt)


def remember(post: xr.DataTree, problem: Problem) -> None:
    """Keep the problem that a posterior was sampled from, so that :func:`problem_of` need not build it again."""
    _FITTED.keep(post, problem)


def _rebuilt(post: xr.DataTree) -> Problem:
    """Build the fitting problem of a posterior from what is stored with it."""
    scores = post["observed_data"].to_dataset()
    # NetCDF has no empty dimension of strings and no booleans
    scores = scores.assign(in_session=scores["in_session"] > 0)
    if "event" not in scores.coords:
        amount = np.zeros((*scores["days"].shape, 0))
        scores = scores.assign(amount=(("dyad", "time", "event"), amount))
        none = np.array([], dtype=str)
        scores = scores.assign_coords(event=none, event_randomised=("event", np.array([], dtype=np.int8)))
    if "covariate" not in scores.coords:
        values, none = np.zeros((*scores["days"].shape, 0)), np.array([], dtype=str)
        scores = scores.assign(covariate_value=(("dyad", "time", "covariate"), values))
        never = ("covariate", np.array([], dtype=np.int8))
        scores = scores.assign_coords(covariate=none, acts_on=("covariate", none), covariate_randomised=never)
        scores = scores.assign_coords(covariate_of=("covariate", none), covariate_declared=("covariate", none))
    theory, priors = Theory.model_validate_json(post.attrs["theory"]), priors_from_json(post.attrs["priors"])
    split = any(str(name).startswith(PREFIX) for name in priors.index)
    return build_problem(scores, theory, priors, split=split)


def file_name(text: str) -> str:
    """Return a name that any file system takes; dyads and indicators may be called anything."""
    return "".join(letter if letter.isalnum() else "_" for letter in text)
