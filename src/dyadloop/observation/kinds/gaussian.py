"""The kind `gaussian`: the score is the value, with a normal error."""

from typing import ClassVar

from dyadloop.observation.kinds.kind import Kind


class Gaussian(Kind):
    """Plain scores; the filter takes them as they are."""

    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "the value itself, with a normal error; all values that are of no other kind"
    latent: ClassVar[bool] = False

    def sentence(self, count: int) -> str:
        """Return what the report says of plain values."""
        return (
            "Errors are Gaussian and independent between occasions; rating scales without a declared step are treated "
            "as continuous."
        )
