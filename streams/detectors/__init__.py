"""One question, one file: counts beside what is normal in, a finding out. Pure.

    SectorView ─ detect ─▶ Finding        n sectors in one period
    BorderView ─ detect ─▶ Finding        the sectors of one border, over their last periods

Each module has a numeric core (`judge` or `step`: arrays in, arrays out) and `detect`, which the judge calls
for the question of the module's name. A detector changes nothing: what is to be remembered for the next
period is part of its finding.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from streams.baselines.calibration import AS_THEY_ARE, Calibration
from streams.baselines.negative_binomial import Floats
from streams.baselines.reporting_delay import TRUSTED, pooled
from streams.baselines.straying import Residuals
from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.verdicts import Contribution
from streams.counting.sector_counts import Counts
from streams.counting.series import instant

Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

LONGEST: Final = 28  # periods that are looked at together
MIN_EXCESS: Final = 5.0  # people above (or below) the expected count that are worth an alert,
MIN_RATIO: Final = 1.3  # and times
NAMED: Final = 10  # sectors in a remark
RECORD_PAST: Final = {Cadence.DAY: 180, Cadence.WEEK: 26, Cadence.MONTH: 12}  # periods behind a record


class Details(TypedDict, total=False):
    """Evidence on one row beyond its figures; fields of `contract.verdicts.Evidence`."""

    record: bool
    last_as_high: dt.datetime
    slices: tuple[Contribution, ...]
    neighbours: tuple[Contribution, ...]
    capacity: float
    full_at: dt.datetime | None
    remark: str


def no_details(row: int) -> Details:
    """Nothing beyond the figures."""
    return {}


class Alone(NamedTuple):
    """The last period by itself, where a finding spans several."""

    expected: Floats
    dispersion: Floats


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a detector found in n rows (sectors, or the border): arrays of length n.

    The interval of normal counts follows from `expected`, `dispersion` and `interval_alpha` (`alpha` where
    that is not given).
    """

    breach: Bools
    p_value: Floats
    alpha: Floats
    observed: Floats
    expected: Floats
    dispersion: Floats
    window: Integers  # periods that these are sums over, the last one included
    asked: Bools | None = None  # rows that the question could be asked of; None: all
    alone: Alone | None = None
    interval_alpha: Floats | None = None
    details: Callable[[int], Details] = no_details
    state: Floats | None = None  # [n, k], of a recursive detector: its view gives it back in the next period
    new_level: Integers | None = None  # the period at which a lasting new level began; -1: none
    limit: Floats | None = None  # of an open period: the count from which on it is worth another look
    places: Sequence[str] | None = None  # what the rows are about; None: the view's sectors
    members: Sequence[str] = ()  # the sectors that stand out together


class Reported(NamedTuple):
    """How much of each period has been reported; all [n, LONGEST]."""

    share: Floats
    doubt: Floats  # relative variance of the share
    dispersion: Floats  # of what has been reported
    whole: Floats  # expected count once all is reported


@dataclass(frozen=True, kw_only=True)
class SectorView:
    """n sectors in one period, beside what is normal there. Time: `as_of` in epoch seconds."""

    look: Look
    cadence: Cadence
    index: int
    as_of: float
    sectors: Sequence[Counts]
    observed: Floats  # [n, LONGEST], the judged period last
    mean: Floats  # [n, LONGEST], expected of what has been reported by now
    dispersion: Floats  # [n], of whole periods
    error: Floats  # [n], relative variance of the estimated mean
    level: Floats | None = None  # [n], of the judged period, times the baseline; None: where the baseline is
    level_variance: Floats | None = None  # [n], relative variance of the level from period to period; None: 0
    week_variance: Floats | None = None  # [n], relative variance of the level from week to week; None: 0
    calibration: Calibration = AS_THEY_ARE
    reported: Reported | None = None  # None: all has been
    capacity: Sequence[float | None] = ()  # people a day that each sector can take in
    data_until: Integers | None = None  # [n], the newest period with data, be it 0; None: those with people
    partial: Bools | None = None  # [n, LONGEST], periods of which a part is without data; None: none is

    @property
    def is_closed(self) -> bool:
        """Whether the period is over."""
        return self.look in (Look.CLOSED, Look.REVISED)

    @property
    def last(self) -> Floats:
        """The dispersion of the judged period [n]."""
        return self.pooled((1,)).reshape(-1)

    @property
    def each(self) -> Floats:
        """The dispersion of each period by itself [n, LONGEST]."""
        if self.reported is None:
            return np.broadcast_to(self.dispersion[:, None], self.mean.shape)
        return self.reported.dispersion + self.mean * self.reported.doubt

    def pooled(self, windows: Sequence[int]) -> Floats:
        """The dispersion of the last periods together: [n], or [n, windows] where not all is reported."""
        if self.reported is None:
            return self.dispersion
        return pooled(self.mean, self.reported.dispersion, self.reported.doubt, windows)

    def cautious(self) -> Self:
        """The same, held against whole periods where it is not known well how much has been reported.

        Nothing is then called high that would not be high if all had been: more can come, less cannot.
        """
        if self.reported is None:
            return self
        share, doubt, dispersion, whole = self.reported
        sure = doubt <= TRUSTED
        reported = Reported(
            share=np.where(sure, share, 1.0),
            doubt=np.where(sure, doubt, 0.0),
            dispersion=np.where(sure, dispersion, self.dispersion[:, None]),
            whole=whole,
        )
        return replace(self, mean=np.where(sure, self.mean, whole), reported=reported)

    def select(self, rows: Sequence[int]) -> Self:
        """The same, of some of its sectors."""
        at = list(rows)
        reported = None if self.reported is None else Reported(*(part[at] for part in self.reported))
        return replace(
            self,
            sectors=[self.sectors[row] for row in at],
            observed=self.observed[at],
            mean=self.mean[at],
            dispersion=self.dispersion[at],
            error=self.error[at],
            level=None if self.level is None else self.level[at],
            level_variance=None if self.level_variance is None else self.level_variance[at],
            week_variance=None if self.week_variance is None else self.week_variance[at],
            calibration=self.calibration.select(at),
            reported=reported,
            capacity=[self.capacity[row] for row in at] if self.capacity else (),
            data_until=None if self.data_until is None else self.data_until[at],
            partial=None if self.partial is None else self.partial[at],
        )

    def first(self) -> Integers:
        """The first period of each sector's series [n]."""
        return np.array([counts.series[self.cadence].first for counts in self.sectors])

    def state(self, question: str, size: int) -> Floats:
        """What a recursive detector remembered of each sector [n, size]; zeros where it is new."""
        none = (0.0,) * size
        held = [counts.state.of(self.cadence).detectors.get(question, none) for counts in self.sectors]
        return np.array(held).reshape(-1, size)

    def start_of(self, row: int, index: int) -> dt.datetime:
        """The instant at which a period of a sector begins, with the sector's offset."""
        zone = "UTC" if self.cadence is Cadence.HOUR else self.sectors[row].zone
        return instant(zone, self.cadence.start(index))


