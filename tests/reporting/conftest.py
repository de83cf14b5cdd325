"""One report for all tests of what a report holds."""

import pytest

from dyadloop.reporting.report import report


@pytest.fixture(scope="session")
def small_page(small_fit, small_claims, tmp_path_factory):
    """The report of the small fit, as a file."""
    return report(small_fit[1], tmp_path_factory.mktemp("report") / "report.html", table=small_claims)
