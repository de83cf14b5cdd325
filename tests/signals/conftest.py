"""Films and recordings that tests of measures use, too."""

from tests.measures.conftest import film, shared, therapy  # noqa: F401 - fixtures
