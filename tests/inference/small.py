"""A study small enough to be fitted many times: simulated, with few variables."""

from dyadloop.simulation import simulate_study
from dyadloop.theory import keep
from tests.linear import rival

PAIR = ["oxytocin", "trust"]


def theory(variables):
    return keep(rival("reciprocal"), variables)


def make(path, variables, seed=1, values=None):
    return simulate_study(path, theory=theory(variables), seed=seed, values=values)


def shorten(folder, n_dyads):
    """Keep the first dyads of a study folder."""
    participants = (folder / "participants.tsv").read_text().splitlines()
    place = participants[0].split("\t").index("dyad")
    kept = sorted({line.split("\t")[place] for line in participants[1:]})[:n_dyads]
    for name in ("participants.tsv", "sessions.tsv", "measurements.tsv"):
        lines = (folder / name).read_text().splitlines()
        place = lines[0].split("\t").index("dyad")
        rows = [line for line in lines[1:] if line.split("\t")[place] in kept]
        (folder / name).write_text("\n".join([lines[0], *rows]) + "\n")
    return folder
