"""Cells of official tables: numbers, months and dates as agencies write them."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

MOST = 1_000_000  # people of one event, as the contract has it
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# English, French and Spanish, without accents.
_NAMES = (
    ("january", "janvier", "enero"), ("february", "fevrier", "febrero"), ("march", "mars", "marzo"),
    ("april", "avril", "abril"), ("may", "mai", "mayo"), ("june", "juin", "junio"),
    ("july", "juillet", "julio"), ("august", "aout", "agosto"), ("september", "septembre", "septiembre"),
    ("october", "octobre", "octubre"), ("november", "novembre", "noviembre"),
    ("december", "decembre", "diciembre"),
)  # fmt: skip
# Marks of footnotes (*, [1], superscripts; (2) behind something), and flags: revised, provisional, estimated.
_MARKS = re.compile(
    r"(?:\s*(?:[*\u2020\u2021\u00a7\u00b6\u00b9\u00b2\u00b3\u2070-\u2079]+|\[(?:[Nn]ote )?\w{1,3}\]"
    r"|(?<=.)\((?:\d{1,2}|[A-Za-z])\)))+$"
)
_ABBREVIATION = re.compile(r"(?<=\w) \([A-Z]{2,5}s?\)$")
_SLASH = re.compile(r"\s*/\s*")
_FLAG = re.compile(r"(?<=\d)\s?[rpe]$")
# A point is no thousands separator here: 1.204 may be a fraction, and a fraction is no number of people.
_WHOLE = re.compile(r"(-?(?:\d+|\d{1,3}(?:[,'\u2019\u00a0\u2007\u2009\u202f ]\d{3})+))(?:\.0{1,2})?")
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_FISCAL_YEAR = re.compile(
    r"(?:FY ?)?(?P<year>(?:19|20)\d{2})(?: ?[-\u2013/] ?(?P<next>\d{2}|20\d{2}))?(?: ?\(?FYTD\)?)?"
    r"|FY ?(?P<short>\d{2})", re.IGNORECASE
)  # fmt: skip
_MONTH_OF_YEAR = re.compile(
    # Oct 2022, OCT2022, Oct-22
    r"(?P<name>[^\W\d_]{3,10})\.?[ _/-]?(?P<year>(?:19|20)\d{2}|(?<=[ _/-])\d{2})"
    # 2022-10, 2022M10, 202210; 2022-10-01, as a workbook has it
    r"|(?P<first>(?:19|20)\d{2})(?:(?:[-/.]|-?M)(?P<number>\d{1,2})(?:-01)?|(?P<two>\d{2}))"
    r"|(?P<last_number>\d{1,2})[-/.](?P<last>(?:19|20)\d{2})"  # 10/2022
)
_QUARTERS = (
    ("1", "first", "premier", "primer"), ("2", "second", "deuxi\u00e8me", "segundo"),
    ("3", "third", "troisi\u00e8me", "tercer"), ("4", "fourth", "quatri\u00e8me", "cuarto"),
)  # fmt: skip
_ORDINALS = "|".join(name for names in _QUARTERS for name in names[1:])
_QUARTER = re.compile(
    rf"(?:(?P<before>(?:19|20)\d{{2}})[ -]?)?"
    r"(?:(?:[QT]|(?:quarter|trimestre) )(?P<number>[1-4])"
    rf"|(?:(?P<ordinal>[1-4])(?:st|nd|rd|th|er|e|\.|\u00ba)?|(?P<word>{_ORDINALS})) (?:quarter|trimestre))"
    r"(?:[ -]?(?P<year>(?:19|20)\d{2}))?",
    re.IGNORECASE,
)
_WEEK = re.compile(r"((?:19|20)\d{2})-?W(\d{2})", re.IGNORECASE)
_NAMED = re.compile(r"[^\W\d_]{3,10}\.?")
_SWAPPED = str.maketrans("dm", "md")
_NAMED_DAYS = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d.%m.%Y", "%Y/%m/%d")


class CellError(ValueError):
    """A cell cannot be read; the message names column, value and what is allowed."""

    def __init__(self, column: str, value: str, allowed: str) -> None:
        super().__init__(f'{column} "{value[:64]}" {allowed}')


class OrderError(CellError):
    """Day and month stand in the other order than the layout has them, so other cells may be misread."""


def whole(column: str, text: str, *, thousands: str = "") -> int:
    """The number of people in a cell, with or without separators and marks of footnotes; raises CellError.

    >>> whole("n", "1,204"), whole("n", "1 204 [2]"), whole("n", "7p")
    (1204, 1204, 7)
    """
    number = _FLAG.sub("", unmarked(text))
    if thousands == "." and _POINTS.fullmatch(number):
        number = number.replace(".", "")
    matched = _WHOLE.fullmatch(number)
    if matched is None:
        raise CellError(column, text, f"is no whole number from 0 to {MOST:,}")
    people = int(re.sub(r"[^\d-]", "", matched[1]))
    if not 0 <= people <= MOST:
        raise CellError(column, text, f"is not from 0 to {MOST:,}")
    return people


@lru_cache(maxsize=4096)  # labels come again and again
def unmarked(text: str) -> str:
    """A text without marks of footnotes at its end.

    >>> unmarked("Ontario (1)"), unmarked("Single Adults*"), unmarked("Family Unit (FMUA)")
    ('Ontario', 'Single Adults', 'Family Unit (FMUA)')
    """
    return _MARKS.sub("", text)


def label(text: str) -> str:
    """A label without what releases write in many ways: case, plural, spaces around a slash, abbreviation.

    >>> label("Unaccompanied Children (UC)"), label("UC/Single Minors") == label("UC / Single Minors")
    ('unaccompanied children', True)
    """
    return _SLASH.sub("/", _ABBREVIATION.sub("", text)).casefold().removesuffix("s")


def year(column: str, text: str, *, is_fiscal: bool = False) -> int:
    """The year in a cell; raises CellError."""
    found = year_written(text, is_fiscal=is_fiscal)
    if found is None:
        raise CellError(column, text, f"is no year such as 2025{' or 2025 (FYTD)' if is_fiscal else ''}")
    return found


def year_written(text: str, *, is_fiscal: bool) -> int | None:
    """The year of a text; a fiscal one may read 2025 (FYTD), FY2025, FY25 or 2024-25. None for any other.

    >>> year_written("FY25", is_fiscal=True), year_written("FY25", is_fiscal=False)
    (2025, None)
    """
    matched = (_FISCAL_YEAR if is_fiscal else _YEAR).fullmatch(text.strip())
    if matched is None:
        return None
    found = int(matched["year"] or f"20{matched['short']}") if is_fiscal else int(text)
    if not is_fiscal or matched["next"] is None:
        return found
    return found + 1 if is_next_year(found, int(matched["next"])) else None


def is_next_year(year: int, other: int) -> bool:
    """Return whether a number of two or four digits is the year after a year; in 2018-05 it is a month."""
    return (year + 1) % 100 == other % 100


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


@lru_cache(maxsize=4096)
def month_named(text: str) -> int | None:
    """Return the month of an English, French or Spanish name, whole or cut after three letters or more.

    >>> month_named("Sept."), month_named("f\u00e9vr."), month_named("ago"), month_named("jui")
    (9, 2, 8, None)
    """
    accented = unicodedata.normalize("NFKD", text.strip().rstrip(".").casefold())
    wanted = "".join(letter for letter in accented if not unicodedata.combining(letter))
    if len(wanted) < 3:
        return None
    found = {number for number, names in enumerate(_NAMES, 1) if any(n.startswith(wanted) for n in names)}
    return found.pop() if len(found) == 1 else None


def month_of_year(text: str) -> tuple[int, int] | None:
    """Year and month of a text such as JAN2009, Jan-09, 2009-01, 2009M01 or 01/2009; None for any other.

    >>> month_of_year("Oct-22"), month_of_year("2022M10"), month_of_year("2022Q4")
    ((2022, 10), (2022, 10), None)
    """
    matched = _MONTH_OF_YEAR.fullmatch(text.strip())
    if matched is None:
        return None
    digits = matched["number"] or matched["two"] or matched["last_number"]
    number = int(digits) if digits else month_named(matched["name"])
    if number is None or not 1 <= number <= 12:
        return None
    year = matched["year"] or matched["first"] or matched["last"]
    return int(year if len(year) == 4 else f"20{year}"), number


def quarter_of_year(text: str) -> tuple[int | None, int] | None:
    """Year and quarter of a text such as Q1, 2024 Q1 or 1er trimestre 2024; None for any other.

    >>> quarter_of_year("Q1 2024"), quarter_of_year("First quarter"), quarter_of_year("Q5")
    ((2024, 1), (None, 1), None)
    """
    matched = _QUARTER.fullmatch(text.strip())
    if matched is None:
        return None
    named = matched["number"] or matched["ordinal"] or matched["word"].casefold()
    quarter = next(at for at, names in enumerate(_QUARTERS, 1) if named in names)
    year = matched["before"] or matched["year"]
    return int(year) if year else None, quarter


def moment(column: str, text: str, formats: Iterable[str]) -> dt.datetime:
    """The time in a cell, by the first of strptime's formats that fits, or ISO 8601; raises CellError.

    It is local, unless it has an offset. Days that name their month are read in any layout. A week or a month
    is no day.
    """
    for written, pattern in (*((text, each) for each in formats), *((_named(text), n) for n in _NAMED_DAYS)):
        try:
            return dt.datetime.strptime(written, pattern)  # noqa: DTZ007 - local; the caller knows the zone
        except ValueError:
            continue
    try:
        if monday_of(text):
            raise ValueError(text)
        return dt.datetime.fromisoformat(text)
    except ValueError:
        named = ", ".join(formats)
        if any(_fits(text, each.translate(_SWAPPED)) for each in formats if "%d" in each and "%m" in each):
            raise OrderError(
                column, text, f"has day and month in another order than {named}: give a layout (--layout)"
            ) from None
        raise CellError(
            column, text, f"is no date such as 2022-11-03{f' (or {named})' if named else ''}"
        ) from None


def _fits(text: str, pattern: str) -> bool:
    try:
        dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def monday_of(text: str) -> dt.datetime | None:
    """Return the local time at which a week of ISO 8601 begins (2024-W24); None for any other text."""
    if matched := _WEEK.fullmatch(text):
        return dt.datetime.fromisocalendar(int(matched[1]), int(matched[2]), 1)
    return None


def _named(text: str) -> str:
    """The text with its month as English has it, in three letters."""
    return _NAMED.sub(
        lambda name: MONTHS[number - 1] if (number := month_named(name[0])) else name[0], text, count=1
    )


def first_day(column: str, text: str, formats: Iterable[str]) -> dt.datetime:
    """The local time at which the month in a cell begins: written as a month, or as one of its days.

    Raises CellError.
    """
    if found := month_of_year(text):
        return dt.datetime(*found, 1)  # noqa: DTZ001 - local; the caller knows the zone
    try:
        return moment(column, text, formats).replace(day=1)
    except ValueError:
        raise CellError(column, text, "is no month such as 2022-11 or Nov 2022") from None
