"""The pipeline, pure: verdicts in, notices out. Holds every standing alert by its question.

State is kept by partition of `verdicts`, each alert with the offset up to which its question has been heard,
so that hearing a verdict again changes nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from alerts.lifecycle import state_machine
from alerts.lifecycle.alert import Alert, Notice, Reason, State
from alerts.lifecycle.policies import Policies
from alerts.lifecycle.state_machine import Change
from alerts.notices import notices
from alerts.notices.marks import Marks
from streams.contract.cadence import DAY
from streams.contract.reading import Unusable, produced_at, read
from streams.contract.verdicts import Verdict

Pair = tuple[bytes, bytes | None]
CLOCK = {False: b"\0clock", True: b"\0clock of regions"}  # keys of a partition's event times


class Record(Protocol):
    """What the pipeline needs of a record of `verdicts`."""

    offset: int
    value: bytes | None
    timestamp: int
    headers: Sequence[tuple[str, bytes | None]]


@dataclass
class Outcome:
    """What follows from verdicts: what to tell, which alerts changed, and what happened."""

    notices: list[tuple[Notice, int]] = field(default_factory=list)  # with produced_at, ms
    alerts: list[Alert] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    transitions: Counter[tuple[str, str]] = field(default_factory=Counter)  # question, state
    unusable: Counter[Unusable] = field(default_factory=Counter)


class Partition:
    """The alerts of one partition, by question, and its event times.

    A border is judged when its slowest sector has closed. Where much is read at once, that is long behind
    single sectors, so alerts of borders expire by a time of their own.
    """

    def __init__(self) -> None:
        self.alerts: dict[str, tuple[int, Alert]] = {}
        self.event_time = {False: 0.0, True: 0.0}  # of sectors, of regions
        self.touched: set[str] = set()


class AlertPipeline:
    """Takes verdicts from fetch to fetch."""

    def __init__(self, policies: Policies, marks: Marks) -> None:
        self._policies, self._marks = policies, marks
        self.parts: dict[int, Partition] = {}

    def process(self, partition: int, records: Sequence[Record], topic: str = "verdicts") -> Outcome:
        """Take one fetch of one partition, in the order of its offsets."""
        outcome = Outcome()
        part = self.parts.setdefault(partition, Partition())
        for record in records:
            verdict = read(Verdict, record)
            if isinstance(verdict, Unusable):
                outcome.unusable[verdict] += 1
                continue
            outcome.verdicts.append(verdict)
            self._hear(part, verdict, record, outcome)
        return outcome

    def tick(self, now: float, moves: bool = True) -> Outcome:
        """Let time pass on the wall: for people to answer, and where it `moves` event time, for alerts."""
        outcome, at = Outcome(), int(now * 1000)
        for part in self.parts.values():
            for regional in part.event_time if moves else ():
                self._pass(part, regional, now, at, outcome)
            self._attend(part, at, outcome)
        return outcome

    def standing(self) -> list[Alert]:
        """Every alert that is held, resolved ones for as long as they are remembered."""
        return [alert for part in self.parts.values() for _, alert in part.alerts.values()]

    def dirty(self) -> dict[int, list[Pair]]:
        """For each partition the keys and values that changed since this was last asked."""
        states = {}
        for partition, part in self.parts.items():
            if part.touched:
                pairs = [(key.encode(), _encode(part.alerts.get(key))) for key in sorted(part.touched)]
                times = [(CLOCK[of], repr(time).encode()) for of, time in part.event_time.items()]
                states[partition] = [*pairs, *times]
                part.touched.clear()
        return states

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Take the state of a partition back."""
        part = self.parts[partition] = Partition()
        for key, value in held.items():
            regional = next((of for of, name in CLOCK.items() if name == key), None)
            if regional is not None:
                part.event_time[regional] = float(value)
            else:
                part.alerts[key.decode()] = decode(value)

    def drop(self, partition: int) -> None:
        """Forget a partition."""
        self.parts.pop(partition, None)

    def _hear(self, part: Partition, verdict: Verdict, record: Record, outcome: Outcome) -> None:
        key = verdict.question_key
        self._pass(part, verdict.question.regional, verdict.as_of.timestamp(), record.timestamp, outcome)
        offset, alert = part.alerts.get(key, (-1, None))
        if record.offset <= offset:
            return
        change = state_machine.step(alert, verdict, self._policies.of(verdict.question))
        produced = produced_at(record.headers)
        self._settle(part, key, record.offset, alert, change, outcome, record.timestamp, produced)

    def _pass(self, part: Partition, regional: bool, event_time: float, at: int, outcome: Outcome) -> None:
        """Let event time pass. Alerts expire where a day begins: how fetches are cut changes nothing."""
        begins = event_time // DAY > part.event_time[regional] // DAY
        part.event_time[regional] = max(part.event_time[regional], event_time)
        if begins:
            self._expire(part, regional, at, outcome)

    def _expire(self, part: Partition, regional: bool, at: int, outcome: Outcome) -> None:
        now = dt.datetime.fromtimestamp(part.event_time[regional], dt.UTC)
        for key, (offset, alert) in list(part.alerts.items()):
            if alert.question.regional is not regional:
                continue
            change = state_machine.expire(alert, now, self._policies.of(alert.question))
            if change.alert is not alert:
                self._settle(part, key, offset, alert, change, outcome, at, at)

    def _attend(self, part: Partition, at: int, outcome: Outcome) -> None:
        """Heed what operators said since, and press where nobody has said anything."""
        now = dt.datetime.fromtimestamp(at / 1000, dt.UTC)
        for key, (offset, alert) in list(part.alerts.items()):
            if alert.state is State.FIRING:
                marked = self._marks.on(alert, at / 1000)
                change = state_machine.press(marked, now, self._policies.of(alert.question))
                if change.alert is not alert:
                    self._settle(part, key, offset, alert, change, outcome, at, 0)

    def _settle(
        self,
        part: Partition,
        key: str,
        offset: int,
        before: Alert | None,
        change: Change,
        outcome: Outcome,
        at: int,
        produced: int,
    ) -> None:
        """Keep what became of an alert; tell people where there is a reason and nobody asked for quiet."""
        if change.alert is None:
            if part.alerts.pop(key, None) is not None:
                part.touched.add(key)
            return
        alert = self._marks.on(change.alert, at / 1000)
        if change.reason is not None:
            if alert.silenced_by:
                # Not told: when the silence ends and it still goes on, it will be told as new.
                alert = alert.model_copy(update={"told": before.told if before else None})
            elif not (alert.acknowledged_by and change.reason is Reason.STILL):
                alert = _tell(alert, change.reason, change.occasion, at, produced, outcome)
        if alert.acknowledged_by and alert.told and not (before and before.acknowledged_by):
            alert = _tell(alert, Reason.ACKNOWLEDGED, alert.acknowledged_by, at, 0, outcome)
        part.alerts[key] = (offset, alert)
        part.touched.add(key)
        if alert != before:
            outcome.alerts.append(alert)
        if before is None or before.state is not alert.state or before.alert_id != alert.alert_id:
            outcome.transitions[alert.question, alert.state] += 1


