"""Clock times of a study folder: ISO 8601 or days, never both."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from dyadloop.errors import Fault

_EXPECTED = "ISO 8601 such as 2024-03-01T14:00:00, or days such as 7.5"


@dataclass
class Clock:
    """Turns the times of one study into days and notes what does not fit together."""

    faults: list[Fault]
    kind: str | None = None

    def days(self, file: str, row: int, column: str, text: str) -> float | None:
        """Return a time in days [d] since 1970 or since the study's own zero, or None after noting the fault."""
        try:
            value, kind = _parse(text)
        except ValueError as error:
            why = str(error) if "out of range" in str(error) or "must be" in str(error) else "not a time"
            self.faults.append(Fault(file, row, column, f"{text!r} ({why})", _EXPECTED, "correct the time"))
            return None
        if self.kind not in (None, kind):
            remedy = "use one clock in the whole study"
            self.faults.append(Fault(file, row, column, f"{text!r} ({kind})", f"{self.kind} as before", remedy))
            return None
        self.kind = kind
        return value


def _parse(text: str) -> tuple[float, str]:
    if len(text) == 8 and text.isdigit():
        raise ValueError("must be 2024-03-01, not 20240301, which could be a number of days")
    try:
        value = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        kind = "a local date and time" if moment.tzinfo is None else "a date and time with a zone"
        instant = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return instant.timestamp() / 86400, kind
    if not math.isfinite(value) or "_" in text:
        raise ValueError("not a time") from None
    return value, "days"
