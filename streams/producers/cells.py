"""Cells of official tables: numbers, months and dates as agencies write them."""

import datetime as dt
import re
from collections.abc import Iterable

MOST = 1_000_000  # people of one event, as the contract has it
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FULL = (
    "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE",
    "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER",
)  # fmt: skip
_WHOLE = re.compile(r"-?(?:\d+|\d{1,3}(?:[,\u00a0\u202f ]\d{3})+)")
_YEAR = re.compile(r"((?:19|20)\d{2})(?: \(FYTD\))?", re.IGNORECASE)
_MONTH_OF_YEAR = re.compile(r"([A-Za-z]{3,9})\.?[ _-]?((?:19|20)\d{2})|((?:19|20)\d{2})-(\d{2})")


class CellError(ValueError):
    """A cell cannot be read; the message names column, value and what is allowed."""

    def __init__(self, column: str, value: str, allowed: str) -> None:
        super().__init__(f'{column} "{value[:64]}" {allowed}')


def whole(column: str, text: str) -> int:
    """The number of people in a cell, with or without thousands separators; raises CellError.

    >>> whole("n", "1,204")
    1204
    """
    if not _WHOLE.fullmatch(text):
        raise CellError(column, text, f"is no whole number from 0 to {MOST:,}")
    number = int(re.sub(r"[^\d-]", "", text))
    if not 0 <= number <= MOST:
        raise CellError(column, text, f"is not from 0 to {MOST:,}")
    return number


def year(column: str, text: str) -> int:
    """The year in a cell, which may read "2025 (FYTD)"; raises CellError."""
    matched = _YEAR.fullmatch(text)
    if matched is None:
        raise CellError(column, text, "is no year such as 2025 or 2025 (FYTD)")
    return int(matched[1])


def month(column: str, text: str, *, short: bool) -> int:
    """The month in a cell, 1 to 12; `short`: only JAN, FEB, ... Raises CellError."""
    found = month_named(text)
    if short and text.upper() not in MONTHS:
        found = None
    elif not short and text.isdecimal() and 1 <= int(text) <= 12:
        found = int(text)
    if found is None:
        raise CellError(column, text, f"is none of {', '.join(MONTHS)}")
    return found


def month_named(text: str) -> int | None:
    """Return the month of an English name, whole or cut after three letters or more (Sept)."""
    wanted = text.strip().rstrip(".").upper()
    if len(wanted) < 3:
        return None
    return next((number for number, name in enumerate(_FULL, 1) if name.startswith(wanted)), None)


def month_of_year(text: str) -> tuple[int, int] | None:
    """Year and month of a column such as JAN2009, Jan 2009 or 2009-01; None for any other."""
    matched = _MONTH_OF_YEAR.fullmatch(text.strip())
    if matched is None:
        return None
    number = int(matched[4]) if matched[3] else month_named(matched[1])
    if number is None or not 1 <= number <= 12:
        return None
    return int(matched[3] or matched[2]), number


def moment(column: str, text: str, formats: Iterable[str]) -> dt.datetime:
    """The local time in a cell: by the first of strptime's formats that fits, or ISO 8601; raises CellError.

    A month alone (2017-03) is its first day.
    """
    for pattern in formats:
        try:
            return dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - local; the caller knows the zone
        except ValueError:
            continue
    try:
        return dt.datetime.fromisoformat(f"{text}-01" if len(text) == 7 else text).replace(tzinfo=None)
    except ValueError:
        named = ", ".join(formats)
        raise CellError(
            column, text, f"is no date such as 2022-11-03{f' (or {named})' if named else ''}"
        ) from None
