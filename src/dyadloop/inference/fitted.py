"""The problem that a result answers: built once, and kept as long as the result is in use."""

import hashlib
import weakref
from collections.abc import Callable

import numpy as np
import xarray as xr

from dyadloop.inference.problem import Problem


class Fitted:
    """Problems by the results that they belong to.

    A result is a plain DataTree, so that ArviZ and xarray take it as it is; its problem is therefore kept beside it.
    Results with the same theory, priors and data share one problem, and with it all compiled programs. A problem goes
    with the last of its results.
    """

    def __init__(self) -> None:
        self._by_content: weakref.WeakValueDictionary[str, Problem] = weakref.WeakValueDictionary()
        self._by_result: dict[int, Problem] = {}

    def __len__(self) -> int:
        """Number of results whose problem is kept."""
        return len(self._by_result)

    def of(self, post: xr.DataTree, build: Callable[[xr.DataTree], Problem]) -> Problem:
        """Return the problem of a result, built at the first time that its theory, priors and data are met."""
        # the content decides, not the object: a DataTree can be changed in place
        found = self._by_content.get(_content(post))
        found = build(post) if found is None else found
        self.keep(post, found)
        return found

    def keep(self, post: xr.DataTree, problem: Problem) -> None:
        """Keep a problem as long as the result that answers it."""
        self._by_content[_content(post)] = problem
        number = id(post)
        if number not in self._by_result:
            weakref.finalize(post, self._by_result.pop, number).atexit = False
        self._by_result[number] = problem


def _content(post: xr.DataTree) -> str:
    """Return the SHA-256 of all that a problem is built from."""
    data = post["observed_data"].dataset
    digest = hashlib.sha256("\x00".join(post.attrs[name] for name in ("theory", "priors")).encode())
    for name, values in sorted(data.variables.items(), key=lambda entry: str(entry[0])):
        attributes = sorted((key, str(value)) for key, value in values.attrs.items())
        digest.update(repr((name, values.dims, values.shape, attributes)).encode())
        array = values.values
        numeric = array.dtype.kind in "biuf"
        digest.update(np.ascontiguousarray(array).tobytes() if numeric else repr(array.tolist()).encode())
    digest.update(repr(sorted((name, str(value)) for name, value in data.attrs.items())).encode())
    return digest.hexdigest()
