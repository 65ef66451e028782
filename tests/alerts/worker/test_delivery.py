"""Delivery by the worker's own loop: what it writes, sends and survives."""

import asyncio
import datetime as dt
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from gettext import NullTranslations

import pytest
from pydantic import SecretStr

from alerts.languages.language import Language
from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.batches import Limits
from alerts.notices.dead_letters import DeadLetter, DeadLetterRecord, letter_id
from alerts.notices.ledger import LedgerRecord
from alerts.notices.messages import Message
from alerts.sinks import Delivered, Outcome, Refused, Request, Retry, Sink
from alerts.sinks.alertmanager import AlertmanagerSink
from alerts.sinks.webhook import WebhookSink
from alerts.worker.delivery import SinkDelivery
from surgewatch.harness.webhook_receiver import SECRET
from tests.alerts.made import verdict
from tests.alerts.one_sink import REGISTRY, OneSink

KILLS = 10_000
AT = dt.datetime(2023, 3, 1, tzinfo=dt.UTC)
HOOK = WebhookSink("hook", SecretStr("https://example.org"), SecretStr(SECRET))


@dataclass
class House:
    """Ledger, receiver and counters of one sink. Every step gives way, so a kill can come in between."""

    desk: OneSink = field(default_factory=OneSink)
    answers: list[Outcome] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)
    letters: list[DeadLetterRecord] = field(default_factory=list)  # that wait
    published: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    async def write(self, records: Sequence[LedgerRecord], notices: Sequence[tuple[str, Notice]]) -> None:
        await asyncio.sleep(0)
        for record in records:
            self.desk.ledger[record.alert_id] = LedgerRecord.decode(record.key, record.encode())
        self.published += [notice.notice_id for _, notice in notices]
        await asyncio.sleep(0)

    async def add_dead_letter(self, sink: str, notice: Notice, message: Message, reason: str) -> None:
        self.dead.append((notice.notice_id, reason))
        letter = DeadLetter(
            sink=sink, notice_id=notice.notice_id, headline=notice.headline, reason=reason, at=AT
        )
        self.letters.append(DeadLetterRecord(letter=letter, message=message, again=True))

    def dead_letter(self, sink: str, notice_id: str) -> DeadLetterRecord | None:
        waiting = (one for one in self.letters if one.letter.letter_id == letter_id(sink, notice_id))
        return next(waiting, None)

    async def close_dead_letter(self, letter: DeadLetter) -> None:
        self.letters = [one for one in self.letters if one.letter != letter]

    async def send(self, sink: Sink, request: Request) -> Outcome:
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else Delivered()
        if answer == Delivered():
            self.received.append(request.headers.get("webhook-id", ""))
        await asyncio.sleep(0)
        return answer

    def tried(
        self, sink: str, notices: Sequence[Notice], outcome: str, *, seconds: float, reason: str
    ) -> None:
        self.outcomes.append(outcome)

    def delivery(self, sink: Sink = HOOK) -> SinkDelivery:
        self.desk.restart()
        wanted = [one for one in self.letters if one.again]
        return SinkDelivery(sink, self.desk.queue, self.send, self, self, REGISTRY, wanted=wanted)

    async def until_idle(self, sink: Sink = HOOK) -> None:
        """Deliver all that is due."""
        delivery = self.delivery(sink)
        task = asyncio.create_task(delivery.run())
        async with asyncio.timeout(10):
            while self.desk.queue.waiting(0)[0] or not self.outcomes:
                await asyncio.sleep(0.001)
        delivery.stop()
        await task


def judged(house: House, *days: int, sector: str = "swanton", calm: bool = False) -> None:
    """Let the pipeline take verdicts that nobody delivers yet."""
    house.desk.limits = Limits(spacing=0.0)
    house.desk.answer = Retry("not yet")
    house.desk.judge(*(verdict(day, breach=not calm, sector=sector) for day in days))
    house.desk.ledger.clear()


async def test_what_is_taken_is_in_the_ledger_and_among_the_notices() -> None:
    house = House()
    judged(house, 0)
    await house.until_idle()
    assert house.received == house.published
    assert house.outcomes == ["delivered"]
    (record,) = (one for one in house.desk.ledger.values() if one.alert_id)
    assert record.value.view.open
    assert record.value.pending is None


async def test_what_is_refused_is_a_dead_letter_with_its_reason() -> None:
    house = House(answers=[Refused("http_400")])
    judged(house, 0)
    await house.until_idle()
    assert [reason for _, reason in house.dead] == ["http_400"]
    assert house.outcomes == ["refused", "dead"]


async def test_a_dead_letter_that_is_wanted_again_is_sent_by_the_next_owner_of_its_sink() -> None:
    house = House(answers=[Refused("http_400")])
    judged(house, 0)
    await house.until_idle()
    assert house.received == []
    house.outcomes.clear()
    await house.until_idle()
    assert house.received == [notice_id for notice_id, _ in house.dead]
    assert house.letters == []


async def test_a_dead_letter_waits_no_longer_once_the_sink_knows_by_another_message() -> None:
    house = House(answers=[Refused("http_400")])
    house.desk.policies = Policies(default=Policy(unanswered_minutes=(15,), unanswered_least=Severity.INFO))
    judged(house, 0)  # years ago: nobody has acknowledged it in time
    delivery = house.delivery()
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(10):
        while house.letters or not house.received:
            await asyncio.sleep(0.001)
    delivery.stop()
    await task
    assert house.outcomes == ["refused", "dead", "delivered"]


