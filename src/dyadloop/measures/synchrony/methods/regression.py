"""The method `regression`: windowed cross-lagged regression."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.prediction import lag_regression

METHOD = Method(
    name="regression",
    title="windowed cross-lagged regression",
    function=lag_regression,
    family="direction",
    answers="The same in short windows, at one lag at a time.",
    span=("window", "lag"),
    null="above 0 by the search over lags: surrogates by shift",
    error="of the mean over windows that overlap",
    limits="the largest of many lags is chosen",
    reference="Altmann 2011, as described by Schoenherr et al. 2019, doi:10.1371/journal.pone.0211494",
)