@dataclass(frozen=True, kw_only=True)
class BorderView:
    """The sectors of one border over their last periods, the judged one last; arrays [sectors, periods].

    Sectors of other borders, which are upstream of some here, come last and are nobody's neighbours.
    """

    border: str
    cadence: Cadence
    ids: Sequence[str]
    names: Sequence[str]
    own: Bools  # [sectors], those of this border
    adjacent: Bools  # [sectors, sectors]
    pairs: Integers  # [pairs, 2]: upstream, downstream
    observed: Floats
    mean: Floats  # 0 of 0 where nothing is known
    dispersion: Floats
    alarm: Bools  # periods that are a surge by themselves
    missing: Bools  # [sectors], those without data now
    together: Bools  # [sectors], those of the cluster that stands

    def window(self, periods: int) -> Self:
        """The same, with no more than the last periods."""
        return replace(
            self,
            observed=self.observed[:, -periods:],
            mean=self.mean[:, -periods:],
            dispersion=self.dispersion[:, -periods:],
            alarm=self.alarm[:, -periods:],
        )

    def before(self, periods: int) -> Residuals:
        """What is known of the periods before the last ones; a surge by itself teaches nothing."""
        past = np.s_[:, : max(self.mean.shape[1] - periods, 0)]
        mean = np.where(self.alarm, 0.0, self.mean)[past]
        off = np.where(mean > 0, self.observed[past] - mean, 0.0)
        return Residuals(off, mean, mean * self.dispersion[past])

    def sums(self, window: Integers) -> tuple[Floats, Floats, Floats]:
        """Observed and expected count of each sector's last periods [sectors], and their dispersion."""
        within = np.arange(self.mean.shape[1], 0, -1) <= window[:, None]
        observed, expected = (self.observed * within).sum(1), (self.mean * within).sum(1)
        variance = (self.mean * self.dispersion * within).sum(1)
        known = expected > 0
        return observed, expected, np.where(known, variance / np.where(known, expected, 1.0), 1.0)

    def beside(self, rows: Sequence[int], *, window: int, lag: int = 0) -> tuple[Contribution, ...]:
        """Sectors to show with a finding, as they were `lag` periods ago."""
        at = slice(-lag - window, -lag or None)
        return tuple(
            Contribution(
                name=self.ids[row],
                observed=float(self.observed[row, at].sum()),
                expected=float(self.mean[row, at].sum()),
            )
            for row in rows
        )


def named(names: Sequence[str], between: str) -> str:
    """Return some names as a remark has them: the first ones, as the evidence has them all.

    >>> named(["Swanton", "Houlton"], " and "), named(["a"] * 11, "")
    ('Swanton and Houlton', 'aaaaaaaaaa…')
    """
    return between.join([*names[:NAMED], *(["…"] if len(names) > NAMED else [])])


def is_large(observed: Floats, expected: Floats) -> Bools:
    """Return where an excess is worth an alert: MIN_EXCESS people and MIN_RATIO times the expected count."""
    return (observed - expected >= MIN_EXCESS) & (observed >= MIN_RATIO * expected)
