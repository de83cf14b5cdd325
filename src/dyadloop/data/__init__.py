"""The study folder: schema, strict reader, writer, summary, and the shipped examples."""

from dyadloop.data.reader import digest, read_study
from dyadloop.data.schema import Covariate, Indicator, Study, StudyInfo, StudyPrior, Times
from dyadloop.data.sheet import Sheet, read_records, read_sheet
from dyadloop.data.summary import IndicatorSummary, StudySummary, summarise, unmeasured
from dyadloop.data.writer import write_study

__all__ = [
    "Covariate",
    "Indicator",
    "IndicatorSummary",
    "Sheet",
    "Study",
    "StudyInfo",
    "StudyPrior",
    "StudySummary",
    "Times",
    "digest",
    "read_records",
    "read_sheet",
    "read_study",
    "summarise",
    "unmeasured",
    "write_study",
]
