"""A moment as it may lie on a topic: one that every calendar has, in any time zone, and years around it."""

import datetime as dt
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

# Events begin in 1900. Beyond these years a moment is a mistake; near the year 1 or 9999 it cannot even be
# written in another time zone.
YEARS: Final = range(1800, 2301)


def _in_calendars(moment: dt.datetime) -> dt.datetime:
    if moment.year not in YEARS:
        raise ValueError(f"the year must be from {YEARS[0]} to {YEARS[-1]}")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_calendars)]
