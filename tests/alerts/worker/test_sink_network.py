"""Sinks behind a proxy, a private CA, a client certificate or IPv6: over real sockets and real TLS."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from pydantic import SecretStr

from alerts.sinks import Delivered, Outcome, Refused, Retry
from alerts.sinks.webhook import WebhookSink
from alerts.worker import sink_names
from alerts.worker.http_client import HttpClient
from alerts.worker.sink_names import SinkNames
from alerts.worker.sink_network import Network, NetworkEntry
from surgewatch.harness.webhook_receiver import SECRET
from tests.alerts.sinks.test_sinks import FIRST
from tests.alerts.worker.connect_proxy import ConnectProxy, proxying
from tests.http_site import http_site

PUBLIC = "93.184.216.34"  # where the test's name server has hooks.example; the proxy leads it elsewhere
NAMES = {"hooks.example": PUBLIC, "inside.example": "10.0.0.7", "localhost": "127.0.0.1"}


@dataclass
class Receiver:
    port: int
    received: int = 0
    host: str = ""
    client: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.received += 1
        self.host = request.headers["Host"]
        certificate = request.transport.get_extra_info("peercert") if request.transport else None
        if certificate:
            self.client = dict(part[0] for part in certificate["subject"])["commonName"]
        return web.Response()


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(ca: trustme.CA, tmp_path: Path) -> dict[str, Path]:
    """The CA, and a client certificate of it."""
    client = ca.issue_cert("watch@example.org", common_name="surgewatch")
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca_file", "certificate_file", "key_file")}
    ca.cert_pem.write_to_path(paths["ca_file"])
    client.cert_chain_pems[0].write_to_path(paths["certificate_file"])
    client.private_key_pem.write_to_path(paths["key_file"])
    return paths


@pytest.fixture(autouse=True)
def _name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server for `.example`; it lies outside of what is tested."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        if str(host).endswith(".example") and host not in NAMES:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ask(NAMES.get(host, host), port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@asynccontextmanager
async def receiving(
    ca: trustme.CA, *, mutual: bool = False, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("hooks.example", "localhost", "::1").configure_cert(tls)
    if mutual:
        ca.configure_trust(tls)
        tls.verify_mode = ssl.CERT_REQUIRED
    receiver = Receiver(0)
    async with http_site([web.post("/", receiver.answer)], host=host, tls=tls) as receiver.port:
        yield receiver


def hook(url: str, *, private: bool = False) -> WebhookSink:
    return WebhookSink("hook", SecretStr(url), SecretStr(SECRET), private=private)


async def sent(sink: WebhookSink, **entry: Any) -> Outcome:
    network = NetworkEntry(**entry).network(lambda text, _: SecretStr(text))
    client = HttpClient(networks={"hook": network})
    try:
        return await client.send(sink, sink.request(FIRST, time.time()))
    finally:
        await client.close()


async def test_a_proxy_is_asked_for_the_address_that_was_checked_and_tls_has_the_name(ca, files) -> None:
    async with receiving(ca) as receiver:
        proxy = ConnectProxy(routes={f"{PUBLIC}:443": ("127.0.0.1", receiver.port)})
        async with proxying(proxy):
            outcome = await sent(hook("https://hooks.example/"), proxy=proxy.url, ca_file=files["ca_file"])
    assert (outcome, receiver.received, receiver.host) == (Delivered(), 1, "hooks.example")
    assert proxy.asked == [f"CONNECT {PUBLIC}:443"]


async def test_a_name_at_a_private_address_never_reaches_the_proxy() -> None:
    async with proxying(ConnectProxy()) as proxy:
        for host in ("inside.example", "10.0.0.7", "[::1]", "[64:ff9b::a00:7]", "localhost"):
            outcome = await sent(hook(f"https://{host}/"), proxy=proxy.url)
            assert outcome == Refused("private_address"), host
    assert proxy.asked == []


async def test_a_proxy_that_resolves_is_asked_for_the_name(ca, files) -> None:
    async with receiving(ca) as receiver:
        proxy = ConnectProxy(routes={"hooks.example:443": ("127.0.0.1", receiver.port)}, password="watch:pw")
        async with proxying(proxy):
            url = proxy.url.replace("//", "//watch:pw@")
            outcome = await sent(
                hook("https://hooks.example/"), proxy=url, proxy_resolves=True, ca_file=files["ca_file"]
            )
    assert (outcome, proxy.asked) == (Delivered(), ["CONNECT hooks.example:443"])


async def test_what_a_proxy_refuses_was_not_sent_and_is_tried_again() -> None:
    async with proxying(ConnectProxy(refuses=(PUBLIC,))) as proxy:
        assert await sent(hook("https://hooks.example/"), proxy=proxy.url) == Retry("proxy_403")
    async with proxying(ConnectProxy(password="a:b")) as proxy:
        assert await sent(hook("https://hooks.example/"), proxy=proxy.url) == Retry("proxy_407")
        plain = hook("http://hooks.example/", private=True)  # no tunnel: the proxy's own answer
        assert await sent(plain, proxy=proxy.url) == Retry("proxy_407")
    assert await sent(hook("https://hooks.example/"), proxy="http://127.0.0.1:9") == Retry("no_proxy")


async def test_a_name_that_cannot_be_looked_up_is_tried_again() -> None:
    async with proxying(ConnectProxy()) as proxy:
        for entry in ({}, {"proxy": proxy.url}):
            assert await sent(hook("https://lost.example/"), **entry) == Retry("unknown_host")


async def test_a_receiver_of_a_private_ca_gets_the_client_certificate(ca, files) -> None:
    async with receiving(ca, mutual=True) as receiver:
        sink = hook(f"https://localhost:{receiver.port}/", private=True)
        assert await sent(sink) == Retry("bad_certificate")
        assert await sent(sink, **files) == Delivered()
    assert receiver.client == "surgewatch"


async def test_an_ipv6_address_is_reached_and_its_certificate_verified(ca, files) -> None:
    async with receiving(ca, host="::1") as receiver:
        url = f"https://[::1]:{receiver.port}/"
        assert await sent(hook(url, private=True), ca_file=files["ca_file"]) == Delivered()
        assert await sent(hook(url), ca_file=files["ca_file"]) == Refused("private_address")
    assert receiver.received == 1


async def test_names_that_cannot_be_looked_up_are_seen_until_they_can(monkeypatch) -> None:
    lost, found = (
        hook("https://lost.example/"),
        WebhookSink("found", SecretStr("https://hooks.example/"), SecretStr(SECRET)),
    )
    through = Network(SecretStr("http://proxy.example:3128"))
    names = SinkNames([lost, found], {"hook": through})
    await names.look()
    assert names.unknown == {"hook": ["lost.example", "proxy.example"]}
    assert names.problem() == "hook needs lost.example, proxy.example"
    monkeypatch.setitem(NAMES, "lost.example", PUBLIC)
    monkeypatch.setitem(NAMES, "proxy.example", "10.0.0.8")
    await names.look()
    assert (names.unknown, names.problem()) == ({}, None)


async def test_what_the_proxy_resolves_is_not_looked_up_here() -> None:
    names = SinkNames(
        [hook("https://lost.example/")],
        {"hook": Network(SecretStr("http://hooks.example"), proxy_resolves=True)},
    )
    await asyncio.wait_for(names.look(), 10)
    assert names.unknown == {}


async def test_a_name_server_that_hangs_is_seen_holds_up_no_other_name_and_costs_no_further_thread(
    monkeypatch,
) -> None:
    monkeypatch.setattr(sink_names, "ANSWER", 0.3)
    answers = threading.Event()
    looked_up: list[str] = []

    def getaddrinfo(host: str, *_: object) -> list[object]:
        looked_up.append(host)
        if host == "hangs.example":
            answers.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    others = [
        WebhookSink(f"sink-{number}", SecretStr(f"https://sink-{number}.example/"), SecretStr(SECRET))
        for number in range(20)
    ]
    names = SinkNames([hook("https://hangs.example/"), *others], {})
    try:
        for _ in range(3):
            await asyncio.wait_for(names.look(), 5)
            assert names.unknown == {"hook": ["hangs.example"]}
        assert looked_up.count("hangs.example") == 1
        assert looked_up.count("sink-0.example") == 3
    finally:
        answers.set()
    await names.look()
    assert names.unknown == {}
