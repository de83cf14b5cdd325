"""The method `mvsusy`: multivariate surrogate synchrony (lambda_max, omega)."""

from dyadloop.measures.synchrony.group import mvsusy
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="mvsusy",
    title="multivariate surrogate synchrony (lambda_max, omega)",
    function=mvsusy,
    family="group",
    answers="How much of a group's variance is shared within segments?",
    span=("segment",),
    null="segments exchangeable; a permutation test is inside",
    error="of the mean over segments",
    limits="no lags, no leader",
    reference="Meier & Tschacher 2021, doi:10.3390/e23111385",
)
