"""How a sink's queue paces itself: slots, distance between requests, and who goes first."""

import datetime as dt

from pydantic import PrivateAttr

from alerts.lifecycle.alert import Severity
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.batches import GONE_PAUSE, Batch, Limits
from alerts.notices.comparison import LOOK_SECONDS
from alerts.notices.controls import Silence
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.delivery_line import Moment
from alerts.notices.delivery_queue import SLOTS, DeliveryQueue
from alerts.notices.outcomes import Absent, Outcome, Refused, Retry
from alerts.notices.routing import Route, Routing
from streams.contract.questions import Question
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY, verdict

NOW = FIRST_DAY.timestamp()
HANGS = Retry("timeout", unanswered=True)


class AskedPolicies(Policies):
    """Policies that count how often an alert was compared by them."""

    _asked: int = PrivateAttr(0)

    @property
    def asked(self) -> int:
        return self._asked

    def of(self, question: Question) -> Policy:
        self._asked += 1
        return super().of(question)


class Queue:
    """A queue and the requests on their way."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.controls = ControlsInForce(Routing([Route(sinks=("sink",))]))
        self.policies = AskedPolicies()
        self.queue = DeliveryQueue(
            "sink", self.controls, self.policies, limits=limits or Limits(), jitter=lambda: 1.0
        )
        self.pipeline = AlertPipeline(Policies())
        self.offset = 0

    def fire(self, *sectors: str, observed: float = 60, day: int = 0) -> None:
        for sector in sectors:
            value = verdict(day, breach=True, observed=observed, sector=sector).model_dump_json().encode()
            for change in self.pipeline.process(0, [Record(self.offset, value)]).changes:
                self.queue.observe(change, published_at=NOW, moment=Moment(NOW, 0))
            self.offset += 1

    def begin(self, steady: float) -> list[Batch]:
        """All that may be sent at this second."""
        moment, begun = Moment(NOW + steady, steady), []
        self.queue.refresh(moment)
        while batch := self.queue.take(moment):
            self.queue.begin(batch, moment)
            begun.append(batch)
        return begun

    def answer(self, batch: Batch, outcome: Outcome, steady: float) -> None:
        moment = Moment(NOW + steady, steady)
        self.queue.settle(batch, outcome, moment)
        self.queue.release(batch, moment)


def names(batches: list[Batch]) -> list[str]:
    return [message.view.alert.sector for batch in batches for message in batch.messages]


def test_a_sink_that_wants_a_second_between_requests_gets_it_also_while_one_hangs() -> None:
    queue = Queue(Limits(spacing=1.0))
    queue.fire("a", "b", "c")
    sent = [len(queue.begin(steady)) for steady in (0, 0.5, 0.99, 1, 1.5, 2)]
    assert sent == [1, 0, 0, 1, 0, 1]


def test_no_more_requests_are_on_their_way_than_there_are_slots() -> None:
    queue = Queue()
    queue.fire(*(f"s{at}" for at in range(20)))
    assert len(queue.begin(0)) == SLOTS
    assert queue.begin(1) == []


def test_the_gravest_go_first() -> None:
    queue = Queue(Limits(spacing=1.0))
    queue.fire("a", "b")
    queue.fire("grave", observed=500)
    assert names(queue.begin(0)) == ["grave"]


def test_a_critical_alert_finds_a_slot_whatever_hangs() -> None:
    """Twenty alerts hang for as long as a request may. A critical one is sent the moment it is raised."""
    queue = Queue()
    queue.fire(*(f"s{at}" for at in range(20)))
    for start in range(0, 600, 15):
        on_their_way = queue.begin(start)
        if start == 300:
            queue.fire("grave", observed=500)
            (first, *_) = queue.begin(start + 1)
            assert first.messages[0].view.alert.severity is Severity.CRITICAL
            return
        for batch in on_their_way:
            queue.answer(batch, HANGS, start + 14.9)


def test_a_receiver_that_is_gone_is_left_alone_for_an_hour_and_the_others_wait() -> None:
    queue = Queue(Limits(spacing=1.0))
    queue.fire("a", "b")
    (batch,) = queue.begin(0)
    queue.answer(batch, Refused("gone", gone=True), 0)
    assert queue.begin(GONE_PAUSE - 1) == []
    assert queue.queue.waiting(GONE_PAUSE - 1) == (1, GONE_PAUSE - 1)
    assert names(queue.begin(GONE_PAUSE)) == ["b"]


def test_pauses_double_up_to_half_a_minute() -> None:
    queue = Queue()
    queue.fire("a")
    steady, pauses = 0.0, []
    for _ in range(10):
        (batch,) = queue.begin(steady)
        queue.answer(batch, Retry("http_503"), steady)
        pauses.append(queue.queue.rest(steady))
        steady += pauses[-1]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_a_sink_that_can_be_asked_and_takes_nothing_is_tried_ever_more_seldom() -> None:
    queue = Queue(Limits(edits=True, keyed=True))
    queue.fire("a")
    steady, pauses = 0.0, []
    for _ in range(4):
        (batch,) = queue.begin(steady)
        queue.answer(batch, Retry("http_500", unanswered=True), steady)
        pauses.append(queue.queue.rest(steady))
        steady += pauses[-1]
        (look,) = queue.begin(steady)
        queue.answer(look, Absent(), steady)
    assert pauses == [0.5, 1, 2, 4]


def test_a_thousand_alerts_at_once_are_five_digests() -> None:
    queue = Queue(Limits(most=200))
    queue.fire(*(f"s{at}" for at in range(1_000)))
    assert [len(batch.messages) for batch in queue.begin(0)] == [200] * 5


def test_what_may_have_been_received_is_still_known_to_be_when_its_dead_letter_is_sent_again() -> None:
    queue = Queue(Limits(give_up=3600))
    queue.fire("a")
    (batch,) = queue.begin(0)
    (message,) = batch.messages
    queue.answer(batch, Retry("http_500", unanswered=True), 0)
    (batch,) = queue.begin(4000)
    assert queue.queue.entry(message.alert_id).doubted
    queue.answer(batch, Retry("http_429"), 4000)
    queue.queue.send_again(message, Moment(NOW, 4001))
    (batch,) = queue.begin(4001)
    assert queue.queue.entry(message.alert_id).doubted


def test_a_letter_that_may_have_been_received_goes_out_as_it_was_when_it_is_sent_again() -> None:
    """A receiver that drops an id it has seen would never get what had changed under that id."""
    queue = Queue()
    queue.fire("a")
    (batch,) = queue.begin(0)
    (letter,) = batch.messages
    queue.answer(batch, HANGS, 15)
    (batch,) = queue.begin(16)
    queue.answer(batch, Refused("http_400"), 16)
    queue.fire("a", observed=70, day=1)
    queue.queue.send_again(letter, Moment(NOW, 17))
    (batch,) = queue.begin(17)
    assert batch.messages == (letter,)


def test_an_alert_that_changes_is_compared_and_the_others_are_left_alone() -> None:
    queue = Queue(Limits(spacing=1000.0))
    queue.fire(*(f"sector-{at}" for at in range(40)))
    queue.begin(0)
    before = queue.policies.asked
    queue.fire("sector-7", observed=90, day=1)
    queue.begin(0.1)
    assert queue.policies.asked - before < 10


def test_a_silence_holds_back_at_once_and_one_that_begins_later_within_a_look() -> None:
    queue = Queue(Limits(spacing=1000.0))
    queue.fire("a", "b", "c", "d")
    queue.begin(0)
    assert queue.queue.waiting(0)[0] == 4
    begins = {"b": FIRST_DAY, "c": FIRST_DAY + dt.timedelta(seconds=LOOK_SECONDS / 2)}
    for sector, starts in begins.items():
        until = FIRST_DAY + dt.timedelta(days=1)
        queue.controls.apply(
            Silence(by="a", reason="r", at=FIRST_DAY, name=sector, sector=sector, starts=starts, until=until)
        )
    queue.begin(0.1)
    assert queue.queue.waiting(0.1)[0] == 3
    queue.begin(0.1 + LOOK_SECONDS)
    assert queue.queue.waiting(0.1 + LOOK_SECONDS)[0] == 2
