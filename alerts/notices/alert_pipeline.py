"""Verdicts in, alerts out. Holds the alert of every question, by partition of `verdicts`.

Every change of an alert is published on `alerts.current`, from which sinks and consoles are served. The alert
carries the offset of its newest verdict, so that applying a verdict again changes nothing, and readers can
pass over a state that is older than the one they have.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from alerts.lifecycle import state_machine
from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import Policies
from streams.contract.cadence import DAY
from streams.contract.reading import Unusable, appended_at, produced_at, read
from streams.contract.verdicts import Verdict

Pair = tuple[bytes, bytes | None]
EVENT_TIME_KEYS = {False: b"\0clock", True: b"\0clock of regions"}  # of a partition: sectors, borders


class Record(Protocol):
    """What the pipeline needs of a record of `verdicts`; `timestamp` in ms."""

    offset: int
    value: bytes | None
    timestamp: int
    headers: Sequence[tuple[str, bytes | None]]


class AlertChange(NamedTuple):
    """The new state of the alert on a question; None: it is forgotten."""

    question_key: str
    alert: Alert | None


@dataclass
class Outcome:
    """What follows from verdicts: the changes of alerts, in order, and what happened."""

    changes: list[AlertChange] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    transitions: Counter[tuple[str, str]] = field(default_factory=Counter)  # question, state
    unusable: Counter[Unusable] = field(default_factory=Counter)


class Partition:
    """The alerts of one partition, by question, and its event times.

    A border is judged when its slowest sector has closed. During a replay that is long behind single sectors,
    so alerts of borders expire by an event time of their own.
    """

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.event_time = {False: 0.0, True: 0.0}  # of sectors, of borders
        self.touched: set[str] = set()


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
        """Let processing time pass, and where it `moves` event time, let alerts expire.

        The first tick after a recovery also publishes the alerts of the recovered partitions: whatever has
        become of `alerts.current` meanwhile, it is complete again.
        """
        outcome = Outcome()
        for partition in self._restored & self.partitions.keys():
            alerts = self.partitions[partition].alerts
            outcome.changes += [AlertChange(key, alert) for key, alert in alerts.items()]
        self._restored.clear()
        for held in self.partitions.values():
            for is_border in held.event_time if moves else ():
                self._advance(held, is_border, now, outcome)
        return outcome

    def all_alerts(self) -> list[Alert]:
        """Return every alert that is held, resolved ones for as long as they are remembered."""
        return [alert for held in self.partitions.values() for alert in held.alerts.values()]

    def dirty(self) -> dict[int, list[Pair]]:
        """Return, by partition, the keys and values that changed since the last call."""
        states = {}
        for partition, held in self.partitions.items():
            if held.touched:
                pairs = [(key.encode(), _encode(held.alerts.get(key))) for key in sorted(held.touched)]
                times = [(EVENT_TIME_KEYS[of], repr(time).encode()) for of, time in held.event_time.items()]
                states[partition] = [*pairs, *times]
                held.touched.clear()
        return states

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Restore the state of a partition."""
        restored = self.partitions[partition] = Partition()
        self._restored.add(partition)
        for key, value in held.items():
            is_border = next((of for of, name in EVENT_TIME_KEYS.items() if name == key), None)
            if is_border is not None:
                restored.event_time[is_border] = float(value)
            else:
                position, alert = msgspec.msgpack.decode(value)
                found = Alert.model_validate_json(alert)
                restored.alerts[key.decode()] = found.model_copy(update={"position": position})

    def drop(self, partition: int) -> None:
        """Forget a partition."""
        self.partitions.pop(partition, None)

    def _apply(self, held: Partition, verdict: Verdict, record: Record, outcome: Outcome) -> None:
        key = verdict.question_key
        self._advance(held, verdict.question.regional, verdict.as_of.timestamp(), outcome)
        before = held.alerts.get(key)
        if before is not None and record.offset <= before.position:
            return
        policy = self._policies.of(verdict.question)
        after = state_machine.step(before, verdict, policy, at=_moment(appended_at(record)))
        if after is before:
            if after is not None:
                held.alerts[key] = after.model_copy(update={"position": record.offset})
                held.touched.add(key)
            return
        if after is not None:
            produced = produced_at(record.headers)
            update = {
                "position": record.offset,
                "produced_at": _moment(produced) if produced else None,
            }
            after = after.model_copy(update=update)
        _keep(held, key, after, outcome)
        if after is not None and after.state is State.FIRING:  # by a verdict long behind event time
            self._expire(held, key, after, outcome)

    def _advance(self, held: Partition, is_border: bool, event_time: float, outcome: Outcome) -> None:
        """Let event time pass. Alerts expire where a day begins, so the size of batches changes nothing."""
        is_new_day = event_time // DAY > held.event_time[is_border] // DAY
        held.event_time[is_border] = max(held.event_time[is_border], event_time)
        if not is_new_day:
            return
        for key, alert in list(held.alerts.items()):
            if alert.question.regional is is_border:
                self._expire(held, key, alert, outcome)

    def _expire(self, held: Partition, key: str, alert: Alert, outcome: Outcome) -> None:
        event_time = dt.datetime.fromtimestamp(held.event_time[alert.question.regional], dt.UTC)
        after = state_machine.expire(alert, event_time, self._policies.of(alert.question))
        if after is not alert:
            _keep(held, key, after, outcome)


def _keep(held: Partition, key: str, after: Alert | None, outcome: Outcome) -> None:
    before = held.alerts.pop(key, None)
    if after is not None:
        held.alerts[key] = after
        if before is None or (before.state, before.alert_id) != (after.state, after.alert_id):
            outcome.transitions[after.question, after.state] += 1
    held.touched.add(key)
    outcome.changes.append(AlertChange(key, after))


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


def without_offset(_: bytes, value: bytes) -> bytes:
    """The value of a key, for an alert whose partition has no verdict on it yet."""
    return msgspec.msgpack.encode((-1, msgspec.msgpack.decode(value)[1]))


def _encode(alert: Alert | None) -> bytes | None:
    if alert is None:
        return None
    return msgspec.msgpack.encode((alert.position, alert.model_dump_json().encode()))


def count_standing(alerts: Sequence[Alert]) -> Counter[tuple[str, ...]]:
    """Count alerts by sector, border, question, severity and state, without the resolved ones."""
    return Counter(
        (alert.sector, alert.border, alert.question.value, alert.severity.value, alert.state.value)
        for alert in alerts
        if alert.state is not State.RESOLVED
    )
