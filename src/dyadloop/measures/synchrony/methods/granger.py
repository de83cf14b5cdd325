"""The method `granger`: Granger causality in both directions."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.prediction import granger

METHOD = Method(
    name="granger",
    title="Granger causality in both directions",
    function=granger,
    family="direction",
    answers="Does one person's past add to the other's own past?",
    span=("lag",),
    null="F test inside, for Gaussian residuals without autocorrelation",
    error="by the delta method, the two directions taken as independent",
    limits="a common cause that reaches one person first looks the same",
    reference="Granger 1969, doi:10.2307/1912791",
)
