"""The summaries of one border that wait to be judged, and the watermark that decides when.

The sectors of a border are counted in different partitions, which are read at different speeds. The summaries
of one sector come in the order of its periods; those of different sectors in any order. A period is judged
when no sector of the registry is behind it:

        sector  a  ████████████▏
                b  ███████▏          the slowest: periods up to its newest one are judged
                c  ▏                 nothing yet: waited for, unless it is idle

A sector is idle only if everything in the broker has been read: before that it may just not have been read
yet. Idle are sectors without any summary although others have had them for START periods, and sectors that
are WAIT periods behind the first. Nobody waits for them. A sector that comes, or comes back, takes part
from its JOIN-th period on; until then its figures go into the history alone.

A period that a sector has had before is summed up again where it has changed: by late events, or because it
was held and has been judged since. The new figures go into the history with the sector's next period, so that
it makes no difference how far the other sectors have come.

What waits is bounded: at most MOST periods; beyond that the oldest are judged with what there is.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from streams.contract.cadence import Cadence
from streams.contract.verdicts import Verdict
from streams.counting.state_codec import Pair
from streams.counting.state_version import StateVersionError
from streams.judging.border_judge import KEEP, NEVER, BorderJudge
from streams.judging.period_summary import PeriodSummary

VERSION: Final = 1
WAIT: Final = KEEP
START: Final = {Cadence.HOUR: 28, Cadence.DAY: 28, Cadence.WEEK: 8, Cadence.MONTH: 6}
JOIN: Final = {Cadence.HOUR: 7, Cadence.DAY: 7, Cadence.WEEK: 2, Cadence.MONTH: 1}
MOST: Final = {Cadence.HOUR: 1_830, Cadence.DAY: 1_830, Cadence.WEEK: 520, Cadence.MONTH: 240}


class _Kept(msgspec.Struct):
    """On the wire."""

    version: int
    first: int | None
    newest: dict[str, int]
    joins: dict[str, int]
    idle: list[str]
    judge: bytes


class BorderQueue:
    """One border and cadence: how far each sector has come, and the periods that are not judged yet."""

    def __init__(self, judge: BorderJudge) -> None:
        self.judge = judge
        self._first: int | None = None  # the first period that was summed up
        self._newest: dict[str, int] = {}  # by sector: its newest period
        self._joins: dict[str, int] = {}  # by sector: the first period that it takes part in
        self._idle: set[str] = set()  # sectors that are not waited for
        self._waiting: dict[int, list[PeriodSummary]] = {}  # by period
        self._touched: set[int] = set()  # periods whose summaries changed since the last commit

    @property
    def periods(self) -> int:
        """How many periods wait."""
        return len(self._waiting)

    def add(self, summary: PeriodSummary) -> str:
        """Take a summary; return what became of it: waiting, revised, repeated or late."""
        sector, index = summary.sector, summary.index
        if index <= self._newest.get(sector, NEVER):
            return self._revise(summary)
        if sector in self._idle or sector not in self._newest:
            self._joins[sector] = index + JOIN[self.judge.cadence]
        self._idle.discard(sector)
        self._newest[sector] = index
        self._first = index if self._first is None else min(self._first, index)
        if index <= self.judge.last:
            self.judge.recall(summary)
            return "late"
        self._waiting.setdefault(index, []).append(summary)
        self._touched.add(index)
        return "waiting"

    def close_periods(self) -> Iterator[list[Verdict]]:
        """Judge every period that no sector is behind, oldest first; yield the verdicts of each."""
        if not self._newest:
            return
        watermark = min(
            (self._newest.get(sector, NEVER) for sector in self.judge.sectors if sector not in self._idle),
            default=NEVER,
        )
        watermark = max(watermark, max(self._newest.values()) - MOST[self.judge.cadence])
        for index in sorted(index for index in self._waiting if index <= watermark):
            self._touched.add(index)
            waiting = self._waiting.pop(index)
            for revised in (summary for summary in waiting if summary.index < index):
                self.judge.recall(revised)
            summaries = [summary for summary in waiting if summary.index == index]
            verdicts = self.judge.close([one for one in summaries if self._joins[one.sector] <= index])
            for summary in summaries:
                if self._joins[summary.sector] > index:
                    self.judge.recall(summary)
            yield verdicts  # state is whole here: it may be written before the next one

    def _revise(self, summary: PeriodSummary) -> str:
        """Let new figures of a period wait for the sector's next one; figures that are known are repeated."""
        after = self._newest[summary.sector] + 1
        oldest = max(summary.index, min(self._waiting, default=after))  # an index may lie a century back
        known = next(
            (
                one
                for at in range(after, oldest - 1, -1)
                for one in self._waiting.get(at, ())
                if one.is_of(summary)
            ),
            None,
        )
        if known.figures == summary.figures if known else self.judge.knows(summary):
            return "repeated"
        waiting = self._waiting.get(after, [])
        self._waiting[after] = [*(one for one in waiting if not one.is_of(summary)), summary]
        self._touched.add(after)
        return "revised"

    def exclude_idle(self) -> None:
        """Wait no longer for idle sectors; only where all that is in the broker has been read."""
        newest = max(self._newest.values(), default=NEVER)
        if self._first is None:
            return
        for sector in self.judge.sectors:
            at = self._newest.get(sector)
            behind = newest - (self._first if at is None else at)
            if behind >= (START[self.judge.cadence] if at is None else WAIT):
                self._idle.add(sector)

    def pairs(self) -> list[Pair]:
        """Return keys and values: its own, and each period that was touched (None where it is judged)."""
        prefix = f"{self.judge.border}|{self.judge.cadence}|"
        own = _Kept(VERSION, self._first, self._newest, self._joins, sorted(self._idle), self.judge.encode())
        pairs: list[Pair] = [(prefix.encode(), msgspec.msgpack.encode(own))]
        for index in sorted(self._touched):
            held = [summary.model_dump_json() for summary in self._waiting.get(index, ())]
            pairs.append((f"{prefix}{index}".encode(), msgspec.msgpack.encode(held) if held else None))
        self._touched.clear()
        return pairs

    def restore(self, value: bytes) -> None:
        """Restore the value of its own key; raises StateVersionError. Unknown sectors are skipped."""
        name = f"{self.judge.border}|{self.judge.cadence}"
        try:
            kept = msgspec.msgpack.decode(value, type=_Kept)
        except msgspec.DecodeError as error:
            raise StateVersionError(name, "unreadable", VERSION) from error
        if kept.version != VERSION:
            raise StateVersionError(name, kept.version, VERSION)
        self.judge.restore(kept.judge)
        known = self.judge.sectors
        self._first = kept.first
        self._newest = {sector: at for sector, at in kept.newest.items() if sector in known}
        self._joins = {sector: at for sector, at in kept.joins.items() if sector in known}
        self._idle = {sector for sector in kept.idle if sector in known}

    def restore_period(self, index: int, value: bytes) -> None:
        """Restore the summaries of one period; raises StateVersionError."""
        try:
            held = [
                PeriodSummary.model_validate_json(one, extra="ignore")  # what a later version has added
                for one in msgspec.msgpack.decode(value, type=list[str])
            ]
        except ValueError as error:  # of msgspec and of pydantic
            name = f"{self.judge.border}|{self.judge.cadence}|{index}"
            raise StateVersionError(name, "unreadable", VERSION) from error
        self._waiting[index] = [one for one in held if one.sector in self.judge.sectors]
