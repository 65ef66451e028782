"""Verdicts in, alerts out. Holds the alert of every question, by partition of `verdicts`.

Every change of an alert is published on `alerts.current`, from which sinks and consoles are served. The alert
carries the offset of its newest verdict, so that applying a verdict again changes nothing, and readers can
pass over a state that is older than the one they have.

Places are read at different speeds, and a sector is judged long before its border. So each place has an event
time of its own, made of its own verdicts, and its alerts expire by that one. A verdict so far behind it that
its alert would be over is one that was published before: it is passed over, as that alert may be forgotten.
"""

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import msgspec

from alerts.lifecycle import state_machine
from alerts.lifecycle.alert import LONGEST_ALERT, Alert, State, Version
from alerts.lifecycle.policies import Policies, Policy
from streams.contract.cadence import DAY
from streams.contract.reading import Record, Unusable, appended_at, fits, is_sound, produced_at, read
from streams.contract.verdicts import Verdict

Pair = tuple[bytes, bytes | None]
Headers = Iterable[tuple[str, bytes | None]]
EVENT_TIME = "event time"  # begins the key of a place's event time
FORGOTTEN: Final = "forgotten"  # header: which state a record without a value ends
AGAIN: Final = "again"  # header: the state was published before
LONGEST: Final = 60  # bytes of that header


