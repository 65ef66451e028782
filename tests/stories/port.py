"""A port of entry, hour by hour: people come while it is open, and its feed is live."""

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from alerts.lifecycle.alert import Alert, Notice, Reason
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from streams.baselines.calendar import Calendar
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Question, Verdict
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorOutput, SectorPipeline
from surgewatch.harness.records import Record

HOUR, SECTOR = 3600, "port"
Rate = Callable[[dt.datetime], float]  # times what is usual, by local hour


def always(hour: dt.datetime) -> float:
    return 1.0


def never(hour: dt.datetime) -> float:
    return 0.0


class Port:
    """One sector through the whole flow; `today` is the next day to come."""

    def __init__(
        self,
        first: str,
        *,
        zone: str = "America/New_York",
        people: float = 400,
        opens: int = 6,
        closes: int = 22,
        shut: Collection[int] = (),
        calendar: Calendar | None = None,
    ) -> None:
        places = Registry(
            sector=(Sector(id=SECTOR, name="Port", country="US", border="south", time_zone=zone),)
        )
        self.judge = Judge(places, calendar)
        self.flow = SectorPipeline(places, self.judge, wall_clock=True)
        self.alerts, self._history = AlertPipeline(policies()), NoticeHistory(policies(), places)
        self.verdicts: list[Verdict] = []
        self.notices: list[Notice] = []
        self.today = dt.date.fromisoformat(first)
        self._zone, self._draw, self._sent = ZoneInfo(zone), np.random.default_rng(1), 0
        self._people, self._hours, self._shut = people / (closes - opens), range(opens, closes), shut

    def live(self, days: int, rate: Rate = always, *, sources: Collection[str] = ()) -> None:
        """Let some days pass, with the people that come in them, and hourly heartbeats of the sources."""
        for _ in range(days):
            midnights = (self._midnight(self.today), self._midnight(self.today + dt.timedelta(1)))
            for start in range(*midnights, HOUR):
                hour = dt.datetime.fromtimestamp(start, self._zone)
                if hour.hour in self._hours and hour.weekday() not in self._shut:
                    people = int(self._draw.poisson(self._people * rate(hour)))
                    if people:
                        self.send(start + HOUR // 2, people)
                for source in sources:
                    self.beat(start + HOUR - 60, source)
                self._take(self.flow.tick(start + HOUR + 1))
            self.today += dt.timedelta(1)

    def tally(self, counts: Collection[int]) -> None:
        """Let some days pass, each with its tally at its end."""
        for people in counts:
            end = self._midnight(self.today + dt.timedelta(1))
            self.send(end - HOUR, people, period="day")
            self._take(self.flow.tick(end + 1))
            self.today += dt.timedelta(1)

    def tally_late(self, counts: Sequence[int | None]) -> None:
        """Let some days pass; their tallies come together at the end of the last. None: it never comes."""
        first, last = self._midnight(self.today), self._midnight(self.today + dt.timedelta(len(counts)))
        for hour in range(first, last - HOUR, HOUR):
            self._take(self.flow.tick(hour))
        for at, people in enumerate(counts, 1):
            if people is not None:
                end = self._midnight(self.today + dt.timedelta(at))
                self.send(end - HOUR, people, known=last - HOUR, period="day")
        self._take(self.flow.tick(last + 1))
        self.today += dt.timedelta(len(counts))

    def send(self, at: int, people: int, *, known: int | None = None, **more: str) -> None:
        """Send one event that happens at `at`, and becomes known then or later (epoch seconds)."""
        known = at if known is None else known
        event = {
            "event_id": f"e{self._sent}",
            "occurred_at": dt.datetime.fromtimestamp(at, dt.UTC).isoformat(),
            "reported_at": dt.datetime.fromtimestamp(known, dt.UTC).isoformat(),
            "sector": SECTOR,
            "crossing_type": "at_port",
            "demographic": "unknown",
            "count": people,
            **more,
        }
        self.put(event, known)

    def beat(self, at: int, source: str, interval: int = HOUR, **more: object) -> None:
        """Send a heartbeat of a source (epoch seconds)."""
        alive_at = dt.datetime.fromtimestamp(at, dt.UTC).isoformat()
        self.put(
            {"source": source, "sector": SECTOR, "alive_at": alive_at, "interval_seconds": interval, **more},
            at,
        )

    def let_pass(self, until: int) -> None:
        """Let time pass in which nothing comes (epoch seconds)."""
        self._take(self.flow.tick(until))

    def put(self, content: Mapping[str, object], at: int) -> None:
        """Append a record at a time (epoch seconds)."""
        record = Record(self._sent, json.dumps(content).encode(), at * 1000)
        self._sent += 1
        self._take(self.flow.process(0, [record]))

    def first(self, *questions: Question) -> list[str]:
        """The days on which these questions were first notified."""
        return [
            f"{notice.alert.onset:%Y-%m-%d}"
            for notice in self.notices
            if notice.reason is Reason.FIRST and (not questions or notice.alert.question in questions)
        ]

    def resolved(self) -> list[Question]:
        return [notice.alert.question for notice in self.notices if notice.reason is Reason.RESOLVED]

    def standing(self) -> dict[Question, Alert]:
        return {alert.question: alert for alert in self.alerts.all_alerts() if alert.state == "firing"}

    def _midnight(self, day: dt.date) -> int:
        return int(dt.datetime.combine(day, dt.time(), self._zone).timestamp())

    def _take(self, output: SectorOutput) -> None:
        at = len(self.verdicts)
        self.verdicts += output.verdicts
        records = [
            Record(at + n, one.model_dump_json().encode(), int(one.event_time.timestamp() * 1000))
            for n, one in enumerate(output.verdicts)
        ]
        if records:
            changes = self.alerts.process(0, records).changes
            self.notices += self._history.follow(changes, records[-1].timestamp / 1000)
