"""The method `wcc_summary`: wcc's aggregates and the derivatives of the lag."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.wcc_summary import wcc_summary

METHOD = Method(
    name="wcc_summary",
    title="wcc's aggregates and the derivatives of the lag",
    function=wcc_summary,
    family="correlation",
    answers="How high are the peaks, where, and how fast does the lag change?",
    span=("window", "lag"),
    null="above 0 by the search for a peak: surrogates by shift",
    error="of the mean over windows that overlap",
    limits="derivatives need rows of windows that all have a peak",
    reference="Boker et al. 2002, doi:10.1037/1082-989X.7.3.338; wcc 0.4.1",
)