def _tell(alert: Alert, reason: Reason, occasion: str, at: int, produced: int, outcome: Outcome) -> Alert:
    """Make a notice; the alert as it is once that is told (`at`: ms by the wall)."""
    outcome.notices.append((_dated(notices.word(alert, reason, occasion), produced), produced))
    told: dict[str, object] = {"told_as": notices.figures(alert.latest)}
    if reason in (Reason.FIRST, Reason.WORSE):
        told |= {"told_at": dt.datetime.fromtimestamp(at / 1000, dt.UTC), "unanswered": 0}
    return alert.model_copy(update=told)


def _dated(notice: Notice, produced: int) -> Notice:
    moment = dt.datetime.fromtimestamp(produced / 1000, dt.UTC) if produced else None
    return notice.model_copy(update={"produced_at": moment})


def _encode(held: tuple[int, Alert] | None) -> bytes | None:
    if held is None:
        return None
    return msgspec.msgpack.encode((held[0], held[1].model_dump_json().encode()))


def decode(value: bytes) -> tuple[int, Alert]:
    """Return what a value of the changelog `alerts` holds: the offset of its newest verdict, and the alert.

    Raises ValueError where it is of another version. Keys that begin with a zero byte hold no alerts.
    """
    try:
        offset, alert = msgspec.msgpack.decode(value, type=tuple[int, bytes])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    return offset, Alert.model_validate_json(alert)


def counted(alerts: Sequence[Alert]) -> Counter[tuple[str, ...]]:
    """How many alerts stand, by sector, border, question, severity and state; resolved ones do not stand."""
    return Counter(
        (alert.sector, alert.border, alert.question.value, alert.severity.value, alert.state.value)
        for alert in alerts
        if alert.state is not State.RESOLVED
    )
