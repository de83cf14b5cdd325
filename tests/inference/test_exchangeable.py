"""Partners who cannot be told apart: one set of parameters, and labels that do not matter."""

import json

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy.linalg import expm, solve_continuous_lyapunov

from dyadloop.appraisal.actor_partner import effects_of_persons
from dyadloop.appraisal.occasions import occasions
from dyadloop.data import read_study
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import read_theory

NAMES = ("one", "two")


def _folder(path, swapped=(), exchangeable=True, **second):
    """Six couples who rate every two minutes; in some the two labels are swapped."""
    rng, rows = np.random.default_rng(4), []
    path.mkdir()
    dials = {
        name: {"quantity": quantity, "person": "partner", "unit": "points"}
        for name, quantity in zip(NAMES, ("hers", "his"), strict=True)
    }
    dials["two"] |= second
    info = {
        "schema_version": 1,
        "name": "couples",
        "title": "made up",
        "licence": "CC0-1.0",
        "simulated": True,
        "theory": "couple",
        "indicators": dials,
    }
    if exchangeable:
        info["exchangeable"] = [list(NAMES)]
    (path / "study.yaml").write_text(yaml.safe_dump(info))
    people = [f"P{d}{k}\tC{d}\tpartner" for d in range(6) for k in range(2)]
    for d in range(6):
        names = NAMES[::-1] if d in swapped else NAMES
        for k in range(2):
            for t in range(8):
                rows.append(f"C{d}\tP{d}{k}\t\t{t * 2 / 1440:.9f}\tbetween\t{names[k]}\t{rng.normal(k, 1 + k):.4f}\t")
    (path / "participants.tsv").write_text("\n".join(["participant_id\tdyad\trole", *people]) + "\n")
    (path / "sessions.tsv").write_text("dyad\tsession\tstart\tlength_min\n")
    (path / "measurements.tsv").write_text(
        "\n".join(["dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit", *rows]) + "\n"
    )
    return read_study(path)


def _problem(study):
    return build_problem(scale_scores(study), read_theory("couple"), None, study.info.priors)


@pytest.fixture(scope="module")
def problems(tmp_path_factory):
    root = tmp_path_factory.mktemp("couples")
    return {
        name: _problem(_folder(root / name, swapped)) for name, swapped in {"plain": (), "swapped": (1, 2, 5)}.items()
    }


def test_labels_do_not_change_the_likelihood(problems):
    rng = np.random.default_rng(1)
    plain, swapped = problems["plain"], problems["swapped"]
    assert list(plain.priors.index) == list(swapped.priors.index)
    values = {}
    for name, row in plain.priors.iterrows():
        step = rng.normal() / 3
        values[name] = row["location"] * np.exp(step) if row["family"] == "lognormal" else row["location"] + step
    assert np.abs(values["rho_noise_his_hers"]) > 0.01
    np.testing.assert_allclose(plain.log_likelihood(values), swapped.log_likelihood(values), atol=1e-9)


def test_partners_share_all_their_parameters(problems, tmp_path):
    distinct = set(_problem(_folder(tmp_path / "distinct", exchangeable=False)).priors.index)
    shared = set(problems["plain"].priors.index)
    assert shared < distinct
    assert {"tau_his", "sd_his", "between_his", "mean_two", "error_two"} <= distinct - shared
    arrows = {name for name in distinct if name.startswith("d_")}
    assert len(arrows & shared) == len(arrows) / 2
    process = problems["plain"].plan.process_model(dict(problems["plain"].priors["location"]))
    swap = np.array([1, 0])
    for matrix in (process.always, process.noise, process.between @ process.between.T):
        np.testing.assert_allclose(np.asarray(matrix)[np.ix_(swap, swap)], matrix, atol=1e-12)


def test_one_row_per_effect_of_actor_and_partner(problems):
    """The effects are those of the transition over the interval, and no row repeats another with the labels swapped."""
    problem = problems["plain"]
    values = dict(problem.priors["location"]) | {"d_hers_his": 0.6}
    draws = {name: (("chain", "draw"), np.full((1, 3), float(value))) for name, value in values.items()}
    info = {"indicators": {name: {"transform": "none", "unit": "points"} for name in NAMES}}
    post = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    post.attrs["study_info"] = json.dumps(info)
    seen = occasions(problem, None)
    table = effects_of_persons(problem, post, seen, 3).set_index("kind")
    assert sorted(table.index) == ["actor", "partner"]
    process = problem.plan.process_model(values)
    drift, noise = np.asarray(process.always) - np.diag(np.asarray(process.decay)), np.asarray(process.noise)
    step = expm(drift * seen.gap)
    sd = np.sqrt(solve_continuous_lyapunov(drift, -noise)[0, 0])
    assert table.loc["actor", "effect"] == pytest.approx(step[0, 0] * sd, abs=1e-6)
    assert table.loc["partner", "effect"] == pytest.approx(step[0, 1] * sd, abs=1e-6)
    scale = float(problem.scores["scale"][0])
    assert table.loc["partner", "points"] == pytest.approx(step[0, 1] * sd * scale, abs=1e-6)


def test_partners_are_declared_alike(tmp_path):
    with pytest.raises(ValueError, match="differ in unit"):
        _folder(tmp_path / "odd", unit="cm")
