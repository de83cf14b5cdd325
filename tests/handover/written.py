"""Read a script for ctsem as ctsem does, and the density of its data, from the script and its table alone."""

import re
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular


def read_script(path):
    """Return the numbers of the parameters and the matrices of a script, their cells as text."""
    text = path.read_text()
    block = re.search(r"^start <- c\(\n(.*?)\)\n", text, re.DOTALL | re.MULTILINE)[1]
    start = {name: float(number) for name, number in re.findall(r"(\w+) = ([^,\s]+)", block)}
    found = {}
    for name, rows in re.findall(
        r"^  (\w+) = rbind\(\n(.*?)\)\)?(?:,\n|\)\n|\n)(?=  \w+ = |\n)", text, re.DOTALL | re.MULTILINE
    ):
        found[name] = [re.findall(r'"([^"]*)"', row) for row in rows.split("\n")]
    lists = {key: re.search(rf"{key} = c\((.*?)\)", text)[1] for key in ("manifestNames", "TDpredNames")}
    return start, found, {key: re.findall(r'"([^"]*)"', row) for key, row in lists.items()}


@lru_cache
def _modes(drift, size):
    values, vectors = np.linalg.eig(np.frombuffer(drift).reshape(size, size).astype(complex))
    return values, vectors, np.linalg.inv(vectors)


def _transition(drift, noise, push, duration):
    """F, Q and shift of one interval, from the eigenvalues of the drift."""
    values, vectors, back = _modes(drift.tobytes(), len(drift))

    def integral(rate):
        return np.where(np.abs(rate) < 1e-12, duration, np.expm1(rate * duration) / np.where(rate == 0, 1, rate))

    f = (vectors * np.exp(values * duration)) @ back
    inside = (back @ noise @ back.T) * integral(values[:, None] + values[None, :])
    shift = (vectors * integral(values)) @ back @ push
    return f.real, (vectors @ inside @ vectors.T).real, shift.real


def _read(cells, start):
    """Return the numbers of each matrix, or, where a cell reads a column of the data, a function of the row."""

    def value(cell, known):
        return float(eval(cell, {"__builtins__": {}}, known))

    def matrix(rows, known):
        return np.array([[value(cell, known) for cell in row] for row in rows])

    found = {}
    for name, rows in cells.items():
        try:
            found[name] = matrix(rows, start)
        except NameError:
            found[name] = lambda row, rows=rows: matrix(rows, start | {str(k): v for k, v in row.items()})
    return found


def log_density(script, table):
    """Return the log density of all rows: the joint normal of each dyad, with an impulse before its row is read."""
    start, cells, lists = read_script(script)
    total, matrices, known = 0.0, _read({name: rows for name, rows in cells.items() if name != "PARS"}, start), {}
    for _, rows in pd.read_csv(table).groupby("dyad", sort=False):
        total += _of_dyad(rows.reset_index(drop=True), matrices, lists, known)
    return total


def _of_dyad(rows, matrices, lists, known):
    n, means, blocks = (
        len(matrices["LAMBDA"](rows.iloc[0]).T if callable(matrices["LAMBDA"]) else matrices["LAMBDA"].T),
        [],
        {},
    )
    readings = []
    for t, row in rows.iterrows():
        m = {name: matrix(row) if callable(matrix) else matrix for name, matrix in matrices.items()}
        if t == 0:
            mean, cov = m["T0MEANS"][:, 0], m["T0VAR"] @ m["T0VAR"].T
        else:
            step = row["time"] - rows["time"][t - 1]
            key = (round(step, 9), m["DRIFT"].tobytes(), m["CINT"].tobytes())
            if key not in known:
                known[key] = _transition(m["DRIFT"], m["DIFFUSION"] @ m["DIFFUSION"].T, m["CINT"][:, 0], step)
            f, q, shift = known[key]
            for s in range(t):
                blocks[t, s] = f @ blocks[t - 1, s]
            mean, cov = f @ mean + shift, f @ cov @ f.T + q
        blocks[t, t] = cov
        mean = mean + m["TDPREDEFFECT"] @ row[lists["TDpredNames"]].to_numpy(dtype=float)
        means.append(mean)
        readings.append(
            (row[lists["manifestNames"]].to_numpy(dtype=float), m["LAMBDA"], m["MANIFESTMEANS"][:, 0], m["MANIFESTVAR"])
        )
    size = len(means)
    full = np.zeros((size * n, size * n))
    for (t, s), block in blocks.items():
        full[t * n : (t + 1) * n, s * n : (s + 1) * n] = block
        full[s * n : (s + 1) * n, t * n : (t + 1) * n] = block.T
    design = np.zeros((sum(len(y) for y, *_ in readings), size * n))
    errors, k = np.zeros((len(design), len(design))), 0
    for t, (y, loading, _, factor) in enumerate(readings):
        design[k : k + len(y), t * n : (t + 1) * n] = loading
        errors[k : k + len(y), k : k + len(y)] = factor @ factor.T
        k += len(y)
    y = np.concatenate([y for y, *_ in readings])
    centre = design @ np.concatenate(means) + np.concatenate([mean for _, _, mean, _ in readings])
    spread, seen = design @ full @ design.T + errors, np.isfinite(y)
    # without eigenvalues of large matrices, which are slow where threads compete
    factor = np.linalg.cholesky(spread[np.ix_(seen, seen)])
    scaled = solve_triangular(factor, (y - centre)[seen], lower=True)
    return -0.5 * (scaled @ scaled + len(scaled) * np.log(2 * np.pi)) - np.log(np.diag(factor)).sum()
