"""The HTTP client: what each answer, and each absence of one, is taken for."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from alerts.sinks import Delivered, Outcome, Refused, Request, Retry, Sink
from alerts.sinks.teams import TeamsSink
from alerts.sinks.webhook import WebhookSink
from alerts.worker.http_client import HttpClient
from surgewatch.harness.webhook_receiver import SECRET, Receiver, receiving
from tests.alerts.sinks.test_sinks import FIRST
from tests.http_site import http_site

HANGING = 120  # requests to sinks that hang: some fifteen of them
SHORT = aiohttp.ClientTimeout(total=0.3, connect=0.3)


def hook(url: str, *, private: bool = True) -> WebhookSink:
    return WebhookSink("hook", SecretStr(url), SecretStr(SECRET), private=private)


async def sent(sink: Sink, request: Request | None = None) -> Outcome:
    client = HttpClient(SHORT)
    try:
        return await client.send(sink, request or sink.request(FIRST, time.time()))
    finally:
        await client.close()


@asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    async with http_site([web.post("/", handler)]) as port:
        yield f"http://127.0.0.1:{port}/"


@asynccontextmanager
async def raw(answer: bytes) -> AsyncIterator[str]:
    """A server that answers with these bytes and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_a_signed_notice_reaches_a_real_receiver() -> None:
    with receiving(Receiver()) as receiver:
        assert await sent(hook(receiver.url)) == Delivered()
    assert [one.notice for one in receiver.received] == [FIRST]
    assert receiver.unsigned == 0


async def test_a_private_address_is_refused_where_it_was_not_allowed() -> None:
    with receiving(Receiver()) as receiver:
        local = receiver.url.replace("127.0.0.1", "localhost")
        for url in (receiver.url, local, "http://169.254.169.254/latest"):
            assert await sent(hook(url, private=False)) == Refused("private_address")
    assert receiver.received == []


async def test_a_redirect_is_not_followed() -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest")

    async with answering(elsewhere) as url:
        assert await sent(hook(url)) == Refused("redirect")


async def test_sinks_that_hang_hold_up_no_other_however_many_they_are() -> None:
    begun, ended = asyncio.Semaphore(0), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        begun.release()
        await ended.wait()
        return web.Response()

    async def take(_: web.Request) -> web.Response:
        return web.Response()

    async with http_site([web.post("/hang", hang), web.post("/", take)]) as port:
        slow, quick = (hook(f"http://127.0.0.1:{port}/{path}") for path in ("hang", ""))
        client = HttpClient()
        request = slow.request(FIRST, time.time())
        async with asyncio.TaskGroup() as tasks:
            for _ in range(HANGING):
                tasks.create_task(client.send(slow, request))
                await begun.acquire()
            assert await client.send(quick, quick.request(FIRST, time.time())) == Delivered()
            ended.set()
        await client.close()


async def test_where_nobody_is_it_was_not_sent() -> None:
    assert await sent(hook("http://127.0.0.1:9/")) == Retry("no_connection")


async def test_without_an_answer_it_may_have_been_received() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async with answering(hang) as url:
        assert await sent(hook(url)) == Retry("timeout", unanswered=True)
    async with raw(b"") as url:
        assert await sent(hook(url)) == Retry("ServerDisconnectedError", unanswered=True)


@pytest.mark.parametrize(
    "answer",
    [
        b"200 OK\r\nContent-Length: 99\r\n\r\nhalf",
        b"200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
        b"200 OK\r\nContent-Length: 5\r\n\r\nerror",
        b"200 OK\r\n\r\nuntil it closes",
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno chunk\r\n",
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"202 Accepted\r\nContent-Length: 2\r\n\r\nok\r\n\r\nand more",
        b"204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
async def test_a_success_is_delivered_whatever_its_body_is(answer: bytes) -> None:
    async with raw(b"HTTP/1.1 " + answer) as url:
        assert await sent(hook(url)) == Delivered()


async def test_a_success_whose_body_does_not_end_is_delivered() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.02)

    async with answering(drip) as url:
        assert await sent(hook(url)) == Delivered()


async def test_a_header_that_cannot_be_sent_is_refused() -> None:
    poisoned = FIRST.model_copy(update={"notice_id": "id\r\nx-evil: 1"})
    with receiving(Receiver()) as receiver:
        sink = hook(receiver.url)
        assert await sent(sink, sink.request(poisoned, time.time())) == Refused("invalid_request")


async def test_teams_is_tried_again_when_it_says_so_and_its_card_arrives_whole() -> None:
    cards: list[dict[str, object]] = []
    answers = [web.Response(status=429, headers={"Retry-After": "3"}), web.Response(status=202)]

    async def flow(request: web.Request) -> web.Response:
        cards.append(await request.json())
        return answers[len(cards) - 1]

    async with answering(flow) as url:
        sink = TeamsSink("teams", SecretStr(url), private=True)
        assert await sent(sink) == Retry("http_429", 3.0)
        assert await sent(sink) == Delivered()
    assert cards[0] == cards[1]
    assert cards[0]["type"] == "message"
