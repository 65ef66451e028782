"""When a silence is in force: once, or again and again by a rule of RFC 5545.

The rules are those that always come again, so that each is read in bounded time.
"""

import datetime as dt
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from streams.contract.sentences import invalid

LONGEST: Final = dt.timedelta(days=800)  # from the first to the last time
WARNING: Final = 3600.0  # seconds before its end from which a silence is about to end
_DAY: Final = "(MO|TU|WE|TH|FR|SA|SU)"
_EVERY: Final = "(;INTERVAL=([1-9]|1[0-2]))?"
_OF_MONTH: Final = f"(;BYDAY=[+-]?[1-4]{_DAY}|;BYMONTHDAY=(-1|1[0-9]|2[0-8]|[1-9]))?"
RULE: Final = (
    f"^(FREQ=DAILY(;BYDAY={_DAY}(,{_DAY})*)?|FREQ=WEEKLY{_EVERY}(;BYDAY={_DAY}(,{_DAY})*)?"
    f"|FREQ=MONTHLY{_EVERY}{_OF_MONTH})$"
)


def known_rule(rule: str) -> str:
    """Return a rule that silences can have; raises FaultsError for any other."""
    if re.fullmatch(RULE, rule) is None:
        raise invalid(
            "it repeats by FREQ=DAILY, WEEKLY or MONTHLY, with INTERVAL, BYDAY and BYMONTHDAY (RFC 5545), "
            "e.g. FREQ=WEEKLY;BYDAY=SA,SU"
        )
    return rule


class Window(NamedTuple):
    """One time at which a silence is in force, in epoch seconds; from `warns` on it is about to end."""

    begin: float
    end: float
    warns: float


def once(starts: dt.datetime | None, until: dt.datetime, set_at: dt.datetime) -> list[Window]:
    """Return the window of a silence that comes once; without a start it is in force at once."""
    begin = starts.timestamp() if starts else -math.inf
    length = until - (starts or set_at)
    end = until.timestamp()
    return [_window(begin, end, length.total_seconds())] if begin < end else []


def repeated(
    rule: str, starts: dt.datetime, until: dt.datetime, *, hours: float, time_zone: str
) -> list[Window]:
    """Return the windows of a silence that comes again, by the wall clock of its time zone.

    Those that touch are one: between them nothing ends. Its length is that of each.
    """
    last = until.timestamp()
    length = dt.timedelta(hours=hours)
    windows: list[Window] = []
    for at in _begins(rule, starts.astimezone(ZoneInfo(time_zone))):
        begin, end = at.timestamp(), min((at + length).timestamp(), last)
        if begin >= last:
            break
        if windows and begin <= windows[-1].end:
            begin = windows.pop().begin
        windows.append(_window(begin, end, 3600 * hours))
    return windows


def _begins(rule: str, first: dt.datetime) -> Iterator[dt.datetime]:
    """Yield when it begins; a time that the clocks skip is as much later as they were put forward."""
    for moment in rrulestr(rule, dtstart=first):
        if moment - first > LONGEST:
            return
        yield moment.astimezone(dt.UTC).astimezone(first.tzinfo)


def _window(begin: float, end: float, length: float) -> Window:
    return Window(begin, end, end - min(WARNING, max(length, 0.0) / 4))


def in_force(windows: Sequence[Window], now: float) -> Window | None:
    """Return the window that `now` is in. Windows are in order, by their beginning and their end."""
    at = bisect_right(windows, now, key=lambda window: window.begin)
    return windows[at - 1] if at and now < windows[at - 1].end else None


def last_end(windows: Sequence[Window], now: float) -> float:
    """Return when the last window before `now` ended; 0 where none did."""
    at = bisect_right(windows, now, key=lambda window: window.begin)
    return next((window.end for window in reversed(windows[:at]) if window.end <= now), 0.0)
