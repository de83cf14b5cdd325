"""The method `circular`: circular correlation of phases."""

from dyadloop.measures.synchrony.circular import circular
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="circular",
    title="circular correlation of phases",
    function=circular,
    family="rhythm",
    answers="Do two phases deviate from their centres together?",
    span=("band",),
    null="about 0 for unrelated phases in long recordings; surrogates by shift",
    error="jackknife over blocks of the time",
    limits="no lead; the mean-centred kind is noise for evenly spread phases",
    reference="Jammalamadaka & SenGupta 2001, doi:10.1142/4031; Zimmermann et al. 2024, doi:10.1162/imag_a_00350",
)
