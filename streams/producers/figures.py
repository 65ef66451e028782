"""Figures of a table: how many people of one kind were met at one place in one period."""

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple


class Key(NamedTuple):
    """What a figure counts: people of one kind, at one place, in one period (its start, with a zone)."""

    start: dt.datetime
    sector: str
    crossing: str
    crossing_type: str
    demographic: str
    citizenship: str


@dataclass
class Figure:
    """People, the row that states them, and the date of its report, if any."""

    number: int
    count: int
    report: str = ""


Figures = dict[Key, Figure]
Parts = tuple[tuple[int, str], ...]  # columns and texts
TOTALS = "a row of totals"


@dataclass
class Line:
    """What one line states. The figures are good if there are no `faults`."""

    figures: list[tuple[Key, Figure]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    parts: Parts = ()  # what tells it from other lines of the same figures
    faults: list[str] = field(default_factory=list)
    unlabelled: list[tuple[str, str]] = field(default_factory=list)  # columns and labels that are unknown
    is_unknown_place: bool = False
