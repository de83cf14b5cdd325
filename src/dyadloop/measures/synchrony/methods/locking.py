"""The method `locking`: phase locking: PLV, ciPLV, PLI, wPLI."""

from dyadloop.measures.synchrony.locking import locking
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="locking",
    title="phase locking: PLV, ciPLV, PLI, wPLI",
    function=locking,
    family="rhythm",
    answers="Are two rhythms locked with a delay, beyond what reaches both at once?",
    span=("band",),
    null="above 0 in short recordings: surrogates by shift",
    error="jackknife over blocks of the time",
    limits="true unison counts as 0 in ciPLV, PLI and wPLI; no lead beyond half a period",
    reference="Lachaux et al. 1999 (PLV); "
    "Bruña et al. 2018, doi:10.1088/1741-2552/aacfe4 (ciPLV); "
    "Stam et al. 2007, doi:10.1002/hbm.20346 (PLI); "
    "Vinck et al. 2011, doi:10.1016/j.neuroimage.2011.01.055 (wPLI)",
)
