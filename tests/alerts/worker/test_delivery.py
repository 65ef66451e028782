"""Delivery, in virtual time: tries, pauses, and giving up."""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiokafka import TopicPartition
from pydantic import SecretStr

from alerts.lifecycle.alert import Notice
from alerts.sinks import Delivered, Outcome, Refused, Request, Retry, Sink
from alerts.sinks.alertmanager import AlertmanagerSink
from alerts.sinks.slack import SlackSink
from alerts.sinks.webhook import WebhookSink
from alerts.worker.delivery import FEW, Courier, remind, serve
from alerts.worker.http_client import Post
from surgewatch.harness.webhook_receiver import SECRET, Receiver, receiving
from tests.alerts.sinks.test_sinks import FIRST, RESOLVED

DEAD = Retry("http_503")
PLACE = TopicPartition("notices", 0)


@dataclass
class Street:
    """A world of its own: time passes when somebody waits, and a receiver answers as the script says."""

    answers: list[Outcome] = field(default_factory=list)
    dead_until: float = 0.0
    time: float = 0.0
    arrived: list[tuple[float, str]] = field(default_factory=list)
    buried: list[tuple[str, str]] = field(default_factory=list)
    tried_: list[str] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    async def post(self, sink: Sink, request: Request) -> Outcome:
        if self.time < self.dead_until:
            return DEAD
        outcome = self.answers.pop(0) if self.answers else Delivered()
        if isinstance(outcome, Delivered):
            self.arrived.append((self.time, request.headers.get("webhook-id", "")))
        return outcome

    async def bury(self, sink: str, notice: Notice, reason: str) -> None:
        self.buried.append((notice.notice_id, reason))

    def tried(self, sink: str, notice: Notice, outcome: str, seconds: float, reason: str) -> None:
        self.tried_.append(outcome)

    def courier(self, sink: Sink | None = None, give_up: float = 259_200) -> Courier:
        hook = sink or WebhookSink("hook", SecretStr("https://example.org"), SecretStr(SECRET))
        return Courier(
            hook,
            self.post,
            self.bury,
            self,
            give_up,
            now=lambda: self.time,
            sleep=self.sleep,
            jitter=lambda: 1.0,
        )


async def test_ten_minutes_of_a_dead_receiver_lose_nothing_and_keep_the_order() -> None:
    street = Street(dead_until=600)
    courier = street.courier()
    for notice in (FIRST, RESOLVED):
        assert await courier.deliver(notice)
    assert [webhook_id for _, webhook_id in street.arrived] == [FIRST.notice_id, RESOLVED.notice_id]
    assert 600 <= street.arrived[0][0] < 670
    assert street.buried == []


async def test_pauses_double_and_a_receiver_that_names_a_time_is_heard() -> None:
    street = Street(answers=[DEAD, DEAD, DEAD, Retry("http_429", 42.0)])
    await street.courier().deliver(FIRST)
    assert street.time == 0.5 + 1 + 2 + 42


async def test_who_gives_up_buries_the_notice_with_its_reason() -> None:
    street = Street(dead_until=1e9)
    assert not await street.courier(give_up=3600).deliver(FIRST)
    assert street.buried == [(FIRST.notice_id, "gave up: http_503")]
    assert street.time <= 3600


async def test_a_receiver_that_is_gone_is_asked_no_more() -> None:
    street = Street(answers=[Refused("gone", gone=True)])
    courier = street.courier()
    assert not await courier.deliver(FIRST)
    assert not await courier.deliver(RESOLVED)
    assert [reason for _, reason in street.buried] == ["gone", "gone"]
    assert street.arrived == []


async def test_slack_hears_one_message_a_second() -> None:
    street = Street()
    courier = street.courier(SlackSink("slack", SecretStr("https://hooks.slack.com/x")))
    for _ in range(5):
        await courier.deliver(FIRST)
    gaps = [
        later - earlier for (earlier, _), (later, _) in zip(street.arrived, street.arrived[1:], strict=False)
    ]
    assert all(gap >= 1 for gap in gaps)


async def test_what_stands_is_said_again_each_minute_also_after_a_try_that_failed() -> None:
    street, heard = Street(dead_until=90), list[tuple[float, str]]()
    standing = [[FIRST.alert], [FIRST.alert], [], [FIRST.alert]]

    async def sleep(seconds: float) -> None:
        if not standing:
            raise EOFError
        street.time += seconds

    with pytest.raises(EOFError):
        await remind(
            AlertmanagerSink("am", "http://127.0.0.1:9093"),
            street.post,
            lambda: standing.pop(0),
            lambda outcome, _, __: heard.append((street.time, outcome)),
            lambda: street.time,
            sleep,
        )
    assert heard == [(60, "retry"), (120, "delivered"), (240, "delivered")]


