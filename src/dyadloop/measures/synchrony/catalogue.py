"""The methods that came first, with what each declares; later ones declare themselves in their own files."""

import xarray as xr

from dyadloop.measures.synchrony.boker import SOURCE as BOKER
from dyadloop.measures.synchrony.boker import wcc
from dyadloop.measures.synchrony.group import kuramoto, mvsusy, rho
from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.phase import hilbert, phase_locking
from dyadloop.measures.synchrony.prediction import granger, lag_regression
from dyadloop.measures.synchrony.recurrence import joint_recurrence, recurrence
from dyadloop.measures.synchrony.segments import segments, susy
from dyadloop.measures.synchrony.spectral import coherence, wavelet_coherence
from dyadloop.measures.synchrony.windowed import rmea, windowed
from dyadloop.signals.series import Pair

_RMEA = "Kleinbub & Ramseyer 2020, doi:10.1080/10503307.2020.1844334"
_SUSY = "Tschacher & Meier 2020, doi:10.1080/10503307.2019.1612114"
_SHIFT = "above 0 for unrelated persons: surrogates by shift"


def _dtw(pair: Pair, reach: float = 5.0, piece: float = 60.0) -> xr.Dataset:
    from dyadloop.measures.synchrony.warping import dtw

    found = dtw(pair, reach, piece)
    found.attrs["reach"] = found.attrs.pop("band")
    return found


def _wavelet(
    pair: Pair,
    band: tuple[float, float] | None = None,
    per_octave: int = 12,
    shortest_period: float | None = None,
    lag: float = 4.0,
) -> xr.Dataset:
    return wavelet_coherence(pair, band, per_octave, shortest_period, lag)


CORRELATIONS = (
    Method(
        "windowed",
        "windowed lagged cross-correlation, corrected (the default)",
        windowed,
        "How strongly do two persons move together, at any lag within a few seconds?",
        ("window", "lag"),
        _SHIFT,
        "linear; both persons moved by the situation count too",
        _RMEA,
    ),
    Method(
        "rmea",
        "windowed lagged cross-correlation as rMEA has it",
        rmea,
        "The same, comparable with published rMEA scores.",
        ("window", "lag"),
        "above 0 for unrelated persons: re-paired dyads (group_test)",
        "windows with gaps weigh less",
        _RMEA,
    ),
    Method(
        "segments",
        "surrogate synchrony of segments, calibrated",
        segments,
        "Is a dyad more in step in the same segment than in others?",
        ("segment",),
        "segments exchangeable; a permutation test is inside",
        "needs at least 4 segments",
        _SUSY,
    ),
    Method(
        "susy",
        "surrogate synchrony as SUSY has it",
        susy,
        "The same, comparable with published SUSY scores.",
        ("segment",),
        "segments exchangeable; SUSY's effect size is not calibrated",
        "beyond 0.8 in half of unrelated series",
        _SUSY,
    ),
    Method(
        "wcc",
        "Boker's windowed cross-correlation with peaks",
        wcc,
        "At which lag does each window peak nearest to 0?",
        ("window", "lag"),
        "above 0 by the search for a peak: surrogates by shift",
        "a window without an inner peak has no lag",
        BOKER,
    ),
)

STATES = (
    Method(
        "recurrence",
        "cross-recurrence, at a fixed recurrence rate",
        recurrence,
        "How long do two persons stay in the same sequence of states, and who is first?",
        ("lag", "embedding"),
        "above 0 by chance and by slowness: surrogates by shift",
        "depends on embedding and radius",
        "Marwan et al. 2007, doi:10.1016/j.physrep.2006.11.001",
    ),
    Method(
        "dtw",
        "dynamic time warping",
        _dtw,
        "How alike are two courses if each may hurry or wait a little?",
        ("piece", "reach"),
        "no absolute meaning: surrogates by shift",
        "minus a distance, so never above 0",
        "Sakoe & Chiba 1978, doi:10.1109/TASSP.1978.1163055",
    ),
    Method(
        "mdrqa",
        "multidimensional recurrence of a group",
        joint_recurrence,
        "How often and how long does a whole group return to a state it has been in?",
        ("embedding",),
        "above 0 by each person's own slowness: shift persons against each other",
        "no leader",
        "Wallot, Roepstorff & Mønster 2016, doi:10.3389/fpsyg.2016.01835",
        group=True,
    ),
)

