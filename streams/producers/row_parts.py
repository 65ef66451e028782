"""What distinguishes a row from others of its figure, such as two titles of authority: these are added up."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from streams.producers import cells
from streams.producers.figures import Parts
from streams.producers.headers import Header
from streams.producers.layout import Layout

_TIMES: Final = ("date", "year", "month")  # Jan and January are one month
# Columns about the figures and not about people: rows that differ in them alone contradict each other.
_ABOUT_FIGURES: Final = re.compile(
    r"(?:foot)?notes?|remarks?|comments?|(?:data )?(?:status|quality|source|version)|flags?|revis\w+"
    r"|.*(?:updated?|published|released|report(?:ed)?)(?: (?:on|date))?|remarques?|statut|observaciones|nota",
    re.IGNORECASE,
)


class RowParts:
    """The texts of a row, and what the layout names as parts. Other numbers are figures as well."""

    def __init__(self, header: Header, layout: Layout, figures: Collection[int]) -> None:
        self._layout = layout
        named = {header.at.get(role) for role in layout.parts}
        left_out = {*figures, *(header.at.get(role) for role in _TIMES)}
        self._columns = [
            (at, at in named)
            for at, name in enumerate(header.names)
            if at in named or not (at in left_out or _ABOUT_FIGURES.fullmatch(name.strip()))
        ]
        self._texts: dict[str, str] = {}

    def of(self, row: Sequence[str]) -> Parts:
        """Return the parts of a row, by column."""
        return tuple(
            (index, cell if is_part else text)
            for index, is_part in self._columns
            if (text := self._text(cell := row[index])) or is_part
        )

    def _text(self, cell: str) -> str:
        """Return a cell that has letters, without marks and case; empty for any other."""
        if cell not in self._texts:
            is_text = any(map(str.isalpha, cell)) and not self._layout.is_suppressed(cell)
            self._texts[cell] = cells.unmarked(cell).casefold() if is_text else ""
        return self._texts[cell]