@dataclass
class Queue:
    """A consumer of one partition of notices that are all there, until it is closed by running dry."""

    notices: list[Notice]
    start: int = 0
    committed: list[int] = field(default_factory=list)

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[SimpleNamespace]]:
        if self.start == len(self.notices):
            raise EOFError
        found = [
            SimpleNamespace(
                value=one.model_dump_json(),
                partition=0,
                offset=at,
                timestamp=0,
                headers=[("produced_at", b"1")],
            )
            for at, one in list(enumerate(self.notices))[self.start : self.start + max_records]
        ]
        self.start += len(found)
        return {PLACE: found}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed.append(offsets[PLACE])

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.start = offset

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    def highwater(self, _: TopicPartition) -> int:
        return len(self.notices)


def _many(number: int) -> list[Notice]:
    return [FIRST.model_copy(update={"notice_id": f"notice-{at}"}) for at in range(number)]


async def _served(street: Street, sink: Sink, queue: Queue) -> list[int]:
    waited: list[int] = []
    with pytest.raises(EOFError):
        await serve(queue, street.courier(sink), lambda _: True, lambda _: None, waited.append)
    return waited


async def test_a_storm_is_one_message_in_slack_and_a_few_notices_are_told_one_by_one() -> None:
    slack = SlackSink("slack", SecretStr("https://hooks.slack.com/x"))
    for number, messages in ((FEW, FEW), (FEW + 1, 1), (500, 3)):
        street, queue = Street(), Queue(_many(number))
        waited = await _served(street, slack, queue)
        assert (len(street.arrived), queue.committed[-1], waited[0], waited[-1]) == (
            messages,
            number,
            number,
            0,
        )
        assert len(street.tried_) == number


async def test_a_webhook_gets_every_notice_by_itself_and_commits_each() -> None:
    street, queue = Street(), Queue(_many(6))
    await _served(street, WebhookSink("hook", SecretStr("https://example.org"), SecretStr(SECRET)), queue)
    assert [one for _, one in street.arrived] == [f"notice-{at}" for at in range(6)]
    assert sorted(set(queue.committed)) == [1, 2, 3, 4, 5, 6]


async def test_a_notice_that_a_worker_said_twice_is_told_once_also_after_a_restart() -> None:
    notices = [*_many(4), *_many(4), RESOLVED]
    hook = WebhookSink("hook", SecretStr("https://example.org"), SecretStr(SECRET))
    for start, wanted in (
        (0, [*(f"notice-{at}" for at in range(4)), RESOLVED.notice_id]),
        (6, [RESOLVED.notice_id]),
    ):
        street, queue = Street(), Queue(notices, start)
        await _served(street, hook, queue)
        assert [one for _, one in street.arrived] == wanted
        assert (min(queue.committed), queue.committed[-1]) >= (start, len(notices))


async def test_what_was_all_told_before_is_done_with_all_the_same() -> None:
    hook = WebhookSink("hook", SecretStr("https://example.org"), SecretStr(SECRET))
    street, queue = Street(), Queue([*_many(4), *_many(4)], 4)
    await _served(street, hook, queue)
    assert street.arrived == []
    assert queue.committed[-1] == 8


async def test_a_digest_that_nobody_took_is_buried_notice_by_notice() -> None:
    street = Street(answers=[Refused("http_400")])
    await _served(street, SlackSink("slack", SecretStr("https://hooks.slack.com/x")), Queue(_many(5)))
    assert len(street.buried) == 5


async def test_a_signed_notice_reaches_a_real_receiver() -> None:
    with receiving(Receiver()) as receiver:
        sink = WebhookSink("hook", SecretStr(receiver.url), SecretStr(SECRET), private=True)
        outcome = await _posted(sink)
    assert outcome == Delivered()
    assert [one.notice for one in receiver.received] == [FIRST]
    assert receiver.unsigned == 0


async def test_a_private_address_is_refused_where_it_was_not_allowed() -> None:
    with receiving(Receiver()) as receiver:
        for url in (
            receiver.url,
            receiver.url.replace("127.0.0.1", "localhost"),
            "http://169.254.169.254/latest",
        ):
            sink = WebhookSink("hook", SecretStr(url), SecretStr(SECRET))
            assert await _posted(sink) == Refused("private_address")
    assert receiver.received == []


async def test_a_redirect_is_not_followed() -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest")

    site = web.Application()
    site.router.add_post("/", elsewhere)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        sink = WebhookSink("hook", SecretStr(url), SecretStr(SECRET), private=True)
        assert await _posted(sink) == Refused("redirect")
    finally:
        await runner.cleanup()


async def test_nobody_there_is_tried_again() -> None:
    sink = WebhookSink("hook", SecretStr("http://127.0.0.1:9/"), SecretStr(SECRET), private=True)
    assert await _posted(sink) == Retry("no_connection")


async def _posted(sink: WebhookSink) -> Outcome:
    post = Post()
    try:
        request = sink.request(FIRST, time.time())
        assert request is not None
        return await post(sink, request)
    finally:
        await post.close()
