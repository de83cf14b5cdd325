"""The study folder: schema, strict reader, writer, summary, and the shipped examples."""

from dyadloop.data.dial import convert_dial
from dyadloop.data.diaries import convert_diaries
from dyadloop.data.mindfulness import convert_mindfulness
from dyadloop.data.reader import digest, read_study
from dyadloop.data.schema import Covariate, Indicator, Study, StudyInfo, StudyPrior, Times
from dyadloop.data.school import convert_school
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
    "convert_dial",
    "convert_diaries",
    "convert_mindfulness",
    "convert_school",
    "digest",
    "read_records",
    "read_sheet",
    "read_study",
    "summarise",
    "unmeasured",
    "write_study",
]
