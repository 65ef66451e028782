"""A small world for the laws of delivery: verdicts, operators, faulty receivers, and a worker that dies.

Everything is pure and in virtual time. The worker does with a queue what `alerts.worker.delivery` does: it
writes the ledger, sends, applies the answer, and writes the ledger again; it can be killed between any two.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from alerts.lifecycle.alert import Alert, Reason, Severity, State
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.alert_pipeline import AlertChange, AlertPipeline
from alerts.notices.batches import GONE_PAUSE, Batch, Limits
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.dead_letters import GAVE_UP
from alerts.notices.delivery_line import Moment
from alerts.notices.delivery_queue import DeliveryQueue
from alerts.notices.gathering import GATHER_SECONDS
from alerts.notices.ledger import Entry, LedgerRecord
from alerts.notices.messages import Message
from alerts.notices.outcomes import Retry
from alerts.notices.routing import Route, Routing
from streams.contract.controls import Control
from streams.contract.questions import Question
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY, outage, verdict
from tests.alerts.receivers import Mood, Receiver

CHAT, PAGER, SECOND = "chat", "pager", "second"
SINKS: Final = (CHAT, PAGER, SECOND)
ROUTES: Final = (
    Route(name="all", sinks=(CHAT,)),
    Route(name="duty", sinks=(PAGER,), least=Severity.WARNING),
    Route(name="escalation", sinks=(SECOND,), reason=(Reason.UNANSWERED,)),
)
POLICIES: Final = Policies(
    default=Policy(unanswered_minutes=(15, 60), acknowledgement_hours=7),
    question={Question.SILENCE: Policy(unanswered_least=Severity.WARNING)},
)
LIMITS: Final = {
    CHAT: Limits(spacing=1.0, most=20),
    PAGER: Limits(by_source=True, keyed=True, acknowledges=True),
    SECOND: Limits(by_source=True),
}


class World:
    """Everything there is, but for the order of events, which is the test's."""

    def __init__(self, *, replay: bool = False, limits: Mapping[str, Limits] = LIMITS) -> None:
        self.replay, self.limits = replay, limits
        self.now = (FIRST_DAY + dt.timedelta(days=1)).timestamp()
        self.steady = 0.0
        self.rounds = 0
        self.latest = self.now
        self.receivers = {sink: Receiver(keyed=limits[sink].keyed) for sink in SINKS}
        self.pipeline = AlertPipeline(POLICIES)
        self.published: list[tuple[AlertChange, float]] = []  # `alerts.current`
        self.controls: list[Control] = []
        self.ledger: dict[tuple[str, str], LedgerRecord] = {}
        self.dead: dict[tuple[str, str], Message] = {}  # by sink and notice
        self.maybe: set[tuple[str, str]] = set()  # sink and alert: the worker cannot know whether it was sent
        self.again: set[tuple[str, str]] = set()  # sink and alert, where a dead letter was sent again
        self.in_doubt: set[tuple[str, str]] = set()  # those given up, which it may have had
        self.sends_again = True  # an operator looks after the dead letters in the end
        self.offset = 0
        self.restart()

    @property
    def moment(self) -> Moment:
        return Moment(self.now, self.steady)

    def advance(self, seconds: float, *, clock_step: float = 0.0) -> None:
        """Let time pass; `clock_step` sets the clock besides."""
        self.steady += seconds
        self.now += seconds + clock_step
        self.latest = max(self.latest, self.now)

    def judge(self, sector: str, day: int, *, observed: float | None) -> None:
        """Publish the verdict on a day; None: it is calm. No day is judged before it is over."""
        self.advance(0, clock_step=max(0.0, (FIRST_DAY + dt.timedelta(days=day + 1)).timestamp() - self.now))
        self._publish(_verdict(sector, day, observed))

    def feed(self, sector: str, day: int, *, is_dead: bool) -> None:
        """Publish the verdict on the source, as it is at the end of a day."""
        self.advance(0, clock_step=max(0.0, (FIRST_DAY + dt.timedelta(days=day + 1)).timestamp() - self.now))
        self._publish(_outage(sector, day, is_dead))

    def _publish(self, content: bytes) -> None:
        record = Record(self.offset, content, int(self.now * 1000))
        self.offset += 1
        for change in self.pipeline.process(0, [record]).changes:
            self.published.append((change, self.now))
            for queue in self.queues.values():
                queue.observe(change, published_at=self.now, moment=self.moment)

    def publish_again(self, number: int, works: int) -> None:
        """A worker that died publishes its last changes once more, while others deliver."""
        for change, at in self.published[-number:]:
            self.published.append((change, at))
            for queue in self.queues.values():
                queue.observe(change, published_at=at, moment=self.moment)
            self.work(works)

    def control(self, control: Control) -> None:
        """Apply a control of an operator."""
        self.controls.append(control)
        self.in_force.apply(control)

    def restart(self) -> None:
        """A new worker reads ledger, alerts and controls."""
        self.in_force = ControlsInForce(Routing(ROUTES), POLICIES)
        for control in self.controls:
            self.in_force.apply(control)
        self.queues = {
            sink: DeliveryQueue(
                sink,
                self.in_force,
                POLICIES,
                limits=self.limits[sink],
                replay=self.replay,
                jitter=lambda: 1.0,
            )
            for sink in SINKS
        }
        for record in self.ledger.values():
            read = LedgerRecord.decode(record.key, record.encode())
            self.queues[record.sink].restore(read, self.moment)
        newest = {change.question_key: (change, at) for change, at in self.published}
        for queue in self.queues.values():
            for change, at in self.published if self.replay else newest.values():
                queue.observe(change, published_at=at, moment=self.moment)

    def write(self, records: list[LedgerRecord]) -> None:
        """Write the ledger."""
        for record in records:
            if record.value is None:
                self.ledger.pop((record.sink, record.alert_id), None)
            else:
                self.ledger[record.sink, record.alert_id] = record

    def work(self, times: int) -> None:
        """Let each sink's delivery run."""
        for _ in range(times):
            for sink in SINKS:
                self.deliver(sink)
            self.steady, self.now = self.steady + 1, self.now + 1

    def deliver(self, sink: str, *, dies_at: int = 0) -> bool:
        """Send one batch; the worker may die at one of four places. Return whether anything was sent."""
        queue = self.queues[sink]
        self.write(queue.refresh(self.moment))
        batch = queue.take(self.moment)
        if batch is None:
            return False
        begun = queue.begin(batch, self.moment)
        if dies_at == 1:
            return self._die()
        self.write(begun)
        tried = {(sink, message.alert_id) for message in batch.messages}
        if dies_at == 2:
            return self._die(tried)
        assert_none_is_over(self, sink, batch)
        outcome = self.receivers[sink].post(batch)
        if dies_at == 3:
            return self._die(tried)
        if isinstance(outcome, Retry) and outcome.unanswered:
            self.maybe |= tried
        settled = queue.settle(batch, outcome, self.moment)
        self.dead |= {(sink, message.notice_id): message for message, _ in settled.dead}
        self.in_doubt |= {(sink, one.alert_id) for one, why in settled.dead if why.startswith(GAVE_UP)}
        self.write(settled.records)
        if dies_at == 4:
            return self._die()
        queue.release(batch, self.moment)
        return True

    def _die(self, tried: Iterable[tuple[str, str]] = ()) -> bool:
        """Die; whatever came of what was `tried`, the next worker does not know it."""
        self.maybe |= set(tried)
        for sink, alert_id in tried:
            self.receivers[sink].lost.add(alert_id)
        self.restart()
        return True

    def send_again(self) -> None:
        """An operator sends every dead letter again."""
        for (sink, _), message in self.dead.items():
            self.again.add((sink, message.alert_id))
            self.write(self.queues[sink].send_again(message, self.moment))
        self.dead.clear()

    def go_on(self) -> None:
        """Let receivers be well, but for what they are poisoned by, and pauses and twenty minutes pass."""
        self.advance(0, clock_step=max(0.0, self.latest - self.now))
        for receiver in self.receivers.values():
            receiver.mood = Mood.WELL
        self.advance(GONE_PAUSE)
        for _ in range(60):
            self.advance(20.0)
            for sink in SINKS:
                while self.deliver(sink):  # as a worker does: one message holds up no other
                    pass

    def heal(self) -> None:
        """Let receivers be well, a clock that is behind be right, and time pass until nothing is sent."""
        self.advance(0, clock_step=max(0.0, self.latest - self.now))
        for receiver in self.receivers.values():
            receiver.mood = Mood.WELL
            receiver.poisoned.clear()
        idle = 0
        while idle < 4:
            self.advance(1900.0 if idle else 2.0)  # half of the longest pause, a good part of the waits
            was_sent = [self.deliver(sink) for sink in SINKS]
            if not any(was_sent):  # what has just become due, as quiet hours end, may wait for others
                self.advance(GATHER_SECONDS)
                was_sent = [self.deliver(sink) for sink in SINKS]
            idle = 0 if any(was_sent) or (self.dead and self.sends_again) else idle + 1
            if self.sends_again:
                self.send_again()
            self.rounds += 1
            assert self.rounds < 1_000, "messages are sent without end"

    def has_letter(self, sink: str, alert: Alert) -> bool:
        """Return whether a message about an alert waits to be sent again that the sink does not have."""
        seen = self.receivers[sink].seen
        letters = (one for (to, _), one in self.dead.items() if to == sink and one.alert_id == alert.alert_id)
        return any(one.reason is not Reason.RESOLVED or one.notice_id not in seen for one in letters)

    def alerts(self) -> list[Alert]:
        """Every alert that ever was, as it is now; those of the past are resolved."""
        current = {alert.alert_id: alert for alert in self.pipeline.all_alerts()}
        every = {change.alert.alert_id: change.alert for change, _ in self.published if change.alert}
        over = {"state": State.RESOLVED}
        return [current.get(one) or alert.model_copy(update=over) for one, alert in every.items()]


