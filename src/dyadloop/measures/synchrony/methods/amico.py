"""The method `amico`: adaptive matching of interpolated correlations (AMICo)."""

from dyadloop.measures.synchrony.amico import amico
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="amico",
    title="adaptive matching of interpolated correlations (AMICo)",
    function=amico,
    family="state",
    answers="Which responses of two skin conductances belong together, how alike, and who is first?",
    span=("lag", "piece"),
    null="far above 0 for unrelated persons, since the best matches are chosen: surrogates by shift",
    error="of the mean over parts of the time",
    limits="made for skin conductance; a match is no proof of a response",
    reference="Kleinbub, Talia & Palmieri 2020, doi:10.1037/cou0000383; algorithm v2RC0.4 of DyadSync",
)
