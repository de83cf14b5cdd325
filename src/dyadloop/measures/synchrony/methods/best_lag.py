"""The method `best_lag`: windowed cross-correlation along the best path of lags."""

from dyadloop.measures.synchrony.best_lag import best_lag
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="best_lag",
    title="windowed cross-correlation along the best path of lags",
    function=best_lag,
    family="correlation",
    answers="How strongly do two persons move together if their delay may drift slowly?",
    span=("window", "lag"),
    null="above 0 by the choice of the lag: surrogates by shift",
    error="of the mean over windows that overlap",
    limits="a path that starts on the wrong peak may stay there",
    reference="Kleinbub, Talia & Palmieri 2020, doi:10.1037/cou0000383; DyadSync 1.3.2",
)
