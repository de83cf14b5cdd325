"""Data that lie beside the repository: real recordings that may not ship, and numbers of the field's own programs."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT

SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared():
    if not SHARED.is_dir():
        pytest.skip("the data beside the repository are not here")
    return SHARED


@pytest.fixture(scope="session")
def peers():
    return json.loads((ROOT / "tests" / "reference" / "synchrony_peers.json").read_text())


@pytest.fixture(scope="session")
def programs():
    """What rMEA, wcc and crqa gave on series that are generated, or read beside the repository."""
    return json.loads((ROOT / "tests" / "reference" / "synchrony_programs.json").read_text())


@pytest.fixture(scope="session")
def therapy(shared):
    """Motion energy of 20 intake interviews by name: (patient, therapist), 25 Hz."""
    files = sorted((shared / "data" / "therapy_mea_rmea").glob("*.csv"))
    return {file.stem[:-3]: tuple(pd.read_csv(file).to_numpy(float).T) for file in files}


@pytest.fixture(scope="session")
def boker_input(shared):
    return pd.read_csv(shared / "reference" / "synchrony" / "W1_manpage_seed1_input.csv").to_numpy(float)


@pytest.fixture(scope="session")
def group_input(shared):
    return pd.read_csv(shared / "reference" / "synchrony" / "M1_manpage_sample10_seed1_input.csv").to_numpy(float)


def follower(n=3000, delay=20, noise=0.3, seed=0):
    """Two smooth series of which the second follows the first by ``delay`` samples: the first leads."""
    rng = np.random.default_rng(seed)
    source = np.convolve(rng.normal(size=n + delay + 40), np.ones(15) / 15, "same")[20:-20]
    return source[delay : n + delay] + noise / 4 * rng.normal(size=n), source[:n] + noise / 4 * rng.normal(size=n)


def autoregressive(n, phi, seed):
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    return lfilter([1.0], [1.0, -phi], rng.normal(size=n + 200))[200:]


def delayed(n, seconds, seed, noise=0.3, fs=25, band=(0.2, 1.5)):
    """Two noisy series of movement in a band, the first ahead of the second by some seconds, behind it if negative."""
    from scipy import signal

    rng = np.random.default_rng(seed)
    shift = round(abs(seconds) * fs)
    sections = signal.butter(2, band, "bandpass", fs=fs, output="sos")
    source = signal.sosfilt(sections, rng.normal(size=n + 500 + shift))[500:]
    pair = (source[shift:], source[:n]) if seconds >= 0 else (source[:n], source[shift:])
    one, two = (part + noise * source.std() * rng.normal(size=n) for part in pair)
    return one, two


CUT, FLASH, TWICE, SHAKE = 85, 40, 15, range(60, 66)


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A film of two discs; the second follows the first by 10 frames, with a cut, a flash, a doublet and a shaken camera."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (160, 120))
    back = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 16, 3)).astype(np.uint8), (160, 120))
    frame = back
    for k in range(100):
        before, frame = frame, back.copy()
        cv2.circle(frame, (int(35 + 15 * np.sin(k / 5)), 60), 14, (255, 255, 255), -1)
        cv2.circle(frame, (int(120 + 15 * np.sin((k - 10) / 5)), 60), 14, (0, 0, 0), -1)
        if k == TWICE:
            frame = before
        if k == FLASH:
            frame = cv2.add(frame, np.full_like(frame, 30))
        if k in SHAKE and k % 2:
            frame = np.roll(frame, 5, axis=1)
        if k >= CUT:
            frame = 255 - frame
        writer.write(frame)
    writer.release()
    return path
