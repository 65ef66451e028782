"""Routing: which alerts concern which sinks, by the routes document and as operators changed it since."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from alerts.lifecycle.alert import RANK, Alert, Reason, Severity, State
from streams.contract.controls import MOST_NAMES, missing
from streams.contract.sentences import Sentence, invalid, sentence
from streams.contract.verdicts import Question

STRICT: Final = ConfigDict(extra="forbid", frozen=True)
ALL_REASONS: Final = frozenset(Reason)
Names = Annotated[tuple[str, ...], Field(max_length=MOST_NAMES)]
KEPT: Final = ("border", "sector", "question", "reason", "quiet")  # of a route that operators change


def known_zone(name: str) -> str:
    """Return the name of a time zone; raises FaultsError where there is none of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise invalid("unknown time zone {name}", name=repr(name)) from error
    return name


class QuietHours(BaseModel):
    """Times of day at which only critical alerts are sent. What stands when they end is sent then."""

    model_config = STRICT

    start: dt.time
    end: dt.time
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return known_zone(name)

    @field_validator("start", "end")
    @classmethod
    def _of_the_zone(cls, time: dt.time) -> dt.time:
        if time.tzinfo is not None:
            raise invalid("quiet hours are by their time_zone, so a time has no offset of its own")
        return time

    @model_validator(mode="after")
    def _with_length(self) -> Self:
        if self.start == self.end:
            raise invalid("quiet hours end when they begin, so they would never hold")
        return self

    def holds(self, now: float) -> bool:
        """Return whether `now` (epoch seconds of processing time) is within these hours."""
        at = dt.datetime.fromtimestamp(now, ZoneInfo(self.time_zone)).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


class Route(BaseModel):
    """Alerts that match every condition go to the sinks. Operators change a route by its name."""

    model_config = STRICT

    name: str = ""
    sinks: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_NAMES)]
    least: Severity = Severity.INFO
    border: Names = ()  # globs; empty: all, as in what follows
    sector: Names = ()
    question: Annotated[tuple[Question, ...], Field(max_length=MOST_NAMES)] = ()
    reason: Annotated[tuple[Reason, ...], Field(max_length=MOST_NAMES)] = ()
    quiet: QuietHours | None = None

    def covers(self, alert: Alert) -> bool:
        """Return whether this alert goes this way, at one time of day or another."""
        return (
            RANK[alert.severity] >= RANK[self.least]
            and self._is_at(alert.sector, alert.border)
            and (not self.question or alert.question in self.question)
        )

    def _is_at(self, sector: str, border: str) -> bool:
        return _fits(sector, self.sector) and _fits(border, self.border)

    def unknown(self, border_of: Mapping[str, str]) -> list[Sentence]:
        """One sentence for each place in it that is not there: by such a route nobody is notified.

        `border_of` is the border of each sector.
        """
        faults = [
            *missing("no border matches {name}", self.border, frozenset(border_of.values())),
            *missing("no sector matches {name}", self.sector, frozenset(border_of)),
        ]
        if not faults and not any(self._is_at(*place) for place in border_of.items()):
            faults.append(sentence("none of its sectors is in one of its borders"))
        return faults

    def is_quiet(self, alert: Alert, now: float) -> bool:
        """Return whether quiet hours hold this alert back now."""
        return self.quiet is not None and alert.severity is not Severity.CRITICAL and self.quiet.holds(now)

    @property
    def reasons(self) -> frozenset[Reason]:
        """The reasons for which notices go this way."""
        return frozenset(self.reason) or ALL_REASONS


def _fits(name: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def count_unrouted(
    alerts: Iterable[Alert], routing: "Routing", sinks: Collection[str]
) -> Counter[tuple[str, ...]]:
    """Count by border and severity the alerts that fire and are not silenced, but that nobody is sent.

    Where there are no sinks, people are notified in another way, and none is counted.
    """
    return Counter(
        (alert.border, alert.severity.value)
        for alert in alerts
        if sinks and alert.state is State.FIRING and not (alert.silenced_by or routing.leads(alert, sinks))
    )


class Routing:
    """The routes in force: those of the document, as operators replaced, removed or added them.

    `least` is the severity below which a sink takes nothing, whatever its routes are.
    """

    def __init__(self, routes: Sequence[Route], least: Mapping[str, Severity] | None = None) -> None:
        self._routes = tuple(routes)
        self._least = dict(least or {})
        self._changes: dict[str, Route | None] = {}

    def change(self, name: str, route: Route | None) -> None:
        """Replace the route of this name, or add it; None switches it off.

        Conditions and quiet hours that it does not name are those of the document: a route for escalation,
        or of one border, must not become one for everything.
        """
        before = next((one for one in self._routes if one.name == name), None)
        if route is not None and before is not None:
            kept = {field: getattr(before, field) for field in KEPT if not getattr(route, field)}
            route = route.model_copy(update=kept)
        self._changes[name] = route

    def restore(self, name: str) -> None:
        """Take the route of this name from the document again."""
        self._changes.pop(name, None)

    def names(self) -> frozenset[str]:
        """Return the names of the document's routes, and of those that operators have changed or added."""
        return frozenset(route.name for route in self._routes).union(self._changes)

    def in_force(self) -> list[Route]:
        """Return every route in force."""
        kept = [route for route in self._routes if route.name not in self._changes]
        return kept + [route for route in self._changes.values() if route is not None]

    def without_route(self, sinks: Iterable[str]) -> list[str]:
        """Return the sinks that no route leads to."""
        reached = {sink for route in self.in_force() for sink in route.sinks}
        return [sink for sink in sinks if sink not in reached]

    def takes(self, sink: str, alert: Alert) -> bool:
        """Return whether an alert is severe enough for a sink."""
        return RANK[alert.severity] >= RANK[self._least.get(sink, Severity.INFO)]

    def leads(self, alert: Alert, sinks: Collection[str]) -> bool:
        """Return whether somebody is sent this alert when it fires, at one time of day or another."""
        return any(
            Reason.FIRST in route.reasons
            and route.covers(alert)
            and any(sink in sinks and self.takes(sink, alert) for sink in route.sinks)
            for route in self.in_force()
        )

    def covering(self, sink: str, alert: Alert) -> list[Route]:
        """Return the routes that bring this alert to that sink, at one time of day or another."""
        if not self.takes(sink, alert):
            return []
        return [route for route in self.in_force() if sink in route.sinks and route.covers(alert)]
