"""Tables of one layout in one file, below one another: each is read under its own header and its own year.

A year that stands above a header, as where each year has a table, is that of the rows below it.
"""

from collections.abc import Sequence

from streams.contract.sectors import Registry
from streams.producers.banners import names_year, unlike_figures
from streams.producers.cells import OrderError
from streams.producers.figures import Line
from streams.producers.headers import Header, header_below
from streams.producers.layout import Layout
from streams.producers.line_reader import NOTE, LineReader
from streams.table_files.faults import InputError


class TableReader:
    """Read the lines below the first header of a file. `banner` is the text above it.

    Raises InputError where a table of another kind begins: its rows would be taken for those of this one.
    """

    def __init__(
        self, path: str, header: Header, layout: Layout, *,
        known: Sequence[Layout], registry: Registry, banner: str,
    ) -> None:  # fmt: skip
        self.layout = layout
        self.path, self._known, self._registry = path, known, registry
        self._names = {spelling.casefold() for name in header.names for spelling in _spelt(name)}
        for one in known:
            self._names.update(s for each in one.columns.values() for name in each for s in _spelt(name))
        self._delimiter, self._banner = header.delimiter, banner
        self._title: list[str] = []  # what stands below the last figures, and may be the title of a table
        self._above: list[Sequence[str]] = [header.names]
        self._reader = self._reading(header, banner, title=banner)

    def _reading(self, header: Header, banner: str, *, title: str) -> LineReader:
        if found := next((one for one in self.layout.never_below if one in title.casefold()), None):
            raise InputError(
                f"{self.path}:{header.line}: {found!r} stands above, so this is not {self.layout.title}: "
                "leave it out, or give a layout (--layout)"
            )
        if found := unlike_figures(title, is_cumulative=self.layout.cumulative):
            raise InputError(
                f"{self.path}:{header.line}: {found!r} stands above the table, and its figures have to be "
                "people of one period each: give a layout (--layout, cumulative = true), or another file"
            )
        return LineReader(header, self.layout, self._registry, banner)

    def read(self, number: int, cells: Sequence[str]) -> Line:
        """Return what a line states."""
        if not self._names.isdisjoint(map(str.casefold, cells)) and (below := self._header(number, cells)):
            self._begin(below)
            return Line(skipped=["the header again"])
        try:
            line = self._reader.read(number, cells)
        except OrderError as error:
            raise InputError(f"{self.path}:{number}: {error}") from error
        self._above = [*self._above[-1:], cells]
        if line.figures:
            self._title.clear()
        elif not NOTE.match(cells[0]):
            self._title += cells
        return line

    def _header(self, number: int, cells: Sequence[str]) -> Header | None:
        """The header that a line is, if it is one."""
        below = header_below(self._known, number, self._delimiter, names=cells, above=self._above)
        if below and (below.layout is not self.layout or not below.fits):
            raise InputError(
                f"{self.path}:{number}: another table begins here: {below.explain()}. "
                "Put each table into a file of its own"
            )
        return below

    def _begin(self, header: Header) -> None:
        """Read on under a header. Where no year stands above it, that of the table before goes on."""
        title = " ".join(self._title)
        self._banner = title if names_year(title) else self._banner
        self._title.clear()
        self._reader = self._reading(header, self._banner, title=title)


def _spelt(name: str) -> tuple[str, str]:
    plain = name.strip().lstrip("#").casefold()
    return plain, plain.replace(" ", "_")
