"""The method `wcc`: Boker's windowed cross-correlation with peaks."""

from dyadloop.measures.synchrony.boker import wcc
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="wcc",
    title="Boker's windowed cross-correlation with peaks",
    function=wcc,
    family="correlation",
    answers="At which lag does each window peak nearest to 0?",
    span=("window", "lag"),
    null="above 0 by the search for a peak: surrogates by shift",
    error="of the mean over windows that overlap",
    limits="a window without an inner peak has no lag",
    reference="Boker et al. 2002, doi:10.1037/1082-989X.7.3.338",
)
