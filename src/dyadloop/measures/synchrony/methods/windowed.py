"""The method `windowed`: windowed lagged cross-correlation, corrected (the default)."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.windowed import windowed

METHOD = Method(
    name="windowed",
    title="windowed lagged cross-correlation, corrected (the default)",
    function=windowed,
    family="correlation",
    answers="How strongly do two persons move together, at any lag within a few seconds?",
    span=("window", "lag"),
    null="above 0 for unrelated persons: surrogates by shift",
    error="of the mean over windows that overlap",
    limits="linear; both persons moved by the situation count too",
    reference="Kleinbub & Ramseyer 2020, doi:10.1080/10503307.2020.1844334",
)