@pytest.mark.parametrize("where", ["request", "send"])
async def test_a_fault_of_one_notice_is_not_the_sinks(where: str) -> None:
    class Faulty(WebhookSink):
        def request(self, notice: Notice, now: float) -> Request:
            if notice.alert.sector == "blaine":
                raise UnicodeEncodeError("ascii", "é", 0, 1, "poison")
            return super().request(notice, now)

    house = House()
    judged(house, 0)
    judged(house, 0, sector="blaine")
    if where == "request":
        await house.until_idle(Faulty("hook", SecretStr("https://example.org"), SecretStr(SECRET)))
        assert [reason for _, reason in house.dead] == ["cannot be sent: UnicodeEncodeError"]
    else:
        house.answers = [Refused("invalid_request")]
        await house.until_idle()
        assert [reason for _, reason in house.dead] == ["invalid_request"]
    assert len(house.received) == 1


async def test_an_alert_that_cannot_be_worded_is_sent_without_figures() -> None:
    class Misspelt(NullTranslations):
        def gettext(self, message: str) -> str:
            return message.replace("{title}", "{titel}")

    house = House()
    judged(house, 0)
    await house.until_idle(replace(HOOK, language=Language("fr", Misspelt())))
    assert len(house.received) == 1
    assert house.dead == []


async def test_ten_thousand_kills_give_no_second_message() -> None:
    """Each kill comes at a random step; what is sent twice is sent under the same id."""
    house, draw = House(), random.Random(14)
    wanted = set()
    day = 0
    for kill in range(KILLS):
        if kill % 20 == 0:
            is_calm = (kill // 20) % 2 == 1
            days = range(day, day + (3 if is_calm else 1))
            house.desk.answer = Retry("not yet")
            for one in days:
                _quietly(house, verdict(one, breach=not is_calm))
            day = days.stop
            wanted.add((house.desk.alert().alert_id, Reason.RESOLVED if is_calm else Reason.FIRST))
        task = asyncio.create_task(house.delivery().run())
        for _ in range(draw.randrange(14)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    delivery = house.delivery()
    task = asyncio.create_task(delivery.run())
    await asyncio.sleep(0.05)
    delivery.stop()
    await task
    assert len(set(house.received)) == len(wanted)
    assert set(house.published) == set(house.received)


def _quietly(house: House, one: object) -> None:
    """Let the pipeline take a verdict without a queue that sends."""
    ledger = dict(house.desk.ledger)
    house.desk.judge(one)  # type: ignore[arg-type]
    house.desk.ledger = ledger


async def test_what_stands_is_posted_again_also_after_a_post_that_failed() -> None:
    house = House(answers=[Delivered(), Retry("http_503")])
    judged(house, 0)
    delivery = house.delivery(AlertmanagerSink("am", "http://127.0.0.1:9093", every=0.01))
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(10):
        while len(house.outcomes) < 4:
            await asyncio.sleep(0.005)
    delivery.stop()
    await task
    assert house.outcomes[:4] == ["delivered", "retry", "delivered", "delivered"]


async def test_a_post_of_what_stands_that_failed_is_tried_again_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a receiver that was away, and has forgotten all, has it back within a minute of its return."""
    monkeypatch.setattr("alerts.worker.delivery.REPOST_PAUSE", 0.01)
    house = House(answers=[Delivered(), *[Retry("http_503")] * 3])
    judged(house, 0)
    delivery = house.delivery(AlertmanagerSink("am", "http://127.0.0.1:9093", every=1.0))
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(1.9):  # the first post comes after one
        while len(house.outcomes) < 5:
            await asyncio.sleep(0.005)
    delivery.stop()
    await task
    assert house.outcomes == ["delivered", *["retry"] * 3, "delivered"]


async def test_posts_of_what_stands_that_fail_make_the_sink_one_that_is_owed_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alertmanager takes alerts for over that are not posted again, though no notice waits."""
    monkeypatch.setattr("alerts.worker.delivery.REPOST_PAUSE", 0.01)
    house = House(answers=[Delivered(), *[Retry("http_503")] * 10])
    judged(house, 0)
    delivery = house.delivery(AlertmanagerSink("am", "http://127.0.0.1:9093", every=0.05))
    task = asyncio.create_task(delivery.run())
    later = delivery.clock().steady + 60
    async with asyncio.timeout(10):
        while len(house.outcomes) < 5:
            await asyncio.sleep(0.005)
        number, oldest = delivery.waiting(later)
        assert number == 1
        assert 50 < oldest <= 60
        while len(house.outcomes) < 13:
            await asyncio.sleep(0.005)
    assert delivery.waiting(later) == (0, 0.0)
    delivery.stop()
    await task


async def test_no_end_is_sent_while_a_post_of_what_stands_is_on_its_way() -> None:
    """The post, if it came later, would open the alert again for a quarter of an hour."""
    house, sent = House(), list[str]()
    posting, is_answered = asyncio.Event(), asyncio.Event()

    async def send(sink: Sink, request: Request) -> Outcome:
        (entry, *_) = json.loads(request.body)
        is_end = dt.datetime.fromisoformat(entry["endsAt"]) <= dt.datetime.now(dt.UTC)
        if len(sent) == 1 and not posting.is_set():
            posting.set()
            await is_answered.wait()
        sent.append("end" if is_end else "stands")
        return Delivered()

    judged(house, 0)
    house.desk.restart()
    manager = AlertmanagerSink("am", "http://127.0.0.1:9093", every=0.01)
    delivery = SinkDelivery(manager, house.desk.queue, send, house, house, REGISTRY)
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(10):
        await posting.wait()
        house.desk.observe(*(verdict(day, breach=False) for day in (1, 2, 3)))
        delivery.changed.set()
        await asyncio.sleep(0.1)
        is_answered.set()
        while "end" not in sent:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
    delivery.stop()
    await task
    assert sent == ["stands", "stands", "end"]
