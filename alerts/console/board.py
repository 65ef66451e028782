"""The board: what a console shows now. A pure, bounded read model over verdicts, alerts and deliveries.

Every change raises `version`; `changes(since)` is what a page that has seen `since` still lacks. Whatever
happens, no more is kept than the limits say: the page gets the newest, the topics keep the rest.
"""

from collections import OrderedDict, deque
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alerts.lifecycle.alert import Alert, Severity, State
from alerts.notices.controls import Silence
from alerts.notices.dead_letters import DeadLetter, letter_id
from streams.contract.cadence import Cadence
from streams.contract.controls import Control
from streams.contract.verdicts import Evidence, Figures, Question, Verdict

SECTORS, ALERTS, DELIVERIES, DEAD, CONTROLS = "sectors", "alerts", "deliveries", "dead", "controls"
POINTS = 60  # periods of a sparkline
_SHOWN = (Cadence.DAY, Cadence.MONTH, Cadence.WEEK, Cadence.HOUR)  # the first that a sector has is drawn
_RANK = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)

Json = dict[str, Any]  # values that json.dumps takes


class Limits(BaseModel):
    """How many of each the board keeps; the oldest touched go first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sectors: Annotated[int, Field(ge=1)] = 1_000
    alerts: Annotated[int, Field(ge=1)] = 500
    deliveries: Annotated[int, Field(ge=1)] = 100
    dead: Annotated[int, Field(ge=1)] = 100
    controls: Annotated[int, Field(ge=1)] = 200


class _Shelf:
    """A bounded map of JSON values, each with the version of its last change; oldest touched first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[str, tuple[int, Json]] = OrderedDict()

    def put(self, key: str, version: int, value: Json) -> str | None:
        """Keep `value`; answers the key that had to go for it (None where none had)."""
        self._items[key] = (version, value)
        self._items.move_to_end(key)
        if len(self._items) <= self._limit:
            return None
        return self._items.popitem(last=False)[0]

    def drop(self, key: str) -> bool:
        return self._items.pop(key, None) is not None

    def newer(self, since: int) -> list[Json]:
        return [value for version, value in self._items.values() if version > since]

    def values(self) -> list[Json]:
        return self.newer(-1)


class _Line:
    """The last POINTS periods of one sector at one cadence, by the start of the period."""

    def __init__(self) -> None:
        self._points: dict[float, tuple[float, float, float | None, float | None]] = {}

    def observe(self, verdict: Verdict, seen: Figures) -> None:
        if not self._points:
            self._seed(verdict)
        self._points[verdict.period.timestamp()] = seen
        for old in sorted(self._points)[:-POINTS]:
            del self._points[old]

    def _seed(self, verdict: Verdict) -> None:
        """A first verdict brings the periods before it along, though without their bands."""
        past = zip(
            reversed(verdict.evidence.recent), reversed(verdict.evidence.recent_expected), strict=False
        )
        index = verdict.cadence.index(verdict.period.timestamp())
        shift = verdict.period.timestamp() - verdict.cadence.start(index)  # the sector's own clock
        for back, (observed, expected) in enumerate(past):
            self._points[verdict.cadence.start(index - back) + shift] = (observed, expected, None, None)

    def columns(self) -> list[list[float | None]]:
        """Time, observed, expected, lower, upper: the columns that a chart takes."""
        rows = [(at, *self._points[at]) for at in sorted(self._points)]
        return [list(column) for column in zip(*rows, strict=True)]


