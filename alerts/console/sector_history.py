"""The last periods of one sector, as the console draws them."""

from streams.contract.cadence import Cadence
from streams.contract.verdicts import DataStatus, Figures, Verdict

POINTS = 60  # periods of a chart
SHOWN = (Cadence.DAY, Cadence.MONTH, Cadence.WEEK, Cadence.HOUR)  # the first that a sector has is drawn

Columns = list[list[float | None]]


class DrawnLine:
    """The last POINTS periods at one cadence, by the start of the period."""

    def __init__(self, newest: Verdict) -> None:
        self.newest = newest
        self._points: dict[float, tuple[float, float, float | None, float | None]] = {}
        self._seed(newest)

    def observe(self, verdict: Verdict, figures: Figures) -> None:
        """Put the last period of a verdict in its place; verdicts may come in any order."""
        if (verdict.period, verdict.as_of) >= (self.newest.period, self.newest.as_of):
            self.newest = verdict
        self._points[verdict.period.timestamp()] = figures
        for old in sorted(self._points)[:-POINTS]:
            del self._points[old]

    def _seed(self, verdict: Verdict) -> None:
        """Take the periods before the first verdict from its evidence, which has no ranges of them."""
        past = zip(
            reversed(verdict.evidence.recent), reversed(verdict.evidence.recent_expected), strict=False
        )
        index = verdict.cadence.index(verdict.period.timestamp())
        shift = verdict.period.timestamp() - verdict.cadence.start(index)  # the sector's own clock
        for back, (observed, expected) in enumerate(past):
            self._points[verdict.cadence.start(index - back) + shift] = (observed, expected, None, None)

    def columns(self) -> Columns:
        """Return time, observed, expected, lower and upper, as a chart takes them."""
        rows = [(at, *self._points[at]) for at in sorted(self._points)]
        return [list(column) for column in zip(*rows, strict=True)]


class SectorHistory:
    """The lines of one sector, by cadence."""

    def __init__(self, first: Verdict) -> None:
        self.newest = first  # whether the sector has data
        self._lines: dict[Cadence, DrawnLine] = {}

    def observe(self, verdict: Verdict) -> None:
        """Take a verdict on the count of the whole sector. Without data nothing is drawn, and no zero."""
        self.mark_data(verdict)
        figures = verdict.last_period
        if figures is None:
            return
        if verdict.cadence not in self._lines:
            self._lines[verdict.cadence] = DrawnLine(verdict)
        self._lines[verdict.cadence].observe(verdict, figures)

    def mark_data(self, verdict: Verdict) -> None:
        """Take from a verdict whether the sector has data; of one moment, those with data are newer."""
        self.newest = max(
            self.newest, verdict, key=lambda one: (one.as_of, one.data is not DataStatus.WITHOUT_DATA)
        )

    @property
    def shown(self) -> DrawnLine | None:
        """The line that is drawn; None where nothing was counted yet."""
        return next((self._lines[cadence] for cadence in SHOWN if cadence in self._lines), None)
