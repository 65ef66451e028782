"""One sink for stories: verdicts and controls in, the messages that it is sent out, in virtual time."""

import datetime as dt
from collections.abc import Sequence

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, Reason
from alerts.lifecycle.policies import Policies
from alerts.notices.alert_pipeline import AlertChange, AlertPipeline
from alerts.notices.batches import Batch, Limits
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.delivery_line import Moment
from alerts.notices.delivery_queue import DeliveryQueue
from alerts.notices.ledger import LedgerRecord
from alerts.notices.messages import Message
from alerts.notices.notices import compose
from alerts.notices.outcomes import Delivered, Outcome
from alerts.notices.routing import Route, Routing
from streams.contract.controls import Control
from streams.contract.sectors import registry
from streams.contract.verdicts import Verdict
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY

REGISTRY = registry()
SINK = "sink"


class OneSink:
    """A worker with one sink; time passes only where a test moves it."""

    def __init__(
        self,
        routes: Sequence[Route] = (Route(name="all", sinks=(SINK,)),),
        policies: Policies | None = None,
        limits: Limits | None = None,
        *,
        replay: bool = False,
        language: Language = ENGLISH,
    ) -> None:
        self.replay, self.language = replay, language
        self.published: list[AlertChange] = []
        self._published_at: list[float] = []  # of each of them, epoch seconds
        self.policies, self.limits = policies or Policies(), limits or Limits()
        self.routes = routes
        self.now = (FIRST_DAY + dt.timedelta(days=1)).timestamp()
        self.steady = 0.0
        self.answer: Outcome = Delivered()
        self.dead: list[tuple[str, str]] = []  # notice id, reason
        self.batches: list[Batch] = []
        self.pipeline = AlertPipeline(self.policies)
        self.ledger: dict[str, LedgerRecord] = {}
        self.controls: list[Control] = []
        self._offset = 0
        self._state: dict[bytes, bytes] = {}
        self.restart()

    @property
    def at(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now, dt.UTC)

    def restart(self) -> None:
        """A new worker takes the sink over."""
        self.in_force = ControlsInForce(Routing(self.routes), self.policies)
        for control in self.controls:
            self.in_force.apply(control)
        self.queue = DeliveryQueue(
            SINK, self.in_force, self.policies, limits=self.limits, replay=self.replay, jitter=lambda: 1.0
        )
        for record in self.ledger.values():
            self.queue.restore(record, self._moment)
        self.pipeline.restore(0, self._state)
        history = list(zip(self.published, self._published_at, strict=True))
        newest = {change.question_key: (change, at) for change, at in history}.values()
        for change, at in history if self.replay else newest:
            self.queue.observe(change, published_at=at, moment=self._moment)

    @property
    def _moment(self) -> Moment:
        return Moment(self.now, self.steady)

    def judge(self, *verdicts: Verdict) -> list[Notice]:
        """Take verdicts, and send what is due."""
        self.observe(*verdicts)
        return self.sent()

    def observe(self, *verdicts: Verdict) -> None:
        """Take verdicts, each published when it was made, or now if that is past."""
        for one in verdicts:
            self._offset += 1
            value = one.model_dump_json().encode()
            at = max(self.now, one.as_of.timestamp())
            record = Record(self._offset, value, int(at * 1000))
            self._publish(self.pipeline.process(0, [record]).changes)
        for key, value in self.pipeline.dirty().get(0, []):
            self._state.pop(key, None)
            if value is not None:
                self._state[key] = value

    def _publish(self, changes: Sequence[AlertChange]) -> None:
        for change in changes:
            self.published.append(change)
            self._published_at.append(self.now)
            self.queue.observe(change, published_at=self.now, moment=self._moment)

    def tick(self) -> list[Notice]:
        """Let the time that has passed move event time, and send what is due."""
        self._publish(self.pipeline.tick(self.now).changes)
        return self.sent()

    def apply(self, control: Control) -> list[Notice]:
        """Apply a control."""
        self.controls.append(control)
        self.in_force.apply(control)
        return self.sent()

    def wait(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> list[Notice]:
        """Let time pass."""
        passed = seconds + 60 * minutes + 3600 * hours
        self.now, self.steady = self.now + passed, self.steady + passed
        return self.sent()

    def send_again(self, letter: Message) -> None:
        """An operator sends a dead letter again."""
        for record in self.queue.send_again(letter, self._moment):
            self.ledger[record.alert_id] = record

    def sent(self) -> list[Notice]:
        """Send all that is due now; return the notices that were taken."""
        notices = []
        for record in self.queue.refresh(self._moment):
            self.ledger[record.alert_id] = record
        while batch := self.queue.take(self._moment):
            for record in self.queue.begin(batch, self._moment):
                self.ledger[record.alert_id] = record
            settled = self.queue.settle(batch, self.answer_to(batch), self._moment)
            for record in settled.records:
                self.ledger[record.alert_id] = record
            self.queue.release(batch, self._moment)
            self.batches.append(batch)
            self.dead += [(message.notice_id, reason) for message, reason in settled.dead]
            notices += [compose(message, REGISTRY, self.language) for message in settled.delivered]
        return notices

    def answer_to(self, batch: Batch) -> Outcome:
        """What the sink answers."""
        return self.answer

    def alert(self) -> Alert:
        """The one alert there is."""
        (alert,) = self.pipeline.all_alerts()
        return alert


def reasons(notices: Sequence[Notice]) -> list[Reason]:
    """Why they were sent."""
    return [notice.reason for notice in notices]