class Board:
    """What the console shows. Feed it in any order; read `snapshot` once and `changes` from then on."""

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self.version = 0
        self._limits = limits
        self._shelves = {
            SECTORS: _Shelf(limits.sectors),
            ALERTS: _Shelf(limits.alerts),
            DELIVERIES: _Shelf(limits.deliveries),
            DEAD: _Shelf(limits.dead),
            CONTROLS: _Shelf(limits.controls),
        }
        self._lines: dict[str, dict[Cadence, _Line]] = {}
        self._newest: dict[str, dict[Cadence, Verdict]] = {}
        self._data: dict[str, Verdict] = {}  # by sector: the newest that shows whether it has data
        self._standing: dict[str, Alert] = {}
        self._gone: deque[tuple[int, str, str]] = deque(maxlen=1_000)
        self._floor = 0  # a page that has seen less than this has missed removals: it gets everything

    def observe(self, verdict: Verdict) -> None:
        """Draw the plain count of a sector on; verdicts on other questions come with their alerts."""
        seen = verdict.last_period
        if verdict.question is not Question.SURGE or verdict.subject:
            return
        last = self._data.get(verdict.sector, verdict)
        self._data[verdict.sector] = max(last, verdict, key=lambda one: one.as_of)
        if seen is None:
            if verdict.sector in self._newest:
                self._draw(verdict.sector)
            return
        newest = self._newest.setdefault(verdict.sector, {})
        self._lines.setdefault(verdict.sector, {}).setdefault(verdict.cadence, _Line()).observe(verdict, seen)
        known = newest.get(verdict.cadence)
        if known is None or (verdict.period, verdict.as_of) >= (known.period, known.as_of):
            newest[verdict.cadence] = verdict
        self._draw(verdict.sector)

    def alert(self, alert: Alert) -> None:
        """A new state of an alert; a resolved one stays to be read until newer ones need its room."""
        known = self._standing.pop(alert.alert_id, None)
        if alert.state is not State.RESOLVED:
            self._standing[alert.alert_id] = alert
            if len(self._standing) > self._limits.alerts:
                del self._standing[next(iter(self._standing))]
        self._put(ALERTS, alert.alert_id, _alert(alert))
        for sector in {alert.sector, known.sector if known else alert.sector}:
            if sector in self._newest:
                self._draw(sector)

    def delivery(self, sink: str, notice_id: str, outcome: str, at: AwareDatetime, detail: str = "") -> None:
        """What became of one attempt; `outcome` is the metric's word: delivered, retry, refused or dead."""
        key = letter_id(sink, notice_id)
        value = {"sink": sink, "notice": notice_id, "outcome": outcome, "detail": detail}
        self._put(DELIVERIES, key, {"id": key, **value, "at": at.isoformat()})
        if outcome == "delivered":
            self.buried(key)

    def dead(self, letter: DeadLetter) -> None:
        self._put(DEAD, letter.letter_id, {"id": letter.letter_id, **letter.model_dump(mode="json")})

    def buried(self, letter: str) -> None:
        """A dead letter is no longer to be looked after: it was sent again and taken."""
        if self._shelves[DEAD].drop(letter):
            self._forget(DEAD, letter)

    def control(self, control: Control) -> None:
        """What an operator said stands from now on."""
        words = {
            "by": control.by,
            "at": control.at.isoformat(),
            "reason": control.reason,
            "says": control.effect,
        }
        until = control.until.isoformat() if isinstance(control, Silence) else ""
        self._put(CONTROLS, control.key, {"id": control.key, **words, "until": until})

    def withdrawn(self, key: str) -> None:
        """What stood under this key holds no longer."""
        if self._shelves[CONTROLS].drop(key):
            self._forget(CONTROLS, key)

    def snapshot(self) -> Json:
        """All there is to show."""
        shelves = {kind: shelf.values() for kind, shelf in self._shelves.items()}
        return {"version": self.version, "whole": True, "gone": [], **shelves}

    def changes(self, since: int) -> Json:
        """What a page that has seen version `since` lacks; all of it where too much has happened since."""
        if not self._floor <= since <= self.version:
            return self.snapshot()
        shelves = {kind: shelf.newer(since) for kind, shelf in self._shelves.items()}
        gone = [[kind, key] for version, kind, key in self._gone if version > since]
        return {"version": self.version, "whole": False, "gone": gone, **shelves}

    def _draw(self, sector: str) -> None:
        cadence = next(c for c in _SHOWN if c in self._newest[sector])
        newest, line = self._newest[sector][cadence], self._lines[sector][cadence]
        troubles = [a for a in self._standing.values() if a.sector == sector]
        gone = self._put(SECTORS, sector, _sector(newest, line, troubles, self._data[sector]))
        if gone is not None:
            self._newest.pop(gone, None)
            self._lines.pop(gone, None)
            self._data.pop(gone, None)

    def _put(self, kind: str, key: str, value: Json) -> str | None:
        self.version += 1
        gone = self._shelves[kind].put(key, self.version, value)
        if gone is not None:
            self._forget(kind, gone)
        return gone

    def _forget(self, kind: str, key: str) -> None:
        self.version += 1
        if len(self._gone) == self._gone.maxlen:
            self._floor = self._gone[0][0]
        self._gone.append((self.version, kind, key))


def _sector(newest: Verdict, line: _Line, troubles: list[Alert], data: Verdict) -> Json:
    seen, since = newest.last_period, data.evidence.no_data_since
    return {
        "id": newest.sector,
        "border": newest.border,
        "state": _state(troubles),
        "cadence": newest.cadence.value,
        "period": newest.period.isoformat(),
        "as_of": newest.as_of.isoformat(),
        "closed": newest.closed,
        "data": data.data.value,
        "no_data_since": since.isoformat() if since else None,
        **(seen._asdict() if seen else {}),
        "line": line.columns(),
        "alerts": [alert.alert_id for alert in troubles],
    }


def _state(troubles: list[Alert]) -> str:
    """The gravest severity that fires; `pending` where something is only suspected, else `calm`."""
    firing = {alert.severity for alert in troubles if alert.state is State.FIRING}
    gravest = next((severity.value for severity in _RANK if severity in firing), None)
    return gravest or ("pending" if troubles else "calm")


def _alert(alert: Alert) -> Json:
    words = alert.model_dump(mode="json", exclude={"worst", "latest"})
    return {
        "id": alert.alert_id,
        **words,
        "title": alert.question.entry.title,
        "colour": alert.question.entry.colour,
        "cadence": alert.latest.cadence.value,
        "period": alert.latest.period.isoformat(),
        "latest": _evidence(alert.latest.evidence),
        "worst": _evidence(alert.worst.evidence),
    }


def _evidence(evidence: Evidence) -> Json:
    return evidence.model_dump(mode="json", exclude={"recent", "recent_expected"})