def assert_none_is_over(world: World, sink: str, batch: Batch) -> None:
    """Hold the first message about an alert that is over against what the sink may have.

    It is sent where the sink may have it, and only where an end without it would make no sense.
    """
    standing = [alert for alert in world.pipeline.all_alerts() if alert.state is State.FIRING]
    ids = {alert.alert_id for alert in standing}
    sources = {alert.latest.evidence.source for alert in standing} - {""}
    for message in batch.messages:
        place, alert = (sink, message.alert_id), message.view.alert
        is_over = alert.alert_id not in ids and alert.latest.evidence.source not in sources
        known = world.ledger[place].value
        is_open = isinstance(known, Entry) and known.view is not None and known.view.open
        is_first = message.reason is not Reason.RESOLVED and not is_open
        may_have = place in world.again or (place in world.maybe and not world.limits[sink].keyed)
        assert world.replay or not (is_over and is_first) or may_have, "nobody needs to know of what is over"


@lru_cache(maxsize=4096)
def _outage(sector: str, day: int, is_dead: bool) -> bytes:
    return outage(sector, day, breach=is_dead).model_dump_json().encode()


@lru_cache(maxsize=4096)
def _verdict(sector: str, day: int, observed: float | None) -> bytes:
    made = verdict(day, breach=observed is not None, observed=observed or 0, sector=sector)
    return made.model_dump_json().encode()
