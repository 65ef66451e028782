"""Apprise against a real receiver in the manner of ntfy: what is sent, what is refused, what hangs."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from alerts.notices.delivery_queue import SLOTS
from alerts.notices.links import Links
from alerts.sinks import Delivered, Outcome, Refused, Retry
from alerts.sinks.apprise import LINES, AppriseSink
from alerts.worker.apprise_client import AppriseClient, apprise_fault
from tests.alerts.sinks.test_sinks import FIRST, NOW, RESOLVED, notice
from tests.alerts.worker.test_routes_document import refusal
from tests.http_site import http_site

LINKS = Links("https://console.example/")


@dataclass
class Ntfy:
    """A server of ntfy: what was posted, and how it answers."""

    status: int = 200
    hang_seconds: float = 0.0
    posted: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    async def take(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.hang_seconds)
        self.posted.append({**request.query, **await request.json()})
        return web.Response(status=self.status, headers={"Location": "http://169.254.169.254/latest"})

    def sink(self, *, name: str = "phone", private: bool = True, host: str = "127.0.0.1") -> AppriseSink:
        url = SecretStr(f"ntfy://{self.address.replace('127.0.0.1', host)}/topic")
        return AppriseSink(name, url, LINKS, private=private)


@asynccontextmanager
async def taking(ntfy: Ntfy) -> AsyncIterator[Ntfy]:
    async with http_site([web.post("/", ntfy.take)]) as port:
        ntfy.address = f"127.0.0.1:{port}"
        yield ntfy


async def sent(sink: AppriseSink, seconds: float = 20.0) -> Outcome:
    client = AppriseClient()
    try:
        return await client.send(sink, sink.request(FIRST, NOW), seconds=seconds)
    finally:
        client.close()


async def test_a_notice_reaches_a_service_with_its_headline_as_the_title() -> None:
    async with taking(Ntfy()) as ntfy:
        assert await sent(ntfy.sink()) == Delivered()
    (message,) = ntfy.posted
    assert (message["topic"], message["title"]) == ("topic", FIRST.headline)
    assert f"https://console.example/#alert-{FIRST.alert.alert_id}" in message["message"]


@pytest.mark.parametrize("status", [302, 403, 429, 500])
async def test_what_a_service_does_not_take_is_tried_again_and_redirects_are_not_followed(
    status: int,
) -> None:
    async with taking(Ntfy(status=status)) as ntfy:
        assert await sent(ntfy.sink()) == Retry("not_taken")
    assert len(ntfy.posted) == 1


async def test_a_service_that_hangs_may_have_the_message() -> None:
    async with taking(Ntfy(hang_seconds=2)) as slow:
        assert await sent(slow.sink(), seconds=0.3) == Retry("timeout", unanswered=True)


async def test_a_service_that_hangs_holds_up_no_other() -> None:
    client = AppriseClient()
    async with taking(Ntfy(hang_seconds=2)) as slow, taking(Ntfy()) as quick:
        hanging, healthy = slow.sink(name="slow"), quick.sink(name="quick")
        push = hanging.request(FIRST, NOW)
        async with asyncio.TaskGroup() as tasks:
            waits = [tasks.create_task(client.send(hanging, push, seconds=9)) for _ in range(SLOTS)]
            await asyncio.sleep(0)
            assert await client.send(healthy, healthy.request(FIRST, NOW)) == Delivered()
            assert not any(wait.done() for wait in waits)
    client.close()


async def test_a_private_address_is_refused_where_it_was_not_allowed() -> None:
    async with taking(Ntfy()) as ntfy:
        for host in ("127.0.0.1", "localhost", "0x7f000001"):
            assert await sent(ntfy.sink(private=False, host=host)) == Refused("private_address")
    assert ntfy.posted == []


async def test_where_nobody_is_it_is_tried_again() -> None:
    assert await sent(Ntfy(address="127.0.0.1:9").sink()) == Retry("not_taken")


def test_a_digest_is_one_message_gravest_first() -> None:
    sink = AppriseSink("phone", SecretStr("ntfys://ntfy.sh/x"), LINKS)
    push = sink.digest([RESOLVED, *[notice(1, observed=50), FIRST] * 20], NOW, "3 alerts were over")
    lines = push.body.splitlines()
    assert push.title == "41 alerts: 20 critical, 20 warning, 1 over"
    assert lines[:LINES] == [f"critical · {FIRST.headline}"] * LINES
    assert lines[LINES:] == ["and 21 more", "3 alerts were over", "https://console.example/"]
    assert push.kind == "failure"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ntfys://ntfy.sh/topic", ""),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", ""),
        ("json://example.org/secret", "its url has none of the schemas"),
        ("syslog://", "its url has none of the schemas"),
        ("file:///etc/passwd", "its url has none of the schemas"),
        ("secret", "its url has none of the schemas"),
        ("tgram://secret", "its url is not as Apprise needs it"),
        ("ntfys://10.0.0.7/secret", "its url is a private address"),
        (
            "ntfys://ntfy.sh/secret/another",
            "its url has 2 targets, and one that fails would repeat the others",
        ),
        ("tgram://123456789:abcdefg_hijklmnop/1/2/3", "its url has 3 targets"),
        (f"twilio://AC{'a' * 32}:{'b' * 32}@15551234567/15557654321/15557654322", "its url has 2 targets"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_at_the_start_without_being_shown(
    tmp_path: Path, url: str, fault: str
) -> None:
    assert apprise_fault(AppriseSink("phone", SecretStr(url))).startswith(fault)
    if fault:
        document = '[sink.phone]\nkind = "apprise"\nurl = "env:PHONE"\n'
        error = refusal(tmp_path, document, {"PHONE": url})
        assert error.startswith(f"sink phone: {fault}")
        assert "secret" not in error


async def test_a_name_server_that_hangs_is_not_waited_for_and_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.wait(20) or [])
    try:
        async with asyncio.timeout(10):
            outcome = await sent(Ntfy(address="ntfy.example").sink(private=False), seconds=0.2)
    finally:
        answers.set()
    assert outcome == Retry("unknown_host")
