"""Routing: which notices go to which sinks, as the routes say and as operators changed them since."""

import datetime as dt
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from alerts.lifecycle.alert import RANK, Alert, Notice, Reason, Severity
from streams.contract.verdicts import Question

STRICT: Final = ConfigDict(extra="forbid", frozen=True)


class QuietHours(BaseModel):
    """Times of day at which only what is critical is told."""

    model_config = STRICT

    start: dt.time
    end: dt.time
    time_zone: str = "UTC"

    def holds(self, now: float) -> bool:
        """Is it quiet now? (Wall clock: it is people who sleep, not events.)"""
        at = dt.datetime.fromtimestamp(now, ZoneInfo(self.time_zone)).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


class Route(BaseModel):
    """Notices that match all of what is said here go to the sinks. By its name it can be changed later."""

    model_config = STRICT

    name: str = ""
    sinks: Annotated[tuple[str, ...], Field(min_length=1)]
    least: Severity = Severity.INFO
    border: tuple[str, ...] = ("*",)
    sector: tuple[str, ...] = ("*",)
    question: tuple[Question, ...] = ()
    reason: tuple[Reason, ...] = ()
    quiet: QuietHours | None = None

    def takes(self, notice: Notice, now: float) -> bool:
        """Does this notice go this way, at this time of day?"""
        quiet = self.quiet and self.quiet.holds(now) and notice.alert.severity is not Severity.CRITICAL
        return self.covers(notice.alert) and (not self.reason or notice.reason in self.reason) and not quiet

    def covers(self, alert: Alert) -> bool:
        """Is this the way of notices of this alert, some at least and sometimes?"""
        return (
            RANK[alert.severity] >= RANK[self.least]
            and any(fnmatchcase(alert.border, glob) for glob in self.border)
            and any(fnmatchcase(alert.sector, glob) for glob in self.sector)
            and (not self.question or alert.question in self.question)
        )


class Routing:
    """The routes that hold now: those of the file, as changed or switched off under their names, and more."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)
        self._changes: dict[str, Route | None] = {}

    def change(self, name: str, route: Route | None) -> None:
        """From now on the route of this name is this one (None: it is off)."""
        self._changes[name] = route

    def restore(self, name: str) -> None:
        """The route of this name is again what the file says."""
        self._changes.pop(name, None)

    def standing(self) -> list[Route]:
        """Every route that holds."""
        kept = [route for route in self._routes if route.name not in self._changes]
        return kept + [route for route in self._changes.values() if route is not None]

    def takes(self, sink: str, notice: Notice, now: float) -> bool:
        """Does any route bring this notice to that sink? (`now`: epoch seconds by the wall.)"""
        return any(sink in route.sinks and route.takes(notice, now) for route in self.standing())

    def covers(self, sink: str, alert: Alert) -> bool:
        """Does any route bring notices of this alert to that sink, some at least and sometimes?"""
        return any(sink in route.sinks and route.covers(alert) for route in self.standing())
