"""The method `cross_wavelet`: common power of two wavelet transforms against red noise."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.red_noise import cross_wavelet

METHOD = Method(
    name="cross_wavelet",
    title="common power of two wavelet transforms against red noise",
    function=cross_wavelet,
    family="rhythm",
    answers="Where do both persons have much power in the same rhythm at the same time?",
    span=("band",),
    null="a share of cells equal to level for independent red noises, in closed form",
    error="jackknife over blocks of the time",
    limits="common power without a relation counts too; no gaps",
    reference="Torrence & Compo 1998, doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2; Grinsted et al. 2004",
)
