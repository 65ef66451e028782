"""Official tables as events: CBP's monthly encounters, and single Border Patrol apprehensions.

Neither keeps more than the contract has a field for: ages, sexes and titles of authority are not read.
Ids come from a row's content without its count, so that a table that is read again adds nothing.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from streams.contract.dead_letters import Reason, Rejected
from streams.contract.sectors import Registry, UnknownSectorError
from streams.producers.rows import Read, Row, Skipped, row, row_id

Line = tuple[int, Mapping[str, str]]  # the number of a row, and its cells by lower-case column name

CBP_COLUMNS = (
    "fiscal year",
    "month (abbv)",
    "component",
    "area of responsibility",
    "demographic",
    "citizenship",
    "encounter count",
)
_CBP_ID = (*CBP_COLUMNS[:-1], "land border region", "title of authority", "encounter type")
APPREHENSION_COLUMNS = ("appr_datetime", "sector_code", "citizenship", "status_when_found")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FISCAL_YEAR_BEGINS = 10  # in October of the year before
_DEMOGRAPHICS = {
    "fmua": "family_unit",
    "individuals in a family unit": "family_unit",
    "single adults": "single_adult",
    "uc / single minors": "unaccompanied_minor",
    "accompanied minors": "accompanied_minor",
}
_COMPONENTS = {"office of field operations": "at_port", "u.s. border patrol": "between_ports"}
_UTC = ZoneInfo("UTC")


def cbp_tallies(lines: Iterable[Line], registry: Registry) -> Iterator[Read]:
    """CBP's "nationwide encounters by area of responsibility": a row is one month's count.

    Months are the fiscal year's: October 2021 is in fiscal year 2022. Sorted by month; a month begins on the
    sector's clock.
    """
    seen: Counter[str] = Counter()
    found: list[tuple[float, Row]] = []
    for number, cells in lines:
        count = _whole(cells["encounter count"])
        if count == 0:
            yield Skipped(number, "count of 0")
            continue
        month = _fiscal_month(cells["fiscal year"], cells["month (abbv)"])
        if month is None:
            yield Rejected(number, Reason.INVALID, "no month: fiscal year and month cannot be read")
            continue
        place = cells["area of responsibility"]
        start = dt.datetime(*month, 1, tzinfo=_zone(place, registry))
        identity = row_id("cbp", *(cells.get(column, "") for column in _CBP_ID))
        seen[identity] += 1
        record = row(
            number,
            {
                "event_id": identity if seen[identity] == 1 else f"{identity}-{seen[identity]}",
                "occurred_at": start.isoformat(),
                "sector": place,
                "crossing_type": _COMPONENTS.get(cells["component"].casefold(), cells["component"]),
                "demographic": _DEMOGRAPHICS.get(cells["demographic"].casefold(), "unknown"),
                "citizenship": cells["citizenship"] or None,
                "count": count,
                "period": "month",
            },
        )
        if isinstance(record, Rejected):
            yield record
        else:
            found.append((start.timestamp(), record))
    found.sort(key=lambda item: item[0])
    yield from (record for _, record in found)


def apprehensions(lines: Iterable[Line], registry: Registry) -> Iterator[Read]:
    """Single apprehensions, one person a row, local time to the minute; people of a group share the minute.

    Someone met in an institution (a jail, say) has crossed at another time: no encounter at the border.
    """
    rows = sorted(lines, key=lambda line: line[1]["appr_datetime"])
    together = Counter((cells["sector_code"], cells["appr_datetime"]) for _, cells in rows if _crossed(cells))
    seen: Counter[str] = Counter()
    for number, cells in rows:
        if not _crossed(cells):
            yield Skipped(number, "met in an institution")
            continue
        code, minute = cells["sector_code"], cells["appr_datetime"]
        try:
            moment = dt.datetime.fromisoformat(minute).replace(tzinfo=_zone(code, registry))
        except ValueError:
            yield Rejected(number, Reason.INVALID, "appr_datetime is no moment such as 2012-01-01T11:34:00")
            continue
        identity = row_id("usbp", code, minute, cells["citizenship"], cells["status_when_found"])
        seen[identity] += 1
        yield row(
            number,
            {
                "event_id": f"{identity}-{seen[identity]}",
                "occurred_at": moment.isoformat(),
                "sector": code,
                "crossing_type": "between_ports",
                "demographic": "unknown",
                "citizenship": cells["citizenship"] or None,
                "count": 1,
                "group_id": row_id("group", code, minute) if together[code, minute] > 1 else None,
            },
        )


def _crossed(cells: Mapping[str, str]) -> bool:
    return cells["status_when_found"].casefold() != "in institution"


def _whole(count: str) -> int | str:
    """The number that is written, or, for the decoder to refuse, what is written instead."""
    try:
        return int(count.replace(",", ""))
    except ValueError:
        return count


def _fiscal_month(fiscal_year: str, month: str) -> tuple[int, int] | None:
    """Calendar year and month; the year may read "2025 (FYTD)"."""
    year = re.match(r"[12]\d{3}\b", fiscal_year)
    if year is None or month.upper() not in _MONTHS:
        return None
    number = _MONTHS.index(month.upper()) + 1
    return int(year[0]) - (number >= _FISCAL_YEAR_BEGINS), number


def _zone(place: str, registry: Registry) -> ZoneInfo:
    """The clock of a place; UTC for an unknown one, which the decoder will refuse with a better reason."""
    try:
        return ZoneInfo(registry.find(place).time_zone)
    except UnknownSectorError:
        return _UTC