RHYTHMS = (
    Method(
        "phase",
        "phase-locking value",
        phase_locking,
        "Do two rhythms keep a constant difference of phase?",
        ("band",),
        "above 0 in short recordings: surrogates by shift",
        "means little without a narrow band",
        "Lachaux et al. 1999, doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C",
    ),
    Method(
        "hilbert",
        "Hilbert phase synchrony",
        hilbert,
        "How near are two rhythms to being in phase, moment by moment?",
        ("band",),
        "0.36 for unrelated phases: surrogates by shift",
        "antiphase counts as none",
        "Makowski et al. 2021, doi:10.3758/s13428-020-01516-y",
    ),
    Method(
        "coherence",
        "Welch coherence",
        coherence,
        "In which rhythms are two persons linearly related, over the whole recording?",
        ("segment",),
        "the inverse of the effective number of segments, returned as expected",
        "a relation that comes and goes is averaged away",
        "Welch 1967, doi:10.1109/TAU.1967.1161901",
    ),
    Method(
        "wavelet",
        "wavelet coherence",
        _wavelet,
        "In which rhythms, and when?",
        ("band",),
        "0.3 to 0.5 for unrelated series: surrogates, or the method wavelet_test",
        "no gaps; the ends of the recording know only fast rhythms",
        "Grinsted, Moore & Jevrejeva 2004, doi:10.5194/npg-11-561-2004",
    ),
)

DIRECTIONS = (
    Method(
        "granger",
        "Granger causality in both directions",
        granger,
        "Does one person's past add to the other's own past?",
        ("lag",),
        "F test inside, for Gaussian residuals without autocorrelation",
        "a common cause that reaches one person first looks the same",
        "Granger 1969, doi:10.2307/1912791",
    ),
    Method(
        "regression",
        "windowed cross-lagged regression",
        lag_regression,
        "The same in short windows, at one lag at a time.",
        ("window", "lag"),
        "above 0 by the search over lags: surrogates by shift",
        "the largest of many lags is chosen",
        "Altmann 2011, as described by Schoenherr et al. 2019, doi:10.1371/journal.pone.0211494",
    ),
)

GROUPS = (
    Method(
        "mvsusy",
        "multivariate surrogate synchrony (lambda_max, omega)",
        mvsusy,
        "How much of a group's variance is shared within segments?",
        ("segment",),
        "segments exchangeable; a permutation test is inside",
        "no lags, no leader",
        "Meier & Tschacher 2021, doi:10.3390/e23111385",
        group=True,
    ),
    Method(
        "rho",
        "cluster phase of a group",
        rho,
        "How closely do persons keep their phase to that of the group?",
        ("band",),
        "above 0, more so for few persons: shift persons against each other",
        "needs rhythms",
        "Richardson et al. 2012, doi:10.3389/fphys.2012.00405",
        group=True,
    ),
    Method(
        "kuramoto",
        "Kuramoto order parameter of a group",
        kuramoto,
        "How near are the phases of a group to each other?",
        ("band",),
        "mean square 1 / n for independent phases; a test is inside",
        "persons with a constant difference of phase count as not together",
        "Frank & Richardson 2010, doi:10.1016/j.physd.2010.07.015",
        group=True,
    ),
)

FIRST_METHODS = (*CORRELATIONS, *STATES, *RHYTHMS, *DIRECTIONS, *GROUPS)
"""Methods of the files that declare none themselves."""
