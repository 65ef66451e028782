"""What happens in stories about one sink: verdicts, and what an operator does."""

import datetime as dt

from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import QuietHours, Route
from streams.contract.verdicts import Verdict
from tests.alerts.made import verdict
from tests.alerts.one_sink import SINK, OneSink

WARNING, CRITICAL = 60.0, 200.0  # people, of 30 expected
NIGHT = QuietHours(start=dt.time(22), end=dt.time(6))  # of UTC; stories begin at midnight
QUIET = (Route(name="all", sinks=(SINK,), quiet=NIGHT),)
WHO = {"by": "anna", "reason": "drill"}


def breach(day: int = 0, observed: float = WARNING, sector: str = "swanton") -> Verdict:
    return verdict(day, breach=True, observed=observed, sector=sector)


def calm(sector: str = "swanton", first: int = 1) -> list[Verdict]:
    return [verdict(day, breach=False, sector=sector) for day in range(first, first + 3)]


def silence(desk: OneSink, hours: float) -> Silence:
    until = desk.at + dt.timedelta(hours=hours)
    return Silence(name="all", until=until, at=desk.at, **WHO)


def reroute(desk: OneSink, route: Route | None) -> Reroute:
    return Reroute(name="all", route=route, at=desk.at, **WHO)


def acknowledge(desk: OneSink) -> Acknowledge:
    return Acknowledge(alert_id=desk.alert().alert_id, at=desk.at, **WHO)