class AlertChange(NamedTuple):
    """The new state of the alert on a question; None: it is forgotten."""

    question_key: str
    alert: Alert | None
    forgotten: Version | None = None  # of the alert that is forgotten
    again: bool = False  # it was published before: its record does not show when

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The headers of its record."""
        headers = [(FORGOTTEN, str(self.forgotten).encode())] if self.forgotten else []
        return [*headers, (AGAIN, b"")] if self.again else headers

    def ended(self) -> Self:
        """Return what ends it."""
        forgotten = self.alert.version._replace(over=True) if self.alert else self.forgotten
        return self._replace(alert=None, forgotten=forgotten)

    def is_before(self, known: Version | None) -> bool:
        """Return whether a newer state is known: a worker that died publishes some states again."""
        version = self.alert.version if self.alert else self.forgotten
        return version is not None and known is not None and version.is_before(known)

    @classmethod
    def read(cls, key: bytes | None, value: bytes | None, headers: Headers = ()) -> Self | Unusable:
        """Read a record of `alerts.current`; UNREADABLE where it is no alert on the question of its key."""
        try:
            question_key = (key or b"").decode()
            alert = Alert.model_validate_json(value, extra="ignore") if value else None
        except ValueError:
            return Unusable.UNREADABLE
        if not question_key or (alert and not (is_sound(alert) and alert.question_key == question_key)):
            return Unusable.UNREADABLE
        if alert and not fits(alert, value or b"", LONGEST_ALERT):
            return Unusable.UNREADABLE
        return cls(question_key, alert, _forgotten(headers), any(name == AGAIN for name, _ in headers))


def _forgotten(headers: Headers) -> Version | None:
    value = next((value for name, value in headers if name == FORGOTTEN), None) or b""
    try:
        return Version.parse(value.decode())._replace(over=True) if 0 < len(value) <= LONGEST else None
    except (ValueError, OverflowError):
        return None


@dataclass
class Outcome:
    """What follows from verdicts: the changes of alerts, in order, and what happened."""

    changes: list[AlertChange] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    transitions: Counter[tuple[str, str]] = field(default_factory=Counter)  # question, state
    unusable: Counter[Unusable] = field(default_factory=Counter)


@dataclass
class Place:
    """The alerts of one place, by question, and how far event time has come there (epoch seconds)."""

    event_time: float = -math.inf
    alerts: dict[str, Alert] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)  # by question: of its newest verdict


class Partition:
    """The places of one partition, and the keys of its state that changed since the last commit."""

    def __init__(self) -> None:
        self.places: defaultdict[str, Place] = defaultdict(Place)
        self.touched: dict[str, Place] = {}

    def pairs(self) -> list[Pair]:
        """Return keys and values that changed since the last call; no value where an alert is forgotten."""
        pairs: list[Pair] = []
        for key, place in sorted(self.touched.items()):
            if key.startswith(EVENT_TIME):
                pairs.append((key.encode(), repr(place.event_time).encode()))
            else:
                alert, offset = place.alerts.get(key), place.offsets.get(key, -1)
                value = msgspec.msgpack.encode((offset, alert.model_dump_json().encode())) if alert else None
                pairs.append((key.encode(), value))
        self.touched.clear()
        return pairs

    def restore(self, key: str, value: bytes) -> None:
        """Restore the value of a key."""
        if key.startswith("\0"):  # of an earlier build, and of no use: to be deleted
            self.touched[key] = Place()
        elif key.startswith(EVENT_TIME):
            self.places[key].event_time = float(value)
        else:
            offset, content = msgspec.msgpack.decode(value)
            alert = Alert.model_validate_json(content, extra="ignore")
            place = self.places[_place_key(alert)]
            place.alerts[key], place.offsets[key] = alert, offset


class AlertPipeline:
    """Applies verdicts to alerts, batch after batch."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._restored: set[int] = set()  # partitions whose alerts are to be published again
        self.partitions: dict[int, Partition] = {}

    def process(self, partition: int, records: Sequence[Record], topic: str = "verdicts") -> Outcome:
        """Apply one batch of one partition, in the order of its offsets."""
        outcome = Outcome()
        held = self.partitions.setdefault(partition, Partition())
        for record in records:
            verdict = read(Verdict, record)
            if isinstance(verdict, Unusable):
                outcome.unusable[verdict] += 1
                continue
            outcome.verdicts.append(verdict)
            self._apply(held, verdict, record, outcome)
        return outcome

    def tick(self, now: float, moves: bool = True) -> Outcome:
        """Let processing time pass: where it `moves` event time, alerts of now expire by it in every place.

        The first tick after a recovery also publishes the alerts of the recovered partitions: whatever has
        become of `alerts.current` meanwhile, it is complete again.
        """
        outcome = Outcome()
        for partition in self._restored & self.partitions.keys():
            for place in self.partitions[partition].places.values():
                outcome.changes += [AlertChange(key, one, again=True) for key, one in place.alerts.items()]
        self._restored.clear()
        for held in self.partitions.values() if moves else ():
            for place in held.places.values():
                self._expire(held, place, now, outcome, by=state_machine.expire_by_clock)
        return outcome

    def all_alerts(self) -> list[Alert]:
        """Return every alert that is held, resolved ones for as long as they are remembered."""
        places = (place for held in self.partitions.values() for place in held.places.values())
        return [alert for place in places for alert in place.alerts.values()]

    def dirty(self) -> dict[int, list[Pair]]:
        """Return, by partition, the keys and values that changed since the last call."""
        return {at: held.pairs() for at, held in self.partitions.items() if held.touched}

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Restore the state of a partition."""
        restored = self.partitions[partition] = Partition()
        self._restored.add(partition)
        for key, value in held.items():
            restored.restore(key.decode(), value)

    def release(self, partition: int) -> Partition | None:
        """Forget a partition; return it for `resume`, None where nothing is held of it."""
        return self.partitions.pop(partition, None)

    def resume(self, partition: int, held: Partition) -> None:
        """Go on with a partition as `release` has returned it."""
        self.partitions[partition] = held

    def _apply(self, held: Partition, verdict: Verdict, record: Record, outcome: Outcome) -> None:
        key, policy = verdict.question_key, self._policies.of(verdict.question)
        place = self._advance(held, verdict, outcome)
        behind = place.event_time - verdict.as_of.timestamp()
        if behind >= policy.expires_after(verdict.cadence).total_seconds():
            return
        before = place.alerts.get(key)
        if before is not None and record.offset <= place.offsets.get(key, -1):
            return
        after = state_machine.step(before, verdict, policy, at=_moment(appended_at(record)))
        if after is not None:
            place.offsets[key] = record.offset
            held.touched[key] = place
        if after is before:
            return
        if after is not None:
            produced = produced_at(record.headers)
            update = {
                "position": max(record.offset, before.position + 1 if before else 0),
                "produced_at": _moment(produced) if produced else None,
            }
            after = after.model_copy(update=update)
        _keep(held, place, key, after=after, outcome=outcome)

    def _advance(self, held: Partition, verdict: Verdict, outcome: Outcome) -> Place:
        """Return the place of a verdict, with event time moved. Alerts expire where a day begins."""
        name, event_time = _place_key(verdict), verdict.as_of.timestamp()
        place = held.places[name]
        before, place.event_time = place.event_time, max(place.event_time, event_time)
        if place.event_time > before:
            held.touched[name] = place
            if event_time // DAY > before // DAY:
                self._expire(held, place, event_time, outcome)
        return place

    def _expire(
        self,
        held: Partition,
        place: Place,
        time: float,
        outcome: Outcome,
        *,
        by: Callable[[Alert, dt.datetime, Policy], Alert | None] = state_machine.expire,
    ) -> None:
        moment = dt.datetime.fromtimestamp(time, dt.UTC)
        for key, alert in list(place.alerts.items()):
            after = by(alert, moment, self._policies.of(alert.question))
            if after is not alert:
                _keep(held, place, key, after=after, outcome=outcome)


def _place_key(of: Verdict | Alert) -> str:
    """Return the key of a place's event time: of a sector by itself, or as part of its border."""
    return f"{EVENT_TIME}|{of.sector}|{'border' if of.question.regional else 'sector'}"


def _keep(held: Partition, place: Place, key: str, *, after: Alert | None, outcome: Outcome) -> None:
    before = place.alerts.pop(key, None)
    if after is None:
        place.offsets.pop(key, None)
    else:
        place.alerts[key] = after
        if before is None or (before.state, before.alert_id) != (after.state, after.alert_id):
            outcome.transitions[after.question, after.state] += 1
    held.touched[key] = place
    change = AlertChange(key, after or before)
    outcome.changes.append(change if after else change.ended())


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


def without_offset(key: bytes, value: bytes) -> bytes:
    """The value of a key, for an alert whose partition has no verdict on it yet."""
    if key.startswith(EVENT_TIME.encode()):
        return value
    return msgspec.msgpack.encode((-1, msgspec.msgpack.decode(value)[1]))


def count_standing(alerts: Iterable[Alert]) -> Counter[tuple[str, ...]]:
    """Count alerts by sector, border, question, severity, state and whether they are silenced.

    Resolved ones are left out.
    """
    return Counter(
        (
            *(alert.sector, alert.border, alert.question.value, alert.severity.value, alert.state.value),
            "true" if alert.silenced_by else "false",
        )
        for alert in alerts
        if alert.state is not State.RESOLVED
    )
