"""Score a history: each period is compared with what was known before it, by the judge of the stream.

    table ─▶ counts ─ period by period ─▶ HistoryJudge.score ─▶ one row a series and period

Nothing looks ahead: the scores of the first half of a file are the first half of the file's scores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Column, Table
from streams.baselines.negative_binomial import at_most, threshold
from streams.baselines.peer_priors import PeerPriors
from streams.contract.cadence import Cadence
from streams.counting.sector_counts import Counts
from streams.counting.series import Series
from streams.detectors import SectorView, is_large
from streams.detectors.surge import Surge

# Periods before the first scored one from which on the judge follows the series: its fits always use all of
# the history, but runs of one sign (a level that has shifted) are remembered from here on.
WARM: Final = {Cadence.HOUR: 14 * 24, Cadence.DAY: 120, Cadence.WEEK: 52, Cadence.MONTH: 60}
# What opens an alarm, as a share of alpha; once open it goes on while p is at most alpha. Hours come in runs,
# and it is a run that somebody is called for.
OPENS: Final = {Cadence.HOUR: 1 / 2, Cadence.DAY: 1.0, Cadence.WEEK: 1.0, Cadence.MONTH: 1.0}
UNREPORTED: Final = 1e-6  # chance of a zero below which it is held to be a period that nobody reported


class Score(NamedTuple):
    """One period of one series."""

    series: str
    period: int  # index
    status: str  # closed, partial, gap, unreported, learning
    observed: int | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    alarm: bool = False
    window: int = 1
    reason: str = ""


COLUMNS: Final = Score._fields


@dataclass(frozen=True)
class Scorer:
    """Scores a table, period by period."""

    table: Table
    judge: HistoryJudge
    alpha: float
    start: int  # index of the first period that is scored
    partial: int | None = None  # index of the first period that is not over
    alike: bool = True  # take young series to be like the others

    def __iter__(self) -> Iterator[list[Score]]:
        """Yield the scores of each period, of all series that reach it."""
        return self.follow(self.counts())

    def counts(self) -> dict[str, Counts]:
        """Return the counts of each series, with empty detection state."""
        cadence = self.table.cadence
        return {name: _counts(name, column, cadence) for name, column in self.table.series.items()}

    def follow(self, counts: Mapping[str, Counts]) -> Iterator[list[Score]]:
        """Yield the scores of each period; `counts` keep their detection state."""
        alarms: set[str] = set()  # series whose alarm stands
        for index in range(self.table.first, self.table.end):
            there = [name for name, at in self.table.series.items() if at.first <= index < at.end]
            yield self._period([counts[name] for name in there], index, alarms)

    def _period(self, batch: Sequence[Counts], index: int, standing: set[str]) -> list[Score]:
        cadence = self.table.cadence
        known, scores = [], []
        for counts in batch:
            column = self.table.series[counts.sector]
            if column.known[index - column.first]:
                known.append(counts)
            else:
                counts.state.of(cadence).gaps.append(index)
                scores.append(Score(counts.sector, index, "gap", reason="no count"))
        is_followed = bool(known) and index >= self.start - WARM[cadence]
        if is_followed and self.alike:
            self.judge.compare(batch, cadence, index)
        answer = self.judge.score(known, cadence, index) if is_followed else None
        if index < self.start:
            return []
        judged = set()
        if answer is not None:
            seen, found = answer
            judged = {counts.sector for counts in seen.sectors}
            scores += self._rows(seen, found, standing)
        for counts in known:
            if counts.sector not in judged:
                observed = counts.series[cadence].get(index)
                scores.append(Score(counts.sector, index, "learning", observed, reason="too little history"))
        return scores

    def _alarms(self, batch: Sequence[Counts], found: Surge, standing: set[str]) -> list[bool]:
        """Return which series are in alarm, and update `standing`. As live, the excess must be large."""
        goes_on = np.array([counts.sector in standing for counts in batch])
        limit = np.where(goes_on, 1.0, OPENS[self.table.cadence]) * self.alpha
        alarms: list[bool] = ((found.p_value <= limit) & is_large(found.observed, found.expected)).tolist()
        for counts, alarm in zip(batch, alarms, strict=True):
            (standing.add if alarm else standing.discard)(counts.sector)
        return alarms

    def _rows(self, seen: SectorView, found: Surge, standing: set[str]) -> Iterator[Score]:
        window, counted, normal = found.window, found.observed, found.expected
        mean = seen.mean[:, -1]
        phi = seen.dispersion + mean * seen.error
        upper = threshold(self.alpha, mean, phi) - 1
        lower = np.maximum(threshold(1 - self.alpha, mean, phi) - 1, 0)
        observed = seen.observed[:, -1]
        nobody = (observed == 0) & (at_most(0, mean, phi) < UNREPORTED)
        alarms = self._alarms(seen.sectors, found, standing)
        is_open = self.partial is not None and seen.index >= self.partial
        for row, counts in enumerate(seen.sectors):
            alarm = alarms[row]
            status = "partial" if is_open else "unreported" if nobody[row] else "closed"
            reason = _reason(int(window[row]), counted[row], normal[row], self.table.cadence) if alarm else ""
            if nobody[row] and not is_open:
                reason = "a zero that chance does not explain: unreported, or a silence"
            yield Score(
                counts.sector,
                seen.index,
                status,
                int(observed[row]),
                round(float(mean[row]), 3),
                float(lower[row]),
                float(max(upper[row], lower[row])),
                float(f"{found.p_value[row]:.6g}"),  # beyond that digits are those of the linear algebra
                alarm,
                int(window[row]),
                reason,
            )


def learn_peer_priors(table: Table, judge: HistoryJudge) -> PeerPriors:
    """Learn what is normal at the end of a table, from the series that reach it and have enough history."""
    scorer = Scorer(table, judge, 0.01, table.end)
    batch = scorer.counts()
    for _ in scorer.follow(batch):  # so that levels that have shifted lately are known
        pass
    reach = [counts for name, counts in batch.items() if table.series[name].end == table.end]
    return judge.learn_peer_priors(reach, table.cadence)


def _reason(window: int, observed: float, expected: float, cadence: Cadence) -> str:
    """Return the reason of an alarm, in one clause.

    >>> _reason(3, 90, 30, Cadence.DAY)
    '90 in 3 days, 30.0 expected: x3.0'
    """
    span = f"{window} {cadence}s" if window > 1 else f"the {cadence}"
    return f"{observed:.0f} in {span}, {expected:.1f} expected: x{observed / max(expected, 0.1):.1f}"


def _counts(name: str, column: Column, cadence: Cadence) -> Counts:
    counts = Counts(name)
    counts.series[cadence] = Series(cadence, len(column.values), column.first, column.values.astype(np.int32))
    return counts
