"""Heartbeats of a source: among its events in their own time, or after them.

--speed    e e ▏ e  ▏    ▏ e ▏ e ■       ▏ every interval, for each sector      ■ the last one
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from streams.contract.events import Heartbeat
from streams.producers.outgoing import Outgoing


class Pulse:
    """The heartbeats of one source, for the sectors that are given, or else for those of its records.

    `interval` is the seconds until the next heartbeat is due. Raises ValidationError by the contract.
    """

    def __init__(self, source: str, interval: int, sectors: Iterable[str] = ()) -> None:
        self.source, self.interval = source, interval
        self.sectors = set(sectors)
        self._learns = not self.sectors
        self.sent = 0
        self._heartbeat("sector", at=0)  # names every fault before anything is sent

    def follow(self, records: Iterable[Outgoing]) -> Iterator[Outgoing]:
        """Yield records, and learn their sectors."""
        for record in records:
            if self._learns:
                self.sectors.add(record.key.decode())
            yield record

    def among(self, records: Iterable[Outgoing]) -> Iterator[Outgoing]:
        """Yield records in their order, heartbeats at their time between them, and the last at the end."""
        due: int | None = None
        at = 0
        for record in records:
            at = max(at, record.at)
            while due is not None and due <= record.at:
                yield from self.at(due)
                due += self.interval
            due = record.at + self.interval if due is None else due
            yield from self.follow([record])
        if due is not None:
            yield from self.at(at, last=True)

    def at(self, moment: int, *, last: bool = False) -> Iterator[Outgoing]:
        """Yield a heartbeat for each sector, alive at a moment (epoch seconds)."""
        for sector in sorted(self.sectors):
            self.sent += 1
            heartbeat = self._heartbeat(sector, at=moment, last=last)
            value = heartbeat.model_dump_json(exclude_defaults=True).encode()
            yield Outgoing(sector.encode(), value, moment)

    def _heartbeat(self, sector: str, *, at: int, last: bool = False) -> Heartbeat:
        return Heartbeat(
            source=self.source,
            sector=sector,
            alive_at=dt.datetime.fromtimestamp(at, dt.UTC),
            interval_seconds=self.interval,
            last=last,
        )
